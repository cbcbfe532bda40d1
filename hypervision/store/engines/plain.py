"""Plain PostgreSQL 15 to 18: observations in native partitions by day, older ones by month."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from psycopg import Connection, sql

from hypervision.errors import PermanentStoreError
from hypervision.store.sql import query

MARK: Final = "/* observation storage */"
OLDEST: Final = 150_000
RECENT: Final = timedelta(days=31)
"""Months that ended longer ago get one partition, where they have none of their days yet."""


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

    def ensure_days(self, connection: Connection, days: list[date], *, today: date) -> None:
        """Create partitions, made apart and then attached, so that writers are hardly held up.

        A day of its own for what is recent; a month for what is older, so that a device whose clock is wrong, or an
        import of many years, does not leave thousands of partitions for every query to plan with.
        """
        names = _attached(connection)
        for day in days:
            if not names.isdisjoint((_of_day(day), _of_month(day))):
                continue
            connection.execute(query("lock_partitions"))
            names = _attached(connection)
            # Another writer may have attached it while we waited for the lock.
            if names.isdisjoint((_of_day(day), _of_month(day))):
                name, first, last = _extent(day, names, today)
                self._attach(connection, name, first, last)
                names.add(name)
            connection.commit()

    @staticmethod
    def _attach(connection: Connection, name: str, first: date, last: date) -> None:
        table = sql.Identifier("hv", name)
        connection.execute(
            sql.SQL(
                "CREATE TABLE IF NOT EXISTS {} (LIKE hv.observation INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
            ).format(table)
        )
        connection.execute(
            sql.SQL("ALTER TABLE hv.observation ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
                table,
                sql.Literal(f"{first.isoformat()} 00:00:00+00"),
                sql.Literal(f"{last.isoformat()} 00:00:00+00"),
            )
        )


def _attached(connection: Connection) -> set[str]:
    return {row[0] for row in connection.execute(query("attached_partitions")).fetchall()}


def _of_day(day: date) -> str:
    return f"observation_{day:%Y%m%d}"


def _of_month(day: date) -> str:
    return f"observation_{day:%Y%m}"


def _extent(day: date, names: set[str], today: date) -> tuple[str, date, date]:
    """Name, first day and day after the last of the partition that a day is to have."""
    month = day.replace(day=1)
    following = (month + timedelta(days=32)).replace(day=1)
    recent = following > today - RECENT
    if recent or any(name.startswith(_of_month(day)) for name in names):
        return _of_day(day), day, day + timedelta(days=1)
    return _of_month(day), month, following
