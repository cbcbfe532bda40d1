"""Rules in force and their limits as arrays, one layer per rule of a property."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hypervision.batch import Bool, Float64, Int32
from hypervision.datastreams import StreamTable


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


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules of one version."""

    version: int
    rules: tuple[Rule, ...]
    overrides: tuple[Override, ...]

    def by_id(self) -> dict[int, Rule]:
        """The rules by their id."""
        return {rule.rule_id: rule for rule in self.rules}

    def for_thing(self, rule: Rule, thing_id: int) -> tuple[float, float, bool]:
        """Limit, deadband and whether the rule holds, for one Thing."""
        for override in self.overrides:
            if override.rule_id == rule.rule_id and override.thing_id == thing_id:
                return (
                    rule.limit if override.limit is None else override.limit,
                    rule.deadband if override.deadband is None else override.deadband,
                    rule.enabled and override.enabled,
                )
        return rule.limit, rule.deadband, rule.enabled


class LimitArrays:
    """The limits of every slot, shape (n_layers, n_slots) each.

    A reading violates a layer when it is above `trip_high`, below `trip_low` or equal to `equal`; it is clear when it
    is inside both release limits and not equal. Where `rate` is set the judged quantity is the absolute
    change per hour instead of the result. Slots without a rule in a layer have infinite limits.
    """

    def __init__(self, rules: RuleSet, streams: StreamTable) -> None:
        self.version = rules.version
        self.slots = len(streams)
        by_property: dict[tuple[str, str], list[Rule]] = {}
        for rule in rules.rules:
            if rule.property is not None:
                by_property.setdefault((rule.domain, rule.property), []).append(rule)
        self.layers = max((len(found) for found in by_property.values()), default=0)
        shape = (self.layers, len(streams.properties))
        self._high = np.full(shape, np.inf)
        self._low = np.full(shape, -np.inf)
        self._release_high = np.full(shape, np.inf)
        self._release_low = np.full(shape, -np.inf)
        self._equal = np.full(shape, np.nan)
        self._rate = np.zeros(shape, np.bool_)
        self._rule_id = np.zeros(shape, np.int32)
        for column, prop in enumerate(streams.properties):
            for layer, rule in enumerate(by_property.get((prop.domain, prop.name), [])):
                self._rule_id[layer, column] = rule.rule_id
                if rule.enabled:
                    self._set((layer, column), rule.kind, rule.limit, rule.deadband)
        self._spread(rules, streams)
        self._rate_slots: Bool = np.asarray(self._rate.any(axis=0) if self.layers else np.zeros(self.slots, np.bool_))
        self._any_rate = bool(self._rate_slots.any())

    def _set(self, at: tuple[int, int], kind: str, limit: float, deadband: float) -> None:
        if kind in ("high", "rate_of_change"):
            self._high[at], self._release_high[at] = limit, limit - deadband
            self._rate[at] = kind == "rate_of_change"
        elif kind == "low":
            self._low[at], self._release_low[at] = limit, limit + deadband
        elif kind == "state_equals":
            self._equal[at] = limit

    def _spread(self, rules: RuleSet, streams: StreamTable) -> None:
        """From properties to slots, then the overrides of single Things."""
        prop = streams.prop[: self.slots]
        fields = ("_high", "_low", "_release_high", "_release_low", "_equal", "_rate", "_rule_id")
        for name in fields:
            setattr(self, name, np.ascontiguousarray(getattr(self, name)[:, prop]))
        known = rules.by_id()
        for override in rules.overrides:
            rule = known.get(override.rule_id)
            if rule is None:
                continue
            limit, deadband, enabled = rules.for_thing(rule, override.thing_id)
            mine = streams.thing_id[: self.slots] == override.thing_id
            for layer, slot in zip(*np.nonzero((self._rule_id == rule.rule_id) & mine), strict=True):
                at = (int(layer), int(slot))
                self._high[at], self._low[at], self._equal[at] = np.inf, -np.inf, np.nan
                self._release_high[at], self._release_low[at] = np.inf, -np.inf
                if enabled:
                    self._set(at, rule.kind, limit, deadband)

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

    def judge(self, layer: int, slot: Int32, result: Float64, rate: Float64) -> tuple[Bool, Bool]:
        """Which readings violate the layer's rule, and which are clear of it.

        Parameters
        ----------
        slot : ndarray of int32, shape (n,)
        result : ndarray of float64, shape (n,)
        rate : ndarray of float64, shape (n,)
            Absolute change per hour (`hypervision.rates`); NaN where unknown.

        Returns
        -------
        violates, clears : ndarray of bool, shape (n,)
            Neither holds inside the deadband or where the quantity is unknown.
        """
        x = self.quantity(layer, slot, result, rate)
        equal = x == self._equal[layer][slot]
        violates = (x > self._high[layer][slot]) | (x < self._low[layer][slot]) | equal
        clears = (x <= self._release_high[layer][slot]) & (x >= self._release_low[layer][slot]) & ~equal & ~np.isnan(x)
        return violates, clears

    def rule_ids(self, layer: int, slot: Int32) -> NDArray[np.int32]:
        """The rule of a layer for each slot; 0 where there is none."""
        found: NDArray[np.int32] = self._rule_id[layer][slot]
        return found

    def limit(self, layer: int, slot: int) -> float:
        """The limit that a slot is held to in a layer."""
        for table in (self._high, self._low):
            value = float(table[layer, slot])
            if np.isfinite(value):
                return value
        return float(self._equal[layer, slot])
