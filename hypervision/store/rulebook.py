"""Rules as people look at them: how each stands, its versions, what was proposed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from psycopg import Connection

from hypervision.errors import UsageError
from hypervision.store.connection import mapped
from hypervision.store.rules import COMPUTED
from hypervision.store.sql import query

WAITING: Final = ("proposed", "approved")
STATES: Final = ("draft", "proposed", "approved", "in_force", "refused", "withdrawn", "overtaken")
NOBODY: Final = "database"
"""Whom an edit is put down to that was made past the rule's life."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A rule as it stands.

    Attributes
    ----------
    document : dict
        As `hypervision.ruling` reads it.
    wrong : str
        What keeps it from being judged as it is written; empty: nothing.
    edited_by : str
        Author of its version.
    waiting_state, waiting_author : str
        Of the proposal that waits; empty where none does.
    active : int
        Its alarms that are active.
    """

    rule_id: int
    code: str
    version: int
    document: dict[str, Any]
    wrong: str
    wrong_since: datetime | None
    edited_by: str
    edited_at: datetime | None
    waiting: int | None
    waiting_state: str
    waiting_author: str
    active: int = 0


@dataclass(frozen=True, slots=True)
class Version:
    """A rule as it stood once."""

    version: int
    at: datetime
    author: str
    approved_by: str | None
    reason: str
    document: dict[str, Any]
    proposal_id: int | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that somebody proposed.

    Attributes
    ----------
    base : int
        The version that its author looked at; 0: the rule is new.
    back_to : int or None
        The version that it gives back.
    remark : str
        What whoever decided it said.
    version : int or None
        What it became.
    """

    proposal_id: int
    code: str
    base: int
    state: str
    document: dict[str, Any]
    back_to: int | None
    reason: str
    effective_from: datetime | None
    author: str
    at: datetime
    decided_by: str | None
    decided_at: datetime | None
    remark: str
    version: int | None
    in_force_at: datetime | None


class Place(NamedTuple):
    """A Thing and the one that it is a part of."""

    thing_id: int
    code: str
    parent_id: int | None


def places(connection: Connection) -> list[Place]:
    """Every Thing."""
    return [Place(*row) for row in connection.execute(query("rulebook_places")).fetchall()]


def rules(connection: Connection, code: str | None = None) -> list[Standing]:
    """Every rule as it stands, or one of them."""
    with mapped():
        active: dict[int, int] = dict(connection.execute(query("rulebook_standing")).fetchall())
        rows = connection.execute(query("rulebook_rules"), {"code": code}).fetchall()
    return [
        Standing(
            rule_id=r[0], code=r[1], version=r[2], document=_document(r), wrong=r[19] or "", wrong_since=r[18],
            edited_by=r[20] or NOBODY, edited_at=r[21], waiting=r[22], waiting_state=r[23] or "",
            waiting_author=r[24] or "", active=active.get(r[0], 0),
        )
        for r in rows
    ]  # fmt: skip


def one(connection: Connection, code: str) -> Standing:
    """A rule as it stands.

    Raises
    ------
    UsageError
        There is none.
    """
    found = rules(connection, code)
    if not found:
        raise UsageError(f"there is no rule {code[:100]!r}", remedy="see `hypervision rules list`")
    return found[0]


def _document(r: Sequence[Any]) -> dict[str, Any]:
    extra = r[16] if isinstance(r[16], dict) else {}
    return {
        "code": r[1], "domain": r[3], "property": None if r[4] is None else r[4].removeprefix(COMPUTED), "kind": r[5],
        "priority": r[6], "limit": r[7], "deadband": r[8], "on_delay": r[9].total_seconds(),
        "off_delay": r[10].total_seconds(), "enabled": r[15], "fr": r[11], "en": r[12], "action_fr": r[13],
        "action_en": r[14], "things": {code: _own(given) for code, given in sorted(r[17].items())},
        "classes": extra.get("classes", {}), "schedule": extra.get("schedule", []), "formula": extra.get("formula"),
        "consequence_fr": r[25], "consequence_en": r[26], "latched": r[27], "realarm_after": _seconds(r[28]),
        "escalate_after": _seconds(r[29]), "suppressed_by": r[30] if isinstance(r[30], list) else [],
    }  # fmt: skip


def _seconds(interval: timedelta | None) -> float | None:
    return None if interval is None else interval.total_seconds()


def _own(given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key != "enabled" or value is False}


def versions(connection: Connection, code: str, *, limit: int = 200) -> list[Version]:
    """The versions of a rule, the newest first."""
    with mapped():
        rows = connection.execute(query("rulebook_versions"), {"code": code, "limit": limit}).fetchall()
    return [Version(*row) for row in rows]


def with_before(found: Sequence[Version]) -> list[tuple[Version, Version | None]]:
    """Versions, the newest first, each with the one before it."""
    return [(one, found[place + 1] if place + 1 < len(found) else None) for place, one in enumerate(found)]


def version(connection: Connection, code: str, number: int) -> Version:
    """One version of a rule.

    Raises
    ------
    UsageError
        There is none.
    """
    with mapped():
        row = connection.execute(query("rulebook_version"), {"code": code, "version": number}).fetchone()
    if row is None:
        raise UsageError(f"{code[:100]!r} has no version {number}", remedy=f"see `hypervision rules show {code[:100]}`")
    return Version(*row)


def proposals(
    connection: Connection,
    *,
    code: str | None = None,
    states: Sequence[str] | None = None,
    reader: str = "",
    limit: int = 200,
) -> list[Proposal]:
    """Proposals, the newest first.

    Parameters
    ----------
    reader : str
        Who asks: drafts are their author's alone.
    """
    values = {"code": code, "states": None if states is None else list(states), "reader": reader, "limit": limit}
    with mapped():
        return [Proposal(*row) for row in connection.execute(query("rulebook_proposals"), values).fetchall()]


def classes(connection: Connection, domain: str) -> list[tuple[str, int]]:
    """Kinds of the Things of a domain, and how many there are of each."""
    with mapped():
        return [(r[0], r[1]) for r in connection.execute(query("rulebook_classes"), {"domain": domain}).fetchall()]
