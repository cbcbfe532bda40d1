"""When a bin is emptied: rounds on fixed weekdays, early in the morning, with the lateness of real life."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np

from simulators.localtime import DAY_US, HOUR_US, local_midnight
from simulators.noise import Int64, key_of, normal, uniform

# Weekdays (Monday 0) of the five rounds; household waste two or three times a week, glass once.
WEEKDAYS = ((0, 3), (1, 4), (2, 5), (0, 2, 4), (1, 3, 5))
GLASS_WEEKDAYS = ((1,), (3,), (4,))
_START_HOUR = 5.5
_MISSED = 0.015
"""Share of collections that do not happen: a parked car, works, a holiday."""


def emptied_times(
    start_us: int, end_us: int, *, code: str, order: int, glass: bool, zone: ZoneInfo, seed: int
) -> Int64:
    """When a bin is emptied within [start, end) [us], whole seconds, shape (n,).

    Parameters
    ----------
    order : int
        The bin's place in its round.
    glass : bool
        Whether it is a glass bin, with rounds of its own.
    """
    plan = GLASS_WEEKDAYS[order % len(GLASS_WEEKDAYS)] if glass else WEEKDAYS[order % len(WEEKDAYS)]
    days = np.array(
        [
            day
            for day in range(start_us // DAY_US - 1, end_us // DAY_US + 2)
            if (day + 3) % 7 in plan  # 1970-01-01 was a Thursday
        ],
        np.int64,
    )
    if not len(days):
        return days
    midnights = np.array([local_midnight(int(day), zone) for day in days], np.int64)
    minutes = 2.5 * (order // len(WEEKDAYS)) + 12.0 * normal(key_of(seed, "round", str(order % 5)), days)
    minutes += 2.0 * normal(key_of(seed, code, "round"), days)
    times = midnights + round(_START_HOUR * HOUR_US) + (np.clip(minutes, -60, 300) * 60).astype(np.int64) * 1_000_000
    kept = uniform(key_of(seed, code, "missed"), days) >= _MISSED
    times = times[kept & (times >= start_us) & (times < end_us)]
    result: Int64 = np.sort(times)
    return result
