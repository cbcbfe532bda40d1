"""Putting an approved rule in force: the new version and what it makes of the newest values, in one transaction.

Batches wait meanwhile. So every reading was judged wholly by the version before or wholly by the new one, and a replay
of the stored readings with the stored versions comes to the same transitions.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from hypervision import quality
from hypervision.alarms import Event, Expiry, Reading, RuleChange, apply
from hypervision.clock import to_us
from hypervision.domains import Catalogue
from hypervision.errors import RuleError
from hypervision.evaluation import delays
from hypervision.plan import Plan
from hypervision.rules import Rule, RuleSet
from hypervision.ruling import understand
from hypervision.stepping import NOBODY, Stepper
from hypervision.store import alarms as alarm_store
from hypervision.store import proposing
from hypervision.store import rules as rule_store
from hypervision.store.alarms import Case, Source
from hypervision.store.writer import Writer

Work = Callable[[Writer, Stepper], tuple[list[Case], int]]
Rules = dict[Source, tuple[Rule, int | None]]
NOTHING: Final = RuleSet(0, (), ())
OF_READINGS: Final = ("datastream", "thing")
# Receipts are kept to the millisecond: a version begins after the last one that was judged by the version before.
_AFTER: Final = timedelta(milliseconds=1)


def put_in_force(
    proposal_id: int, values: Callable[[Writer], Plan], catalogue: Catalogue, *, grace: timedelta, now: datetime
) -> Work:
    """What `Intake.transact` does, exclusively, for one proposal.

    Parameters
    ----------
    values : callable
        Reads the newest values in the shape of a planned batch.
    grace : timedelta
        A delay that ended longer ago has ended, although no timer has said so yet.
    """

    def work(writer: Writer, stepper: Stepper) -> tuple[list[Case], int]:
        connection = writer.connection
        proposal = proposing.held(connection, proposal_id)
        if proposal is None or proposal.state != "approved":
            return [], 0
        try:
            wanted = understand(proposal.document, catalogue)
            newest = proposing.newest_receipt(connection, wanted)
            at = now if newest is None else max(now, newest + _AFTER)
            before = stepper.evaluator.rules
            known = next((rule for rule in before.rules if rule.code == wanted.code), None)
            ended = [] if known is None else _expire(known, stepper, writer, until=at - grace, now=now)
            made = proposing.put_in_force(connection, proposal, wanted, at=at)
        except RuleError as error:
            # A Thing, or a property of the domain, is not there any more.
            proposing.give_up(connection, proposal_id, str(error), now=now)
            return [], 0
        if made is None:
            return [], 0
        stepper.evaluator.use_rules(rule_store.load(connection))
        cases, steps = _judge(made[0], before, values(writer), stepper, writer, at=at, now=now)
        return [*ended, *cases], sum(len(case.steps) for case in ended) + steps

    return work


def _expire(rule: Rule, stepper: Stepper, writer: Writer, *, until: datetime, now: datetime) -> list[Case]:
    """End the delays that are over, as the version before has them."""
    busy = [s for s in alarm_store.busy(writer.connection) if s.rule_id == rule.rule_id and s.kind in OF_READINGS]
    rules = _named(rule, busy, stepper)
    cases = alarm_store.lock(writer.connection, rules)
    for case in cases:
        case.alarm, case.steps = apply(case.alarm, Expiry(to_us(until)), delays(rule))
    moved = [case for case in cases if case.steps]
    stepper.write(moved, rules, writer.connection, now=now)
    return moved


def _named(rule: Rule, sources: list[Source], stepper: Stepper) -> Rules:
    """The slots of sources; those that this process cannot name are left for later."""
    streams = stepper.streams
    slot_of = {int(d): s for s, d in enumerate(streams.datastream_id[: len(streams)]) if d >= 0}
    return {
        source: (rule, slot_of[source.source_id] if source.kind == "datastream" else None)
        for source in sources
        if source.kind != "datastream" or source.source_id in slot_of
    }


def _judge(
    rule_id: int, before: RuleSet, values: Plan, stepper: Stepper, writer: Writer, *, at: datetime, now: datetime
) -> tuple[list[Case], int]:
    """Judge the newest values by the new version, as if they were told once more at its beginning."""
    rule = stepper.evaluator.rules.by_id()[rule_id]
    was = before.by_id().get(rule_id)
    standing = {s: one for s, one in alarm_store.standing(writer.connection).items() if s.rule_id == rule_id}
    events: dict[Source, Event] = {}
    judged: set[int] = set()
    limits, at_us = stepper.evaluator.limits, to_us(at)
    usable = (values.quality > quality.OUT_OF_RANGE) & stepper.recent(values)
    unknown = np.full(len(values), np.nan)
    for layer in range(limits.layers):
        mine = limits.rule_ids(layer, values.slot) == rule_id
        every = limits.rule_ids(layer, np.arange(limits.slots, dtype=np.int32)) == rule_id
        judged |= set(stepper.streams.datastream_id[: limits.slots][every].tolist())
        violates, _ = limits.judge(layer, values.slot, values.result, unknown, np.full(len(values), at_us))
        for row in np.flatnonzero(mine & violates & usable).tolist():
            source = Source("datastream", int(values.datastream_id[row]), rule_id)
            events[source] = Reading(at_us, violates=True, clears=False, value=float(values.result[row]))
        quiet = set(values.datastream_id[mine & ~violates].tolist())
        for source in standing:
            thing_id = _thing_of(source, stepper)
            loosened = source.source_id in quiet and rule.kind != "rate_of_change"
            if loosened and was is not None and _changed(was, rule, thing_id, before, stepper):
                events[source] = RuleChange(at_us)
    for source in standing:
        # Switched off, or of another property now.
        gone = source.kind == "datastream" and rule.formula is None and source.source_id not in judged
        off = not stepper.evaluator.rules.for_thing(rule, _thing_of(source, stepper)).enabled
        other = was is not None and source.kind == "datastream" and was.formula != rule.formula
        if gone or off or other:
            events[source] = RuleChange(at_us)
    rules = _named(rule, list(events), stepper)
    cases = alarm_store.lock(writer.connection, rules)
    for case in cases:
        event = events[case.source]
        if isinstance(event, Reading):
            event = event._replace(at_us=max(event.at_us, case.alarm.last_us))
        case.alarm, case.steps = apply(case.alarm, event, delays(rule))
    return cases, stepper.write(cases, rules, writer.connection, now=now)


def _thing_of(source: Source, stepper: Stepper) -> int:
    if source.kind != "datastream":
        return source.source_id if source.kind == "thing" else NOBODY
    streams = stepper.streams
    slots = np.flatnonzero(streams.datastream_id[: len(streams)] == source.source_id)
    return int(streams.thing_id[slots[0]]) if len(slots) else -1


def _changed(was: Rule, rule: Rule, thing_id: int, before: RuleSet, stepper: Stepper) -> bool:
    """Whether a Thing is held to something else: a reading inside the deadband returns nothing by itself."""
    now = stepper.evaluator.rules.for_thing(rule, thing_id)
    return (was.kind, was.windows, *before.for_thing(was, thing_id)) != (rule.kind, rule.windows, *now)
