"""Local time of a town as arrays: people wake, drive and switch on by the clock on the wall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from simulators.noise import Float64, Int64

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US
WEEK_US = 7 * DAY_US
# 1970-01-01 was a Thursday; three days before it a Monday began.
_MONDAY_US = -3 * DAY_US


def to_us(when: datetime) -> int:
    """An aware datetime as microseconds since the Unix epoch."""
    return (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def to_datetime(time_us: int) -> datetime:
    """Microseconds since the Unix epoch as an aware UTC datetime."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)


def _offset_us(zone: ZoneInfo, time_us: int) -> int:
    offset = to_datetime(time_us).astimezone(zone).utcoffset()
    assert offset is not None
    return offset // timedelta(microseconds=1)


@lru_cache(maxsize=64)
def _year(zone: ZoneInfo, year: int) -> tuple[tuple[int, int], ...]:
    """Instants of a UTC year at which the offset changes, with the offset from then on."""
    begin, end = to_us(datetime(year, 1, 1, tzinfo=UTC)), to_us(datetime(year + 1, 1, 1, tzinfo=UTC))
    found = [(begin, _offset_us(zone, begin))]
    for day in range(begin, end, DAY_US):
        after = _offset_us(zone, min(day + DAY_US, end - 1))
        if after == found[-1][1]:
            continue
        low, high = day, min(day + DAY_US, end - 1)
        while high - low > SECOND_US:
            middle = (low + high) // 2
            low, high = (low, middle) if _offset_us(zone, middle) == after else (middle, high)
        found.append((high // SECOND_US * SECOND_US, after))
    return tuple(found)


def local_us(time_us: Int64, zone: ZoneInfo) -> Int64:
    """Wall-clock time of each instant, as microseconds since 1970-01-01 00:00 on that clock."""
    if not len(time_us):
        return time_us
    first, last = to_datetime(int(time_us.min())).year, to_datetime(int(time_us.max())).year
    table = [entry for year in range(first, last + 1) for entry in _year(zone, year)]
    starts = np.array([start for start, _ in table], np.int64)
    offsets = np.array([offset for _, offset in table], np.int64)
    shifted: Int64 = time_us + offsets[np.searchsorted(starts, time_us, "right") - 1]
    return shifted


def week_hours(time_us: Int64, zone: ZoneInfo) -> Float64:
    """Hours since Monday 00:00 local time, in [0, 168), shape (n,)."""
    hours: Float64 = ((local_us(time_us, zone) - _MONDAY_US) % WEEK_US) / HOUR_US
    return hours


def day_number(time_us: Int64, zone: ZoneInfo) -> Int64:
    """Number of the local calendar day, shape (n,)."""
    days: Int64 = local_us(time_us, zone) // DAY_US
    return days


def local_midnight(day: int, zone: ZoneInfo) -> int:
    """The instant [us] at which local calendar day number `day` begins."""
    naive = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
    return to_us(datetime(naive.year, naive.month, naive.day, tzinfo=zone))


def ticks(start_us: int, end_us: int, period_us: int, phase_us: int = 0) -> Int64:
    """Instants `k * period + phase` within [start, end), shape (n,)."""
    first = -(-(start_us - phase_us) // period_us)
    last = -(-(end_us - phase_us) // period_us)
    return np.arange(first, last, dtype=np.int64) * period_us + phase_us
