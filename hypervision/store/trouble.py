"""What a test does to a database of its own: slow, locked, refusing, read-only, crowded. Never used by the platform."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from hypervision.errors import StoreError
from hypervision.store.connection import connect, mapped
from hypervision.store.provision import DATABASE
from hypervision.store.sql import query

_MOST: Final = 200
_ALL: Final = "hypervision%"


class Trouble:
    """Makes trouble, and ends it again.

    Parameters
    ----------
    superuser_url, url : str
        libpq URIs of the superuser, in any other database, and of the platform's role in its own.
    """

    def __init__(self, superuser_url: str, url: str) -> None:
        self._superuser_url = superuser_url
        self._url = url

    @contextmanager
    def _as_superuser(self, *, inside: bool = False, patience: float = 60.0) -> Iterator[psycopg.Connection]:
        """A session of the superuser; a server that is just coming up is waited for."""
        url = make_conninfo(self._superuser_url, dbname=DATABASE) if inside else self._superuser_url
        deadline = time.monotonic() + patience
        while True:
            try:
                connection = connect(url, application="trouble", autocommit=True)
                break
            except StoreError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        with mapped(), connection:
            yield connection

    @contextmanager
    def slow(self) -> Iterator[None]:
        """Every statement that writes observations takes 0.4 s more."""
        with self._as_superuser(inside=True) as connection:
            connection.execute(query("trouble_slow_function"))
            connection.execute(query("trouble_slow_trigger"))
        try:
            yield
        finally:
            with self._as_superuser(inside=True) as connection:
                connection.execute(query("trouble_slow_end"))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody reads or writes observations."""
        with self._as_superuser(inside=True) as connection, connection.transaction():
            connection.execute(query("trouble_lock"))
            yield

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """The server lives, ends every session and lets nobody into the platform's database."""
        try:
            with self._as_superuser() as connection:
                self._let_in(connection, allowed=False)
                connection.execute(query("trouble_terminate"), {"database": DATABASE, "application": _ALL})
            yield
        finally:
            with self._as_superuser() as connection:
                self._let_in(connection, allowed=True)

    @staticmethod
    def _let_in(connection: psycopg.Connection, *, allowed: bool) -> None:
        text = sql.SQL(query("trouble_connections"))
        connection.execute(text.format(database=sql.Identifier(DATABASE), allowed=sql.Literal(allowed)))

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Transactions cannot write, as on a standby in a fail-over."""
        try:
            with self._as_superuser() as connection:
                connection.execute(sql.SQL(query("trouble_read_only")).format(value=sql.Literal("on")))
                connection.execute(query("trouble_reload"))
            yield
        finally:
            with self._as_superuser() as connection:
                connection.execute(query("trouble_read_only_end"))
                connection.execute(query("trouble_reload"))

    @contextmanager
    def crowded(self) -> Iterator[int]:
        """No connection is left for anybody but the superuser, and those that stood are ended.

        Yields
        ------
        int
            How many connections that took.
        """
        taken: list[psycopg.Connection] = []
        try:
            with suppress(StoreError):
                while len(taken) < _MOST:
                    taken.append(connect(self._url, application="crowd", autocommit=True))
            with self._as_superuser() as connection:
                others = {"database": DATABASE, "application": "hypervision collector%"}
                connection.execute(query("trouble_terminate"), others)
            with suppress(StoreError):
                # The places that became free are wanted by the platform too.
                while len(taken) < _MOST:
                    taken.append(connect(self._url, application="crowd", autocommit=True))
            yield len(taken)
        finally:
            for connection in taken:
                connection.close()

    def keep_log_small(self) -> None:
        """Let the write-ahead log fit into a small file system."""
        with self._as_superuser() as connection:
            connection.execute(query("trouble_little_log"))
            connection.execute(query("trouble_reload"))

    def use_up_log(self, seconds: float) -> bool:
        """Ask for one file of the write-ahead log after the other for so long; whether the server broke over it."""
        deadline = time.monotonic() + seconds
        try:
            with self._as_superuser(patience=seconds) as connection:
                while time.monotonic() < deadline:
                    connection.execute(query("trouble_switch_log"))
                    time.sleep(0.1)
        except StoreError:
            time.sleep(max(0.0, deadline - time.monotonic()))
            return True
        return False

    def backend(self, application: str) -> int:
        """The server process behind a session of the platform; 0 when there is none."""
        with self._as_superuser() as connection:
            values = {"database": DATABASE, "application": f"hypervision {application}%"}
            row = connection.execute(query("trouble_backend"), values).fetchone()
        return 0 if row is None else int(row[0])
