"""Accounts, sessions and failed log-ins in the database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg import Connection

from hypervision import accounts
from hypervision.accounts import Account, Role
from hypervision.errors import AccessError
from hypervision.store import audit
from hypervision.store.connection import mapped
from hypervision.store.sql import query

# Mistyped passwords that cost nothing: by name, and by address (a whole office may share one).
_FREE_BY_NAME: Final = 4
_FREE_BY_ADDRESS: Final = 20
# As in schema.sql.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


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
        )


def add_account(
    connection: Connection,
    *,
    name: str,
    password: str,
    role: Role,
    now: datetime,
    organisation: str | None = None,
    language: str | None = None,
) -> int:
    """Create an account.

    Raises
    ------
    AccessError
        The name is none or taken, also in other capitals, the organisation unknown or the password too short.
    """
    check_name(name)
    values = {
        "name": name,
        "password_hash": accounts.hash_password(password),
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
        if row is not None:
            told = {"role": role.value, "organisation": organisation, "language": language}
            audit.note(connection, "account.add", kind="account", ident=name, after=told)
    if row is None:
        raise AccessError(
            f"the account {(taken[0] if taken else name)!r} exists",
            remedy="choose another name, or see `hypervision accounts password`",
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
    _change(connection, "account_set_disabled", {"name": name, "at": at}, told="enable" if at is None else "disable")


def set_password(connection: Connection, *, name: str, password: str) -> None:
    """Give an account a new password and end its sessions.

    Raises
    ------
    AccessError
        There is no such account, or the password is too short.
    """
    values: dict[str, object] = {"name": name, "password_hash": accounts.hash_password(password)}
    _change(connection, "account_set_password", values, told="change_password")


def _change(connection: Connection, change: str, values: dict[str, object], *, told: str) -> None:
    with mapped(), connection.transaction():
        row = connection.execute(query(change), values).fetchone()
        if row is None:
            raise AccessError(f"there is no account {values['name']!r}", remedy="see `hypervision accounts list`")
        connection.execute(query("session_end_all"), {"account_id": row[0]})
        audit.note(connection, f"account.{told}", kind="account", ident=values["name"])


def list_accounts(connection: Connection) -> list[ListedAccount]:
    """Every account, without its hash."""
    with mapped(), connection.transaction():
        return [ListedAccount(*row) for row in connection.execute(query("account_list")).fetchall()]


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
    if not accounts.verify_password(None if row is None else row[5], password) or row is None:
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
    return None if row is None else (_account(row), row[5])


def log_out(connection: Connection, token: str) -> None:
    """End a session at once."""
    with mapped(), connection.transaction():
        row = connection.execute(query("session_end"), {"token_hash": accounts.token_hash(token)}).fetchone()
        if row is not None:
            audit.note(connection, "session.log_out", kind="account", ident=row[0], actor=row[0])


def _account(row: tuple[object, ...]) -> Account:
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
