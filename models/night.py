"""Minimum night flow: when a town sleeps, what still flows is mostly leakage."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final, NamedTuple, Self
from zoneinfo import ZoneInfo

import numpy as np

from hypervision.batch import Bool, Float64, Int64
from models.bins import medians
from models.clock import DAY, EPOCH_WEEKDAY, HOUR, MINUTE, local_time
from models.detector import (
    DEFAULT_ZONE,
    NO_SCORES,
    Column,
    Detector,
    HistoryError,
    Scores,
    training_span,
)
from models.robust import qn

QUARTER: Final = 15 * MINUTE


class Nights(NamedTuple):
    """Night flows.

    Attributes
    ----------
    ends_us : ndarray of int64, shape (m,)
        When the quiet hours ended [us].
    day : ndarray of int64, shape (m,)
        Local calendar day of that morning [d].
    flow : ndarray of float64, shape (m,)
        Mean of the lower half of the quarter hours' medians [unit of the readings].
    """

    ends_us: Int64
    day: Int64
    flow: Float64


@dataclass(frozen=True, slots=True)
class _Fitted:
    level: float
    weekend: float
    spread: float
    allowance: float
    nights: int

    def expected(self, day: Int64) -> Float64:
        """Expected night flow of local mornings, shape (m,)."""
        return np.where(_is_weekend(day), self.level + self.weekend, self.level)


@dataclass(slots=True, kw_only=True)
class NightFlow(Detector):
    """Night flow against its own level and spread, accumulated over the last nights.

    Parameters
    ----------
    zone : ZoneInfo
        Local time of the installation.
    from_minute, to_minute : int
        Quiet hours by the wall clock, minutes of the day [min].
    coverage : float
        Share of the quiet hours that must be covered for a night to count, a reading covering what follows it
        for at most half an hour [1]. A night of 90 min when clocks go forward is enough.
    window_nights, guard_nights, minimum_nights : int
        It learns from the last `window_nights` without the newest `guard_nights`; see `SeasonalExcess`.
    span : int
        Most nights that are accumulated.
    allowance : float
        What each night may lie above its level without counting, beside the standard error of the level
        [robust standard deviations].
    clip : float
        One night counts at most so much [robust standard deviations]: neither one odd night nor two alone
        can reach the default limit of 4.
    floor_share, floor_flow : float
        The spread is at least this share of the level [1] and this flow [m3/h].

    Notes
    -----
    The excess is a one-sided tabular CUSUM, the largest sum of (z - allowance) over the last n = 0 to `span`
    nights (Page 1954), never below 0. The textbook allowance of 0.5 (Montgomery, Introduction to Statistical Quality
    Control) holds for a level that is known; here it is the median of only m nights, so its standard error of
    1.25 / sqrt(m) is allowed as well. Two nights in a row within the allowance end the sum, so that the alarm
    returns soon after a repair. The level is the median, with an offset for Saturday and
    Sunday mornings; the spread is Qn of what remains.
    """

    domain: ClassVar[str] = "water"
    reads: ClassVar[str] = "flow"
    writes: ClassVar[str] = "night_excess"
    thing_kinds: ClassVar[tuple[str, ...]] = ("district", "district_meter")
    context_us: ClassVar[int] = 10 * DAY
    refresh_us: ClassVar[int] = HOUR

    zone: ZoneInfo = DEFAULT_ZONE
    from_minute: int = 120
    to_minute: int = 270
    coverage: float = 0.55
    window_nights: int = 28
    guard_nights: int = 5
    minimum_nights: int = 7
    span: int = 7
    allowance: float = 0.5
    clip: float = 2.4
    floor_share: float = 0.03
    floor_flow: float = 0.1
    _fitted: _Fitted | None = field(default=None, init=False, repr=False)

    @property
    def history_us(self) -> int:
        """How much past `fit` wants [us]."""
        return self.window_nights * DAY

    def fit(self, times_us: Int64, values: Float64) -> Self:
        """Learn level and spread; see `Detector.fit`."""
        self._fitted = None
        nights = self.nights(times_us, values)
        count = len(nights.flow)
        if count < self.minimum_nights:
            raise HistoryError(
                f"{count} nights of flow are too few for a night level",
                remedy=f"{self.minimum_nights} are needed, wait for more",
            )
        # Counted in nights that were measured: a gap of a week must not hand over the guard's nights.
        start, end = training_span(
            0, count, window_us=self.window_nights, guard_us=self.guard_nights, minimum_us=self.minimum_nights
        )
        flow, weekend = nights.flow[start:end], _is_weekend(nights.day[start:end])
        level, more = _levels(flow, weekend)
        spread = max(qn(flow - more * weekend), self.floor_share * abs(level), self.floor_flow)
        self._fitted = _Fitted(level, more, spread, self.allowance + 1.25 / np.sqrt(len(flow)), len(flow))
        return self

    def excess(self, times_us: Int64, values: Float64) -> Scores:
        """Excess of each complete night; see `Detector.excess`."""
        fitted = self._learnt()
        nights = self.nights(times_us, values)
        m = len(nights.flow)
        if not m:
            return NO_SCORES
        z = np.clip((nights.flow - fitted.expected(nights.day)) / fitted.spread, -self.clip, self.clip)
        return Scores(nights.ends_us, self._accumulate(nights.day, z - fitted.allowance))

    def _accumulate(self, day: Int64, z: Float64) -> Float64:
        """Truncated one-sided CUSUM of standardised nights above what is allowed, shape (m,)."""
        m = len(z)
        best = np.zeros(m)
        total = np.zeros(m)
        alive = np.ones(m, bool)
        for n in range(1, min(self.span, m) + 1):
            # The sum over the night itself and the n - 1 before it.
            now, first = slice(n - 1, m), slice(0, m - n + 1)
            total[now] += z[first]
            alive[: n - 1] = False
            # Nights on the far side of a gap, or of two quiet nights in a row, no longer count.
            alive[now] &= day[now] - day[first] <= n + 1
            if n > 1:
                alive[now] &= (z[first] > 0) | (z[1 : m - n + 2] > 0)
            best = np.where(alive, np.maximum(best, total), best)
        return best

    def nights(self, times_us: Int64, values: Float64) -> Nights:
        """Night flow of each complete night."""
        column = Column.of(times_us, values)
        empty = Nights(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
        times, flow = medians(column.times_us, column.values, QUARTER)
        local = local_time(times, self.zone)
        quiet = (local.minute >= self.from_minute) & (local.minute < self.to_minute)
        day, minute, times, flow = local.day[quiet], local.minute[quiet], times[quiet], flow[quiet]
        if not len(day):
            return empty
        days, starts = np.unique(day, return_index=True)
        kept: list[tuple[int, int, float]] = []
        for which, start, stop in zip(
            days.tolist(), starts.tolist(), np.append(starts[1:], len(day)).tolist(), strict=True
        ):
            end = int(times[stop - 1]) + (self.to_minute - int(minute[stop - 1])) * MINUTE
            covered = np.minimum(np.diff(np.append(times[start:stop], end)), 2 * QUARTER).sum()
            if end > column.newest_us or covered < self.coverage * (self.to_minute - self.from_minute) * MINUTE:
                continue
            lower = np.sort(flow[start:stop])[: (stop - start + 1) // 2]
            kept.append((end, which, float(lower.mean())))
        if not kept:
            return empty
        ends, mornings, flows = zip(*kept, strict=True)
        return Nights(np.array(ends, np.int64), np.array(mornings, np.int64), np.array(flows, np.float64))

    def describe(self) -> str:
        """What was learnt, in one line."""
        fitted = self._learnt()
        level = f"level {fitted.level:.1f} m3/h ({fitted.weekend:+.1f} at weekends)"
        return f"from {fitted.nights} nights: {level}, spread {fitted.spread:.2f} m3/h"

    def _learnt(self) -> _Fitted:
        if self._fitted is None:
            raise HistoryError("no night level was learnt yet", remedy="call fit first")
        return self._fitted


def _is_weekend(day: Int64) -> Bool:
    return (day + EPOCH_WEEKDAY) % 7 >= 5


def _levels(flow: Float64, weekend: Bool) -> tuple[float, float]:
    """Level of working days and what a weekend adds, shrunk where it may be chance (as James and Stein 1961)."""
    count = int(weekend.sum())
    if count in (0, len(flow)):
        return float(np.median(flow)), 0.0
    level = float(np.median(flow[~weekend]))
    more = float(np.median(flow[weekend])) - level
    chance = qn(flow[~weekend]) ** 2 / count
    return level, more**3 / (more**2 + chance) if more else 0.0
