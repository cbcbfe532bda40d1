"""Accounts, sessions and failed log-ins in the database."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from psycopg import Connection

from hypervision import accounts
from hypervision.accounts import ENROLLING, NO_PASSWORD, Account, Role
from hypervision.errors import AccessError
from hypervision.store import factors
from hypervision.store.connection import mapped
from hypervision.store.factors import Passed
from hypervision.store.sql import query

# Mistyped passwords that cost nothing: by name, and by address (a whole office may share one).
_FREE_BY_NAME: Final = 4
_FREE_BY_ADDRESS: Final = 20
# As in schema.sql.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
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


@dataclass(frozen=True, slots=True)
class ListedAccount:
    """One line of `accounts list`."""

    name: str
    role: str
    organisation: str | None
    language: str | None
    created_at: datetime
    disabled_at: datetime | None


def check_name(name: str) -> None:
    """Look whether an account may have this name.

    Raises
    ------
    AccessError
        It may not.
    """
    if _NAME.fullmatch(name) is None:
        raise AccessError(
            f"{name[:64]!r} is no name of an account",
            remedy="use 1 to 64 letters of ASCII, digits, '.', '_', '@' or '-', the first a letter or digit",
            field="name",
            reason="bad_name",
        )


def add_account(
    connection: Connection,
    *,
    name: str,
    password: str | None,
    role: Role,
    now: datetime,
    organisation: str | None = None,
    language: str | None = None,
) -> int:
    """Create an account.

    Parameters
    ----------
    password : str or None
        None: it has none here, and is opened by an OpenID provider alone.

    Raises
    ------
    AccessError
        The name is none or taken, also in other capitals, the organisation unknown or the password too short.
    """
    check_name(name)
    values = {
        "name": name,
        "password_hash": NO_PASSWORD if password is None else accounts.hash_password(password),
        "by_provider": password is None,
        "role": role.value,
        "organisation": organisation,
        "language": language,
        "now": now,
    }
    with mapped(), connection.transaction():
        if organisation is not None and not connection.execute(query("account_organisation_known"), values).fetchone():
            raise AccessError(f"there is no organisation {organisation!r}", remedy="register a Thing of it first")
        # Two at once must not both find the name free.
        connection.execute(query("account_lock"))
        taken = connection.execute(query("account_alike"), values).fetchone()
        row = None if taken else connection.execute(query("account_add"), values).fetchone()
    if row is None:
        raise AccessError(
            f"the account {(taken[0] if taken else name)!r} exists",
            remedy="choose another name, or see `hypervision accounts password`",
            field="name",
            reason="name_taken",
        )
    return int(row[0])


def set_disabled(connection: Connection, *, name: str, at: datetime | None) -> None:
    """Let nobody log in with an account from now on, and end its sessions; or let it in again.

    Parameters
    ----------
    at : datetime, optional
        Since when it is disabled; None where it is not.

    Raises
    ------
    AccessError
        There is no such account.
    """
    _change(connection, "account_set_disabled", {"name": name, "at": at})


def set_password(connection: Connection, *, name: str, password: str) -> None:
    """Give an account a new password and end its sessions.

    Raises
    ------
    AccessError
        There is no such account, or the password is too short.
    """
    _change(connection, "account_set_password", {"name": name, "password_hash": accounts.hash_password(password)})


def _change(connection: Connection, change: str, values: dict[str, object]) -> None:
    with mapped(), connection.transaction():
        row = connection.execute(query(change), values).fetchone()
        if row is None:
            raise AccessError(f"there is no account {values['name']!r}", remedy="see `hypervision accounts list`")
        connection.execute(query("session_end_all"), {"account_id": row[0]})


def list_accounts(connection: Connection) -> list[ListedAccount]:
    """Every account, without its hash."""
    with mapped(), connection.transaction():
        return [ListedAccount(*row) for row in connection.execute(query("account_list")).fetchall()]


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
    if not accounts.verify_password(None if row is None else str(row[5]), password) or row is None:
        return Login(None)
    account = account_of(row)
    with mapped(), connection.transaction():
        passed = factors.spend(connection, account.account_id, code, now=visit.now)
        if passed in (Passed.MISSING, Passed.WRONG):
            return Login(None, second=True)
        forget_failures(connection, name=name)
        enrolling = passed is Passed.NONE and account.role in visit.factor_roles
        return open_session(connection, account, visit, way="password", enrolling=enrolling)


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that is counted: the account's row, if there is such an account, or how long to wait [s]."""

    row: tuple[object, ...] | None
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
        "enrolling": enrolling, "role": account.role.value, "organisation_id": account.organisation_id,
    }  # fmt: skip
    connection.execute(query("session_add"), values)
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
        connection.execute(query("session_end"), {"token_hash": accounts.token_hash(token)})


def _limited(account: Account, *, enrolling: bool) -> Account:
    return replace(account, granted=ENROLLING) if enrolling else account


def account_of(row: tuple[object, ...]) -> Account:
    """The account in the first five columns of a row."""
    account_id, name, role, organisation_id, language = row[:5]
    return Account(
        int(str(account_id)),
        str(name),
        Role(str(role)),
        None if organisation_id is None else int(str(organisation_id)),
        None if language is None else str(language),
    )


def _waiting(counted: tuple[int, datetime | None, int, datetime | None], now: datetime) -> float:
    waits = [0.0]
    for failures, last, free in (
        (counted[0], counted[1], _FREE_BY_NAME),
        (counted[2], counted[3], _FREE_BY_ADDRESS),
    ):
        if last is not None:
            waits.append(accounts.back_off(failures, free=free) - (now - last).total_seconds())
    return max(waits)
