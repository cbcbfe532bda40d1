"""What a person hides alarms by, checked before it is done: the shelf, out of service, maintenance windows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hypervision.attending import by_priority
from hypervision.errors import UsageError
from hypervision.scope import EVERYTHING, Scope
from hypervision.sections import AlarmSettings
from hypervision.store import inhibitions as store
from hypervision.store.connection import Connection
from hypervision.store.inhibitions import Kind, Shelved, Target

LEAST: Final = 60.0
"""The shortest time on the shelf [s]."""
LONGEST_REASON: Final = 1_000
MOST_THINGS: Final = 500
_FURTHEST: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be out of service, or maintained.

    Attributes
    ----------
    things : sequence of str
        Codes; with `property` only the datastreams of that name, with `children` all below them too.
    domains : sequence of str
        Whole domains.
    began, until : datetime or None
        From now on, unless told; a window has an end, out of service lasts until somebody ends it.
    """

    kind: Kind
    reason: str
    things: Sequence[str] = ()
    property: str | None = None
    children: bool = False
    domains: Sequence[str] = ()
    began: datetime | None = None
    until: datetime | None = None


def shelve(
    connection: Connection,
    settings: AlarmSettings,
    alarm_id: int,
    *,
    seconds: float | None,
    once: bool,
    reason: str,
    actor: str,
    now: datetime,
    writer_id: int | None = None,
) -> Shelved:
    """Put an alarm on the shelf, for as long as its priority allows at most.

    Parameters
    ----------
    seconds : float or None
        How long; None with `once`: as long as is allowed.
    once : bool
        Only until the alarm has returned, if that is sooner.

    Raises
    ------
    UsageError
        No reason, no time, or one that is too short or too long for the alarm's priority.
    """
    told = reason_of(reason)
    priority = store.priority_of(connection, alarm_id)
    if priority is None:
        return Shelved(found=False)
    most = by_priority(settings, "shelve").get(priority, settings.shelve_critical)
    if seconds is None and not once:
        raise UsageError("seconds is missing", remedy=f"say for how long, {LEAST:g} to {most:g}, or once")
    wanted = most if seconds is None else seconds
    if not LEAST <= wanted <= most:
        raise UsageError(
            f"seconds is {wanted:g}", remedy=f"an alarm of priority {priority} may be shelved for {LEAST:g} to {most:g}"
        )
    until = now + timedelta(seconds=wanted)
    return store.shelve(
        connection, alarm_id, until=until, once=once, reason=told, actor=actor, now=now, writer_id=writer_id
    )


def place(
    connection: Connection,
    planned: Planned,
    *,
    actor: str,
    now: datetime,
    domains: Collection[str],
    scope: Scope = EVERYTHING,
    writer_id: int | None = None,
) -> tuple[int, int]:
    """Place Things, datastreams or domains out of service, or plan a maintenance window.

    Parameters
    ----------
    domains : collection of str
        Codes of the domains there are.
    scope : Scope
        Of who does it: what is outside does not exist.

    Returns
    -------
    tuple of int
        Its number, and how many open alarms it hides at once.

    Raises
    ------
    UsageError
        What is wrong with it, by the name of the field.
    """
    reason = reason_of(planned.reason)
    began, until = _span(planned, now)
    if not planned.things and not planned.domains:
        raise UsageError("things is empty", remedy="name at least one Thing, or a domain")
    if len(planned.things) > MOST_THINGS:
        raise UsageError(f"things has {len(planned.things)} codes", remedy=f"name at most {MOST_THINGS}, or a parent")
    if planned.property is not None and (planned.children or planned.domains):
        raise UsageError(
            f"property is {planned.property[:64]!r} of more than Things", remedy="leave children and domains out"
        )
    targets = [Target(domain=code) for code in dict.fromkeys(planned.domains)]
    for target in targets:
        allowed = [each for each in domains if scope.holds_domain(each)]
        if target.domain not in allowed:
            remedy = f"use {', '.join(allowed)}" if allowed else "name the Things"
            raise UsageError(f"domains has {str(target.domain)[:64]!r}", remedy=remedy)
    for code in dict.fromkeys(planned.things):
        targets += store.target_of(
            connection, code, name=planned.property, domain=None, children=planned.children, scope=scope
        )
    return store.put(
        connection, planned.kind, targets, began=began, until=until, reason=reason, actor=actor, now=now,
        writer_id=writer_id,
    )  # fmt: skip


def reason_of(text: str) -> str:
    """A reason that says something.

    Raises
    ------
    UsageError
        It is empty, or a novel.

    Examples
    --------
    >>> reason_of(" sensor changed tomorrow ")
    'sensor changed tomorrow'
    """
    told = text.strip()
    if not told or len(told) > LONGEST_REASON:
        raise UsageError(
            f"reason has {len(told)} letters", remedy=f"say in 1 to {LONGEST_REASON} why nobody should be rung up"
        )
    return told


def _span(planned: Planned, now: datetime) -> tuple[datetime, datetime | None]:
    began = now if planned.began is None else planned.began
    if planned.kind == "out_of_service":
        if planned.until is not None:
            raise UsageError("to is given", remedy="leave it out: out of service lasts until somebody ends it")
        if began > now:
            raise UsageError("from lies ahead", remedy="leave it out, or plan a maintenance window")
        return now, None
    if planned.until is None:
        raise UsageError("to is missing", remedy="say when the window ends")
    if planned.until <= max(began, now):
        raise UsageError(
            f"to is {planned.until.isoformat()}", remedy="the end lies behind the beginning, and behind now"
        )
    if planned.until - now > _FURTHEST:
        raise UsageError(f"to is {planned.until.isoformat()}", remedy="plan a window that ends within a year")
    return began, planned.until
