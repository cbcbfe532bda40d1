"""What the water network's meters and loggers report of its hydraulic course."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from hypervision.errors import HypervisionError
from simulators.localtime import DAY_US, HOUR_US, SECOND_US
from simulators.noise import Float64, Int64, key_of, normal, smooth, uniform
from simulators.pace import Pace, daily, hourly, quarterly, report_times
from simulators.readings import Results, Series, Stream
from simulators.scenario import Scenario
from simulators.town import Asset, Town
from simulators.town.assets import MEASURED
from simulators.water import network
from simulators.water.courses import kept, obtain
from simulators.water.hydraulics import STEP_US, Course, Order
from simulators.water.network import Leak, Wear, district_of

log = logging.getLogger(__name__)

# Scatter of the instruments: electromagnetic meters 0.5 %, loggers 10 mbar, level probes 4 mm.
_FLOW_SHARE, _FLOW_FLOOR, _PRESSURE_NOISE, _LEVEL_NOISE = 0.005, 0.15, 0.010, 0.004
# How much further than asked the network is computed, and how early the next stretch is begun.
_AHEAD_US, _EARLY_US = 8 * DAY_US, 1 * DAY_US
# First-order decay of free chlorine in mains [1/h] (Hallam et al. 2002 give 0.01 to 0.7), dose [mg/L].
_DECAY, _DOSE = 0.045, 0.55
_AGE_HOURS: Final = {"quality-haras": 1.5, "quality-centre": 9.0, "quality-sud": 20.0}


class Water:
    """The water domain.

    Parameters
    ----------
    scenario : Scenario
        Seed and faults.
    town : Town
        Its Things of domain `water`.
    origin_us : int
        From when on readings can be asked for [us].
    horizon_us : int
        Until when they will be, as far as is known [us]; asking for more computes more.
    cache : Path, optional
        Where the hydraulic course is kept for the next start.
    """

    def __init__(
        self, scenario: Scenario, town: Town, *, origin_us: int, horizon_us: int, cache: Path | None = None
    ) -> None:
        self._seed = scenario.seed
        self._zone = scenario.zone.key
        self._town = town
        # The tanks settle during a day that nobody sees.
        self._origin_us = (origin_us - DAY_US) // STEP_US * STEP_US
        self._leaks, self._wears = _faults_of(scenario, town)
        self._assets = [a for a in town.assets if a.domain == "water" and a.kind != "station"]
        self._stretching: threading.Thread | None = None
        self._course: Course | None = None
        self._horizon_us = horizon_us
        self._cache = cache

    def prepare(self) -> None:
        """Begin with the hydraulics while the caller waits for something else."""
        if self._assets and self._course is None and self._stretching is None:
            self._stretch(self._horizon_us + STEP_US)

    def _order(self, until_us: int) -> Order:
        return Order(self._origin_us, until_us, self._seed, self._zone, self._leaks, self._wears)

    def course(self, until_us: int) -> Course:
        """The hydraulic course, computed at least until `until_us`."""
        if self._stretching is not None and (
            self._course is None or until_us > self._course.end_us or not self._stretching.is_alive()
        ):
            self._stretching.join()
            self._stretching = None
        if self._course is None or until_us > self._course.end_us:
            # Nothing is under way, or it failed or was too short: here the error is heard.
            self._course = self._obtain(max(until_us, self._horizon_us) + STEP_US)
        assert self._course is not None
        if until_us > self._course.end_us - _EARLY_US and self._stretching is None:
            self._stretch(until_us + _AHEAD_US)
        return self._course

    def _stretch(self, until_us: int) -> None:
        def work() -> None:
            try:
                self._course = self._obtain(until_us)
            except HypervisionError as error:
                log.warning("%s", error)

        self._stretching = threading.Thread(target=work, name="hydraulics", daemon=True)
        self._stretching.start()

    def _obtain(self, until_us: int) -> Course:
        order = self._order(until_us)
        return obtain(order) if self._cache is None else kept(order, self._cache)

    def streams(self) -> Iterator[Stream]:
        """The datastreams of this domain."""
        for asset in self._assets:
            for name in MEASURED[asset.kind]:
                yield Stream("water", asset.code, name)

    def readings(self, start_us: int, end_us: int, pace: Pace) -> Iterator[Series]:
        """What the devices measure within [start, end) [us]."""
        if not self._assets:
            return
        course = self.course(end_us)
        for asset in self._assets:
            period = pace.quality if asset.kind == "quality" else pace.water
            times = report_times(asset.code, period, start_us, end_us)
            if len(times):
                for name, when, result in self._measure(asset, times, period, course):
                    yield Series(Stream("water", asset.code, name), when, result)

    def _noise(self, asset: Asset, name: str, times: Int64) -> Float64:
        return normal(key_of(self._seed, asset.code, name), times // SECOND_US)

    def _measure(self, asset: Asset, times: Int64, period: int, course: Course) -> Iterator[tuple[str, Int64, Results]]:
        code = asset.code
        if asset.kind == "district":
            flow = course.at(f"flow:{code}", times)
            scatter = _FLOW_SHARE * np.abs(flow) + _FLOW_FLOOR
            yield "flow", times, np.round(flow + scatter * self._noise(asset, "flow", times), 2)
            yield from self._pressure(asset, times, course)
            whole = times[hourly(code, period, times)]
            begun = 100_000.0 + np.floor(900_000.0 * uniform(key_of(self._seed, code, "volume"), 0))
            yield "volume", whole, np.round(begun + course.summed(f"flow:{code}", whole), 1)
        elif asset.kind == "logger":
            yield from self._pressure(asset, times, course)
            whole = times[daily(code, period, times)]
            yield "battery", whole, battery(self._seed, code, whole)
        elif asset.kind == "tank":
            level = course.at(f"level:{code}", times)
            yield "level", times, np.round(level + _LEVEL_NOISE * self._noise(asset, "level", times), 3)
            whole = times[quarterly(code, period, times)]
            yield "temperature", whole, self._temperature(asset, whole, 0.6)
        elif asset.kind == "pump":
            power = course.held(f"pump_power:{code}", times)
            on = power > 0.5
            yield "pump_state", times, on.astype(np.float64)
            noisy = power * (1.0 + 0.006 * self._noise(asset, "pump_power", times))
            yield "pump_power", times, np.round(np.where(on, noisy, 0.0), 2)
            flow = course.held(f"pump_flow:{code}", times)
            noisy = flow * (1.0 + _FLOW_SHARE * self._noise(asset, "flow", times))
            yield "flow", times, np.round(np.where(on, noisy, 0.0), 1)
        elif asset.kind == "valve":
            # The regulator opens with the district's draught; square root, as a valve's flow in its travel.
            flow = course.at(f"flow:{district_of(asset.node).code}", times)
            yield "valve_position", times, np.round(np.clip(6.2 * np.sqrt(np.clip(flow, 0.0, None)), 5.0, 100.0))
        else:
            yield from self._quality(asset, times, course)

    def _pressure(self, asset: Asset, times: Int64, course: Course) -> Iterator[tuple[str, Int64, Results]]:
        head = course.at(f"pressure:{asset.node}", times)
        yield "pressure", times, np.round(head + _PRESSURE_NOISE * self._noise(asset, "pressure", times), 3)

    def _temperature(self, asset: Asset, times: Int64, spread: float) -> Float64:
        """Drinking water follows the ground: 7 in February to 17 in August [Cel]."""
        year = 2.0 * np.pi * (times / DAY_US - 45.0) / 365.25
        wander = smooth(key_of(self._seed, asset.code, "temperature"), times, DAY_US)
        warm: Float64 = 12.0 - 5.0 * np.cos(year) + spread * wander
        return np.round(warm + 0.05 * self._noise(asset, "temperature", times), 2)

    def _quality(self, asset: Asset, times: Int64, course: Course) -> Iterator[tuple[str, Int64, Results]]:
        code = asset.code
        # Water grows older when little is drawn: age follows the inverse of the districts' inflow.
        drawn = sum((course.at(f"flow:{d.code}", times) for d in network.DISTRICTS), np.zeros(1))
        age = _AGE_HOURS[code] * np.clip(450.0 / np.clip(drawn, 100.0, None), 0.6, 2.0) ** 0.5
        dose = _DOSE * (1.0 + 0.04 * smooth(key_of(self._seed, code, "dose"), times, 6 * HOUR_US))
        chlorine = dose * np.exp(-_DECAY * age) + 0.006 * self._noise(asset, "chlorine", times)
        yield "chlorine", times, np.round(np.clip(chlorine, 0.0, None), 3)
        stirred = 0.12 + 0.05 * np.abs(smooth(key_of(self._seed, code, "turbidity"), times, HOUR_US))
        yield "turbidity", times, np.round(stirred * (1.0 + 0.05 * np.abs(self._noise(asset, "turbidity", times))), 3)
        salts = 520.0 + 14.0 * smooth(key_of(self._seed, code, "conductivity"), times, 12 * HOUR_US)
        yield "conductivity", times, np.round(salts + 1.5 * self._noise(asset, "conductivity", times), 1)
        yield "temperature", times, self._temperature(asset, times, 0.4)


def battery(seed: int, code: str, times: Int64) -> Float64:
    """Charge of a device's battery [%]: a cell for about seven years, replaced at 20, shape (n,)."""
    age_days = 2_000.0 * float(uniform(key_of(seed, code, "battery"), 0)[0])
    used = (age_days + times / DAY_US) % 2_100.0
    charge: Float64 = np.round(100.0 - used * 80.0 / 2_100.0, 1)
    return charge


def _faults_of(scenario: Scenario, town: Town) -> tuple[tuple[Leak, ...], tuple[Wear, ...]]:
    nodes = {asset.code: asset.node for asset in town.assets}
    leaks, wears = [], []
    for fault in scenario.faults:
        if fault.thing not in nodes:
            continue
        if fault.kind in ("leak", "burst"):
            grow = fault.grow_us if fault.kind == "leak" else 0
            leaks.append(Leak(nodes[fault.thing], fault.start_us, fault.end_us, grow, fault.size))
        elif fault.kind == "pump_wear":
            grow = fault.grow_us or fault.end_us - fault.start_us
            wears.append(Wear(fault.thing, fault.start_us, fault.end_us, grow, fault.size))
    return tuple(leaks), tuple(wears)
