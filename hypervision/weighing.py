"""Alarms of what is no Thing and no datastream: parts of the platform, groups. What was measured of them is judged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from hypervision import parts
from hypervision.alarms import Reading, apply
from hypervision.clock import to_us
from hypervision.evaluation import delays
from hypervision.rules import Rule
from hypervision.stepping import NOBODY, Stepper
from hypervision.store import alarms as alarm_store
from hypervision.store.alarms import Case, Source
from hypervision.store.writer import Writer


class Weighed(NamedTuple):
    """One property of a source.

    Attributes
    ----------
    thing_id : int or None
        The Thing that it is shown at, and whose overrides hold for it.
    value : float or None
        None where nothing can be known of it now.
    """

    source_id: int
    thing_id: int | None
    property: str
    value: float | None


def step(
    writer: Writer, stepper: Stepper, weighed: Sequence[Weighed], *, kind: str, domain: str, now: datetime
) -> tuple[list[Case], int]:
    """Step the alarms of all sources of a kind by the rules of a domain.

    Parameters
    ----------
    weighed : sequence of Weighed
        A source of which nothing was measured is out of service: what stands of it returns. One of which nothing can
        be known now stays as it is.

    Returns
    -------
    cases : list of Case
        The conditions that were locked.
    steps : int
        Transitions written.
    """
    by_id = {rule.rule_id: rule for rule in stepper.evaluator.rules.rules if rule.domain == domain and rule.enabled}
    now_us = to_us(now)
    every = alarm_store.standing(writer.connection)
    standing = {source for source in every if source.kind == kind and source.rule_id in by_id}
    events: dict[Source, Reading] = {}
    about: dict[Source, int] = {}
    for rule in by_id.values():
        for one in weighed:
            if one.property != rule.property or one.value is None:
                continue
            whose = NOBODY if one.thing_id is None else one.thing_id
            violates, clears = parts.judge(rule.kind, stepper.evaluator.held(rule, whose, now_us), one.value)
            source = Source(kind, one.source_id, rule.rule_id)
            if violates or source in standing:
                events[source] = Reading(now_us, violates, clears, one.value)
                if one.thing_id is not None:
                    about[source] = one.thing_id
    known = {(one.source_id, one.property) for one in weighed}
    for source in standing:
        if (source.source_id, by_id[source.rule_id].property) not in known:
            events[source] = Reading(now_us, violates=False, clears=True, value=0.0)
    found: dict[Source, tuple[Rule, int | None]] = {source: (by_id[source.rule_id], None) for source in events}
    cases = alarm_store.lock(writer.connection, found)
    for case in cases:
        alarm = parts.seen_again(case.alarm, now_us)
        event = events[case.source]._replace(at_us=max(now_us, alarm.last_us))
        case.alarm, case.steps = apply(alarm, event, delays(by_id[case.source.rule_id]))
    return cases, stepper.write(cases, found, writer.connection, now=now, about=about)
