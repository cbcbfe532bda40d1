"""Seasonal expectation of a flow: how far above what its hour and weekday let expect."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Self
from zoneinfo import ZoneInfo

import numpy as np

from hypervision.batch import Float64, Int64
from models.bins import medians
from models.clock import DAY, MINUTE, local_time
from models.detector import (
    DEFAULT_ZONE,
    EXCESS_LIMIT,
    NO_SCORES,
    Column,
    Detector,
    HistoryError,
    Scores,
    training_span,
)
from models.regression import Line, Matrix, huber
from models.robust import mad


@dataclass(frozen=True, slots=True)
class _Fitted:
    line: Line
    scale: Float64
    days: float


@dataclass(slots=True, kw_only=True)
class SeasonalExcess(Detector):
    """Huber regression on the harmonics of the local day, with a shape of its own for the weekend.

    Parameters
    ----------
    zone : ZoneInfo
        Local time of the installation.
    bin_minutes : int
        Readings are reduced to the median of each such interval [min].
    window_days, guard_days, minimum_days : float
        It learns from the last `window_days` without the newest `guard_days`: what grows for five days is
        not learnt as normal. Below `minimum_days` it refuses [d].
    harmonics, weekend_harmonics : int
        Waves per day of the common shape and of what a weekend adds.
    epsilon, ridge : float
        See `models.regression.huber`.
    floor_share, floor_flow : float
        The scale of an hour is at least this share of the median flow [1] and this flow [m3/h]: smaller
        deviations are no news, however quiet the past was.

    Notes
    -----
    The scale of each local hour is the larger of 1.4826 MAD and the 5 to 95 % range over 3.29 (both are the
    standard deviation of normal noise; the second sees tails that the first does not), over the residuals
    of that hour and its neighbours.
    """

    domain: ClassVar[str] = "water"
    reads: ClassVar[str] = "flow"
    writes: ClassVar[str] = "flow_excess"
    thing_kinds: ClassVar[tuple[str, ...]] = ("district", "district_meter")
    context_us: ClassVar[int] = 60 * MINUTE

    zone: ZoneInfo = DEFAULT_ZONE
    bin_minutes: int = 15
    window_days: float = 28.0
    guard_days: float = 5.0
    minimum_days: float = 7.0
    harmonics: int = 8
    weekend_harmonics: int = 6
    epsilon: float = 1.35
    ridge: float = 1e-3
    floor_share: float = 0.02
    floor_flow: float = 0.1
    _fitted: _Fitted | None = field(default=None, init=False, repr=False)

    @property
    def history_us(self) -> int:
        """How much past `fit` wants [us]."""
        return int(self.window_days * DAY)

    def fit(self, times_us: Int64, values: Float64) -> Self:
        """Learn shape and scale; see `Detector.fit`."""
        ends, medians = self._bins(Column.of(times_us, values))
        self._fitted = None
        if not len(ends):
            raise HistoryError("there is no flow to learn from", remedy="wait for readings")
        start, end = training_span(
            int(ends[0]) - self._bin_us,
            int(ends[-1]),
            window_us=self.history_us,
            guard_us=int(self.guard_days * DAY),
            minimum_us=int(self.minimum_days * DAY),
        )
        used = (ends > start) & (ends <= end)
        days = _days_covered(ends[used])
        if days < self.minimum_days - 1e-9:
            raise HistoryError(
                f"{days:.1f} days of flow are too few for a seasonal expectation",
                remedy=f"{self.minimum_days:g} days are needed, wait for more",
            )
        ends, medians = ends[used], medians[used]
        features = self._features(ends)
        line = huber(features, medians, epsilon=self.epsilon, ridge=self.ridge)
        residuals = medians - line.at(features)
        floor = max(self.floor_flow, self.floor_share * abs(float(np.median(medians))))
        self._fitted = _Fitted(line, self._scale(ends, residuals, floor), days)
        return self

    def excess(self, times_us: Int64, values: Float64) -> Scores:
        """Excess of each complete interval; see `Detector.excess`."""
        fitted = self._learnt()
        ends, medians = self._bins(Column.of(times_us, values))
        if not len(ends):
            return NO_SCORES
        scale = fitted.scale[self._hour(ends)]
        found = (medians - fitted.line.at(self._features(ends))) / scale
        return Scores(ends, np.clip(found, -EXCESS_LIMIT, EXCESS_LIMIT))

    def expected(self, ends_us: Int64) -> tuple[Float64, Float64]:
        """Expected flow and its scale in the intervals that end at these instants [m3/h]."""
        fitted = self._learnt()
        return fitted.line.at(self._features(ends_us)), fitted.scale[self._hour(ends_us)]

    def describe(self) -> str:
        """What was learnt, in one line."""
        fitted = self._learnt()
        return (
            f"from {fitted.days:.1f} days: mean {fitted.line.intercept:.1f} m3/h, "
            f"scale {fitted.scale.min():.1f} to {fitted.scale.max():.1f} m3/h over the hours"
        )

    @property
    def _bin_us(self) -> int:
        return self.bin_minutes * MINUTE

    def _learnt(self) -> _Fitted:
        if self._fitted is None:
            raise HistoryError("no seasonal expectation was learnt yet", remedy="call fit first")
        return self._fitted

    def _bins(self, column: Column) -> tuple[Int64, Float64]:
        """Median of each complete interval, by its end."""
        if not len(column):
            return NO_SCORES
        starts, middle = medians(column.times_us, column.values, self._bin_us)
        ends = starts + self._bin_us
        complete = ends <= column.newest_us
        return ends[complete], middle[complete]

    def _middle(self, ends: Int64) -> Int64:
        return ends - self._bin_us // 2

    def _hour(self, ends: Int64) -> Int64:
        return local_time(self._middle(ends), self.zone).minute // 60

    def _features(self, ends: Int64) -> Matrix:
        """Harmonics of the local day, what a weekend adds to level and shape, and a Sunday to the level."""
        local = local_time(self._middle(ends), self.zone)
        angle = (2 * np.pi / 1440) * local.minute
        waves = [f(k * angle) for k in range(1, self.harmonics + 1) for f in (np.sin, np.cos)]
        rest = (local.weekday >= 5).astype(np.float64)
        columns = [*waves, rest, *(rest * wave for wave in waves[: 2 * self.weekend_harmonics])]
        columns.append((local.weekday == 6).astype(np.float64))
        return np.column_stack(columns)

    def _scale(self, ends: Int64, residuals: Float64, floor: float) -> Float64:
        hour = self._hour(ends)
        scale = np.full(24, floor)
        for h in range(24):
            near = residuals[np.isin(hour, ((h - 1) % 24, h, (h + 1) % 24))]
            if len(near) < 8:
                near = residuals
            low, high = np.quantile(near, (0.05, 0.95))
            scale[h] = max(floor, mad(near), float(high - low) / 3.29)
        return scale


def _days_covered(ends: Int64) -> float:
    """Days of history, gaps of more than a day left out [d]."""
    if len(ends) < 2:
        return 0.0
    steps = np.diff(ends)
    step = float(np.median(steps))
    return (float(steps[steps <= DAY].sum()) + step) / DAY
