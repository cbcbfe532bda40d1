"""What bin sensors report: filling, temperature, tilt, emptying."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import numpy as np

from simulators.localtime import DAY_US, HOUR_US, MINUTE_US, SECOND_US, week_hours
from simulators.noise import Float64, Int64, key_of, normal, smooth, uniform
from simulators.pace import Pace, daily, hourly, report_times
from simulators.readings import Series, Stream
from simulators.scenario import Fault, Scenario
from simulators.town import Asset, Town
from simulators.town.assets import MEASURED
from simulators.waste.rounds import emptied_times
from simulators.water.sensors import battery

_WARM_UP_US = 8 * DAY_US
_AHEAD_US = 14 * DAY_US
# What is left at the bottom after emptying, and how full a bin gets before people go elsewhere [%].
_RESIDUE, _BRIM = 3.0, 99.0
# A fire heats the lid within minutes and smoulders for two hours after its end.
_FIRE_RISE_US, _FIRE_DECAY_US = 4 * MINUTE_US, 40 * MINUTE_US


class Waste:
    """The waste domain; parameters as for `Water`."""

    def __init__(self, scenario: Scenario, town: Town, *, origin_us: int, horizon_us: int) -> None:
        self._seed, self._zone = scenario.seed, scenario.zone
        self._bins = town.of_kind("bin", "glass_bin")
        self._faults: dict[str, list[Fault]] = {}
        for fault in scenario.faults:
            self._faults.setdefault(fault.thing, []).append(fault)
        self._begin_us = (origin_us - _WARM_UP_US) // HOUR_US * HOUR_US
        self._horizon_us = horizon_us
        self._until_us = 0
        self._thrown: Float64 = np.zeros(1)
        self._emptied: dict[str, Int64] = {}

    def streams(self) -> Iterator[Stream]:
        """The datastreams of this domain."""
        for asset in self._bins:
            for name in MEASURED[asset.kind]:
                yield Stream("waste", asset.code, name)

    def _cover(self, until_us: int) -> None:
        if until_us <= self._until_us:
            return
        self._until_us = max(until_us, self._horizon_us) + _AHEAD_US
        hours = np.arange(self._begin_us, self._until_us + 2 * HOUR_US, HOUR_US, dtype=np.int64)
        rate = throwing(hours, self._zone) * (1.0 + 0.08 * smooth(key_of(self._seed, "waste"), hours, DAY_US))
        self._thrown = np.append(0.0, np.cumsum(rate))[: len(hours)]
        for order, asset in enumerate(self._bins):
            times = emptied_times(
                self._begin_us, self._until_us, code=asset.code, order=order,
                glass=asset.kind == "glass_bin", zone=self._zone, seed=self._seed,
            )  # fmt: skip
            for fault in self._faults.get(asset.code, ()):
                if fault.kind == "overflow":
                    times = times[(times < fault.start_us) | (times >= fault.end_us)]
            self._emptied[asset.code] = times

    def _thrown_at(self, times: Int64) -> Float64:
        return np.interp((times - self._begin_us) / HOUR_US, np.arange(len(self._thrown)), self._thrown)

    def fill(self, asset: Asset, times: Int64) -> Float64:
        """How full a bin is [%], shape (n,)."""
        if not len(times):
            return np.zeros(0)
        self._cover(int(times.max()) + 1)
        emptied = self._emptied[asset.code]
        last = np.searchsorted(emptied, times, "right") - 1
        since = np.where(last >= 0, emptied[np.clip(last, 0, None)] if len(emptied) else 0, self._begin_us)
        # Each stretch between two rounds has its own weather and feasts; glass fills three times slower.
        own = 0.75 + 0.5 * float(uniform(key_of(self._seed, asset.code, "size"), 0)[0])
        stretch = np.clip(1.0 + 0.15 * normal(key_of(self._seed, asset.code, "stretch"), last), 0.5, 1.6)
        daily_rise = (5.5 if asset.kind == "glass_bin" else 15.0) * own * stretch
        grown = _RESIDUE + daily_rise * (self._thrown_at(times) - self._thrown_at(since)) / 24.0
        brim = np.full(len(times), _BRIM)
        for fault in self._faults.get(asset.code, ()):
            if fault.kind == "overflow":
                during = (times >= fault.start_us) & (times < fault.end_us)
                # The crowd's share comes on top: the bin is full within a day and stays so.
                share = np.clip((times - fault.start_us) / DAY_US, 0.0, 1.0)
                grown = np.where(during, np.maximum(grown, fault.size * share), grown)
                brim = np.where(during, fault.size, brim)
        filled: Float64 = np.minimum(grown, brim)
        return filled

    def readings(self, start_us: int, end_us: int, pace: Pace) -> Iterator[Series]:
        """What the devices measure within [start, end) [us]."""
        self._cover(end_us)
        for asset in self._bins:
            code = asset.code
            emptied = self._emptied[code]
            low, high = np.searchsorted(emptied, (start_us, end_us))
            events = emptied[low:high]
            if len(events):
                yield Series(Stream("waste", code, "emptied"), events, np.ones(len(events)))
            beats = report_times(code, pace.bin, start_us, end_us)
            times = np.union1d(beats, events)
            if not len(times):
                continue
            yield Series(Stream("waste", code, "fill"), times, np.round(self.fill(asset, times)))
            yield Series(Stream("waste", code, "temperature"), times, np.round(self._temperature(asset, times)))
            whole = beats[hourly(code, pace.bin, beats)]
            lean = 1.0 + 3.0 * uniform(key_of(self._seed, code, "tilt"), 0)
            yield Series(Stream("waste", code, "tilt"), whole, np.round(np.broadcast_to(lean, whole.shape)))
            whole = beats[daily(code, pace.bin, beats)]
            yield Series(Stream("waste", code, "battery"), whole, battery(self._seed, code, whole))

    def _temperature(self, asset: Asset, times: Int64) -> Float64:
        year = 2.0 * np.pi * (times / DAY_US - 20.0) / 365.25
        hour = 2.0 * np.pi * (week_hours(times, self._zone) - 15.0) / 24.0
        air = (
            11.0 - 7.5 * np.cos(year) + 3.0 * np.cos(hour) + 3.0 * smooth(key_of(self._seed, "air"), times, 2 * DAY_US)
        )
        warm = air + 0.5 * normal(key_of(self._seed, asset.code, "temperature"), times // SECOND_US)
        for fault in self._faults.get(asset.code, ()):
            if fault.kind == "bin_fire":
                rise = 1.0 - np.exp(-np.clip(times - fault.start_us, 0, None) / _FIRE_RISE_US)
                decay = np.exp(-np.clip(times - fault.end_us, 0, None) / _FIRE_DECAY_US)
                warm = warm + np.where(times >= fault.start_us, (fault.size - air) * rise * decay, 0.0)
        heated: Float64 = warm
        return heated


def throwing(times: Int64, zone: ZoneInfo) -> Float64:
    """How fast people throw things away, as a share of the week's mean, shape (n,)."""
    hours = week_hours(times, zone)
    of_day = hours % 24.0
    rate = 0.15 + 0.9 * np.exp(-0.5 * ((of_day - 8.5) / 1.5) ** 2)
    rate += 0.8 * np.exp(-0.5 * ((of_day - 13.0) / 1.5) ** 2) + 1.5 * np.exp(-0.5 * ((of_day - 19.0) / 2.0) ** 2)
    shares: Float64 = rate * np.where(hours >= 120.0, 1.25, 1.0) / 0.725
    return shares
