"""Readings as a town's devices make them, for measuring how much room they take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from hypervision import quality
from hypervision.batch import Float64, Int32, Int64
from hypervision.store.columns import Columns

MINUTE_US: Final = 60_000_000
DAY_US: Final = 86_400_000_000
SLICE_US: Final = 5 * MINUTE_US
# Every fifth datastream reports each minute, the others every five minutes.
_FAST: Final = 5


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of signal: around `mean` with a daily swing and wander, told with so many decimals."""

    mean: float
    swing: float
    wander: float
    digits: int


# The ranges and the decimals of the simulators: flow, pressure, level, temperature, power, battery, dimming, parking.
KINDS: Final = (
    Kind(12.0, 6.0, 0.35, 3), Kind(4.2, 0.4, 0.02, 3), Kind(3.1, 0.8, 0.004, 3), Kind(14.0, 4.0, 0.05, 2),
    Kind(1.9, 1.6, 0.02, 3), Kind(81.0, 0.2, 0.02, 1), Kind(50.0, 50.0, 0.0, 0), Kind(0.4, 0.4, 0.3, 0),
)  # fmt: skip


class Load:
    """A seeded stream of readings in the order in which a collector would commit them.

    Parameters
    ----------
    streams : int
        Datastreams, with the ids 1 to `streams`.
    first_us : int
        Midnight of the first day [us].
    seed : int
        Of every random draw.
    delay_s : float
        Between a measurement and its receipt, on the average [s].
    """

    def __init__(self, *, streams: int, first_us: int, seed: int, delay_s: float = 0.2) -> None:
        self._seed = seed
        self._delay_us = delay_s * 1e6
        self._rng = np.random.default_rng(seed)
        self._ids = np.arange(1, streams + 1, dtype=np.int32)
        self._first_us = first_us
        self._period = np.where(self._ids % _FAST == 0, MINUTE_US, SLICE_US)
        # Devices report on whole seconds of their own.
        self._offset = self._rng.integers(0, 60, streams) * 1_000_000
        kinds = [KINDS[i % len(KINDS)] for i in range(streams)]
        self._mean = np.array([k.mean for k in kinds]) * self._rng.uniform(0.7, 1.3, streams)
        self._swing = np.array([k.swing for k in kinds])
        self._wander = np.array([k.wander for k in kinds])
        self._scale = 10.0 ** np.array([k.digits for k in kinds])
        self._phase = self._rng.uniform(0, 2 * np.pi, streams)
        self._walk = np.zeros(streams)

    def per_day(self) -> int:
        """Readings of one day."""
        return int((DAY_US // self._period).sum())

    def batches(self, days: int) -> Iterator[Columns]:
        """One batch for every five minutes of some days."""
        for number in range(days * DAY_US // SLICE_US):
            yield self._slice(self._first_us + number * SLICE_US)

    def again(self, day: int, *, number: int) -> Iterator[Columns]:
        """Some batches of a day with their times and other results: what a gateway sends a second time."""
        fresh = Load(streams=len(self._ids), first_us=self._first_us, seed=self._seed)
        for slice_ in range(number):
            yield fresh._slice(self._first_us + day * DAY_US + slice_ * SLICE_US)

    def _slice(self, begin_us: int) -> Columns:
        rows = np.repeat(np.arange(len(self._ids)), SLICE_US // self._period)
        step = np.arange(len(rows)) - np.searchsorted(rows, rows)
        times = begin_us + self._offset[rows] + step * self._period[rows]
        result = self._results(rows, times)
        # One message in two hundred waits for the next try.
        again = np.where(self._rng.random(len(rows)) < 0.005, 15e6, 0.0)
        delay = self._rng.gamma(2.0, self._delay_us / 2, len(rows)) + again
        return Columns(
            self._ids[rows].astype(np.int32),
            times.astype(np.int64),
            result,
            np.where(self._rng.random(len(rows)) < 0.001, quality.SUSPECT, quality.GOOD).astype(np.int8),
            np.zeros(len(rows), np.bool_),
            times + delay.astype(np.int64),
        )

    def _results(self, rows: Int32 | Int64, times: Int64) -> Float64:
        day = 2 * np.pi * (times % DAY_US) / DAY_US
        # A slow walk that is drawn back to the mean, and the noise of the sensor on top.
        self._walk = 0.97 * self._walk + self._rng.normal(0.0, 1.0, len(self._walk))
        noise = self._rng.normal(0.0, 0.3, len(rows))
        raw = (
            self._mean[rows]
            + self._swing[rows] * np.sin(day + self._phase[rows])
            + self._wander[rows] * (self._walk[rows] + noise)
        )
        found: Float64 = np.round(np.maximum(raw, 0.0) * self._scale[rows]) / self._scale[rows]
        return found
