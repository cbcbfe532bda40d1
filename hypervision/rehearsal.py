"""A replay on paper: stored readings, stored versions of a rule, and what its alarms must have done.

A pure function of what is stored. Whoever doubts an alarm compares its transitions with these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hypervision import quality, rates
from hypervision.alarms import (
    Acknowledgement,
    Alarm,
    Delays,
    Event,
    Expiry,
    Reading,
    RuleChange,
    State,
    Transition,
    apply,
)
from hypervision.batch import Bool, Float64, Int8, Int64
from hypervision.datastreams import StreamTable
from hypervision.domains import Catalogue
from hypervision.evaluation import delays
from hypervision.holidays import Calendar
from hypervision.rules import LimitArrays, Override, Rule, RuleSet
from hypervision.ruling import Definition

_RULE = 1
_THING = 1


class Course(NamedTuple):
    """The stored readings of one datastream in their order; shape (n,) each."""

    time_us: Int64
    result: Float64
    quality: Int8
    late: Bool
    received_us: Int64


@dataclass(frozen=True, slots=True)
class Era:
    """A version of a rule, and since when it was in force.

    Attributes
    ----------
    seam_us : int or None
        The first reading that it judged although that was received before it [us].
    """

    version: int
    at_us: int
    definition: Definition
    seam_us: int | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """Whose readings they are, and by which clock.

    Attributes
    ----------
    live_age_us, grace_us : int
        As the settings have them [us].
    """

    thing: str
    kind: str
    catalogue: Catalogue
    calendar: Calendar
    live_age_us: int = 3_600_000_000
    grace_us: int = 3_000_000


def rehearse(
    course: Course,
    eras: Sequence[Era],
    acknowledgements: Sequence[Acknowledgement],
    stage: Stage,
    *,
    until_us: int,
    state: State = "NORM",
) -> list[Transition]:
    """What the alarms of one datastream by one rule do.

    Parameters
    ----------
    eras : sequence of Era
        The versions in their order, at least one.
    acknowledgements : sequence of Acknowledgement
        What operators did, in their order.
    until_us : int
        Where it ends: delays that are over by then have ended [us].
    state : str
        Of the alarm before the first reading.
    """
    played = _Play(course, eras, stage, state)
    acks = list(acknowledgements)
    starts = played.starts()
    era = 0
    for row in np.flatnonzero(played.live).tolist():
        while era + 1 < len(eras) and starts[era + 1] <= row:
            era += 1
            played.acknowledge(acks, before_us=eras[era].at_us, era=era - 1)
            played.edit(era, row)
        played.acknowledge(acks, before_us=int(course.received_us[row]), era=era)
        played.read(row, era)
    while era + 1 < len(eras):
        era += 1
        played.acknowledge(acks, before_us=eras[era].at_us, era=era - 1)
        played.edit(era, len(course.time_us))
    played.acknowledge(acks, before_us=until_us, era=era)
    played.feed(Expiry(until_us - stage.grace_us), played.delays[era])
    return played.steps


class _Play:
    """The condition while its events are applied."""

    def __init__(self, course: Course, eras: Sequence[Era], stage: Stage, state: State) -> None:
        self._course, self._eras, self._stage = course, eras, stage
        self.alarm = Alarm(phase="active" if state in ("UNACK", "ACKED") else "normal", state=state)
        self.steps: list[Transition] = []
        definition = eras[0].definition
        assert definition.property is not None
        streams = StreamTable(stage.catalogue)
        self._slot = streams.slot(definition.domain, stage.thing, definition.property)
        streams.extend()
        streams.datastream_id[self._slot] = streams.thing_id[self._slot] = _THING
        self._rules = [_rule(era) for era in eras]
        self._sets = [_set(era, rule, stage) for era, rule in zip(eras, self._rules, strict=True)]
        self._limits = [LimitArrays(one, streams, stage.calendar) for one in self._sets]
        self.delays = [delays(rule) for rule in self._rules]
        self._sound: Bool = course.quality > quality.OUT_OF_RANGE
        self._recent: Bool = course.received_us - course.time_us <= stage.live_age_us
        self.live: Bool = self._sound & self._recent & ~course.late
        self._rate = rates.of_series(course.time_us, course.result, self._sound)
        self._judged: dict[int, tuple[Bool, Bool, Float64]] = {}

    def starts(self) -> list[int]:
        """The first row that each version judged."""
        course, found = self._course, []
        for era in self._eras:
            mine = course.received_us >= era.at_us
            if era.seam_us is not None:
                mine |= course.time_us >= era.seam_us
            rows = np.flatnonzero(mine & self.live)
            found.append(int(rows[0]) if len(rows) else len(course.time_us))
        # A version never begins after its successor.
        for number in range(len(found) - 2, -1, -1):
            found[number] = min(found[number], found[number + 1])
        return found

    def read(self, row: int, era: int) -> None:
        if era not in self._judged:
            slots = np.full(len(self._course.time_us), self._slot, np.int32)
            given = (slots, self._course.result, self._rate)
            layers = self._limits[era]
            violates, clears = layers.judge(0, *given, self._course.time_us)
            self._judged = {era: (violates, clears, layers.quantity(0, *given))}
        violates, clears, judged = self._judged[era]
        if not np.isnan(judged[row]):
            at_us = max(int(self._course.time_us[row]), self.alarm.last_us)
            self.feed(Reading(at_us, bool(violates[row]), bool(clears[row]), float(judged[row])), self.delays[era])

    def edit(self, era: int, row: int) -> None:
        """A version begins: old delays end, the newest value is judged anew."""
        at_us = self._eras[era].at_us
        self.feed(Expiry(at_us - self._stage.grace_us), self.delays[era - 1])
        now, was = (self._sets[n].for_thing(self._rules[n], _THING) for n in (era, era - 1))
        if not now.enabled:
            if self.alarm.phase != "normal":
                self.feed(RuleChange(at_us), self.delays[era])
            return
        if not row or self._rules[era].kind == "rate_of_change":
            return
        slot, value = np.array([self._slot], np.int32), self._course.result[row - 1 : row]
        nothing, when = np.full(1, np.nan), np.array([at_us], np.int64)
        violates = bool(self._limits[era].judge(0, slot, value, nothing, when)[0][0])
        changed = (self._rules[era - 1].kind, self._rules[era - 1].windows, *was) != (
            self._rules[era].kind, self._rules[era].windows, *now
        )  # fmt: skip
        if violates and self._sound[row - 1] and self._recent[row - 1]:
            reading = Reading(max(at_us, self.alarm.last_us), violates=True, clears=False, value=float(value[0]))
            self.feed(reading, self.delays[era])
        elif not violates and changed and self.alarm.phase != "normal":
            self.feed(RuleChange(at_us), self.delays[era])

    def acknowledge(self, acks: list[Acknowledgement], *, before_us: int, era: int) -> None:
        while acks and acks[0].at_us < before_us:
            self.feed(Expiry(acks[0].at_us), self.delays[era])
            if self.alarm.state != "NORM":
                self.feed(acks[0], self.delays[era])
            acks.pop(0)

    def feed(self, event: Event, given: Delays) -> None:
        self.alarm, more = apply(self.alarm, event, given)
        self.steps += more


def _rule(era: Era) -> Rule:
    one = era.definition
    return Rule(
        rule_id=_RULE, code=one.code, version=era.version, domain=one.domain, property=one.property, kind=one.kind,
        priority=one.priority, limit=one.limit, deadband=one.deadband, on_delay_us=round(one.on_delay * 1e6),
        off_delay_us=round(one.off_delay * 1e6), fr=one.fr, en=one.en, enabled=one.enabled, windows=one.windows,
    )  # fmt: skip


def _set(era: Era, rule: Rule, stage: Stage) -> RuleSet:
    own, of_class = era.definition.things.get(stage.thing), era.definition.classes.get(stage.kind)
    given = [one for one in (own, of_class) if one is not None]
    if given:
        override = Override(
            _RULE,
            _THING,
            next((one.limit for one in given if one.limit is not None), None),
            next((one.deadband for one in given if one.deadband is not None), None),
            enabled=all(one.enabled for one in given),
        )
        return RuleSet(era.version, (rule,), (override,))
    return RuleSet(era.version, (rule,), ())
