"""Why a service does not start: the telling line of what it logged since this start."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

# What PostgreSQL and NATS call an error that ends them.
_FATAL: Final = re.compile(r"(?:\b(?:FATAL|PANIC|ERROR):\s+|\[(?:FTL|ERR)\]\s+)(?P<what>.+)")
_READ: Final = 65_536
_SHOWN: Final = 300


def sizes(logs: Iterable[Path]) -> dict[Path, int]:
    """Note how long some logs are [byte], before a start writes to them."""
    return {path: path.stat().st_size if path.exists() else 0 for path in logs}


def since(marks: Mapping[Path, int]) -> str:
    """Give the line that tells why a service ended.

    Parameters
    ----------
    marks : mapping of Path to int
        Its logs, the most telling first, with their sizes before the start [byte].

    Returns
    -------
    str
        What stands behind the last mark of a fatal error; else the last line of the first log that has one; empty
        when nothing was logged.
    """
    written = [_added(path, mark) for path, mark in marks.items()]
    for lines in written:
        for line in reversed(lines):
            found = _FATAL.search(line)
            if found is not None:
                return _shown(found["what"])
    return next((_shown(lines[-1]) for lines in written if lines), "")


def _added(path: Path, mark: int) -> list[str]:
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, 2)
            # A log that was begun anew is shorter than it was.
            stream.seek(max(mark if mark <= size else 0, size - _READ))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()]


def _shown(line: str) -> str:
    return "".join(c for c in line if c.isprintable())[:_SHOWN]
