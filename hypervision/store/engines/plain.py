"""Plain PostgreSQL 15 to 18: observations in native partitions by day, older ones packed and joined by month."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import date
from typing import Final

from psycopg import Connection

from hypervision.errors import PermanentStoreError
from hypervision.store import packing, partitions
from hypervision.store.partitions import Partition
from hypervision.store.sql import query

MARK: Final = "/* observation storage */"
OLDEST: Final = 150_000


class Plain:
    """PostgreSQL without an extension."""

    name = "PostgreSQL"

    def __init__(self, *, number: int, server: str) -> None:
        self.number = number
        self.version = server

    def check(self) -> None:
        """Refuse a server older than 15."""
        if self.number < OLDEST:
            raise PermanentStoreError(
                f"the database server is PostgreSQL {self.version}", remedy="use PostgreSQL 15 to 18"
            )

    def storage(self, migration: str) -> str:
        """Partition observations by time."""
        return migration.replace(MARK, "PARTITION BY RANGE (phenomenon_time)")

    def after(self, connection: Connection, migration: str) -> None:
        """Nothing more is needed."""

    def ensure_days(self, connection: Connection, days: list[date], *, today: date) -> date | None:
        """Create partitions, made apart and then attached, so that writers are hardly held up.

        A day of its own for what is recent; a month for what is older, so that a device whose clock is wrong, or an
        import of many years, does not leave thousands of partitions for every query to plan with.
        """
        names, leaving = _attached(connection)
        gone: list[date] = []
        for day in days:
            if partitions.days_in([day], names):
                continue
            connection.execute(query("lock_partitions"))
            names, leaving = _attached(connection)
            if partitions.days_in([day], leaving):
                # Its place is taken until it is dropped.
                gone += [end for first, end in map(partitions.extent_of, leaving) if first <= day < end]
            # Another writer may have attached it while we waited for the lock.
            elif not partitions.days_in([day], names):
                name, first, last = partitions.room_for(day, names | leaving, today=today)
                connection.execute(query("make_room"), {"name": name, "first": first, "last": last})
                names.add(name)
            connection.commit()
        return max(gone, default=None)

    def hold(self, connection: Connection, days: Sequence[date]) -> set[date]:
        """Keep old days from being packed until the transaction ends; which of them are packed already.

        Nobody else writes to the packed ones meanwhile; to all others everybody goes on.
        """
        connection.execute(query("lock_packing_shared"))
        names = (row[0] for row in connection.execute(query("packed_partitions")).fetchall())
        packed = partitions.days_in(days, names)
        if packed:
            months = sorted({12 * day.year + day.month for day in packed})
            connection.execute(query("lock_packed_months"), {"months": months})
        return packed

    def packed_before(self, connection: Connection) -> date | None:
        """The fence, or the end of the last packed partition: the version before had no fence."""
        row = connection.execute(query("packed_before")).fetchone()
        packed = (name for (name,) in connection.execute(query("packed_partitions")).fetchall())
        return max([*(row or ()), *(partitions.extent_of(name)[1] for name in packed)], default=None)

    def partitions(self, connection: Connection) -> list[Partition]:
        """Every partition, in order of time."""
        rows = connection.execute(query("partition_sizes")).fetchall()
        found = [
            Partition(name, *partitions.extent_of(name), not keyed, rows, heap, indexes, pending)
            for name, keyed, rows, heap, indexes, pending in rows
        ]
        return sorted(found, key=lambda p: p.first)

    def pack(self, connection: Connection, *, before: date, stop: threading.Event) -> list[str]:
        """Rewrite what is old, sorted and without its key; see `packing`. Commits."""
        return packing.pack(connection, self.partitions(connection), before=before, stop=stop)

    def drop(self, connection: Connection, *, before: date, begun: bool = False) -> list[Partition]:
        """Drop whole partitions that end by a day; nobody is held up. The detaching is committed here."""
        found = [p for p in self.partitions(connection) if p.pending or not begun]
        return packing.drop(connection, found, before=before)


def _attached(connection: Connection) -> tuple[set[str], set[str]]:
    """The names of the partitions, and of those that are being dropped."""
    rows = connection.execute(query("attached_partitions")).fetchall()
    return {name for name, pending in rows if not pending}, {name for name, pending in rows if pending}
