"""Parts of the platform itself: what the database knows of how they do, and the numbers that alarms name them by."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime

from psycopg import Connection

from hypervision.parts import Beaten
from hypervision.store.backup import LAST
from hypervision.store.sql import query


def beaten(connection: Connection) -> list[Beaten]:
    """Every writer that ever beat."""
    return [Beaten(*row) for row in connection.execute(query("part_writers")).fetchall()]


def last_backup(connection: Connection) -> datetime | None:
    """When the last backup was taken; None where nobody ever noted one, or another version did in words of its own."""
    row = connection.execute(query("installation_fact"), {"key": LAST}).fetchone()
    try:
        at = datetime.fromisoformat(json.loads(row[0])["at"]) if row is not None else None
    except (ValueError, TypeError, KeyError):
        return None
    return at if at is not None and at.tzinfo is not None else None


def numbers(connection: Connection, codes: Collection[str]) -> dict[str, int]:
    """The numbers of all parts that are known; those of `codes` are put in where they are new."""
    known = _known(connection)
    new = sorted(set(codes) - known.keys())
    if not new:
        return known
    connection.execute(query("put_parts"), {"codes": new})
    return _known(connection)


def _known(connection: Connection) -> dict[str, int]:
    return dict(connection.execute(query("parts_known")).fetchall())
