"""Which migrations there are, which of them a database has, and waiting until it has all."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from importlib import resources

from hypervision.errors import PermanentStoreError, StoreError, TemporaryStoreError
from hypervision.store.connection import Connection, connect, mapped
from hypervision.store.sql import query

_log = logging.getLogger(__name__)


def migrations() -> Mapping[str, str]:
    """Name and text of every migration, in order."""
    folder = resources.files("hypervision.store") / "migrations"
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda e: e.name)
    return {entry.name.removesuffix(".sql"): entry.read_text("utf-8") for entry in files}


def applied(connection: Connection) -> list[str]:
    """Names of the migrations the database has."""
    with mapped():
        if connection.execute(query("has_installation")).fetchone() == (False,):
            return []
        return [row[0] for row in connection.execute(query("migrations_applied")).fetchall()]


def behind(connection: Connection) -> list[str]:
    """Names of the migrations the database lacks."""
    done = set(applied(connection))
    return [name for name in migrations() if name not in done]


def check_newer(connection: Connection) -> list[str]:
    """Migrations that this version does not know; they only add, so it goes on with what it knows.

    Raises
    ------
    PermanentStoreError
        One of them has taken away what this version needs.
    """
    newer = [name for name in applied(connection) if name not in migrations()]
    if newer:
        with mapped():
            row = connection.execute(query("oldest_known")).fetchone()
        if row is not None and row[0] not in migrations():
            raise PermanentStoreError(
                f"the database has the migration {row[0]}, since which this version can no longer use it",
                remedy="install the version that brought it",
            )
    return newer


def reconnect(url: str, *, application: str) -> Connection:
    """Connect anew, for a process at work.

    Raises
    ------
    TemporaryStoreError
        The server is away, or the database is none that this process can use: half restored, not migrated, too new.
        That is a reason to wait, and never one to refuse the messages in hand.
    """
    try:
        return wait_for_schema(url, application=application, wait=0.0)
    except PermanentStoreError as error:
        raise TemporaryStoreError(error.what, remedy=error.remedy) from error


def wait_for_schema(url: str, *, application: str, wait: float | None = None) -> Connection:
    """Connect to a database at this version, waiting for server and migration.

    Parameters
    ----------
    wait : float, optional
        At most this long [s]; None waits for ever.

    Raises
    ------
    TemporaryStoreError
        The time is over.
    PermanentStoreError
        The database is of a version with which this one can no longer work.
    """
    deadline = None if wait is None else time.monotonic() + wait
    while True:
        try:
            connection = connect(url, application=application)
            try:
                missing = behind(connection)
                newer = check_newer(connection)
                with mapped():
                    connection.rollback()
            except BaseException:
                connection.close()
                raise
            if not missing:
                if newer:
                    _log.warning("the database has %s: this process goes on, start the newer version soon", newer[-1])
                return connection
            connection.close()
            error: StoreError = TemporaryStoreError(
                f"the database lacks the migrations {', '.join(missing)}",
                remedy="run `hypervision db migrate`",
            )
        except TemporaryStoreError as failure:
            error = failure
        if deadline is not None and time.monotonic() >= deadline:
            raise error
        time.sleep(0.25)
