"""What the time is for sure, when one of the clocks is wrong: before something is forgotten for good."""

from __future__ import annotations

from datetime import datetime

from psycopg import Connection

from hypervision.store.connection import mapped
from hypervision.store.sql import query
from hypervision.timekeeping import Clock


def server_time(connection: Connection) -> datetime:
    """What the server says that the time is."""
    row = connection.execute(query("server_time")).fetchone()
    assert row is not None
    at: datetime = row[0]
    return at


def tell(connection: Connection, clock: Clock) -> None:
    """Let the clock of this process know what the server says."""
    began = clock.steady()
    row = connection.execute(query("server_time")).fetchone()
    assert row is not None
    clock.told(row[0], began=began)


def known_time(connection: Connection, now: datetime) -> datetime:
    """What the time is at least: by our clock, the server's, the newest receipt and the newest phenomenon time.

    The least of them, for no clock that is ahead may make anything old: what is dropped is gone. A town that receives
    nothing any more keeps what it has.
    """
    with mapped():
        said = connection.execute(query("newest_known")).fetchone() or ()
        known: datetime = min([now, server_time(connection), *(at for at in said if at is not None)])
        connection.rollback()
    return known
