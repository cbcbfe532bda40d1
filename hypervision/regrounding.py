"""Alarms after a correction: what stands on readings that are no more returns; nothing rings."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import numpy as np

from hypervision import quality, rates
from hypervision.alarms import Corrected, Reading, apply
from hypervision.clock import to_us
from hypervision.evaluation import Evaluator, delays
from hypervision.rules import Rule
from hypervision.stepping import Stepper
from hypervision.store import alarms as alarm_store
from hypervision.store import corrections as store
from hypervision.store.alarms import Case, Source
from hypervision.store.corrections import Extent, Stream
from hypervision.store.writer import Writer

# Older than this before the correction a reading says nothing of now.
_REACH: Final = timedelta(days=7)


def step(
    stream: Stream,
    slot: int,
    extent: Extent,
    writer: Writer,
    stepper: Stepper,
    *,
    correction_id: int,
    now: datetime,
) -> tuple[list[Case], int]:
    """Mark occurrences that lost the reading which raised them, and return those that stand on nothing.

    Parameters
    ----------
    slot : int
        Of the datastream, in the stepper's table.
    extent : Extent
        The readings that were changed in this transaction.

    Returns
    -------
    cases : list of Case
        The conditions that were locked.
    steps : int
        Transitions written.
    """
    by_id = stepper.evaluator.rules.by_id()
    rules: dict[Source, tuple[Rule, int | None]] = {
        source: (by_id[source.rule_id], slot)
        for source in alarm_store.busy(writer.connection)
        if source.kind == "datastream" and source.source_id == stream.datastream_id and source.rule_id in by_id
    }
    # Conditions before alarms, as every writer locks them.
    cases = alarm_store.lock(writer.connection, rules)
    store.mark_alarms(writer, stream, extent, correction_id=correction_id)
    if not cases:
        return [], 0
    bare = store.without_ground(writer.connection, [case.alarm_id for case in cases if case.alarm_id is not None])
    for case in cases:
        rule = rules[case.source][0]
        marked = case.alarm.phase != "pending" and case.alarm_id in bare
        if not marked and not _touched(case, extent, rule):
            continue
        newest = _newest(stream, slot, rule, writer, stepper.evaluator, now=now)
        event = Corrected(to_us(now), stands=_stands(case, newest, marked=marked))
        case.alarm, case.steps = apply(case.alarm, event, delays(rule))
    return cases, stepper.write(cases, rules, writer.connection, now=now)


def _touched(case: Case, extent: Extent, rule: Rule) -> bool:
    """Whether readings were changed that the condition, as it is now, was judged by."""
    if case.alarm.phase == "returning":
        return False
    back_us = 0 if case.alarm.phase == "pending" else rule.on_delay_us
    return to_us(extent.last) >= case.alarm.since_us - back_us


def _stands(case: Case, newest: Reading | None, *, marked: bool) -> bool:
    """Whether a condition still holds."""
    if newest is None:
        return case.alarm.phase != "pending" and not marked
    if case.alarm.phase == "pending" or marked:
        return newest.violates
    return not newest.clears


def _newest(
    stream: Stream, slot: int, rule: Rule, writer: Writer, evaluator: Evaluator, *, now: datetime
) -> Reading | None:
    """The newest reading that nobody doubts, as a rule sees it; corrected ones count."""
    newest_us = store.newest_usable(writer.connection, stream.datastream_id, since=now - _REACH)
    slots = np.array([slot], np.int32)
    layers = [i for i in range(evaluator.limits.layers) if evaluator.limits.rule_ids(i, slots)[0] == rule.rule_id]
    if newest_us is None or not layers:
        return None
    minute_us = newest_us // rates.MINUTE_US * rates.MINUTE_US
    rows = writer.observations_from(stream.datastream_id, minute_us)
    times = np.array([row[0] for row in rows], np.int64)
    result = np.array([row[1] for row in rows], np.float64)
    grade = np.array([row[2] for row in rows], np.int8)
    sound = (grade == quality.CORRECTED) | (grade > quality.OUT_OF_RANGE)
    seen = evaluator.readings(
        layers[0],
        slot=np.full(len(rows), slot, np.int32),
        time_us=times,
        result=result,
        rate=rates.of_series(times, result, sound),
        use=sound & (times <= newest_us),
    )
    return seen[-1] if seen and seen[-1].at_us == newest_us else None
