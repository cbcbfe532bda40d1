"""What differs between PostgreSQL and TimescaleDB, one file each."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import date
from typing import Protocol

from psycopg import Connection

from hypervision.store.partitions import Partition
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

    def ensure_days(self, connection: Connection, days: list[date], *, today: date) -> date | None:
        """Make room for observations of these UTC days; commits.

        Before the day returned, there is none for some of them: what they belong to is being dropped.
        """

    def hold(self, connection: Connection, days: Sequence[date]) -> set[date]:
        """Keep old days from being packed until the transaction ends; which of them have no unique key any more."""

    def packed_before(self, connection: Connection) -> date | None:
        """Before which day everything lies that has no unique key any more; see `lateness.Care`."""

    def partitions(self, connection: Connection) -> list[Partition]:
        """What the observations are kept in, in order of time."""

    def pack(self, connection: Connection, *, before: date, stop: threading.Event) -> list[str]:
        """Pack, or compress, what ended by a day; commits. The names of what was packed now."""

    def drop(self, connection: Connection, *, before: date, begun: bool = False) -> list[Partition]:
        """Drop what ended by a day, or only that whose dropping was `begun`; what goes with the caller's commit."""


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
