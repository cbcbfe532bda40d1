"""Which collectors are in service."""

from __future__ import annotations

from datetime import datetime

from psycopg import Connection

from hypervision import flowing
from hypervision.store.connection import mapped
from hypervision.store.sql import query


def retire(connection: Connection, name: str, *, now: datetime) -> None:
    """Take a writer out of service: it is not missed any more, and its counters go on counting. Commits."""
    with mapped():
        connection.execute(query("retire_writer"), {"name": name, "now": now})
        connection.commit()


def enlist(connection: Connection, name: str) -> None:
    """Put a writer into service (again). Commits."""
    with mapped():
        connection.execute(query("enlist_writer"), {"name": name})
        connection.commit()


def collectors(connection: Connection) -> dict[str, bool]:
    """Name every collector in service, with whether it beats and is connected."""
    with mapped():
        rows = connection.execute(query("collectors"), {"patience": flowing.PATIENCE}).fetchall()
        connection.rollback()
    return dict(rows)
