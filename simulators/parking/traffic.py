"""Arrivals as a Poisson process of the week, stays log-normal; places that cars take and leave."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from simulators.localtime import DAY_US, HOUR_US, SECOND_US, week_hours
from simulators.noise import Float64, Int64, key_of, normal, uniform

_MS = 1_000


def _week(days: tuple[Float64, Float64, Float64]) -> Float64:
    work, saturday, sunday = days
    return np.concatenate([work] * 5 + [saturday, sunday])


def _bumps(*bumps: tuple[float, float, float], floor: float = 0.02) -> Float64:
    hours = np.arange(24) + 0.5
    rate = np.full(24, floor)
    for centre, width, height in bumps:
        rate += height * np.exp(-0.5 * ((hours - centre) / width) ** 2)
    return rate


@dataclass(frozen=True, slots=True)
class Habit:
    """How people use a place.

    Attributes
    ----------
    rate : ndarray of float64, shape (168,)
        Arrivals by hour of the week, as a share of the busiest hour.
    stay_hours : float
        Median stay [h].
    spread : float
        Standard deviation of the logarithm of the stay.
    turnover : float
        Arrivals per place in the busiest hour.
    """

    rate: Float64
    stay_hours: float
    spread: float
    turnover: float


HABITS: Final = {
    "shops": Habit(
        _week((
            _bumps((10.5, 1.8, 0.7), (15.5, 2.2, 0.8), (19.5, 1.2, 0.4)),
            _bumps((10.5, 2.0, 1.0), (15.5, 2.5, 1.0), (19.5, 1.5, 0.5)),
            _bumps((11.0, 1.5, 0.5), (16.0, 2.0, 0.25)),
        )),
        1.05, 0.75, 0.75,
    ),
    "station": Habit(
        _week((
            _bumps((7.6, 0.9, 1.0), (13.0, 3.0, 0.15), (18.0, 1.0, 0.2)),
            _bumps((9.5, 2.0, 0.25), (17.0, 2.5, 0.2)),
            _bumps((10.5, 2.5, 0.15), (18.0, 2.0, 0.3)),
        )),
        7.5, 0.45, 0.42,
    ),
    "hospital": Habit(
        _week((
            _bumps((8.2, 0.9, 0.8), (10.5, 1.5, 0.6), (14.5, 2.0, 0.9)),
            _bumps((10.5, 2.0, 0.3), (15.0, 2.0, 0.7)),
            _bumps((10.5, 2.0, 0.25), (15.0, 2.0, 0.75)),
        )),
        2.2, 0.7, 0.42,
    ),
    "homes": Habit(
        _week((
            _bumps((18.2, 1.8, 1.0), (12.5, 1.0, 0.4), floor=0.06),
            _bumps((12.0, 2.0, 0.6), (18.5, 2.5, 0.7), floor=0.08),
            _bumps((13.0, 2.5, 0.5), (19.0, 2.0, 0.8), floor=0.08),
        )),
        6.0, 0.8, 0.28,
    ),
}  # fmt: skip


class Place:
    """One or many equal places: cars that find all of them taken drive on.

    Parameters
    ----------
    code : str
        Names the source of chance.
    places : int
        How many; 1 is a bay, more a car park.
    origin_us : int
        When it starts, empty [us].

    Attributes
    ----------
    change_us : ndarray of int64, shape (n,)
        Instants at which the number of cars changes, whole milliseconds [us], strictly increasing.
    cars : ndarray of int64, shape (n,)
        How many stand there from each change on.
    """

    def __init__(self, code: str, *, places: int, habit: Habit, zone: ZoneInfo, seed: int, origin_us: int) -> None:
        self._places, self._habit, self._zone = places, habit, zone
        self._coming = key_of(seed, code, "arrival")
        self._staying = key_of(seed, code, "stay")
        self._origin_us = self._until_us = origin_us
        self._leaving: list[int] = []
        self._changes: list[int] = [origin_us]
        self._counts: list[int] = [0]
        self.change_us: Int64 = np.array([origin_us], np.int64)
        self.cars: Int64 = np.zeros(1, np.int64)

    def cover(self, until_us: int) -> None:
        """Go on at least until `until_us`, day by day."""
        if until_us <= self._until_us:
            return
        while self._until_us < until_us:
            self._day(self._until_us)
            self._until_us += DAY_US
        # What leaves after the covered days is still to come.
        self.change_us = np.array(self._changes, np.int64)
        self.cars = np.array(self._counts, np.int64)

    def at(self, time_us: Int64) -> Int64:
        """How many cars stand there at instants, shape (n,)."""
        counts: Int64 = self.cars[np.clip(np.searchsorted(self.change_us, time_us, "right") - 1, 0, None)]
        return counts

    def _day(self, start_us: int) -> None:
        # Lewis and Shedler 1979: candidates at the busiest rate, thinned by the rate of their hour.
        peak = self._habit.turnover * self._places / HOUR_US
        day = (start_us - self._origin_us) // DAY_US
        expected = peak * DAY_US
        most = int(expected + 8.0 * expected**0.5 + 10)
        index = day * 1_000_000 + np.arange(most, dtype=np.int64)
        gaps = -np.log1p(-uniform(self._coming, index)) / peak
        times = start_us + np.cumsum(gaps).astype(np.int64) // _MS * _MS
        times = times[times < start_us + DAY_US]
        index = index[: len(times)]
        share = self._habit.rate[week_hours(times, self._zone).astype(np.int64)] / self._habit.rate.max()
        kept = uniform(self._coming ^ 0x5DEECE66D, index) < share
        times, index = times[kept], index[kept]
        stays = self._habit.stay_hours * np.exp(self._habit.spread * normal(self._staying, index))
        stay_us = np.clip(stays * HOUR_US, 90 * SECOND_US, 30 * HOUR_US).astype(np.int64) // _MS * _MS
        for arrival, stay in zip(times.tolist(), stay_us.tolist(), strict=True):
            self._leave(arrival)
            if len(self._leaving) < self._places:
                heapq.heappush(self._leaving, arrival + stay)
                self._note(arrival)
        self._leave(start_us + DAY_US)

    def _leave(self, until_us: int) -> None:
        while self._leaving and self._leaving[0] < until_us:
            self._note(heapq.heappop(self._leaving))

    def _note(self, time_us: int) -> None:
        if self._changes[-1] == time_us:
            self._counts[-1] = len(self._leaving)
        else:
            self._changes.append(time_us)
            self._counts.append(len(self._leaving))
