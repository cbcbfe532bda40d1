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
    """One quarantined message, or `count` refused values of a stored one (`partial`)."""

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


@dataclass(frozen=True, slots=True)
class Waiting:
    """Messages that wait for a replay.

    Attributes
    ----------
    ids : list of int
        One row of each message, in order of receipt.
    newest : int
        The newest row there was; what comes later is not meant.
    """

    ids: list[int]
    newest: int


def waiting(
    connection: Connection,
    *,
    thing: str | None = None,
    reason: str | None = None,
    ids: Sequence[int] | None = None,
) -> Waiting:
    """Messages kept whole that were not replayed yet and that a second try may mend."""
    with mapped():
        found = connection.execute(query("rejected_newest")).fetchone()
        newest = 0 if found is None else found[0]
        values = {"thing": thing, "reason": reason, "ids": None if ids is None else list(ids), "newest": newest}
        rows = connection.execute(query("rejected_waiting"), values).fetchall()
        connection.rollback()
        return Waiting([row[0] for row in rows], newest)


def read(connection: Connection, ids: Sequence[int]) -> list[Rejected]:
    """Messages by their numbers, in order of receipt."""
    with mapped():
        rows = connection.execute(query("rejected_read"), {"ids": list(ids)}).fetchall()
        connection.rollback()
        return [Rejected(*row) for row in rows]


def settle(connection: Connection, ids: Sequence[int], *, newest: int, now: datetime) -> None:
    """Note that messages were sent through again. Commits.

    Parameters
    ----------
    ids : sequence of int
        One row of each message, as `waiting` gave it.
    newest : int
        The newest row before the second try; what came later for the same message is what the second try refused.

    Notes
    -----
    A message that was refused again keeps its row, which tells the newer reason, when it was tried, and waits on.
    """
    note = f" (refused again {now:%Y-%m-%d %H:%M} UTC)"
    with mapped():
        connection.execute(query("rejected_settle"), {"ids": list(ids), "newest": newest, "now": now, "note": note})
        connection.commit()
