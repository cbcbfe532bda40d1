"""Log-ins in the database: sessions, and log-ins that failed; accounts are in `administration`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import Connection

from hypervision import accounts
from hypervision.accounts import Account, Role
from hypervision.scope import Scope
from hypervision.store import audit
from hypervision.store.connection import mapped
from hypervision.store.sql import query

# Mistyped passwords that cost nothing: by name, and by address (a whole office may share one).
_FREE_BY_NAME: Final = 4
_FREE_BY_ADDRESS: Final = 20


@dataclass(frozen=True, slots=True)
class Login:
    """How a log-in ended.

    Attributes
    ----------
    token : str
        The new session's token, empty when refused.
    wait : float
        Try again after this [s]; 0 when the password was simply wrong.
    """

    account: Account | None
    token: str = ""
    expires_at: datetime | None = None
    wait: float = 0.0


def log_in(
    connection: Connection, *, name: str, password: str, address: str, now: datetime, lasting: timedelta
) -> Login:
    """Check a password under back-off and open a session with a token of its own.

    Parameters
    ----------
    address : str
        Of the caller, for the back-off.
    lasting : timedelta
        The session ends this long after now, whatever happens.
    """
    since = now - timedelta(seconds=accounts.FAILURE_WINDOW)
    key = {"name": name[:64], "address": address, "since": since, "now": now}
    with mapped(), connection.transaction():
        connection.execute(query("failure_sweep"), key)
        counted = connection.execute(query("failure_count"), key).fetchone()
        wait = 0.0 if counted is None else _waiting(counted, now)
        if wait > 0:
            return Login(None, wait=wait)
        row = connection.execute(query("account_by_name"), key).fetchone()
        # Written before the slow check, and forgotten after a right one: guesses made at once count too.
        connection.execute(query("failure_add"), key)
    if not accounts.verify_password(None if row is None else row[7], password) or row is None:
        with mapped(), connection.transaction():
            # A name that is none may be a password that was typed into the wrong field.
            known = "" if row is None else row[1]
            audit.note(connection, "session.refuse", kind="account", ident=known, actor=known or "unknown")
        return Login(None)
    account = _account(row)
    token, expires_at = accounts.new_token(), now + lasting
    with mapped(), connection.transaction():
        connection.execute(query("failure_forget"), key)
        connection.execute(query("session_sweep"), key)
        connection.execute(
            query("session_add"),
            {
                "token_hash": accounts.token_hash(token),
                "account_id": account.account_id,
                "now": now,
                "expires_at": expires_at,
            },
        )
        told = {"role": account.role.value, "expires_at": expires_at}
        audit.note(connection, "session.log_in", kind="account", ident=account.name, actor=account.name, after=told)
    return Login(account, token=token, expires_at=expires_at)


def find_session(connection: Connection, token: str, *, now: datetime) -> tuple[Account, datetime] | None:
    """The account behind a token and when its session ends, or None."""
    with mapped(), connection.transaction():
        row = connection.execute(
            query("session_find"), {"token_hash": accounts.token_hash(token), "now": now}
        ).fetchone()
    return None if row is None else (_account(row), row[7])


def log_out(connection: Connection, token: str) -> None:
    """End a session at once."""
    with mapped(), connection.transaction():
        row = connection.execute(query("session_end"), {"token_hash": accounts.token_hash(token)}).fetchone()
        if row is not None:
            audit.note(connection, "session.log_out", kind="account", ident=row[0], actor=row[0])


def _account(row: tuple[Any, ...]) -> Account:
    account_id, name, role, organisation_id, domains, districts, language = row[:7]
    return Account(account_id, name, Role(role), Scope.of(organisation_id, domains, districts), language)


def _waiting(counted: tuple[int, datetime | None, int, datetime | None], now: datetime) -> float:
    waits = [0.0]
    for failures, last, free in (
        (counted[0], counted[1], _FREE_BY_NAME),
        (counted[2], counted[3], _FREE_BY_ADDRESS),
    ):
        if last is not None:
            waits.append(accounts.back_off(failures, free=free) - (now - last).total_seconds())
    return max(waits)
