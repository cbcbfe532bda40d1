"""What a backup sees of the database, and what a restored one is compared with."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple

import psycopg
from psycopg import Connection, sql

from hypervision.errors import PermanentStoreError
from hypervision.store import audit
from hypervision.store.connection import connect, mapped
from hypervision.store.engines import engine_of
from hypervision.store.sql import query
from hypervision.store.versions import applied

LAST: Final = "backup"
"""The fact of the installation that tells of the last backup: its instant and size, JSON."""


class Table(NamedTuple):
    """What one table holds: its rows, and a digest that does not depend on their order."""

    rows: int
    digest: str


class WriterState(NamedTuple):
    """How far one writer had committed, and what became of its messages."""

    name: str
    commit_no: int
    stored: int
    duplicate: int
    rejected: int


class Server(NamedTuple):
    """The database server; `extension` is TimescaleDB's version, empty without."""

    engine: str
    version: str
    major: int
    extension: str


class Snapshot:
    """One instant of the database, held for as long as the backup takes; writers go on meanwhile.

    Attributes
    ----------
    name : str
        For `pg_dump --snapshot`.
    at : datetime
        Its instant.
    database_bytes, table_bytes : int
        What the database takes, and its tables without indexes.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        connection.execute(query("hold_partitions"))
        row = connection.execute(query("export_snapshot")).fetchone()
        assert row is not None
        self.name: str = row[0]
        self.at: datetime = row[1].astimezone(UTC)
        self.database_bytes: int = row[2]
        (self.table_bytes,) = connection.execute(query("table_bytes")).fetchone() or (0,)
        self.server = server_of(connection)
        self.audit: str = str(audit.head(connection)) if audit.has_audit(connection) else ""
        self.migrations = applied(connection)

    def tables(self) -> dict[str, Table]:
        """Count and digest every table as the snapshot sees it."""
        with mapped():
            return contents(self._connection)

    def writers(self) -> list[WriterState]:
        """How far each writer had committed."""
        with mapped():
            return writers(self._connection)


@contextmanager
def snapshot(url: str) -> Iterator[Snapshot]:
    """Hold an instant of the database.

    Raises
    ------
    PermanentStoreError
        The database was never migrated.
    """
    connection = unhurried(url, application="backup")
    try:
        with mapped():
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            try:
                found = Snapshot(connection)
            except (psycopg.errors.InvalidSchemaName, psycopg.errors.UndefinedTable):
                raise PermanentStoreError(
                    "the database holds nothing of the platform", remedy="look at its name in database_url"
                ) from None
        yield found
    finally:
        connection.close()


def unhurried(url: str, *, application: str) -> Connection:
    """A connection for work that may take hours: no statement and no idle transaction is ended."""
    connection = connect(url, application=application)
    with mapped():
        connection.execute(query("no_hurry"))
        connection.commit()
    return connection


def server_of(connection: Connection) -> Server:
    """The server behind a connection."""
    engine = engine_of(connection)
    row = connection.execute(query("extension_version")).fetchone()
    return Server(engine.name, engine.version, connection.info.server_version // 10_000, row[0] if row else "")


def contents(connection: Connection, *, only: Collection[str] | None = None) -> dict[str, Table]:
    """Count and digest every table of the platform, or `only` those.

    The digest is the exclusive or of a 64-bit hash of each row: the same for the same rows in any order, on every
    machine of the same byte order and every PostgreSQL from 14 on.
    """
    found: dict[str, Table] = {}
    for (name,) in connection.execute(query("own_tables")).fetchall():
        # The copy of a packing under way is of readings that stand elsewhere, and may go at any moment.
        if name.startswith("packing_") if only is None else name not in only:
            continue
        row = connection.execute(
            sql.SQL("SELECT count(*), coalesce(bit_xor(hash_record_extended(t, 0)), 0) FROM {} AS t").format(
                sql.Identifier("hv", name)
            )
        ).fetchone()
        assert row is not None
        found[name] = Table(row[0], f"{row[1] & 0xFFFFFFFFFFFFFFFF:016x}")
    return found


def writers(connection: Connection) -> list[WriterState]:
    """Every writer with its counters."""
    return [WriterState(*row) for row in connection.execute(query("backup_writers")).fetchall()]


def state(connection: Connection) -> Literal["empty", "unfinished", "taken"]:
    """What a restore would find.

    Only an interrupted restore leaves the platform's tables without a migration: those are read in last.
    """
    row = connection.execute(query("database_holds")).fetchone()
    assert row is not None
    schema, installed, foreign = row
    if schema and not applied(connection):
        return "unfinished"
    return "taken" if schema or installed or foreign else "empty"


def clear_unfinished(connection: Connection) -> None:
    """Drop what an interrupted restore has left. Commits."""
    finish(connection, server_of(connection).extension)
    connection.execute(query("drop_unfinished"))
    connection.commit()


def sequences_behind(connection: Connection) -> list[str]:
    """Numbered columns (`table.column`) whose next number is taken already."""
    behind = []
    for table, column, sequence in connection.execute(query("identities")).fetchall():
        found = connection.execute(
            sql.SQL("SELECT s.last_value < coalesce((SELECT max({}) FROM {}), 0) FROM {} AS s").format(
                sql.Identifier(column), sql.Identifier("hv", table), sql.SQL(sequence)
            )
        ).fetchone()
        if found is not None and found[0]:
            behind.append(f"{table}.{column}")
    return behind


def last(connection: Connection, *, now: datetime) -> str:
    """When the last backup was taken and how large it is, in words."""
    row = connection.execute(query("installation_fact"), {"key": LAST}).fetchone()
    if row is None:
        return "never"
    found = json.loads(row[0])
    hours = (now - datetime.fromisoformat(found["at"])).total_seconds() / 3600
    return f"{found['at']}, {hours:.1f} h ago, {found['bytes'] / 1e6:.1f} MB"


def note(url: str, key: str, value: str) -> None:
    """Note a fact of the installation."""
    with connect(url, application="backup") as connection, mapped():
        connection.execute(query("note_installation"), {"key": key, "value": value})


def prepare(connection: Connection, extension: str) -> None:
    """Make an empty database ready for a dump of TimescaleDB of this version; nothing is done without one. Commits.

    Raises
    ------
    PermanentStoreError
        The server has another version, or none, or the role may not write its catalog.
    """
    if not extension:
        return
    there = server_of(connection)
    if there.engine != "TimescaleDB":
        raise PermanentStoreError(
            f"the backup is of TimescaleDB {extension}, and the server has none",
            remedy="restore it on a server with that extension",
        )
    role, almighty, owner = connection.execute(query("role_and_owner")).fetchone() or ("", False, "")
    if not almighty:
        raise PermanentStoreError(
            f"a backup of TimescaleDB is restored by a superuser, and {role} is none",
            remedy=f"name one in HYPERVISION_DATABASE_URL for this command; all of it will belong to {owner}",
        )
    connection.execute(query("create_timescale"))
    connection.commit()
    there = server_of(connection)
    if there.extension != extension:
        raise PermanentStoreError(
            f"the backup is of TimescaleDB {extension}, and the server has {there.extension}",
            remedy=f"install TimescaleDB {extension}, restore, and update the extension afterwards",
        )
    connection.execute(query("timescale_pre_restore"))
    connection.commit()


def finish(connection: Connection, extension: str) -> None:
    """End what `prepare` began; all of it belongs to the database's owner then. Commits."""
    if extension:
        connection.execute(query("timescale_post_restore"))
        connection.execute(query("give_to_owner"))
        connection.commit()


def settle(connection: Connection) -> None:
    """After the tables were found equal: forget log-ins, and let the planner look at them. Commits."""
    connection.execute(query("forget_sessions"))
    connection.commit()
    connection.execute("ANALYZE")
    connection.commit()
