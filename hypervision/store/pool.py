"""The connections of a server process: a few for its requests, one that waits for hints and reads snapshots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

import psycopg
from psycopg import Connection
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from hypervision.errors import TemporaryStoreError
from hypervision.store.connection import Connected, mapped, to_store_error
from hypervision.store.sql import query

_FIRST_STEP: Final = timedelta(minutes=1)
_LONGER: Final = 8


class ScreenPool:
    """A few connections shared by the requests of one server process.

    Parameters
    ----------
    url : str
        libpq URI.
    size : int
        Connections at most; requests wait two seconds for a free one, then are told that the database is busy.
    """

    def __init__(self, url: str, *, size: int = 4) -> None:
        self._pool = ConnectionPool(
            url,
            min_size=0,
            max_size=size,
            open=False,
            timeout=2.0,
            max_idle=60.0,
            reconnect_timeout=5.0,
            # A connection that a restart of the server cut is replaced, not handed out.
            check=ConnectionPool.check_connection,
            kwargs={
                "application_name": "hypervision serve",
                "autocommit": True,
                "connect_timeout": 3,
                "tcp_user_timeout": 10_000,
                "options": "-c statement_timeout=15s -c lock_timeout=5s -c TimeZone=UTC -c jit=off",
            },
        )

    def open(self) -> None:
        """Start the pool; the database may be away."""
        self._pool.open(wait=False)

    def close(self) -> None:
        """Close every connection."""
        self._pool.close(timeout=2.0)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection in autocommit.

        Raises
        ------
        TemporaryStoreError
            The database is away or busy.
        """
        try:
            with self._pool.connection() as connection:
                yield connection
        except PoolTimeout:
            raise TemporaryStoreError(
                "the database gives no connection", remedy="wait until it is back, or see its log"
            ) from None
        except psycopg.Error as error:
            raise to_store_error(error) from error

    def renew(self) -> None:
        """Close the connections that nobody uses; the next request opens a new one."""
        self._pool.drain()

    def rows(self, name: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The rows of a named query, by column name."""
        with self.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query(name), values).fetchall()

    def first_rows(self, name: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The first rows of a named query over many datastreams that orders by time, for its `since`, `until`, `limit`.

        No index orders the readings of all datastreams by time: a long stretch would be read and sorted whole for its
        first rows. So they are looked for in a minute first, then in stretches that grow.
        """
        found: list[dict[str, Any]] = []
        since, step = values["since"], _FIRST_STEP
        while since < values["until"] and len(found) < values["limit"]:
            until = since + step if step < values["until"] - since else values["until"]
            part = {**values, "since": since, "until": until, "limit": values["limit"] - len(found)}
            found += self.rows(name, part)
            since, step = until, step * _LONGER
        return found


class Listener(Connected):
    """A connection of its own that waits for the hint `hypervision` and reads consistent snapshots.

    Its limits are short: a database that does not answer within three seconds counts as away.

    Raises
    ------
    TemporaryStoreError
        From every method, when the database is away.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url, application="serve reader", autocommit=True)
        with mapped():
            self._connection.execute("SELECT set_config('statement_timeout', '3s', false)")
            self._connection.execute("LISTEN hypervision")

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """One transaction that sees one moment."""
        with mapped(), self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield self._connection

    def wait(self, seconds: float) -> bool:
        """Wait for a hint, `seconds` at most; whether one came."""
        with mapped():
            return any(True for _hint in self._connection.notifies(timeout=seconds, stop_after=1))
