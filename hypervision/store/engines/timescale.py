"""TimescaleDB: observations as a hypertable; only its Apache edition is needed."""

from __future__ import annotations

import logging
from datetime import date

import psycopg
from psycopg import Connection

from hypervision.errors import PermanentStoreError
from hypervision.store.engines.plain import MARK, OLDEST
from hypervision.store.sql import query

_log = logging.getLogger(__name__)


class Timescale:
    """PostgreSQL with the timescaledb extension, or with the extension ready to be created."""

    name = "TimescaleDB"

    def __init__(self, *, number: int, server: str, extension: str) -> None:
        self.number = number
        self.version = f"{extension} on PostgreSQL {server}"

    def check(self) -> None:
        """Refuse a server older than PostgreSQL 15."""
        if self.number < OLDEST:
            raise PermanentStoreError(
                f"the database server is TimescaleDB {self.version}", remedy="use PostgreSQL 15 to 18"
            )

    def storage(self, migration: str) -> str:
        """A plain table; it becomes a hypertable afterwards."""
        return migration.replace(MARK, "")

    def after(self, connection: Connection, migration: str) -> None:
        """Make the hypertable, with compression where the edition offers it."""
        if migration != "0001_house":
            return
        connection.execute(query("create_timescale"))
        connection.execute(query("create_hypertable"))
        try:
            with connection.transaction():
                connection.execute(query("compress_hypertable"))
        except psycopg.Error as error:
            # The Apache edition has no compression: everything works without, with more disk.
            _log.info("TimescaleDB without compression: %s", error.diag.message_primary or error)

    def ensure_days(self, connection: Connection, days: list[date], *, today: date) -> None:
        """The hypertable makes its chunks by itself."""
