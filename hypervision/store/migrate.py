"""Bring a database to this version: numbered migrations, then the default rules of the domains."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Final

import psycopg
from psycopg import Connection, sql

from hypervision.domains import Catalogue
from hypervision.errors import PermanentStoreError, TemporaryStoreError
from hypervision.store import grants
from hypervision.store.connection import mapped
from hypervision.store.engines import Engine, engine_of
from hypervision.store.rules import install_defaults
from hypervision.store.sql import query
from hypervision.store.versions import applied, migrations

# Any constant of our own: two migrations at once must wait for each other, and a restore for both.
_LOCK: Final = 7_206_471_001
# Whoever waits for a table's lock holds up everybody behind it, so a migration waits no longer than this [ms], and
# then lets the others pass for a while [s].
_LOCK_MS: Final = 1_000
_PAUSE: Final = 3.0
ONLINE: Final = "-- online"
"""First words of a migration whose statements run one by one, each outside a transaction."""

_log = logging.getLogger(__name__)


def migrate(connection: Connection, catalogue: Catalogue, *, now: datetime, patience: float = 600.0) -> list[str]:
    """Apply what is missing, each migration in a transaction of its own.

    Interrupted at any point it has applied whole migrations only, or whole statements of an online one, and goes on
    where it was when it is run again.

    Parameters
    ----------
    connection : Connection
        Not in autocommit mode; its role must own the database.
    catalogue : Catalogue
        Whose default rules and state labels are put in where they are new.
    patience : float
        How long to try for a table that others keep busy, or while another migration runs [s].

    Returns
    -------
    list of str
        Names of the migrations applied now.

    Raises
    ------
    PermanentStoreError
        The server is too old, or the database is not in UTF-8, belongs to a newer version of the platform, or holds
        half a restore.
    TemporaryStoreError
        The tables stayed busy, or another migration ran, for longer than `patience`.
    """
    done: list[str] = []
    with mapped():
        engine = engine_of(connection)
        engine.check()
        _check_encoding(connection)
        connection.execute(query("no_hurry"))
        connection.commit()
        with alone(connection, patience=patience):
            known = migrations()
            there = applied(connection)
            _check(connection, there)
            for name in known:
                if name not in there:
                    text = known[name] if there else _offline(known[name])
                    step = partial(_apply, connection, name, text, engine, now)
                    _patiently(connection, step, patience)
                    done.append(name)
            _patiently(connection, partial(_defaults, connection, catalogue, now), patience)
            _patiently(connection, partial(_rights, connection), patience)
    return done


@contextmanager
def alone(connection: Connection, *, patience: float) -> Iterator[None]:
    """Keep every other migration and restore of this database away. Undoes what was not committed at the end.

    Raises
    ------
    TemporaryStoreError
        Another one did not end in time.
    """
    deadline = time.monotonic() + patience
    while connection.execute(query("lock_migration"), {"lock": _LOCK}).fetchone() != (True,):
        connection.rollback()
        if time.monotonic() >= deadline:
            raise TemporaryStoreError(
                "another migration or restore of this database is running", remedy="wait for its end and run it again"
            )
        time.sleep(0.1)
    connection.commit()
    try:
        yield
    finally:
        # With the connection the lock is gone as well.
        if not connection.closed:
            connection.rollback()
            connection.execute(query("unlock_migration"), {"lock": _LOCK})
            connection.commit()


def _check(connection: Connection, there: list[str]) -> None:
    newer = [name for name in there if name not in migrations()]
    if newer:
        raise PermanentStoreError(
            f"the database has the migration {newer[0]}, which this version does not know",
            remedy="install the newer version of the platform",
        )
    if not there and connection.execute(query("has_installation")).fetchone() == (True,):
        raise PermanentStoreError(
            "the database holds half a restore", remedy="run `hypervision db restore` again, or make a new database"
        )


def _check_encoding(connection: Connection) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise PermanentStoreError(
            f"the database has the encoding {encoding}, which cannot hold all texts",
            remedy="make one in UTF-8 (createdb --template=template0 --encoding=UTF8 NAME)",
        )


def _patiently(connection: Connection, work: Callable[[], None], patience: float) -> None:
    """Do one step; while its tables are busy, let the others pass and try again."""
    deadline = time.monotonic() + patience
    while True:
        connection.execute(query("wait_for_locks"), {"limit": f"{_LOCK_MS}ms"})
        connection.commit()
        try:
            work()
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            connection.rollback()
            if time.monotonic() + _PAUSE >= deadline:
                raise TemporaryStoreError(
                    "the tables of the database are busy all the time",
                    remedy="end what uses them for long (pg_stat_activity, a backup for one), and run it again",
                ) from None
            _log.info("waiting for tables that are in use")
            time.sleep(_PAUSE)
        else:
            return


def _apply(connection: Connection, name: str, text: str, engine: Engine, now: datetime) -> None:
    if text.startswith(ONLINE):
        _online(connection, text)
    else:
        connection.execute(engine.storage(text))
        engine.after(connection, name)
    connection.execute(query("note_installation"), {"key": f"migration {name}", "value": now.isoformat()})
    connection.commit()


def _online(connection: Connection, text: str) -> None:
    """Run statements one by one; each can be repeated (`IF NOT EXISTS`), and none keeps a writer waiting.

    Building an index waits for everybody who works, and holds up nobody: its patience is not limited.
    """
    connection.execute(query("wait_for_locks"), {"limit": "0"})
    connection.commit()
    connection.autocommit = True
    try:
        for (index,) in connection.execute(query("invalid_indexes")).fetchall():
            # Half an index of an interrupted run: `IF NOT EXISTS` would take it for a whole one.
            connection.execute(sql.SQL("DROP INDEX CONCURRENTLY {}").format(sql.Identifier("hv", index)))
        for statement in statements(text):
            connection.execute(statement)
    finally:
        if not connection.closed:
            connection.autocommit = False


def _offline(text: str) -> str:
    """An online migration for a database that is being made: nobody waits, so it is one transaction as any other.

    That is quicker, and goes where nothing can be done concurrently (PostgreSQL in WebAssembly).
    """
    return text.replace(" CONCURRENTLY ", " ") if text.startswith(ONLINE) else text


def statements(text: str) -> list[bytes]:
    r"""The statements of an online migration: each ends with a semicolon at the end of a line.

    Examples
    --------
    >>> statements('-- online\nSELECT 1;\n-- why\nSELECT\n 2;\n')
    [b'-- online\nSELECT 1', b'-- why\nSELECT\n 2']
    """
    return [part.strip().encode() for part in (text + "\n").split(";\n") if part.strip()]


def _defaults(connection: Connection, catalogue: Catalogue, now: datetime) -> None:
    install_defaults(connection, catalogue, now=now)
    connection.commit()


def _rights(connection: Connection) -> None:
    try:
        grants.apply(connection)
    except psycopg.errors.InternalError_ as error:
        # "tuple concurrently updated": somebody has just made a partition.
        raise psycopg.errors.LockNotAvailable(*error.args) from error
    connection.commit()
