"""Accounts of people who come in by an OpenID provider."""

from __future__ import annotations

from dataclasses import replace

from psycopg import Connection

from hypervision.claims import Identity
from hypervision.errors import AccessError
from hypervision.store import audit
from hypervision.store.accounts import Login, Visit, account_of, open_session
from hypervision.store.administration import add_account
from hypervision.store.connection import mapped
from hypervision.store.sql import query


def log_in_by(connection: Connection, identity: Identity, visit: Visit, *, make: bool) -> Login:
    """Open a session for somebody whom a provider has recognised.

    Parameters
    ----------
    identity : Identity
        Who it is; its role, where it has one, becomes the account's.
    make : bool
        Whether an account is made for somebody who comes for the first time.

    Raises
    ------
    AccessError
        Nobody here has that identity, and none may be made; or the account is disabled.

    Notes
    -----
    An account is found by issuer and subject, which never change. By its name it is found once, at the first log-in,
    and only where it was made for a provider and is nobody's yet: else whoever may choose their name at the provider
    could take the account of an administrator here.
    """
    key = {"issuer": identity.issuer, "subject": identity.subject}
    with mapped(), connection.transaction():
        row = connection.execute(query("identity_find"), key).fetchone()
        if row is None:
            row = _first(connection, identity, visit, make=make)
        disabled, account = row[0], account_of(row[1:])
        if disabled:
            raise AccessError(f"the account {account.name!r} is disabled", remedy="ask an administrator")
        if identity.role is not None and identity.role is not account.role:
            was, account = account.role, replace(account, role=identity.role)
            values = {"account_id": account.account_id, "role": identity.role.value, "now": visit.now}
            connection.execute(query("identity_role"), values)
            connection.execute(query("session_end_all"), values)
            audit.note(
                connection, "account.change", kind="account", ident=account.name, actor=account.name,
                reason=identity.issuer, before={"role": was.value}, after={"role": account.role.value},
            )  # fmt: skip
        return open_session(connection, account, visit, way="provider")


def _first(connection: Connection, identity: Identity, visit: Visit, *, make: bool) -> tuple[object, ...]:
    # Two at once must not both find the account free.
    connection.execute(query("account_lock"))
    found = connection.execute(query("identity_candidate"), {"name": identity.name}).fetchone()
    if found is not None and not found[0]:
        raise AccessError(
            f"the account {account_of(found[2:]).name!r} is another one's",
            remedy="ask an administrator for one of your own",
        )
    if found is None and (not make or identity.role is None):
        raise AccessError(
            f"there is no account {identity.name[:64]!r}", remedy="ask an administrator to add it, with --by-provider"
        )
    if found is None:
        assert identity.role is not None
        add_account(
            connection, name=identity.name, password=None, role=identity.role, now=visit.now, actor=identity.name
        )
        found = connection.execute(query("identity_candidate"), {"name": identity.name}).fetchone()
        assert found is not None
    values = {
        "issuer": identity.issuer,
        "subject": identity.subject,
        "account_id": account_of(found[2:]).account_id,
        "now": visit.now,
    }
    connection.execute(query("identity_add"), values)
    name = account_of(found[2:]).name
    told = {"issuer": identity.issuer, "subject": identity.subject}
    audit.note(connection, "account.link", kind="account", ident=name, actor=name, after=told)
    return tuple(found[1:])
