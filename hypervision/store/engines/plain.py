"""Plain PostgreSQL 15 to 18: observations in native daily partitions."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from psycopg import Connection, errors, sql

from hypervision.errors import PermanentStoreError
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

    def ensure_days(self, connection: Connection, days: list[date]) -> None:
        """Create daily partitions, made apart and then attached, so that writers are hardly held up."""
        wanted = {f"observation_{day:%Y%m%d}": day for day in days}
        rows = connection.execute(query("existing_partitions"), {"names": list(wanted)}).fetchall()
        for name in sorted(set(wanted) - {row[0] for row in rows}):
            day = wanted[name]
            table = sql.Identifier("hv", name)
            connection.execute(query("lock_partitions"))
            try:
                connection.execute(
                    sql.SQL(
                        "CREATE TABLE IF NOT EXISTS {} (LIKE hv.observation INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
                    ).format(table)
                )
                connection.execute(
                    sql.SQL("ALTER TABLE hv.observation ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
                        table,
                        sql.Literal(f"{day.isoformat()} 00:00:00+00"),
                        sql.Literal(f"{(day + timedelta(days=1)).isoformat()} 00:00:00+00"),
                    )
                )
                connection.commit()
            except (errors.WrongObjectType, errors.InvalidObjectDefinition):
                # Another writer attached the same day while we waited for the lock.
                connection.rollback()
