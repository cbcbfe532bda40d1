"""Named queries: every SQL text stands in `queries/*.sql` under `-- name: …` with a comment of its own.

What several queries say alike stands under `-- part: …`, in any of the files, and is put in, between brackets, where a
line of theirs ends with `-- part: …`; with `… as p` it is said of the table `p` and not of `t`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import LiteralString

from hypervision.errors import PermanentStoreError

_HEADER = re.compile(r"^-- (name|part): (\w+)\s*$", re.MULTILINE)
_USE = re.compile(r"(?<=\S )-- part: (\w+)(?: as (\w+))?$", re.MULTILINE)
_TABLE = re.compile(r"\bt\.")


@cache
def _all() -> dict[str, str]:
    found: dict[str, str] = {}
    parts: dict[str, str] = {}
    folder = resources.files("hypervision.store") / "queries"
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if not entry.name.endswith(".sql"):
            continue
        pieces = _HEADER.split(entry.read_text("utf-8"))
        for kind, name, text in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
            if name in found or name in parts:
                raise PermanentStoreError(f"two queries are named {name!r}", remedy="rename one")
            (parts if kind == "part" else found)[name] = text.strip()
    return {name: _whole(text, parts) for name, text in found.items()}


def _whole(text: str, parts: Mapping[str, str], depth: int = 0) -> str:
    """A text with its parts put in, which may have parts of their own."""
    if depth > len(parts):
        raise PermanentStoreError("a part of a query contains itself", remedy="take it out of itself")

    def put_in(use: re.Match[str]) -> str:
        part = _whole(parts[use[1]], parts, depth + 1)
        return f"(\n{part if use[2] is None else _TABLE.sub(f'{use[2]}.', part)}\n)"

    return _USE.sub(put_in, text)


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
