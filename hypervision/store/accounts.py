"""Log-ins in the database: sessions, and log-ins that failed; accounts are in `administration`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import Connection

from hypervision import accounts
from hypervision.accounts import ENROLLING, Account, Role
from hypervision.scope import Scope
from hypervision.store import audit, factors
from hypervision.store.connection import mapped
from hypervision.store.factors import Passed
from hypervision.store.sql import query

# Mistyped passwords that cost nothing: by name, and by address (a whole office may share one).
_FREE_BY_NAME: Final = 4
_FREE_BY_ADDRESS: Final = 20
# That a session or token is in use is noted once in so long.
NOTED: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Login:
    """How a log-in ended.

    Attributes
    ----------
    token : str
        The new session's token, empty when refused.
    wait : float
        Try again after this [s]; 0 when the password was simply wrong.
    second : bool
        The password was right, and the second factor is missing or wrong.
    """

    account: Account | None
    token: str = ""
    expires_at: datetime | None = None
    wait: float = 0.0
    second: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """From where somebody comes, and when.

    Attributes
    ----------
    address, agent : str
        Of the caller, and what the browser calls itself.
    lasting : timedelta
        The session ends this long after now, whatever happens.
    factor_roles : frozenset of Role
        The roles that have to have a second factor.
    """

    now: datetime
    lasting: timedelta
    address: str = ""
    agent: str = ""
    factor_roles: frozenset[Role] = frozenset()


def log_in(connection: Connection, *, name: str, password: str, visit: Visit, code: str = "") -> Login:
    """Check a password, and the second factor where there is one, under back-off; open a session with its own token.

    Parameters
    ----------
    code : str
        Of the second factor, or a recovery code; empty where none was asked for yet.
    """
    attempt = begin(connection, name=name, address=visit.address, now=visit.now)
    if attempt.wait > 0:
        return Login(None, wait=attempt.wait)
    row = attempt.row
    if not accounts.verify_password(None if row is None else row[7], password) or row is None:
        with mapped(), connection.transaction():
            refuse(connection, row)
        return Login(None)
    account = account_of(row)
    with mapped(), connection.transaction():
        passed = factors.spend(connection, account.account_id, code, now=visit.now)
        if passed in (Passed.MISSING, Passed.WRONG):
            # That none was given is how a log-in with two factors begins.
            if passed is Passed.WRONG:
                refuse(connection, row, reason="second factor")
            return Login(None, second=True)
        forget_failures(connection, name=name)
        enrolling = passed is Passed.NONE and account.role in visit.factor_roles
        return open_session(connection, account, visit, way="password", enrolling=enrolling)


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that is counted: the account's row, if there is such an account, or how long to wait [s]."""

    row: tuple[Any, ...] | None
    wait: float = 0.0


def begin(connection: Connection, *, name: str, address: str, now: datetime) -> Attempt:
    """Count an attempt to prove who one is before it is looked at, unless it comes too soon after others."""
    since = now - timedelta(seconds=accounts.FAILURE_WINDOW)
    key = {"name": name[:64], "address": address, "since": since, "now": now}
    with mapped(), connection.transaction():
        connection.execute(query("failure_sweep"), key)
        counted = connection.execute(query("failure_count"), key).fetchone()
        wait = 0.0 if counted is None else _waiting(counted, now)
        if wait > 0:
            return Attempt(None, wait)
        row = connection.execute(query("account_by_name"), key).fetchone()
        # Written before the slow check, and forgotten after a right one: guesses made at once count too.
        connection.execute(query("failure_add"), key)
    return Attempt(row)


def refuse(connection: Connection, row: tuple[Any, ...] | None, *, reason: str = "password") -> None:
    """Tell the audit log of a proof that was none; the caller holds the transaction."""
    # A name that is none may be a password that was typed into the wrong field.
    known = "" if row is None else row[1]
    audit.note(connection, "session.refuse", kind="account", ident=known, actor=known or "unknown", reason=reason)


def forget_failures(connection: Connection, *, name: str) -> None:
    """Who proved to be it need not wait for what others tried; the caller holds the transaction."""
    connection.execute(query("failure_forget"), {"name": name[:64]})


def open_session(connection: Connection, account: Account, visit: Visit, *, way: str, enrolling: bool = False) -> Login:
    """Open a session; the caller holds the transaction.

    Parameters
    ----------
    way : {"password", "provider"}
        How its owner came in.
    enrolling : bool
        Whether it may do nothing but get the second factor that its role asks for.
    """
    token, expires_at = accounts.new_token(), visit.now + visit.lasting
    connection.execute(query("session_sweep"), {"now": visit.now})
    values = {
        "token_hash": accounts.token_hash(token), "account_id": account.account_id, "now": visit.now,
        "expires_at": expires_at, "way": way, "address": visit.address[:64], "agent": visit.agent[:200],
        "enrolling": enrolling, "role": account.role.value,
    }  # fmt: skip
    connection.execute(query("session_add"), values)
    told = {"role": account.role.value, "way": way, "expires_at": expires_at}
    audit.note(connection, "session.log_in", kind="account", ident=account.name, actor=account.name, after=told)
    return Login(_limited(account, enrolling=enrolling), token=token, expires_at=expires_at)


def find_session(connection: Connection, token: str, *, now: datetime) -> tuple[Account, datetime] | None:
    """The account behind a token and when its session ends, or None."""
    values = {"token_hash": accounts.token_hash(token), "now": now, "noted": now - NOTED}
    with mapped(), connection.transaction():
        row = connection.execute(query("session_find"), values).fetchone()
        if row is not None and row[2]:
            connection.execute(query("session_seen"), values)
    return None if row is None else (_limited(account_of(row[3:]), enrolling=row[1]), row[0])


def log_out(connection: Connection, token: str) -> None:
    """End a session at once."""
    with mapped(), connection.transaction():
        row = connection.execute(query("session_end"), {"token_hash": accounts.token_hash(token)}).fetchone()
        if row is not None:
            audit.note(connection, "session.log_out", kind="account", ident=row[0], actor=row[0])


def _limited(account: Account, *, enrolling: bool) -> Account:
    return replace(account, granted=ENROLLING) if enrolling else account


def account_of(row: tuple[Any, ...]) -> Account:
    """The account in the first seven columns of a row."""
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
