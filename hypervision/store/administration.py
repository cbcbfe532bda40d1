"""Accounts in the database, as administrators handle them: each change is whole, and one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Connection

from hypervision.accounts import NO_PASSWORD, Role, hash_password
from hypervision.administration import (
    Given,
    ListedAccount,
    check_change,
    check_name,
    words_of_scope,
)
from hypervision.errors import AccessError, ConflictError
from hypervision.store import audit
from hypervision.store.connection import mapped
from hypervision.store.sql import query


class Choices(NamedTuple):
    """What the scope of an account may be made of."""

    organisations: list[tuple[str, str]]
    districts: list[str]


def list_accounts(connection: Connection, *, now: datetime) -> list[ListedAccount]:
    """Every account, without its hash."""
    with mapped(), connection.transaction():
        return _listed(connection, None, now=now)


def read_choices(connection: Connection) -> Choices:
    """Organisations (code, name), and the districts that Things stand in."""
    with mapped(), connection.transaction():
        organisations = connection.execute(query("account_organisations")).fetchall()
        districts = connection.execute(query("account_districts")).fetchall()
    return Choices([(code, name) for code, name in organisations], [row[0] for row in districts])


def add_account(
    connection: Connection,
    *,
    name: str,
    password: str | None,
    role: Role,
    now: datetime,
    actor: str | None = None,
    **given: Any,
) -> int:
    """Create an account.

    Parameters
    ----------
    password : str or None
        None: it has none here, and is opened by an OpenID provider alone.
    actor : str or None
        Who creates it; None: somebody at the command line.
    **given
        `organisation`, `domains`, `districts` and `language` as in `Given`.

    Raises
    ------
    AccessError
        The name is none or taken, also in other capitals, a word of the scope unknown or the password too short.
    """
    check_name(name)
    values: dict[str, Any] = {
        "name": name,
        "password_hash": NO_PASSWORD if password is None else hash_password(password),
        "by_provider": password is None,
        "role": role.value,
        "organisation": given.get("organisation"),
        "domains": _array(words_of_scope(given.get("domains"), "domains")),
        "districts": _array(words_of_scope(given.get("districts"), "districts")),
        "language": given.get("language"),
        "now": now,
        "actor": actor,
    }
    with mapped(), connection.transaction():
        # Two at once must not both find the name free.
        connection.execute(query("account_lock"))
        _organisation(connection, values["organisation"])
        _check_districts(connection, values["districts"])
        taken = connection.execute(query("account_alike"), values).fetchone()
        row = None if taken else connection.execute(query("account_add"), values).fetchone()
        if row is None:
            raise AccessError(
                f"the account {(taken[0] if taken else name)!r} exists",
                remedy="choose another name, or see `hypervision accounts password`",
                field="name",
                reason="name_taken",
            )
        told = {key: values[key] for key in ("role", "organisation", "domains", "districts", "language")}
        audit.note(connection, "account.add", kind="account", ident=name, actor=actor, after=told)
    return int(row[0])


def change_account(
    connection: Connection,
    *,
    name: str,
    given: Given,
    now: datetime,
    actor: str | None = None,
    version: int | None = None,
) -> ListedAccount:
    """Change role, scope, language or state of an account; one that is disabled is logged out everywhere.

    Parameters
    ----------
    actor : str or None
        Who does it; None: somebody at the command line.
    version : int, optional
        Of the account that the change was made up from.

    Returns
    -------
    ListedAccount
        As it is now.

    Raises
    ------
    AccessError
        There is no such account, or `hypervision.administration.check_change` does not let it happen.
    ConflictError
        Somebody else has changed the account since.
    """
    with _locked(connection, name, version=version, now=now) as before:
        after = _made(connection, before, given, now=now)
        others = connection.execute(query("account_administrators"), {"name": name}).fetchone()
        assert others is not None
        check_change(before, after, actor=actor, others=int(others[0]))
        if after == before:
            return before
        values = {
            "account_id": before.account_id, "role": after.role, "organisation_id": after.organisation_id,
            "domains": _array(after.domains), "districts": _array(after.districts), "language": after.language,
            "disabled_at": after.disabled_at, "now": now, "actor": actor,
        }  # fmt: skip
        connection.execute(query("account_change"), values)
        if after.disabled_at is not None:
            connection.execute(query("session_end_all"), values)
        was, told = _told(before, after), _told(after, before)
        audit.note(connection, "account.change", kind="account", ident=name, actor=actor, before=was, after=told)
        return _listed(connection, name, now=now)[0]


def set_password(
    connection: Connection,
    *,
    name: str,
    password: str,
    now: datetime,
    actor: str | None = None,
    version: int | None = None,
) -> None:
    """Give an account a new password and end its sessions.

    Raises
    ------
    AccessError
        There is no such account, or the password is too short.
    ConflictError
        Somebody else has changed the account since.
    """
    # Slow, and so before anybody has to wait.
    hashed = hash_password(password)
    with _locked(connection, name, version=version, now=now) as account:
        values = {"account_id": account.account_id, "password_hash": hashed, "now": now, "actor": actor}
        connection.execute(query("account_set_password"), values)
        connection.execute(query("session_end_all"), values)
        audit.note(connection, "account.change_password", kind="account", ident=name, actor=actor)


def end_sessions(connection: Connection, *, name: str, now: datetime, actor: str | None = None) -> int:
    """Log an account out everywhere; how many sessions that were.

    Raises
    ------
    AccessError
        There is no such account.
    """
    with _locked(connection, name, version=None, now=now) as account:
        ended = connection.execute(query("session_end_all"), {"account_id": account.account_id}).rowcount
        audit.note(connection, "account.log_out", kind="account", ident=name, actor=actor, after={"sessions": ended})
    return ended


@contextmanager
def _locked(connection: Connection, name: str, *, version: int | None, now: datetime) -> Iterator[ListedAccount]:
    """An account as it is, which nobody else changes until the end of the transaction."""
    with mapped(), connection.transaction():
        connection.execute(query("account_lock"))
        found = _listed(connection, name, now=now)
        if not found:
            raise AccessError(
                f"there is no account {name[:64]!r}", remedy="see `hypervision accounts list`", field="name",
                reason="unknown_account",
            )  # fmt: skip
        if version is not None and found[0].version != version:
            who = found[0].changed_by or "somebody at the command line"
            raise ConflictError(
                f"{name} was changed by {who} meanwhile", remedy="look at it again", by=found[0].changed_by
            )
        yield found[0]


def _made(connection: Connection, before: ListedAccount, given: Given, *, now: datetime) -> ListedAccount:
    """What a change makes of an account."""
    after = before
    if "role" in given:
        after = replace(after, role=given["role"].value)
    if "organisation" in given:
        code = given["organisation"]
        after = replace(after, organisation=code, organisation_id=_organisation(connection, code))
    if "domains" in given:
        after = replace(after, domains=words_of_scope(given["domains"], "domains"))
    if "districts" in given:
        after = replace(after, districts=words_of_scope(given["districts"], "districts"))
        if after.districts != before.districts:
            _check_districts(connection, _array(after.districts))
    if "language" in given:
        after = replace(after, language=given["language"])
    if "disabled" in given:
        after = replace(after, disabled_at=(before.disabled_at or now) if given["disabled"] else None)
    return after


def _organisation(connection: Connection, code: str | None) -> int | None:
    if code is None:
        return None
    row = connection.execute(query("account_organisation"), {"organisation": code}).fetchone()
    if row is None:
        raise AccessError(
            f"there is no organisation {code[:64]!r}", remedy="register a Thing of it first", field="organisation",
            reason="unknown_organisation",
        )  # fmt: skip
    return int(row[0])


def _check_districts(connection: Connection, districts: list[str] | None) -> None:
    row = connection.execute(query("account_district_unknown"), {"districts": districts or []}).fetchone()
    if row is not None:
        raise AccessError(
            f"no Thing stands in the district {row[0][:64]!r}", remedy="say so with `hypervision things assign` first",
            field="districts", reason="unknown_district",
        )  # fmt: skip


def _listed(connection: Connection, name: str | None, *, now: datetime) -> list[ListedAccount]:
    rows = connection.execute(query("account_list"), {"name": name, "now": now}).fetchall()
    found = []
    for row in rows:
        # Arrays come as lists.
        values: list[Any] = [tuple(sorted(each)) if isinstance(each, list) else each for each in row]
        found.append(ListedAccount(*values))
    return found


def _array(words: tuple[str, ...] | None) -> list[str] | None:
    return None if words is None else list(words)


def _told(account: ListedAccount, other: ListedAccount) -> dict[str, Any]:
    """What of an account differs from another, for the audit log."""
    values = {
        "role": account.role, "organisation": account.organisation, "domains": _array(account.domains),
        "districts": _array(account.districts), "language": account.language,
        "disabled": account.disabled_at is not None,
    }  # fmt: skip
    beside = {
        "role": other.role, "organisation": other.organisation, "domains": _array(other.domains),
        "districts": _array(other.districts), "language": other.language, "disabled": other.disabled_at is not None,
    }  # fmt: skip
    return {key: value for key, value in values.items() if value != beside[key]}
