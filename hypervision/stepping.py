"""Stepping alarms inside a writer's transaction: touched conditions are locked, fed, written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from hypervision import quality, rates
from hypervision.alarms import Reading, apply_all
from hypervision.batch import Bool
from hypervision.datastreams import StreamTable
from hypervision.evaluation import Evaluator, Touched, delays
from hypervision.plan import Plan
from hypervision.rules import Rule
from hypervision.seams import seams_of
from hypervision.store import alarms as alarm_store
from hypervision.store import proposing
from hypervision.store import watch as watch_store
from hypervision.store.alarms import Case, Occurrence, Source
from hypervision.store.connection import Connection
from hypervision.store.writer import Writer
from hypervision.wording import alarm_message


class _Fed(NamedTuple):
    """What one condition is fed with."""

    found: Touched
    readings: list[Reading]
    backward: bool


NO_THINGS: Final[Mapping[Source, int]] = MappingProxyType({})
NOBODY: Final = -1
"""In place of a Thing, where a rule is of none: no override is of it."""
_MOST_OUTAGES: Final = 32
"""So many of the last outages are kept in mind; a link that flaps has many."""
BACKLOG: Final = timedelta(days=1)
"""What an outage of the platform held up has come by then; what comes later was held up by its own device."""
_BACKLOG_US: Final = BACKLOG // timedelta(microseconds=1)


class Stepper:
    """Feeds readings to the alarms of datastreams.

    Parameters
    ----------
    evaluator : Evaluator
        Finds the few readings that matter.
    language : str
        Of the alarm messages.
    live_age_us : int
        A reading older than this at its receipt is history and never rings [us].
    """

    def __init__(self, evaluator: Evaluator, *, language: str, live_age_us: int) -> None:
        self.evaluator = evaluator
        self.streams: StreamTable = evaluator.streams
        self._language = language
        self._live_age_us = live_age_us
        self._outages: tuple[tuple[int, int], ...] = ()

    def excuse(self, began_us: int, ended_us: int) -> None:
        """Let readings of an outage of the platform itself ring that come within `BACKLOG` of its end.

        Their devices were not late; a state that was told once, meanwhile, would never be known.

        Parameters
        ----------
        began_us, ended_us : int
            When a part of the platform was away [us].
        """
        self._outages = (*self._outages, (began_us, ended_us))[-_MOST_OUTAGES:]

    def step(
        self, planned: Plan, new: Bool, writer: Writer, *, now: datetime, again: bool = False
    ) -> tuple[list[Case], int]:
        """Step the alarms that new readings touch.

        Parameters
        ----------
        planned : Plan
            Readings in the store's order.
        new : ndarray of bool, shape (n,)
            Which of them were written just now.
        again : bool
            They were judged before.

        Returns
        -------
        cases : list of Case
            The conditions that were locked.
        steps : int
            Transitions written.
        """
        recent = self.recent(planned)
        sound = planned.quality > quality.OUT_OF_RANGE
        self._journal_late(planned, new & recent & sound & planned.late, writer)
        live = new & recent & sound & ~planned.late
        if not again:
            self._put_seams(planned, live, writer)
        fed = self._feed_of(planned, live, writer) if live.any() else {}
        if not fed:
            return [], 0
        cases = alarm_store.lock(writer.connection, fed)
        if again:
            # A writer may have committed newer ones since they were read: its steps hold.
            newest = watch_store.newest_times(writer.connection, [source.source_id for source in fed])
            seen = {source: [reading.at_us for reading in one.readings[-1:]] for source, one in fed.items()}
            cases = [case for case in cases if [newest.get(case.source.source_id)] == seen[case.source]]
        for case in cases:
            _feed(case, fed[case.source])
        rules: dict[Source, tuple[Rule, int | None]] = {
            source: (one.found.rule, one.found.slot) for source, one in fed.items()
        }
        return cases, self.write(cases, rules, writer.connection, now=now)

    def _put_seams(self, planned: Plan, live: Bool, writer: Writer) -> None:
        rules, limits = self.evaluator.rules, self.evaluator.limits
        if rules.edits and live.any():
            found = seams_of(
                rules, limits, slot=planned.slot[live], datastream_id=planned.datastream_id[live],
                time_us=planned.time_us[live], received_us=planned.received_us[live],
            )  # fmt: skip
            proposing.put_seams(writer.connection, found)

    def recent(self, planned: Plan) -> Bool:
        """Which readings are no history: young at their receipt, or held up by the platform."""
        recent: Bool = planned.received_us - planned.time_us <= self._live_age_us
        for began_us, ended_us in self._outages:
            if not recent.all():
                # What was young when the outage began counts too: it may have been on its way.
                of_then = (planned.time_us >= began_us - self._live_age_us) & (planned.time_us <= ended_us)
                recent = recent | (of_then & (planned.received_us <= ended_us + _BACKLOG_US))
        return recent

    def write(
        self,
        cases: list[Case],
        rules: Mapping[Source, tuple[Rule, int | None]],
        connection: Connection,
        *,
        now: datetime,
        about: Mapping[Source, int] = NO_THINGS,
    ) -> int:
        """Write the steps of locked conditions, with their messages.

        Parameters
        ----------
        rules : mapping
            Rule of every source, and the slot of its datastream; None where the source is none.
        about : mapping, optional
            The Things that sources of another kind are shown at.
        """
        occurrences: dict[Source, Occurrence] = {}
        messages: dict[tuple[Source, float | None], str] = {}
        for case in cases:
            rule, slot = rules[case.source]
            thing_id = self._thing_of(case.source, slot, about)
            datastream_id = None if slot is None else case.source.source_id
            raised_us = next((step.at_us for step in case.steps if step.to_state == "UNACK"), None)
            whose = NOBODY if thing_id is None else thing_id
            limit = self.evaluator.rules.for_thing(rule, whose).limit
            if raised_us is not None and rule.windows:
                limit = self.evaluator.held(rule, whose, raised_us - rule.on_delay_us).limit
            occurrences[case.source] = Occurrence(rule.version, thing_id, datastream_id, rule.priority, limit)
            prop = (
                self.streams.catalogue.judged(rule.domain, rule.property)
                if slot is None
                else self.streams.property_of(slot)
            )
            for step in case.steps:
                messages[case.source, step.value] = alarm_message(rule, prop, step.value, limit, self._language)
        return alarm_store.write(connection, cases, occurrences, messages, now=now)

    def _thing_of(self, source: Source, slot: int | None, about: Mapping[Source, int]) -> int | None:
        """The Thing that an alarm is about; None: it is about the platform."""
        if slot is not None:
            return int(self.streams.thing_id[slot])
        return source.source_id if source.kind == "thing" else about.get(source)

    def _feed_of(self, planned: Plan, live: Bool, writer: Writer) -> dict[Source, _Fed]:
        slot, times, result = planned.slot[live], planned.time_us[live], planned.result[live]
        backward = planned.backward[live]
        rate = self.evaluator.rates(slot, times, result)
        use = np.ones(len(slot), np.bool_)
        fed: dict[Source, _Fed] = {}
        for found in self.evaluator.touched(slot, times, result, rate, use, backward=backward):
            part = slice(found.first, found.last)
            source = Source("datastream", int(self.streams.datastream_id[found.slot]), found.rule.rule_id)
            if backward[part].any():
                first_us = int(times[part][backward[part]].min())
                fed[source] = _Fed(found, self._from_store(found, first_us, writer), backward=True)
            else:
                fed[source] = _Fed(found, found.readings, backward=False)
        return fed

    def _from_store(self, found: Touched, first_us: int, writer: Writer) -> list[Reading]:
        """All readings of a datastream since an instant: what ran backwards is put in order.

        The store gives the minute of the first and the reading before it, so that the first has a rate too.
        """
        minute_us = first_us // rates.MINUTE_US * rates.MINUTE_US
        rows = writer.observations_from(int(self.streams.datastream_id[found.slot]), minute_us)
        times = np.array([r[0] for r in rows], np.int64)
        result = np.array([r[1] for r in rows], np.float64)
        sound = np.array([r[2] > quality.OUT_OF_RANGE for r in rows], np.bool_)
        return self.evaluator.readings(
            found.layer,
            slot=np.full(len(rows), found.slot, np.int32),
            time_us=times,
            result=result,
            rate=rates.of_series(times, result, sound),
            use=sound & (times >= first_us),
        )

    def _journal_late(self, planned: Plan, late: Bool, writer: Writer) -> None:
        """A late crossing rings no bell, but leaves a line."""
        if not late.any():
            return
        writer.journal(
            [
                (
                    int(planned.time_us[row]),
                    "late_crossing",
                    int(self.streams.thing_id[planned.slot[row]]),
                    int(planned.datastream_id[row]),
                    json.dumps({"rule": rule.code, "value": float(planned.result[row])}),
                )
                for row, rule in self.evaluator.violating(planned.slot, planned.time_us, planned.result, late)
            ]
        )


def _feed(case: Case, fed: _Fed) -> None:
    """Apply readings to a locked condition."""
    alarm, readings = case.alarm, fed.readings
    if fed.backward and readings and alarm.phase in ("normal", "pending") and alarm.since_us < readings[0].at_us:
        # Nothing was stepped since the reading that ran backwards: the condition is walked again from there.
        case.alarm = replace(alarm, last_us=min(alarm.last_us, readings[0].at_us))
    if not fed.backward:
        # A delay may have ended by the clock of `watch`, after the time of a reading that came late: being newer
        # than any before it, it still says how things are.
        last_us = case.alarm.last_us
        readings = [given if given.at_us >= last_us else given._replace(at_us=last_us) for given in readings]
    case.alarm, steps = apply_all(case.alarm, readings, delays(fed.found.rule))
    case.steps += steps


def moved(cases: list[Case], steps: int) -> int:
    """By how much the writer's alarm number moves: a condition that only began or forgot a delay counts as well."""
    return max(steps, sum(case.moved for case in cases))
