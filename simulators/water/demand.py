"""What people and works draw from the network, by the hour of the week."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np

from simulators.localtime import HOUR_US, day_number, week_hours
from simulators.noise import Float64, Int64, key_of, normal, smooth

# Shares of the mean by hour of the day; night, morning and evening peaks as DVGW W 410 (2008) shows them
# for towns of about 50,000 inhabitants. The night level holds the losses that every network has.
_WORKDAY = np.array([
    0.42, 0.38, 0.36, 0.36, 0.42, 0.70, 1.25, 1.62, 1.48, 1.25, 1.15, 1.15,
    1.28, 1.20, 1.02, 0.96, 1.00, 1.15, 1.42, 1.55, 1.38, 1.10, 0.82, 0.58,
])  # fmt: skip
_WEEKEND = np.array([
    0.50, 0.42, 0.38, 0.36, 0.38, 0.46, 0.66, 1.00, 1.40, 1.66, 1.62, 1.50,
    1.45, 1.30, 1.10, 1.02, 1.02, 1.10, 1.28, 1.40, 1.28, 1.05, 0.82, 0.62,
])  # fmt: skip
_WORKS = np.array([
    0.30, 0.30, 0.30, 0.30, 0.35, 0.70, 1.40, 1.60, 1.60, 1.60, 1.55, 1.50,
    1.30, 1.50, 1.60, 1.60, 1.50, 1.20, 0.90, 0.70, 0.55, 0.45, 0.35, 0.30,
])  # fmt: skip


def _week(days: list[Float64]) -> Float64:
    profile = np.concatenate(days)
    shares: Float64 = profile / profile.mean()
    return shares


HOUSEHOLDS = _week([_WORKDAY] * 5 + [_WEEKEND * 1.03, _WEEKEND * 1.05])
WORKS = _week([_WORKS] * 5 + [_WORKS * 0.5, _WORKS * 0.3])


def by_hour(profile: Float64, hours: Float64) -> Float64:
    """A weekly profile of shape (168,) at fractional hours of the week, joined linearly, shape (n,)."""
    shares: Float64 = np.interp(hours % 168.0, np.arange(169), np.append(profile, profile[0]))
    return shares


def multipliers(
    time_us: Int64, names: tuple[str, ...], *, works: frozenset[str], zone: ZoneInfo, seed: int, noise: float = 1.0
) -> Float64:
    """How much of its mean each customer group draws, shape (n_times, n_names).

    Parameters
    ----------
    time_us : ndarray of int64, shape (n_times,)
        Instants [us].
    names : tuple of str
        Customer groups; each wanders on its own.
    works : frozenset of str
        Those with the rhythm of works instead of households.
    noise : float
        Scale of chance: 1 as in life, 0 for the same week again and again.
    """
    hours = week_hours(time_us, zone)
    columns = {True: by_hour(WORKS, hours), False: by_hour(HOUSEHOLDS, hours)}
    day = day_number(time_us, zone)
    # Weather moves the whole town a little; each group has its own days, hours and minutes.
    town = 1.0 + noise * 0.012 * normal(key_of(seed, "demand", "day"), day)
    drawn = np.empty((len(time_us), len(names)))
    for column, name in enumerate(names):
        own = smooth(key_of(seed, "demand", name, "hours"), time_us, 3 * HOUR_US)
        quick = smooth(key_of(seed, "demand", name, "minutes"), time_us, HOUR_US // 6)
        drawn[:, column] = columns[name in works] * town * (1.0 + noise * (0.02 * own + 0.03 * quick))
    return np.clip(drawn, 0.02, None)
