"""API tokens in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from psycopg import Connection

from hypervision import tokens
from hypervision.accounts import Account, token_hash
from hypervision.errors import AccessError
from hypervision.store import audit
from hypervision.store.accounts import NOTED, account_of
from hypervision.store.connection import mapped
from hypervision.store.sql import query

MOST: Final = 20
"""Tokens in force that an account may have at once."""
# An expired one is still shown for a while, so that its owner sees why a program is refused.
_SHOWN: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class ListedToken:
    """One token of an account; the token itself nobody can read any more."""

    token_id: int
    name: str
    scopes: Sequence[str]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


def make(
    connection: Connection, account: Account, *, name: str, scopes: Sequence[str], now: datetime, lasting: timedelta
) -> tuple[int, str]:
    """Make a token for a program.

    Parameters
    ----------
    scopes : sequence of str
        What it may do, of what its owner may.
    lasting : timedelta
        A day at least, and a year and a day at most.

    Returns
    -------
    (int, str)
        Its number, and the token itself, which is kept nowhere.

    Raises
    ------
    AccessError
        The name is none, a scope is beyond the owner's rights, the time is too long, or there are too many.
    """
    chosen, called = tokens.check_scopes(account, scopes), tokens.check_token_name(name)
    if not timedelta(days=1) <= lasting <= timedelta(days=tokens.LONGEST_DAYS):
        raise AccessError(
            f"the token would last {lasting.days} days", remedy=f"give it 1 to {tokens.LONGEST_DAYS} days"
        )
    token = tokens.new_api_token()
    values = {
        "account_id": account.account_id, "name": called, "token_hash": token_hash(token), "scopes": chosen,
        "now": now, "expires_at": now + lasting,
    }  # fmt: skip
    with mapped(), connection.transaction():
        counted = connection.execute(query("token_count"), values).fetchone()
        if counted is not None and counted[0] >= MOST:
            raise AccessError(
                f"the account has {MOST} tokens in force", remedy="revoke one that is not needed", reason="many"
            )
        row = connection.execute(query("token_add"), values).fetchone()
        assert row is not None
        told = {"account": account.name, "name": called, "scopes": list(chosen), "expires_at": now + lasting}
        audit.note(connection, "api_key.add", kind="api_key", ident=row[0], after=told)
    return int(row[0]), token


def listed(connection: Connection, account_id: int, *, now: datetime) -> list[ListedToken]:
    """The tokens of an account, newest first."""
    with mapped(), connection.transaction():
        rows = connection.execute(query("token_list"), {"account_id": account_id, "since": now - _SHOWN}).fetchall()
    return [ListedToken(*row) for row in rows]


def revoke(connection: Connection, account_id: int, token_id: int, *, now: datetime) -> str | None:
    """End a token of an account at once; its name, None where there is no such token."""
    values = {"account_id": account_id, "id": token_id, "now": now}
    with mapped(), connection.transaction():
        row = connection.execute(query("token_revoke"), values).fetchone()
        if row is not None:
            audit.note(connection, "api_key.revoke", kind="api_key", ident=token_id, before={"name": row[0]})
    return None if row is None else str(row[0])


def find(connection: Connection, token: str, *, now: datetime) -> tuple[Account, datetime] | None:
    """The account behind a token, held to the token's scopes, and when the token expires; or None."""
    values = {"token_hash": token_hash(token), "now": now, "noted": now - NOTED}
    with mapped(), connection.transaction():
        row = connection.execute(query("token_find"), values).fetchone()
        if row is not None and row[2]:
            connection.execute(query("token_used"), values)
    return None if row is None else (replace(account_of(row[3:]), granted=tokens.granted(row[1])), row[0])
