"""Which readings of a batch touch an alarm: one vectorised comparison per layer of rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from hypervision.alarms import PHASES, Delays, Reading
from hypervision.batch import Bool, Float64, Int32, Int64
from hypervision.datastreams import StreamTable
from hypervision.holidays import Calendar
from hypervision.rates import Rates
from hypervision.rules import Limit, LimitArrays, Rule, RuleSet
from hypervision.schedules import Schedule

_NORMAL, _PENDING, _ACTIVE, _RETURNING = range(4)
_CODE: Final = {phase: code for code, phase in enumerate(PHASES)}


class Touched(NamedTuple):
    """The readings of one datastream that one rule must see.

    Attributes
    ----------
    layer, slot : int
        Where the limits stand.
    first, last : int
        Rows of the sorted columns, `last` excluded.
    readings : list of Reading
        They as the rule's events.
    """

    layer: int
    slot: int
    rule: Rule
    first: int
    last: int
    readings: list[Reading]


class Evaluator:
    """Limits and phases of every slot of this process.

    The phases are a cache that finds the few readings worth a lock; the locked rows are the truth.
    """

    def __init__(self, streams: StreamTable, calendar: Calendar | None = None) -> None:
        self.streams = streams
        self.rules = RuleSet(0, (), ())
        self._calendar = calendar or Calendar()
        self.limits = LimitArrays(self.rules, streams, self._calendar)
        self._by_id: dict[int, Rule] = {}
        self._phase = np.zeros((0, 0), np.int8)
        self._busy: dict[tuple[int, int], int] = {}
        self._rates = Rates()

    def use_rules(self, rules: RuleSet) -> None:
        """Take another version of the rules."""
        self.rules = rules
        self._by_id = rules.by_id()
        self._rebuild()

    def use_busy(self, busy: Mapping[tuple[int, int], str]) -> None:
        """Take the phases that are not normal, by (datastream_id, rule_id)."""
        self._busy = {key: _CODE[phase] for key, phase in busy.items()}  # type: ignore[index]
        self._rebuild()

    def note(self, datastream_id: int, rule_id: int, phase: str) -> None:
        """Remember the phase of one condition after a commit."""
        code = _CODE[phase]  # type: ignore[index]
        if code == self._busy.get((datastream_id, rule_id), _NORMAL):
            return
        if code:
            self._busy[datastream_id, rule_id] = code
        else:
            self._busy.pop((datastream_id, rule_id), None)
        for slot in np.nonzero(self.streams.datastream_id[: self.limits.slots] == datastream_id)[0]:
            for layer in range(self.limits.layers):
                if self.limits.rule_ids(layer, np.array([slot], np.int32))[0] == rule_id:
                    self._phase[layer, slot] = code

    def held(self, rule: Rule, thing_id: int, at_us: int) -> Limit:
        """What a Thing is held to by a rule at an instant."""
        window = Schedule(rule.windows, self._calendar).at(at_us) if rule.windows else None
        return self.rules.for_thing(rule, thing_id, window)

    def refresh(self) -> None:
        """Follow the stream table when it grew."""
        if self.limits.slots != len(self.streams):
            self._rebuild()

    def _rebuild(self) -> None:
        self.limits = LimitArrays(self.rules, self.streams, self._calendar)
        self._phase = np.zeros((self.limits.layers, max(self.limits.slots, 1)), np.int8)
        if not self._busy:
            return
        slot_of = {int(d): s for s, d in enumerate(self.streams.datastream_id[: self.limits.slots]) if d >= 0}
        for (datastream_id, rule_id), code in self._busy.items():
            slot = slot_of.get(datastream_id)
            if slot is None:
                continue
            for layer in range(self.limits.layers):
                if self.limits.rule_ids(layer, np.array([slot], np.int32))[0] == rule_id:
                    self._phase[layer, slot] = code

    def rates(self, slot: Int32, time_us: Int64, result: Float64) -> Float64:
        """Absolute change per hour, shape (n,); NaN where nothing is known to compare with, or no rule asks for it.

        Parameters
        ----------
        slot, time_us, result : ndarray, shape (n,)
            Sound readings, sorted by (datastream, time).
        """
        found = np.full(len(slot), np.nan)
        asked = self.limits.asks_rate(slot)
        if asked.any():
            found[asked] = self._rates.of(slot[asked], time_us[asked], result[asked])
        return found

    def know(self, slot: int, time_us: int, result: float) -> None:
        """Take the newest sound reading of a datastream from the store."""
        self._rates.know(slot, time_us, result)

    def remember(self, slot: Int32, time_us: Int64, result: Float64) -> None:
        """Sound readings that are committed, sorted by (datastream, time): the next ones are compared with them."""
        asked = self.limits.asks_rate(slot)
        if asked.any():
            self._rates.remember(slot[asked], time_us[asked], result[asked])

    def forget(self) -> None:
        """Know no readings any more: another connection may lead to another state."""
        self._rates.forget()

    def touched(
        self, slot: Int32, time_us: Int64, result: Float64, rate: Float64, use: Bool, *, backward: Bool | None = None
    ) -> list[Touched]:
        """Find the readings that cross a limit, return from one, or meet a condition under way, and all after them.

        Parameters
        ----------
        slot, time_us, result, rate : ndarray, shape (n,)
            Sorted by (datastream, time).
        use : ndarray of bool, shape (n,)
            Readings that may move an alarm.
        backward : ndarray of bool, shape (n,), optional
            Readings older than the newest: their rate is not known here, so rules on a rate must look closer.
        """
        found: list[Touched] = []
        if not len(slot):
            return found
        begins = np.flatnonzero(np.diff(slot, prepend=slot[0] - 1))
        ends = np.append(begins[1:], len(slot))
        for layer in range(self.limits.layers):
            violates, clears = self.limits.judge(layer, slot, result, rate, time_us)
            phase = self._phase[layer][slot]
            wanted = ((phase == _NORMAL) & violates) | ((phase == _ACTIVE) & clears)
            wanted |= (phase == _PENDING) | (phase == _RETURNING)
            if backward is not None and backward.any():
                wanted |= backward & self.limits.judges_rate(layer, slot)
            rule_ids = self.limits.rule_ids(layer, slot)
            wanted &= use & (rule_ids > 0)
            rows = np.flatnonzero(wanted)
            series, at = np.unique(np.searchsorted(begins, rows, side="right") - 1, return_index=True)
            judged = self.limits.quantity(layer, slot, result, rate)
            known = use & ~np.isnan(judged)
            for first, last in zip(rows[at].tolist(), ends[series].tolist(), strict=True):
                part = slice(first, last)
                readings = _readings(time_us[part], violates[part], clears[part], judged[part], known[part])
                rule = self._by_id[int(rule_ids[first])]
                found.append(Touched(layer, int(slot[first]), rule, first, last, readings))
        return found

    def violating(self, slot: Int32, time_us: Int64, result: Float64, use: Bool) -> list[tuple[int, Rule]]:
        """(row, rule) of every used reading beyond a limit; for the journal of late crossings."""
        found: list[tuple[int, Rule]] = []
        nothing = np.full(len(slot), np.nan)
        for layer in range(self.limits.layers):
            violates, _ = self.limits.judge(layer, slot, result, nothing, time_us)
            found += [
                (int(row), self._by_id[int(self.limits.rule_ids(layer, slot[row : row + 1])[0])])
                for row in np.nonzero(violates & use)[0]
            ]
        return found

    def readings(
        self, layer: int, *, slot: Int32, time_us: Int64, result: Float64, rate: Float64, use: Bool
    ) -> list[Reading]:
        """The readings as a rule's events, in their order; one whose rate is unknown tells nothing."""
        violates, clears = self.limits.judge(layer, slot, result, rate, time_us)
        judged = self.limits.quantity(layer, slot, result, rate)
        return _readings(time_us, violates, clears, judged, use & ~np.isnan(judged))


def _readings(time_us: Int64, violates: Bool, clears: Bool, judged: Float64, use: Bool) -> list[Reading]:
    if not use.all():
        time_us, violates, clears, judged = time_us[use], violates[use], clears[use], judged[use]
    columns = (time_us.tolist(), violates.tolist(), clears.tolist(), judged.tolist())
    return [Reading(*row) for row in zip(*columns, strict=True)]


def delays(rule: Rule) -> Delays:
    """The delays of a rule, and whether it is latched."""
    return Delays(rule.on_delay_us, rule.off_delay_us, rule.latched)
