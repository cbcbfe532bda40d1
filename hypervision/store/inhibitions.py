"""Shelves, Things out of service, maintenance windows: made and ended in one transaction with the alarms they hide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from psycopg import Connection

from hypervision.errors import UsageError
from hypervision.scope import EVERYTHING, Scope
from hypervision.store import audit, hiding
from hypervision.store.alarms import Source, lock
from hypervision.store.connection import mapped
from hypervision.store.sql import query

Kind = Literal["out_of_service", "maintenance"]


@dataclass(frozen=True, slots=True)
class Shelved:
    """What became of an alarm that was to be shelved, or taken off its shelf.

    Attributes
    ----------
    found : bool
        Whether there is such an alarm.
    open : bool
        Whether it is still open.
    changed : bool
        Whether this call did it; if not, `by` and `until` tell of the shelf that stood before.
    """

    found: bool
    open: bool = True
    changed: bool = False
    inhibition_id: int | None = None
    by: str = ""
    until: datetime | None = None


class Target(NamedTuple):
    """One thing that is out of service or maintained: a Thing with or without all below it, a datastream, a domain."""

    thing_id: int | None = None
    datastream_id: int | None = None
    domain: str | None = None
    children: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of one that was to be ended: `by` and `at` tell who had ended it before."""

    found: bool
    changed: bool = False
    by: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """What decides whether a Thing is in a scope."""

    organisation_id: int | None
    domain: str
    district: str


@dataclass(frozen=True, slots=True)
class About:
    """What an inhibition is about: a Thing and what puts it in a scope, one property of it, or a domain."""

    thing: str | None = None
    name: str | None = None
    placed: Placed | None = None
    property: str | None = None
    domain: str | None = None
    children: bool = False


@dataclass(frozen=True, slots=True)
class Inhibition:
    """A shelf, a placing out of service, or a maintenance window.

    Attributes
    ----------
    rule, label_fr, label_en, priority : str or None
        Of the alarm that is shelved.
    hidden : int
        Open alarms that it hides now.
    """

    inhibition_id: int
    kind: str
    once: bool
    began_at: datetime
    ends_at: datetime | None
    reason: str
    author: str
    made_at: datetime
    ended_at: datetime | None
    ended_by: str
    rule: str | None
    label_fr: str | None
    label_en: str | None
    priority: str | None
    about: tuple[About, ...]
    hidden: int

    def is_in(self, scope: Scope) -> bool:
        """Whether an account of a scope may know of it: it is about nothing else."""
        return scope.is_whole or all(
            scope.holds_domain(each.domain or "") if each.placed is None else scope.holds(each.placed)
            for each in self.about
        )


def shelve(
    connection: Connection,
    alarm_id: int,
    *,
    until: datetime,
    once: bool,
    reason: str,
    actor: str,
    now: datetime,
    writer_id: int | None = None,
) -> Shelved:
    """Put the condition of an open alarm on the shelf. Commits.

    Parameters
    ----------
    until : datetime
        When it comes back by itself.
    once : bool
        It comes back as soon as the alarm has returned, too.
    writer_id : int, optional
        Whose `alarm_no` tells the screens.
    """
    with mapped(), connection.transaction():
        source = _source_of(connection, alarm_id)
        if source is None:
            return Shelved(found=False)
        case = lock(connection, [source])[0]
        if case.alarm_id != alarm_id or case.alarm.state == "NORM":
            return Shelved(found=True, open=False)
        # Two operators at once: who locked the condition first has shelved it.
        standing = _shelf(connection, source)
        if standing is not None:
            if standing[2] > now:
                return Shelved(found=True, inhibition_id=standing[0], by=standing[1], until=standing[2])
            _end(connection, standing[0], by="", now=now)
        values = {
            "kind": "shelved", "source_kind": source.kind, "source_id": source.source_id, "rule_id": source.rule_id,
            "once": once, "began_at": now, "ends_at": until, "reason": reason, "author": actor, "made_at": now,
        }  # fmt: skip
        number = _put(connection, values)
        hiding.settle(connection, [alarm_id], now=now)
        told = {"until": until, "once": once}
        audit.note(connection, "alarm.shelve", kind="alarm", ident=alarm_id, actor=actor, reason=reason, after=told)
        _tell(connection, writer_id)
        return Shelved(found=True, changed=True, inhibition_id=number, by=actor, until=until)


def unshelve(
    connection: Connection, alarm_id: int, *, actor: str, now: datetime, writer_id: int | None = None
) -> Shelved:
    """Take an alarm off its shelf, acknowledged by who does it. Commits."""
    with mapped(), connection.transaction():
        source = _source_of(connection, alarm_id)
        if source is None:
            return Shelved(found=False)
        case = lock(connection, [source])[0]
        standing = _shelf(connection, source)
        if standing is None or standing[2] <= now:
            return Shelved(found=True, open=case.alarm_id == alarm_id and case.alarm.state != "NORM")
        _end(connection, standing[0], by=actor, now=now)
        if case.alarm_id is not None:
            hiding.settle(connection, [case.alarm_id], now=now)
        audit.note(connection, "alarm.unshelve", kind="alarm", ident=alarm_id, actor=actor)
        _tell(connection, writer_id)
        return Shelved(found=True, changed=True, inhibition_id=standing[0], by=actor)


def put(
    connection: Connection,
    kind: Kind,
    targets: Sequence[Target],
    *,
    began: datetime,
    until: datetime | None,
    reason: str,
    actor: str,
    now: datetime,
    writer_id: int | None = None,
) -> tuple[int, int]:
    """Place Things, datastreams or domains out of service, or plan a maintenance window. Commits.

    Returns
    -------
    tuple of int
        Its number, and how many open alarms it hides at once.
    """
    with mapped(), connection.transaction():
        values = {
            "kind": kind, "source_kind": None, "source_id": None, "rule_id": None, "once": False, "began_at": began,
            "ends_at": until, "reason": reason, "author": actor, "made_at": now,
        }  # fmt: skip
        number = _put(connection, values)
        connection.execute(
            query("put_inhibition_targets"),
            {
                "inhibition_id": number,
                "things": [each.thing_id for each in targets],
                "datastreams": [each.datastream_id for each in targets],
                "domains": [each.domain for each in targets],
                "children": [each.children for each in targets],
            },
        )
        hidden = 0 if began > now else _settle_all(connection, now=now)
        told = {
            "kind": kind, "from": began, "to": until, "things": [each.thing_id for each in targets if each.thing_id],
            "datastreams": [each.datastream_id for each in targets if each.datastream_id],
            "domains": [each.domain for each in targets if each.domain], "children": any(t.children for t in targets),
        }  # fmt: skip
        audit.note(
            connection, "inhibition.place", kind="inhibition", ident=number, actor=actor, reason=reason, after=told
        )
        _tell(connection, writer_id)
        return number, hidden


def end(
    connection: Connection, inhibition_id: int, *, actor: str, now: datetime, writer_id: int | None = None
) -> Ended:
    """End a shelf, a placing out of service, or a window, before it begins too. Commits."""
    values = {"inhibition_id": inhibition_id}
    with mapped(), connection.transaction():
        row = connection.execute(query("inhibition_one"), values).fetchone()
        if row is None:
            return Ended(found=False)
        hidden = connection.execute(query("alarms_hidden_by"), values).fetchall()
        shelf = [Source(row[1], row[2], row[3])] if row[0] == "shelved" else []
        # Conditions before inhibitions, as everybody locks them.
        lock(connection, [*shelf, *(Source(r[1], r[2], r[3]) for r in hidden)])
        if not _end(connection, inhibition_id, by=actor, now=now):
            row = connection.execute(query("inhibition_one"), values).fetchone()
            assert row is not None
            return Ended(found=True, by=row[6], at=row[5])
        hiding.settle(connection, [r[0] for r in hidden], now=now)
        audit.note(
            connection, "inhibition.end", kind="inhibition", ident=inhibition_id, actor=actor, before={"kind": row[0]}
        )
        _tell(connection, writer_id)
        return Ended(found=True, changed=True, by=actor, at=now)


def priority_of(connection: Connection, alarm_id: int) -> str | None:
    """The priority of an alarm; None where there is none."""
    with mapped():
        row = connection.execute(query("alarm_priority"), {"alarm_id": alarm_id}).fetchone()
    return None if row is None else str(row[0])


def one(connection: Connection, inhibition_id: int) -> Inhibition | None:
    """One of them, ended or not."""
    return next(iter(_listed(connection, number=inhibition_id, ended=True, limit=1)), None)


def listed(connection: Connection, *, ended: bool = False, limit: int = 1_000) -> list[Inhibition]:
    """Those that stand or are to come (or all), the newest first."""
    return _listed(connection, number=None, ended=ended, limit=limit)


def _listed(connection: Connection, *, number: int | None, ended: bool, limit: int) -> list[Inhibition]:
    values = {"id": number, "ended": ended, "limit": limit}
    with mapped():
        rows = connection.execute(query("inhibitions_listed"), values).fetchall()
    return [Inhibition(*(*row[:14], tuple(map(_about, row[14] or ())), row[15])) for row in rows]


def _about(each: dict[str, Any]) -> About:
    placed = each.pop("placed", None)
    return About(**each, placed=None if placed is None else Placed(**placed))


def target_of(
    connection: Connection,
    thing: str,
    *,
    name: str | None,
    domain: str | None,
    children: bool,
    scope: Scope = EVERYTHING,
) -> list[Target]:
    """What a person means by a Thing and perhaps a property of it.

    Parameters
    ----------
    scope : Scope
        Of the person. Where Things below it are outside, those inside are named one by one.

    Raises
    ------
    UsageError
        There is no such Thing in the scope, or it has no such property.
    """
    values = {"thing": thing, "property": name, "domain": domain, **scope.values()}
    with mapped():
        rows = connection.execute(query("inhibition_streams"), values).fetchall()
    if not rows:
        raise UsageError(
            f"there is no Thing {thing[:64]!r}", remedy="`hypervision things` and /api/v1/things list them"
        )
    if name is None:
        below = _below(connection, values) if children and not scope.is_whole else []
        if all(inside for _thing, inside in below):
            return [Target(thing_id=rows[0][0], children=children)]
        return [Target(thing_id=each) for each in (rows[0][0], *(number for number, inside in below if inside))]
    streams = [row[1] for row in rows if row[1] is not None]
    if not streams:
        raise UsageError(f"{thing[:64]} has no property {name[:64]!r}", remedy="/api/v1/datastreams lists those it has")
    return [Target(datastream_id=stream) for stream in streams]


def _below(connection: Connection, values: dict[str, Any]) -> list[tuple[int, bool]]:
    with mapped():
        return [(row[0], row[1]) for row in connection.execute(query("inhibition_below"), values).fetchall()]


def _source_of(connection: Connection, alarm_id: int) -> Source | None:
    row = connection.execute(query("condition_of_alarm"), {"alarm_id": alarm_id}).fetchone()
    return None if row is None else Source(row[0], row[1], row[2])


def _shelf(connection: Connection, source: Source) -> tuple[int, str, datetime] | None:
    values = {"kind": source.kind, "source": source.source_id, "rule": source.rule_id}
    row = connection.execute(query("shelf_of"), values).fetchone()
    return None if row is None else (row[0], row[1], row[2])


def _put(connection: Connection, values: dict[str, Any]) -> int:
    row = connection.execute(query("put_inhibition"), values).fetchone()
    assert row is not None
    return int(row[0])


def _end(connection: Connection, inhibition_id: int, *, by: str, now: datetime) -> bool:
    values = {"inhibition_id": inhibition_id, "by": by, "now": now}
    return connection.execute(query("end_inhibition"), values).rowcount > 0


def _settle_all(connection: Connection, *, now: datetime) -> int:
    found = hiding.changes(connection, None, now=now)
    lock(connection, [Source(*one.alarm.source) for one in found])
    return hiding.settle(connection, [one.alarm.alarm_id for one in found], now=now)


def _tell(connection: Connection, writer_id: int | None) -> None:
    if writer_id is not None:
        connection.execute(query("advance_alarm_no"), {"writer_id": writer_id})
