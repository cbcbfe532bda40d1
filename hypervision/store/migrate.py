"""Bring a database to this version: numbered migrations, then the default rules of the domains."""

from __future__ import annotations

from datetime import datetime

from psycopg import Connection

from hypervision.domains import Catalogue
from hypervision.errors import PermanentStoreError
from hypervision.store.connection import mapped
from hypervision.store.engines import Engine, engine_of
from hypervision.store.rules import install_defaults
from hypervision.store.sql import query
from hypervision.store.versions import applied, migrations

# Any constant of our own: two migrations at once must wait for each other.
_LOCK = 7_206_471_001


def migrate(connection: Connection, catalogue: Catalogue, *, now: datetime) -> list[str]:
    """Apply what is missing, each migration in a transaction of its own.

    Parameters
    ----------
    connection : Connection
        Not in autocommit mode; its role must own the database.
    catalogue : Catalogue
        Whose default rules and state labels are put in where they are new.

    Returns
    -------
    list of str
        Names of the migrations applied now.

    Raises
    ------
    PermanentStoreError
        The server is too old, or the database belongs to a newer version of the platform.
    """
    done: list[str] = []
    with mapped():
        engine = engine_of(connection)
        engine.check()
        connection.execute(query("lock_migration"), {"lock": _LOCK})
        try:
            known = migrations()
            there = applied(connection)
            newer = [name for name in there if name not in known]
            if newer:
                raise PermanentStoreError(
                    f"the database has the migration {newer[0]}, which this version does not know",
                    remedy="install the newer version of the platform",
                )
            for name in known:
                if name in there:
                    continue
                _apply(connection, name, known[name], engine, now)
                connection.commit()
                done.append(name)
            install_defaults(connection, catalogue, now=now)
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(query("unlock_migration"), {"lock": _LOCK})
            connection.commit()
    return done


def _apply(connection: Connection, name: str, text: str, engine: Engine, now: datetime) -> None:
    connection.execute(engine.storage(text))
    engine.after(connection, name)
    connection.execute(query("note_installation"), {"key": f"migration {name}", "value": now.isoformat()})
