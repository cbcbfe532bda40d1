"""Connections, and the one function that decides whether a failure is temporary."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Self

import psycopg
from psycopg import Connection as Connection  # noqa: PLC0414  (the core names the type, and not the library)

from hypervision.errors import PermanentStoreError, SettingError, StoreError, TemporaryStoreError
from hypervision.settings import Settings
from hypervision.store import address
from hypervision.store.failures import FAILURES

# SQLSTATE classes that a retry can mend: connection, transaction rollback (deadlock, serialisation),
# insufficient resources (disk full, memory, connections), object not in state (lock not available),
# operator intervention (shutdown, cancel), system error, read-only transaction (a fail-over under way).
_TEMPORARY: Final = ("08", "40", "53", "55", "57", "58", "25")
# What an administrator can mend while we wait, and no message is to blame for: a wrong password or role, a database, a
# schema, a table, a column or a function that is not there (yet, or any more), a right that is missing; a partition
# made while a migration added a column.
_AWAITED: Final = ("28", "3D000", "3F000", "42P01", "42703", "42804", "42883", "42501")

# What libpq and the server say, in English unless the server speaks otherwise, and what a person does about it.
_REMEDIES: Final = (
    (
        re.compile(r"Connection refused|No such file or directory|[Tt]imeout expired|is starting up|shutting down"),
        "start the platform with `hypervision up`, or the server that HYPERVISION_DATABASE_URL names",
    ),
    (
        re.compile(r"authentication failed|role .* does not exist|no password supplied|no pg_hba.conf entry"),
        "check user and password in HYPERVISION_DATABASE_URL",
    ),
    (
        re.compile(r"could not translate host name|failed to resolve host|[Nn]ame or service not known"),
        "check the host in HYPERVISION_DATABASE_URL",
    ),
    (
        re.compile(r"database .* does not exist"),
        "make the database (createdb), or check its name in HYPERVISION_DATABASE_URL",
    ),
    (
        re.compile(r"permission denied for (?:table|view|sequence|function|schema hv)"),
        "run `hypervision db migrate` as the owner of the database, which gives each role its rights",
    ),
    (
        re.compile(r"permission denied for (?:database|schema)|must be owner of"),
        "make the role the owner of the database (ALTER DATABASE … OWNER TO …)",
    ),
)


def is_temporary(error: psycopg.Error) -> bool:
    """Whether trying again later can succeed.

    Parameters
    ----------
    error : psycopg.Error
        A failure without SQLSTATE is a broken or refused connection.
    """
    state = error.sqlstate
    if state is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return state[:2] in _TEMPORARY or state.startswith(_AWAITED)


def to_store_error(error: psycopg.Error) -> StoreError:
    """The platform's error for one of psycopg's; it is counted by class."""
    FAILURES.note(error.sqlstate)
    text = " ".join(str(error).split()) or type(error).__name__
    kind = TemporaryStoreError if is_temporary(error) else PermanentStoreError
    remedy = next((remedy for said, remedy in _REMEDIES if said.search(text)), "")
    return kind(f"database: {text}", remedy=remedy, sqlstate=error.sqlstate or "")


@contextmanager
def mapped() -> Iterator[None]:
    """Turn psycopg's errors into the platform's."""
    try:
        yield
    except psycopg.Error as error:
        raise to_store_error(error) from error


def roll_back(connection: Connection) -> None:
    """Undo what was not committed; a connection that cannot do even that is closed."""
    try:
        connection.rollback()
    except psycopg.Error:
        connection.close()


def url_of(settings: Settings) -> str:
    """The database URL of the settings.

    Raises
    ------
    SettingError
        None is set, or one that libpq cannot use.
    """
    if settings.database_url is None:
        raise SettingError(
            "setting 'database_url' is missing",
            remedy="set HYPERVISION_DATABASE_URL, or start the platform with `hypervision up`",
        )
    url = settings.database_url.get_secret_value()
    address.check(url)
    return url


def connect(url: str, *, application: str, autocommit: bool = False) -> Connection:
    """Open a connection whose limits keep a stuck server from holding us for ever.

    Parameters
    ----------
    url : str
        libpq URI.
    application : str
        Shown in pg_stat_activity.

    Raises
    ------
    SettingError
        libpq cannot use the URL.
    TemporaryStoreError
        The server is away or refuses for now.
    PermanentStoreError
        The server refuses for good.
    """
    address.check(url)
    with mapped():
        connection = psycopg.connect(
            url,
            application_name=f"hypervision {application}",
            autocommit=autocommit,
            connect_timeout=5,
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            tcp_user_timeout=30_000,
        )
        connection.execute(
            "SELECT set_config('statement_timeout', '60s', false), set_config('lock_timeout', '10s', false),"
            " set_config('idle_in_transaction_session_timeout', '120s', false),"
            " set_config('TimeZone', 'UTC', false), set_config('search_path', 'hv, public', false),"
            # No table of ours has policies; with one, a stranger's function would run with the rights of who reads it.
            " set_config('row_security', 'off', false),"
            # To compile a statement takes servers of one's own longer than to run any of ours.
            " set_config('jit', 'off', false)"
        )
        if not autocommit:
            connection.commit()
        return connection


class Connected:
    """Who has a connection to itself; a context manager."""

    def __init__(self, url: str, *, application: str, autocommit: bool = False) -> None:
        self._connection = connect(url, application=application, autocommit=autocommit)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._connection.close()


def wait_for_server(url: str, *, application: str, wait: float) -> Connection:
    """Connect, waiting for the server at most this long [s]."""
    deadline = time.monotonic() + wait
    while True:
        try:
            return connect(url, application=application)
        except TemporaryStoreError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.2)
