"""Links that make one account, once: how the first administrator comes in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from psycopg import Connection

from hypervision.accounts import Role, new_token, token_hash
from hypervision.administration import check_name
from hypervision.errors import AccessError
from hypervision.store import audit
from hypervision.store.administration import add_account
from hypervision.store.connection import mapped
from hypervision.store.sql import query

LASTING: Final = timedelta(hours=24)
"""For how long a link can be used."""


def has_administrator(connection: Connection) -> bool:
    """Whether anybody may administer."""
    with mapped(), connection.transaction():
        row = connection.execute(query("administrator_known")).fetchone()
    return row is not None and bool(row[0])


def invite(connection: Connection, *, now: datetime, lasting: timedelta = LASTING) -> str:
    """Make the link of the first administrator; those before it are of no use any more.

    Returns
    -------
    str
        Its token, which is kept nowhere here.

    Raises
    ------
    AccessError
        There is an administrator, who can make accounts.
    """
    token = new_token()
    values = {
        "token_hash": token_hash(token), "role": Role.ADMINISTRATOR.value, "now": now, "expires_at": now + lasting,
    }  # fmt: skip
    with mapped(), connection.transaction():
        # Nobody becomes administrator meanwhile.
        connection.execute(query("account_lock"))
        if has_administrator(connection):
            raise AccessError(
                "there is an administrator", remedy="let them add accounts, or see `hypervision accounts add`"
            )
        connection.execute(query("invitation_add"), values)
        audit.note(connection, "account.invite", kind="account", ident="", after={"role": values["role"]})
    return token


def is_open(connection: Connection, token: str, *, now: datetime) -> bool:
    """Whether a link can still be used."""
    with mapped(), connection.transaction():
        found = connection.execute(query("invitation_find"), {"token_hash": token_hash(token), "now": now}).fetchone()
        return found is not None and not has_administrator(connection)


def redeem(connection: Connection, token: str, *, name: str, password: str, now: datetime) -> Role:
    """Make the account of a link, which is used up with it.

    Raises
    ------
    AccessError
        The link was used, is too old or is none; there is an administrator; or name or password cannot be.
    """
    key = {"token_hash": token_hash(token), "now": now}
    check_name(name)
    if not is_open(connection, token, now=now):
        raise _useless()
    with mapped(), connection.transaction():
        connection.execute(query("account_lock"))
        found = connection.execute(query("invitation_find"), key).fetchone()
        if found is None or has_administrator(connection):
            raise _useless()
        role = Role(found[0])
        add_account(connection, name=name, password=password, role=role, now=now, actor=name)
        connection.execute(query("invitation_use"), key)
    return role


def _useless() -> AccessError:
    return AccessError(
        "this link was used, is too old or is none", remedy="start `hypervision up` again for a new one", reason="link"
    )
