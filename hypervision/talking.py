"""Things that talk too much ring once, and are quiet again when they are."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from hypervision.alarms import Reading, apply
from hypervision.clock import to_us
from hypervision.evaluation import delays
from hypervision.rules import Rule
from hypervision.stepping import Stepper
from hypervision.store import alarms as alarm_store
from hypervision.store import limits
from hypervision.store.alarms import Case, Source
from hypervision.store.writer import Writer

# A row of the quarantine counts a minute from its first message on; two of them cover what goes on now.
_WINDOW: Final = timedelta(minutes=2)


def step(writer: Writer, stepper: Stepper, *, now: datetime) -> tuple[list[Case], int]:
    """Step the alarms of Things whose messages were beyond their pace.

    Returns
    -------
    cases : list of Case
        The conditions that were locked.
    steps : int
        Transitions written.
    """
    rules = {rule.domain: rule for rule in stepper.evaluator.rules.rules if rule.kind == "talking"}
    numbers: dict[Source, float] = {}
    found: dict[Source, tuple[Rule, int | None]] = {}
    for thing in limits.talking(writer.connection, since=now - _WINDOW, until=now + _WINDOW):
        rule = rules.get(thing.domain)
        if rule is not None:
            source = Source("thing", thing.thing_id, rule.rule_id)
            numbers[source], found[source] = float(thing.number), (rule, None)
    by_id = {rule.rule_id: rule for rule in rules.values()}
    for source in alarm_store.standing(writer.connection):
        if source.rule_id in by_id:
            found.setdefault(source, (by_id[source.rule_id], None))
    cases = alarm_store.lock(writer.connection, found)
    for case in cases:
        rule = found[case.source][0]
        number = numbers.get(case.source, 0.0)
        limit, deadband, enabled = stepper.evaluator.rules.for_thing(rule, case.source.source_id)
        at_us = max(to_us(now), case.alarm.last_us)
        reading = Reading(at_us, enabled and number > limit, not enabled or number <= limit - deadband, number)
        case.alarm, case.steps = apply(case.alarm, reading, delays(rule))
    return cases, stepper.write(cases, found, writer.connection, now=now)
