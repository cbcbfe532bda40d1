"""TimescaleDB: observations as a hypertable; only its Apache edition is needed, the community edition compresses."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime, time

import psycopg
from psycopg import Connection

from hypervision.errors import PermanentStoreError
from hypervision.store.engines.plain import MARK, OLDEST
from hypervision.store.partitions import Partition
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
        if migration == "0009_years":
            connection.execute(query("drop_time_index"))
            connection.execute(query("chunks_of_a_week"))
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

    def ensure_days(self, connection: Connection, days: list[date], *, today: date) -> date | None:
        """The hypertable makes its chunks by itself."""

    def hold(self, connection: Connection, days: Sequence[date]) -> set[date]:  # noqa: ARG002
        """A compressed chunk keeps its unique key: nothing is held, and no day needs care."""
        return set()

    def packed_before(self, connection: Connection) -> date | None:  # noqa: ARG002
        """None: every chunk keeps its key."""
        return None

    def partitions(self, connection: Connection) -> list[Partition]:
        """Every chunk, in order of time."""
        rows = connection.execute(query("chunk_sizes")).fetchall()
        return [
            Partition(
                name, first.astimezone(UTC).date(), last.astimezone(UTC).date(), compressed, max(rows, 0), heap, indexes
            )
            for name, first, last, compressed, rows, heap, indexes in rows
        ]

    def pack(self, connection: Connection, *, before: date, stop: threading.Event) -> list[str]:
        """Compress the chunks that are old, and anew those to which readings came since. Commits."""
        done: list[str] = []
        if connection.execute(query("compression_enabled")).fetchone() != (True,):
            connection.rollback()
            return done
        for name, first, last in connection.execute(query("chunks_to_compress"), {"before": before}).fetchall():
            if stop.is_set():
                break
            connection.execute(query("patience_of_packing"))
            connection.execute(query("forget_late"), {"first": first, "last": last})
            connection.execute(query("compress_chunk"), {"chunk": name})
            connection.commit()
            done.append(name)
            _log.info("packed %s", name)
        connection.commit()
        return done

    def drop(self, connection: Connection, *, before: date, begun: bool = False) -> list[Partition]:
        """Drop whole chunks that end by a day, in one transaction: none is ever left half dropped."""
        if begun:
            return []
        there = self.partitions(connection)
        at = datetime.combine(before, time(), UTC)
        names = {row[0] for row in connection.execute(query("drop_chunks"), {"before": at}).fetchall()}
        return [p for p in there if p.name in names]
