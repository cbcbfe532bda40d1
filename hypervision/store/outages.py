"""Known outages of the platform's own parts."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from psycopg import Connection

from hypervision.store.connection import mapped
from hypervision.store.sql import query

Cause = Literal["broker", "database", "collector"]


class Outage(NamedTuple):
    """A part of the platform was away, and is back."""

    cause: Cause
    began: datetime
    ended: datetime


def put(connection: Connection, writer: str, outage: Outage) -> None:
    """Write an outage that a writer has noticed; told twice it stays one. Commits."""
    with mapped():
        connection.execute(query("put_outage"), {"writer": writer, **outage._asdict()})
        connection.commit()


def last_beat(connection: Connection, writer: str) -> tuple[datetime, datetime] | None:
    """When a writer of this name last gave a sign of life, and now, by the database; None when there never was one."""
    with mapped():
        row = connection.execute(query("last_beat"), {"name": writer}).fetchone()
        connection.rollback()
    return None if row is None else (row[0], row[1])


def since(connection: Connection, moment: datetime) -> list[Outage]:
    """The outages that any writer noticed and that ended after a moment, oldest first."""
    with mapped():
        rows = connection.execute(query("outages_since"), {"since": moment}).fetchall()
        connection.rollback()
    return [Outage(*row) for row in rows]
