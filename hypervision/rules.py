"""Rules in force and their limits as arrays, one layer per rule of a property."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hypervision.batch import Bool, Float64, Int32, Int64
from hypervision.datastreams import StreamTable
from hypervision.holidays import Calendar
from hypervision.schedules import Schedule, Window

_ANY: Final = Calendar()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule in force.

    Attributes
    ----------
    limit, deadband : float
        In the unit of the property; per hour for `rate_of_change`; expected periods for `silence`.
    on_delay_us, off_delay_us : int
        Delays on phenomenon time [us].
    latched : bool
        Its alarms end by a person's acknowledgement only.
    windows : tuple of Window
        Its schedule: other limits at other local times, for Things that have none of their own.
    formula : mapping or None
        What is judged instead of the result (`hypervision.formulas`); `watch` judges such a rule, no batch does.
    """

    rule_id: int
    code: str
    version: int
    domain: str
    property: str | None
    kind: str
    priority: str
    limit: float
    deadband: float
    on_delay_us: int
    off_delay_us: int
    fr: str
    en: str
    enabled: bool = True
    latched: bool = False
    windows: tuple[Window, ...] = ()
    formula: Mapping[str, Any] | None = None

    def label(self, language: str) -> str:
        """The rule's name for people."""
        return self.fr if language == "fr" else self.en


@dataclass(frozen=True, slots=True)
class Override:
    """What one Thing has otherwise; None keeps the rule's own."""

    rule_id: int
    thing_id: int
    limit: float | None
    deadband: float | None
    enabled: bool


class Edit(NamedTuple):
    """A version of a rule that was put in force a short while ago."""

    rule_id: int
    version: int
    at_us: int


class Limit(NamedTuple):
    """What one Thing is held to."""

    limit: float
    deadband: float
    enabled: bool


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules of one version.

    Attributes
    ----------
    edits : tuple of Edit
        The newest versions of rules, by time: readings that were received before one may be judged after it.
    faults : mapping of int to str
        What is wrong with a rule, by its id: it is judged without what cannot be understood.
    """

    version: int
    rules: tuple[Rule, ...]
    overrides: tuple[Override, ...]
    edits: tuple[Edit, ...] = ()
    faults: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    _own: dict[tuple[int, int], Override] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Find overrides by rule and Thing."""
        object.__setattr__(self, "_own", {(one.rule_id, one.thing_id): one for one in self.overrides})

    def by_id(self) -> dict[int, Rule]:
        """The rules by their id."""
        return {rule.rule_id: rule for rule in self.rules}

    def for_thing(self, rule: Rule, thing_id: int, window: Window | None = None) -> Limit:
        """What one Thing is held to.

        Parameters
        ----------
        window : Window, optional
            The one of the rule's schedule that holds; what a Thing has of its own holds at all times.
        """
        override = self._own.get((rule.rule_id, thing_id))
        given = window if override is None else override
        if given is None:
            return Limit(rule.limit, rule.deadband, rule.enabled)
        return Limit(
            rule.limit if given.limit is None else given.limit,
            rule.deadband if given.deadband is None else given.deadband,
            rule.enabled and given.enabled,
        )


class _Bounds(NamedTuple):
    """Where a rule trips and where it releases; arrays of one shape."""

    high: Float64
    low: Float64
    release_high: Float64
    release_low: Float64
    equal: Float64

    @classmethod
    def none(cls, shape: tuple[int, ...]) -> _Bounds:
        """No limits at all."""
        return cls(np.full(shape, np.inf), np.full(shape, -np.inf), np.full(shape, np.inf), np.full(shape, -np.inf),
                   np.full(shape, np.nan))  # fmt: skip

    def put(self, at: Any, given: _Bounds) -> None:
        """Write other bounds into some places."""
        for column, value in zip(self, given, strict=True):
            column[at] = value

    def take(self, at: Any) -> _Bounds:
        """A copy of some places."""
        return _Bounds(*(column[at] for column in self))


def _bounds_of(kind: str, held: Sequence[Limit]) -> _Bounds:
    """The bounds of limits of one kind, shape (n,)."""
    limit = np.array([one.limit for one in held], np.float64)
    deadband = np.array([one.deadband for one in held], np.float64)
    on = np.array([one.enabled for one in held], np.bool_)
    made = _Bounds.none(limit.shape)
    if kind in ("high", "rate_of_change"):
        made.high[on], made.release_high[on] = limit[on], (limit - deadband)[on]
    elif kind == "low":
        made.low[on], made.release_low[on] = limit[on], (limit + deadband)[on]
    elif kind == "state_equals":
        made.equal[on] = limit[on]
    return made


class _Scheduled(NamedTuple):
    """A rule with a schedule: its bounds in each window, for the slots that follow it.

    Attributes
    ----------
    follows : ndarray of bool, shape (n_slots,)
    bounds : _Bounds
        Shape (n_windows + 1,): where no window holds first.
    """

    schedule: Schedule
    follows: Bool
    bounds: _Bounds


class LimitArrays:
    """The limits of every slot, shape (n_layers, n_slots) each.

    A reading violates a layer when it is above `high`, below `low` or equal to `equal`; it is clear when it
    is inside both release limits and not equal. Where `rate` is set the judged quantity is the absolute
    change per hour instead of the result. Slots without a rule in a layer have infinite limits. A schedule is a
    choice among bounds that are made beforehand, by the time of each reading.
    """

    def __init__(self, rules: RuleSet, streams: StreamTable, calendar: Calendar = _ANY) -> None:
        self.version = rules.version
        self.slots = len(streams)
        by_property: dict[tuple[str, str], list[Rule]] = {}
        for rule in rules.rules:
            if rule.property is not None and rule.formula is None:
                by_property.setdefault((rule.domain, rule.property), []).append(rule)
        self.layers = max((len(found) for found in by_property.values()), default=0)
        shape = (self.layers, len(streams.properties))
        bounds, rate, rule_id = _Bounds.none(shape), np.zeros(shape, np.bool_), np.zeros(shape, np.int32)
        for column, prop in enumerate(streams.properties):
            for layer, rule in enumerate(by_property.get((prop.domain, prop.name), [])):
                at = (slice(layer, layer + 1), column)
                rule_id[at], rate[at] = rule.rule_id, rule.enabled and rule.kind == "rate_of_change"
                bounds.put(at, _bounds_of(rule.kind, [Limit(rule.limit, rule.deadband, rule.enabled)]))
        prop_of = streams.prop[: self.slots]
        self._bounds = _Bounds(*(np.ascontiguousarray(column[:, prop_of]) for column in bounds))
        self._rate: Bool = np.ascontiguousarray(rate[:, prop_of])
        self._rule_id: Int32 = np.ascontiguousarray(rule_id[:, prop_of])
        self._scheduled: list[list[_Scheduled]] = [[] for _ in range(self.layers)]
        own = np.zeros(self._rule_id.shape, np.bool_)
        self._override(rules, streams, own)
        self._schedule(rules, calendar, own)
        self._rate_slots: Bool = np.asarray(self._rate.any(axis=0) if self.layers else np.zeros(self.slots, np.bool_))
        self._any_rate = bool(self._rate_slots.any())

    def _override(self, rules: RuleSet, streams: StreamTable, own: Bool) -> None:
        """What single Things have of their own."""
        by_rule: dict[int, list[Override]] = {}
        for override in rules.overrides:
            by_rule.setdefault(override.rule_id, []).append(override)
        thing_id = streams.thing_id[: self.slots]
        for rule_id, found in by_rule.items():
            rule = rules.by_id().get(rule_id)
            if rule is None:
                continue
            found.sort(key=lambda one: one.thing_id)
            things = np.array([one.thing_id for one in found], np.int64)
            held = [rules.for_thing(rule, one.thing_id) for one in found]
            bounds = _bounds_of(rule.kind, held)
            for layer in range(self.layers):
                slots = np.flatnonzero(self._rule_id[layer] == rule_id)
                place = np.minimum(np.searchsorted(things, thing_id[slots]), len(things) - 1)
                hit = things[place] == thing_id[slots]
                self._bounds.put((layer, slots[hit]), bounds.take(place[hit]))
                own[layer, slots[hit]] = True

    def _schedule(self, rules: RuleSet, calendar: Calendar, own: Bool) -> None:
        for rule in rules.rules:
            if not rule.windows or rule.formula is not None:
                continue
            held = [rules.for_thing(rule, -1, window) for window in (None, *rule.windows)]
            bounds = _bounds_of(rule.kind, held)
            for layer in range(self.layers):
                follows = (self._rule_id[layer] == rule.rule_id) & ~own[layer]
                if follows.any():
                    schedule = Schedule(rule.windows, calendar)
                    self._scheduled[layer].append(_Scheduled(schedule, follows, bounds))

    def asks_rate(self, slot: Int32) -> Bool:
        """For which readings any layer judges a rate of change, shape (n,)."""
        if not self._any_rate:
            return np.zeros(len(slot), np.bool_)
        return np.asarray(self._rate_slots[slot])

    def judges_rate(self, layer: int, slot: Int32) -> Bool:
        """Where the layer's rule judges a rate of change, shape (n,)."""
        return np.asarray(self._rate[layer][slot])

    def quantity(self, layer: int, slot: Int32, result: Float64, rate: Float64) -> Float64:
        """What the layer's rule judges: the result or the rate, NaN where it is unknown; shape (n,)."""
        return np.where(self._rate[layer][slot], rate, result)

    def judge(
        self, layer: int, slot: Int32, result: Float64, rate: Float64, time_us: Int64 | None = None
    ) -> tuple[Bool, Bool]:
        """Which readings violate the layer's rule, and which are clear of it.

        Parameters
        ----------
        slot : ndarray of int32, shape (n,)
        result : ndarray of float64, shape (n,)
        rate : ndarray of float64, shape (n,)
            Absolute change per hour (`hypervision.rates`); NaN where unknown.
        time_us : ndarray of int64, shape (n,), optional
            When they were true [us]; without it no schedule is asked.

        Returns
        -------
        violates, clears : ndarray of bool, shape (n,)
            Neither holds inside the deadband or where the quantity is unknown.
        """
        x = self.quantity(layer, slot, result, rate)
        bounds = _Bounds(*(column[layer][slot] for column in self._bounds))
        if time_us is not None:
            for one in self._scheduled[layer]:
                rows = np.flatnonzero(one.follows[slot])
                if len(rows):
                    bounds.put(rows, one.bounds.take(one.schedule.choose(time_us[rows])))
        equal = x == bounds.equal
        violates = (x > bounds.high) | (x < bounds.low) | equal
        clears = (x <= bounds.release_high) & (x >= bounds.release_low) & ~equal & ~np.isnan(x)
        return violates, clears

    def rule_ids(self, layer: int, slot: Int32) -> NDArray[np.int32]:
        """The rule of a layer for each slot; 0 where there is none."""
        found: NDArray[np.int32] = self._rule_id[layer][slot]
        return found

    def limit(self, layer: int, slot: int) -> float:
        """The limit that a slot is held to in a layer where no window of a schedule holds."""
        for table in (self._bounds.high, self._bounds.low):
            value = float(table[layer, slot])
            if np.isfinite(value):
                return value
        return float(self._bounds.equal[layer, slot])
