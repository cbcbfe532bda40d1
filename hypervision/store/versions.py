"""Which migrations there are, which of them a database has, and waiting until it has all."""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib import resources

from hypervision.errors import StoreError, TemporaryStoreError
from hypervision.store.connection import Connection, connect, mapped
from hypervision.store.sql import query


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
    """
    deadline = None if wait is None else time.monotonic() + wait
    while True:
        try:
            connection = connect(url, application=application)
            try:
                missing = behind(connection)
                with mapped():
                    connection.rollback()
            except BaseException:
                connection.close()
                raise
            if not missing:
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
