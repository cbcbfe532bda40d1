"""Rules with a formula: computed for all their Things at once from the newest readings, by `watch`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hypervision import quality
from hypervision.alarms import Reading, apply
from hypervision.batch import Int64
from hypervision.clock import to_us
from hypervision.datastreams import NEVER, StreamTable
from hypervision.errors import RuleError
from hypervision.evaluation import delays
from hypervision.formulas import Formula, Leaf, Values, read_formula
from hypervision.plan import Plan
from hypervision.rules import Rule
from hypervision.stepping import Stepper
from hypervision.store import alarms as alarm_store
from hypervision.store import rulebook
from hypervision.store.alarms import Case, Source
from hypervision.store.rulebook import Place
from hypervision.store.writer import Writer

# How long a reading stands where its property has no period: as in the roll-ups [us].
_STANDS_US: Final = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Board:
    """The newest sound readings of every Thing, and which Thing belongs to which.

    Attributes
    ----------
    thing_id, time_us, result : dict of str to ndarray
        By property, sorted by Thing; only what still stands.
    """

    by_property: Mapping[str, tuple[NDArray[np.int64], Values]]
    places: Sequence[Place]

    @classmethod
    def of(cls, domain: str, values: Plan, streams: StreamTable, places: Sequence[Place], *, now: datetime) -> Board:
        """What is known of one domain now."""
        found = {}
        sound = values.quality > quality.OUT_OF_RANGE
        for index, prop in enumerate(streams.properties):
            if prop.domain != domain:
                continue
            stands_us = _STANDS_US if prop.period is None else int(2e6 * prop.period)
            rows = np.flatnonzero(
                sound & (streams.prop[values.slot] == index) & (values.time_us >= to_us(now) - stands_us)
            )
            things = streams.thing_id[values.slot[rows]].astype(np.int64)
            order = np.argsort(things, kind="stable")
            rows = rows[order]
            found[prop.name] = (things[order], Values(values.result[rows], values.time_us[rows]))
        return cls(found, places)

    def leaf(self, leaf: Leaf, things: NDArray[np.int64]) -> Values:
        """What a formula asks for, for each of n Things, shape (n,)."""
        if leaf.whose == "own":
            return self._of(leaf.property, things)
        if leaf.whose == "thing":
            one = next((place.thing_id for place in self.places if place.code == leaf.code), -1)
            return self._of(leaf.property, np.full(len(things), one, np.int64))
        parent = {place.thing_id: -1 if place.parent_id is None else place.parent_id for place in self.places}
        mine = np.array([parent.get(thing, -1) for thing in things.tolist()], np.int64)
        if leaf.whose == "parent":
            return self._of(leaf.property, mine)
        return self._siblings(leaf.property, things, mine, parent)

    def _of(self, name: str, things: NDArray[np.int64]) -> Values:
        known, values = self.by_property[name]
        if not len(known):
            return Values(np.full(len(things), np.nan), np.full(len(things), NEVER, np.int64))
        place = np.minimum(np.searchsorted(known, things), len(known) - 1)
        there = known[place] == things
        return Values(np.where(there, values.result[place], np.nan), np.where(there, values.time_us[place], NEVER))

    def _siblings(
        self, name: str, things: NDArray[np.int64], mine: NDArray[np.int64], parent: Mapping[int, int]
    ) -> Values:
        """The median of the other parts of the same Thing, and the newest of their times."""
        known, values = self.by_property[name]
        of_known = np.array([parent.get(thing, -1) for thing in known.tolist()], np.int64)
        result, time_us = np.full(len(things), np.nan), np.full(len(things), NEVER, np.int64)
        for row, (thing, whole) in enumerate(zip(things.tolist(), mine.tolist(), strict=True)):
            others = (of_known == whole) & (known != thing)
            if whole >= 0 and others.any():
                result[row] = np.median(values.result[others])
                time_us[row] = values.time_us[others].max()
        return Values(result, time_us)


def step(
    writer: Writer, stepper: Stepper, values: Plan, wrong: dict[int, str], *, now: datetime
) -> tuple[list[Case], int]:
    """Judge every rule with a formula; one that cannot be computed is told and stops no other.

    Parameters
    ----------
    values : Plan
        The newest readings of all datastreams.
    wrong : dict of int to str
        What is wrong with a rule, by its id: filled in.
    """
    rules = [rule for rule in stepper.evaluator.rules.rules if rule.formula is not None and rule.enabled]
    if not rules:
        return [], 0
    places = rulebook.places(writer.connection)
    standing = alarm_store.standing(writer.connection)
    events: dict[Source, Reading] = {}
    named: dict[Source, tuple[Rule, int | None]] = {}
    for rule in rules:
        try:
            formula = read_formula(rule.formula, domain=rule.domain, catalogue=stepper.streams.catalogue)
        except RuleError as error:
            wrong[rule.rule_id] = str(error)
            continue
        board = Board.of(rule.domain, values, stepper.streams, places, now=now)
        slots, judged = _judged(rule, formula, board, values, stepper)
        if len(slots) and np.isnan(judged.result).all():
            wrong[rule.rule_id] = _why(formula, board, _things(slots, stepper))
        for slot, value, at_us in zip(slots.tolist(), judged.result.tolist(), judged.time_us.tolist(), strict=True):
            if np.isnan(value):
                continue
            source = Source("datastream", int(stepper.streams.datastream_id[slot]), rule.rule_id)
            limit, deadband, enabled = stepper.evaluator.rules.for_thing(rule, int(stepper.streams.thing_id[slot]))
            high = rule.kind == "high"
            violates = enabled and (value > limit if high else value < limit)
            if violates or source in standing:
                clears = not enabled or (value <= limit - deadband if high else value >= limit + deadband)
                events[source], named[source] = Reading(at_us, violates, clears, value), (rule, slot)
    cases = alarm_store.lock(writer.connection, named)
    for case in cases:
        event = events[case.source]
        event = event._replace(at_us=max(event.at_us, case.alarm.last_us))
        case.alarm, case.steps = apply(case.alarm, event, delays(named[case.source][0]))
    return cases, stepper.write(cases, named, writer.connection, now=now)


def _judged(
    rule: Rule, formula: Formula, board: Board, values: Plan, stepper: Stepper
) -> tuple[NDArray[np.int64], Values]:
    """The slots that a rule judges, and the results of its formula for their Things."""
    streams = stepper.streams
    index = next(
        (i for i, p in enumerate(streams.properties) if (p.domain, p.name) == (rule.domain, rule.property)), -1
    )
    slots = values.slot[streams.prop[values.slot] == index].astype(np.int64)
    things = _things(slots, stepper)
    return slots, formula.evaluate({leaf: board.leaf(leaf, things) for leaf in formula.leaves()})


def _why(formula: Formula, board: Board, things: Int64) -> str:
    """Why a formula has a result for no Thing."""
    for leaf in formula.leaves():
        if np.isnan(board.leaf(leaf, things).result).all():
            return f"no Thing has a reading of {leaf.code or leaf.whose} {leaf.property} that still stands"
    return "the formula has no finite result for any Thing"


def _things(slots: NDArray[np.int64], stepper: Stepper) -> Int64:
    return stepper.streams.thing_id[slots].astype(np.int64)
