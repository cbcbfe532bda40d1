"""What lighting cabinets and lamp controllers report."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulators.lighting.circuits import Course, course
from simulators.localtime import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from simulators.noise import Float64, Int64, key_of, normal, smooth, uniform
from simulators.pace import Pace, daily, hourly, report_times
from simulators.readings import Bool, Series, Stream
from simulators.scenario import Fault, Scenario
from simulators.town import Asset, Town
from simulators.town.assets import MEASURED

# A modern LED luminaire with its driver, and what the cabinet itself needs [kW].
_LAMP_KW, _CABINET_KW = 0.062, 0.018
_POWER_FACTOR = 0.95
_AHEAD_US = 30 * DAY_US


class Lighting:
    """The lighting domain; parameters as for `Water`."""

    def __init__(self, scenario: Scenario, town: Town, *, origin_us: int, horizon_us: int) -> None:
        self._seed = scenario.seed
        self._zone = scenario.zone
        self._origin_us = origin_us
        self._horizon_us = horizon_us
        self._cabinets = town.of_kind("cabinet")
        self._lamps = town.of_kind("lamp")
        self._faults: dict[str, list[Fault]] = {}
        for fault in scenario.faults:
            self._faults.setdefault(fault.thing, []).append(fault)
        self._courses: dict[str, Course] = {}
        self._until_us = 0

    def streams(self) -> Iterator[Stream]:
        """The datastreams of this domain."""
        for cabinet in self._cabinets:
            for name in MEASURED[cabinet.kind]:
                yield Stream("lighting", cabinet.code, name)
        for lamp in self._lamps:
            for name in MEASURED[lamp.kind]:
                yield Stream("lighting", lamp.code, name)

    def course(self, cabinet: str, until_us: int) -> Course:
        """How a cabinet's circuit burns, at least until `until_us`."""
        if until_us > self._until_us:
            self._until_us = max(until_us, self._horizon_us) + _AHEAD_US
            self._courses.clear()
        if cabinet not in self._courses:
            asset = next(asset for asset in self._cabinets if asset.code == cabinet)
            delay = round(4.0 * float(normal(key_of(self._seed, cabinet, "switch"), 0)[0]) * MINUTE_US)
            self._courses[cabinet] = course(
                self._origin_us,
                self._until_us,
                latitude=asset.latitude,
                longitude=asset.longitude,
                zone=self._zone,
                delay_us=delay,
                faults=tuple(self._faults.get(cabinet, ())),
            )
        return self._courses[cabinet]

    def _active(self, thing: str, kind: str, times: Int64) -> Bool:
        active = np.zeros(len(times), np.bool_)
        for fault in self._faults.get(thing, ()):
            if fault.kind == kind:
                active |= (times >= fault.start_us) & (times < fault.end_us)
        return active

    def readings(self, start_us: int, end_us: int, pace: Pace) -> Iterator[Series]:
        """What the devices measure within [start, end) [us]."""
        for cabinet in self._cabinets:
            times = report_times(cabinet.code, pace.cabinet, start_us, end_us)
            if len(times):
                yield from self._cabinet(cabinet, times, pace.cabinet, end_us)
        for lamp in self._lamps:
            times = report_times(lamp.code, pace.lamp, start_us, end_us)
            if len(times):
                yield from self._lamp(lamp, times, pace.lamp, end_us)

    def _out(self, cabinet: str, times: Int64) -> Float64:
        """How many lamps of a circuit have failed, shape (n,)."""
        out = np.zeros(len(times))
        for lamp in self._lamps:
            if lamp.parent == cabinet and lamp.code in self._faults:
                out += self._active(lamp.code, "lamp_out", times)
        return out

    def _lost(self, cabinet: str, times: Int64, burning: Course) -> Float64:
        """Brightness times hours that failed lamps of a circuit did not give [h], shape (n,)."""
        lost = np.zeros(len(times))
        for lamp in self._lamps:
            if lamp.parent == cabinet:
                for fault in self._faults.get(lamp.code, ()):
                    if fault.kind == "lamp_out":
                        begun = np.array([max(fault.start_us, self._origin_us)])
                        until = np.clip(times, begun, fault.end_us)
                        lost += burning.bright(until) - burning.bright(begun)
        return lost

    def _cabinet(self, asset: Asset, times: Int64, period: int, end_us: int) -> Iterator[Series]:
        burning = self.course(asset.code, end_us)
        live = burning.has_voltage(times)
        tick = times // SECOND_US
        load = _LAMP_KW * burning.brightness(times) * (asset.size - self._out(asset.code, times)) + _CABINET_KW
        grid = smooth(key_of(self._seed, "grid"), times, HOUR_US)
        own = normal(key_of(self._seed, asset.code, "voltage"), tick)
        voltage = np.where(live, 231.0 + 2.2 * grid + 0.3 * own - 0.6 * load, 0.0)
        power = np.where(live, load * (1.0 + 0.008 * normal(key_of(self._seed, asset.code, "power"), tick)), 0.0)
        current = np.divide(1000.0 * power, voltage * _POWER_FACTOR, out=np.zeros_like(power), where=live)
        yield Series(Stream("lighting", asset.code, "power"), times, np.round(power, 3))
        yield Series(Stream("lighting", asset.code, "voltage"), times, np.round(voltage, 1))
        yield Series(Stream("lighting", asset.code, "current"), times, np.round(current, 2))
        door = self._active(asset.code, "door_open", times).astype(np.float64)
        yield Series(Stream("lighting", asset.code, "door"), times, door)
        whole = times[hourly(asset.code, period, times)]
        begun = np.floor(20_000.0 + 60_000.0 * uniform(key_of(self._seed, asset.code, "energy"), 0))
        lamps = asset.size * burning.bright(whole) - self._lost(asset.code, whole, burning)
        standing = _CABINET_KW * burning.live(whole)
        yield Series(Stream("lighting", asset.code, "energy"), whole, np.round(begun + _LAMP_KW * lamps + standing, 2))

    def _lamp(self, asset: Asset, times: Int64, period: int, end_us: int) -> Iterator[Series]:
        assert asset.parent is not None
        burning = self.course(asset.parent, end_us)
        # The cabinet feeds the lamp's controller too: without voltage nobody reports.
        times = times[burning.has_voltage(times)]
        level = burning.brightness(times)
        failed = self._active(asset.code, "lamp_out", times)
        # A controller goes on reporting a failed lamp by day, until the lamp is replaced.
        state = np.where(failed, 2.0, (level > 0).astype(np.float64))
        yield Series(Stream("lighting", asset.code, "lamp_state"), times, state)
        yield Series(Stream("lighting", asset.code, "dimming"), times, np.where(failed, 0.0, np.round(100.0 * level)))
        whole = times[daily(asset.code, period, times)]
        begun = np.floor(1_000.0 + 20_000.0 * uniform(key_of(self._seed, asset.code, "burning"), 0))
        hours = burning.burnt(whole)
        for fault in self._faults.get(asset.code, ()):
            if fault.kind == "lamp_out":
                since = np.array([max(fault.start_us, self._origin_us)])
                hours = hours - (burning.burnt(np.clip(whole, since, fault.end_us)) - burning.burnt(since))
        yield Series(Stream("lighting", asset.code, "burning_hours"), whole, np.round(begun + hours, 1))
