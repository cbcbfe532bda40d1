"""What administrators may do to accounts: pure rules, no I/O."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypedDict

from hypervision.errors import AccessError
from hypervision.scope import Scope

if TYPE_CHECKING:
    # Loading it makes a hash that takes a moment.
    from hypervision.accounts import Role

_ADMINISTRATOR: Final = "administrator"
# As in schema.sql.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
LANGUAGES: Final = ("fr", "en")
"""Of the screens; none: the installation's."""


@dataclass(frozen=True, slots=True)
class ListedAccount:
    """An account as administrators see it.

    Attributes
    ----------
    organisation : str or None
        Its code.
    version : int
        Grows with every change.
    changed_by : str or None
        Who made the last one; None: it was made at the command line, or is as it was made.
    sessions : int
        Log-ins that have not ended.
    """

    account_id: int
    name: str
    role: str
    organisation_id: int | None
    organisation: str | None
    domains: tuple[str, ...] | None
    districts: tuple[str, ...] | None
    language: str | None
    created_at: datetime
    disabled_at: datetime | None
    version: int = 1
    changed_at: datetime | None = None
    changed_by: str | None = None
    sessions: int = 0
    logged_in_at: datetime | None = None

    @property
    def scope(self) -> Scope:
        """What of the town it may know."""
        return Scope.of(self.organisation_id, self.domains, self.districts)

    @property
    def administers(self) -> bool:
        """Whether somebody may log in with it and administer accounts."""
        return self.role == _ADMINISTRATOR and self.scope.is_whole and self.disabled_at is None


class Given(TypedDict, total=False):
    """What is changed of an account; what is left out stays as it is, None limits nothing."""

    role: Role
    organisation: str | None
    domains: Sequence[str] | None
    districts: Sequence[str] | None
    language: str | None
    disabled: bool


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


def words_of_scope(words: Sequence[str] | None, field: str) -> tuple[str, ...] | None:
    """Domains or districts in one order; None: all of them.

    Raises
    ------
    AccessError
        The list is empty: its account would see nothing.
    """
    if words is None:
        return None
    if not words:
        raise AccessError(
            f"the list of {field} is empty, and nothing would be seen", remedy="leave it out for all of them",
            field=field, reason="empty_scope",
        )  # fmt: skip
    return tuple(sorted(set(words)))


def check_domains(domains: Sequence[str] | None, known: Collection[str]) -> None:
    """Look whether there are such domains.

    Raises
    ------
    AccessError
        There is none of a name.
    """
    for domain in domains or ():
        if domain not in known:
            raise AccessError(
                f"there is no domain {domain[:64]!r}", remedy=f"use {', '.join(known)}", field="domains",
                reason="unknown_domain",
            )  # fmt: skip


def _standing(account: ListedAccount) -> tuple[str, Scope, bool]:
    """What nobody changes of himself."""
    return account.role, account.scope, account.disabled_at is None


def check_change(before: ListedAccount, after: ListedAccount, *, actor: str | None, others: int) -> None:
    """Look whether an administrator may make of an account what he wants.

    Parameters
    ----------
    actor : str or None
        Who wants it; None: somebody at the command line, who owns the database anyway.
    others : int
        Other accounts that administer.

    Raises
    ------
    AccessError
        It is his own role, scope or state, or nobody would be left who administers.
    """
    if actor == before.name and _standing(before) != _standing(after):
        raise AccessError(
            f"{actor} is your own account, whose role, scope and state you cannot change",
            remedy="ask another administrator",
            field="role",
            reason="own_account",
        )
    if before.administers and not after.administers and others == 0:
        raise AccessError(
            f"{before.name} is the last account that administers accounts",
            remedy="make another an administrator of the whole town first",
            field="role",
            reason="last_administrator",
        )
