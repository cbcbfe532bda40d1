"""What was beyond the pace of a Thing, counted in the quarantine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg import Connection

from hypervision.clock import from_us
from hypervision.store.sql import query
from hypervision.store.writer import PAYLOAD_KEPT


class Limited(NamedTuple):
    """Messages of one Thing in one minute, with the first of them."""

    number: int
    received_us: int
    topic: str
    thing: str
    payload: bytes


class Talking(NamedTuple):
    """A Thing that was limited, and how many messages of its newest minute were."""

    thing_id: int
    domain: str
    number: int


def count(connection: Connection, numbers: Mapping[int, int]) -> list[int]:
    """Add to rows that are still there; their numbers."""
    if not numbers:
        return []
    values = {"ids": list(numbers), "numbers": list(numbers.values())}
    return [row[0] for row in connection.execute(query("limited_count"), values).fetchall()]


def put(connection: Connection, limited: Sequence[Limited], detail: str) -> list[int]:
    """Begin a row for each; their numbers, in the same order."""
    ids: list[int] = []
    for one in limited:
        row = connection.execute(
            query("limited_put"),
            {
                "received": from_us(one.received_us),
                "topic": one.topic,
                "thing": one.thing,
                "payload": one.payload[:PAYLOAD_KEPT],
                "bytes": len(one.payload),
                "detail": detail,
                "number": one.number,
            },
        ).fetchone()
        assert row is not None
        ids.append(int(row[0]))
    return ids


def talking(connection: Connection, *, since: datetime, until: datetime) -> list[Talking]:
    """Things that were limited between two instants."""
    rows = connection.execute(query("limited_things"), {"since": since, "until": until}).fetchall()
    return [Talking(*row) for row in rows]
