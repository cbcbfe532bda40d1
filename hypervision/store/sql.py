"""Named queries: every SQL text stands in `queries/*.sql` under `-- name: …` with a comment of its own."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import LiteralString

from hypervision.errors import PermanentStoreError

_HEADER = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@cache
def _all() -> dict[str, str]:
    found: dict[str, str] = {}
    folder = resources.files("hypervision.store") / "queries"
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if not entry.name.endswith(".sql"):
            continue
        parts = _HEADER.split(entry.read_text("utf-8"))
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            if name in found:
                raise PermanentStoreError(f"two queries are named {name!r}", remedy="rename one")
            found[name] = text.strip()
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
