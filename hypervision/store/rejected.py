"""Quarantined messages: listing them, and taking them out for a replay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection

from hypervision.store.connection import mapped
from hypervision.store.sql import query


@dataclass(frozen=True, slots=True)
class Rejected:
    """One quarantined message, or one refused value of a stored one (`partial`)."""

    rejected_id: int
    received_time: datetime
    topic: str
    payload: bytes
    payload_bytes: int
    reason: str
    detail: str
    count: int
    partial: bool
    replayed_at: datetime | None


def listed(connection: Connection, *, reason: str | None = None, limit: int = 50) -> list[Rejected]:
    """The newest first."""
    with mapped():
        rows = connection.execute(query("rejected_list"), {"reason": reason, "limit": limit}).fetchall()
        return [Rejected(*row) for row in rows]


def to_replay(
    connection: Connection,
    *,
    thing: str | None = None,
    reason: str | None = None,
    ids: Sequence[int] | None = None,
    after: int = 0,
    limit: int = 1000,
) -> list[Rejected]:
    """Messages kept whole and not replayed yet, oldest first, beyond the id `after`."""
    values = {
        "thing": thing,
        "reason": reason,
        "ids": None if ids is None else list(ids),
        "after": after,
        "limit": limit,
    }
    with mapped():
        rows = connection.execute(query("rejected_to_replay"), values).fetchall()
        connection.rollback()
        return [Rejected(*row) for row in rows]


def mark_replayed(connection: Connection, ids: Sequence[int], *, now: datetime) -> None:
    """Note that messages were sent through again. Commits."""
    with mapped():
        connection.execute(query("rejected_mark_replayed"), {"ids": list(ids), "now": now})
        connection.commit()
