"""Named queries: every SQL text stands in `queries/*.sql` under `-- name: …` with a comment of its own.

What several queries say alike stands before them under `-- part: …`, and is put in, between brackets, where a line of
theirs ends with `-- part: …`.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import LiteralString

from hypervision.errors import PermanentStoreError

_HEADER = re.compile(r"^-- (name|part): (\w+)\s*$", re.MULTILINE)
_USE = re.compile(r"(?<=\S )-- part: (\w+)$", re.MULTILINE)


@cache
def _all() -> dict[str, str]:
    found: dict[str, str] = {}
    folder = resources.files("hypervision.store") / "queries"
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if not entry.name.endswith(".sql"):
            continue
        parts: dict[str, str] = {}
        pieces = _HEADER.split(entry.read_text("utf-8"))
        for kind, name, text in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
            if name in found or name in parts:
                raise PermanentStoreError(f"two queries are named {name!r}", remedy="rename one")
            whole = _USE.sub(lambda use: f"(\n{parts[use[1]]}\n)", text.strip())  # noqa: B023  (called at once)
            (parts if kind == "part" else found)[name] = whole
    return found


def query(name: str) -> LiteralString:
    """The text of a named query.

    Raises
    ------
    KeyError
        There is no such query.
    """
    return _all()[name]


def names() -> list[str]:
    """Names of all queries."""
    return list(_all())
