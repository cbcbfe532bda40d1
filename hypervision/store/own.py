"""What the owner of an account sees and changes of it: sessions, password, second factor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from hypervision import accounts
from hypervision.accounts import Account, token_hash
from hypervision.errors import AccessError
from hypervision.store import audit, factors
from hypervision.store.accounts import account_of, begin, forget_failures, refuse
from hypervision.store.connection import mapped
from hypervision.store.factors import Passed
from hypervision.store.sql import query


@dataclass(frozen=True, slots=True)
class ListedSession:
    """One session of an account.

    Attributes
    ----------
    session_id : str
        The beginning of the hash of its token, which opens nothing.
    way : str
        How its owner came in: `password` or `provider`.
    own : bool
        Whether it is the one that asks.
    """

    session_id: str
    way: str
    address: str
    agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    own: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """What somebody gives once more to prove that the open session is theirs."""

    password: str
    address: str
    code: str = ""


class TooSoonError(AccessError):
    """Too many attempts failed.

    Attributes
    ----------
    wait : float
        Try again after this [s].
    """

    def __init__(self, wait: float) -> None:
        super().__init__("too many attempts failed", remedy=f"try again in {wait:.0f} s", reason="soon")
        self.wait = wait


def sessions(connection: Connection, account_id: int, token: str, *, now: datetime) -> list[ListedSession]:
    """The open sessions of an account, newest first.

    Parameters
    ----------
    token : str
        Of the session that asks.
    """
    own = token_hash(token)
    with mapped(), connection.transaction():
        rows = connection.execute(query("own_sessions"), {"account_id": account_id, "now": now}).fetchall()
    return [_session(row, own) for row in rows]


def _session(row: tuple[Any, ...], own: bytes) -> ListedSession:
    values: tuple[Any, ...] = (*row[:7], bytes(row[7]) == own)
    return ListedSession(*values)


def end_session(connection: Connection, account_id: int, token: str, session_id: str | None) -> int:
    """End one session of an account, or with None all but the one that asks; how many there were."""
    values = {"account_id": account_id, "token_hash": token_hash(token), "id": session_id}
    with mapped(), connection.transaction():
        ended = len(connection.execute(query("own_session_end"), values).fetchall())
        if ended:
            row = connection.execute(query("account_name"), values).fetchone()
            name = "" if row is None else row[0]
            audit.note(connection, "account.log_out", kind="account", ident=name, after={"sessions": ended})
        return ended


def prove(connection: Connection, account: Account, proof: Proof, *, now: datetime, with_code: bool = False) -> None:
    """Let the owner of an account prove who they are once more, under the back-off of log-ins.

    Parameters
    ----------
    with_code : bool
        Whether the second factor is asked for besides the password, where there is one.

    Raises
    ------
    TooSoonError
        Too many attempts failed.
    AccessError
        The password or the code is wrong, or the account has no password here.
    """
    attempt = begin(connection, name=account.name, address=proof.address, now=now)
    if attempt.wait > 0:
        raise TooSoonError(attempt.wait)
    known = None if attempt.row is None else attempt.row[7]
    if not accounts.verify_password(known, proof.password):
        with mapped(), connection.transaction():
            refuse(connection, attempt.row)
        raise AccessError("the password is wrong", remedy="type the one you log in with", reason="password")
    with mapped(), connection.transaction():
        passed = factors.spend(connection, account.account_id, proof.code, now=now) if with_code else Passed.NONE
        if passed in (Passed.MISSING, Passed.WRONG):
            raise AccessError(
                "the code is wrong", remedy="type the six digits shown now, or a recovery code", reason="code"
            )
        forget_failures(connection, name=account.name)


def change_password(
    connection: Connection, account: Account, *, token: str, proof: Proof, new: str, now: datetime
) -> None:
    """Give an account the password that its owner chose, and end its other sessions.

    Raises
    ------
    AccessError
        The old one is wrong, or the new one too short.
    """
    prove(connection, account, proof, now=now)
    values = {"account_id": account.account_id, "password_hash": accounts.hash_password(new), "now": now}
    with mapped(), connection.transaction():
        connection.execute(query("account_new_password"), values)
        end = {"account_id": account.account_id, "token_hash": token_hash(token), "id": None}
        connection.execute(query("own_session_end"), end)
        audit.note(connection, "account.change_password", kind="account", ident=account.name, actor=account.name)


def confirm_factor(
    connection: Connection, account: Account, *, token: str, code: str, address: str, now: datetime
) -> list[str]:
    """Let a second factor count from now on; the session that asks may do all that its account may.

    Parameters
    ----------
    token : str
        Of the session that asks.
    address : str
        Of the caller, for the back-off.

    Returns
    -------
    list of str
        Recovery codes.

    Raises
    ------
    TooSoonError
        Too many attempts failed.
    AccessError
        None waits, or the code is wrong.

    Notes
    -----
    The other sessions, opened without it, end.
    """
    attempt = begin(connection, name=account.name, address=address, now=now)
    if attempt.wait > 0:
        raise TooSoonError(attempt.wait)
    with mapped(), connection.transaction():
        codes = factors.confirm(connection, account.account_id, code, now=now)
        forget_failures(connection, name=account.name)
        connection.execute(query("session_enrolled"), {"token_hash": token_hash(token)})
        end = {"account_id": account.account_id, "token_hash": token_hash(token), "id": None}
        connection.execute(query("own_session_end"), end)
        audit.note(connection, "account.add_factor", kind="account", ident=account.name, actor=account.name)
    return codes


def remove_factor(connection: Connection, account: Account, *, proof: Proof, now: datetime) -> bool:
    """Take the second factor of one's own account away; whether there was one.

    Raises
    ------
    AccessError
        Password or code is wrong.
    """
    prove(connection, account, proof, now=now, with_code=True)
    with mapped(), connection.transaction():
        return _remove_factor(connection, account)


def reset_factor(connection: Connection, name: str) -> bool:
    """Take somebody's second factor away, who has lost device and recovery codes, and end their sessions.

    Raises
    ------
    AccessError
        There is no such account.
    """
    account = account_named(connection, name)
    with mapped(), connection.transaction():
        connection.execute(query("session_end_all"), {"account_id": account.account_id})
        return _remove_factor(connection, account)


def _remove_factor(connection: Connection, account: Account) -> bool:
    had = factors.remove(connection, account.account_id)
    audit.note(connection, "account.remove_factor", kind="account", ident=account.name, after={"had": had})
    return had


def account_named(connection: Connection, name: str) -> Account:
    """An account by its name.

    Raises
    ------
    AccessError
        There is no such account.
    """
    with mapped(), connection.transaction():
        row = connection.execute(query("account_of_name"), {"name": name}).fetchone()
    if row is None:
        raise AccessError(f"there is no account {name[:64]!r}", remedy="see `hypervision accounts list`")
    return account_of(row)
