"""What differs between PostgreSQL and TimescaleDB, one file each."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from psycopg import Connection

from hypervision.store.sql import query


class Engine(Protocol):
    """One kind of database server."""

    name: str
    version: str

    def check(self) -> None:
        """Raise `PermanentStoreError` when the server is too old."""

    def storage(self, migration: str) -> str:
        """The migration's text with the storage of observations filled in."""

    def after(self, connection: Connection, migration: str) -> None:
        """What the engine does after a migration, in the same transaction."""

    def ensure_days(self, connection: Connection, days: list[date], *, today: date) -> None:
        """Make room for observations of these UTC days; commits."""


def engine_of(connection: Connection) -> Engine:
    """The engine behind a connection."""
    from hypervision.store.engines.plain import Plain
    from hypervision.store.engines.timescale import Timescale

    row = connection.execute(query("server_version")).fetchone()
    assert row is not None
    number, text, timescale, available = row
    if timescale is not None or available is not None:
        return Timescale(number=number, server=text, extension=timescale or available)
    return Plain(number=number, server=text)
