"""Wall clock of the installation: people use water by local time, the store counts UTC microseconds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from hypervision.batch import Int64

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

# 1970-01-01 was a Thursday; with Monday as 0 the epoch day has weekday 3.
EPOCH_WEEKDAY: Final = 3


class LocalTime(NamedTuple):
    """Local calendar of instants.

    Attributes
    ----------
    day : ndarray of int64, shape (n,)
        Local calendar day, counted from 1970-01-01 [d].
    minute : ndarray of int64, shape (n,)
        Minute of the local day by the wall clock, 0 to 1439 [min]; hours that a clock change repeats are
        repeated, hours that it skips are missing.
    weekday : ndarray of int64, shape (n,)
        0 Monday to 6 Sunday.
    """

    day: Int64
    minute: Int64
    weekday: Int64


def local_time(times_us: Int64, zone: ZoneInfo) -> LocalTime:
    """Read instants on the wall clock of a zone.

    Parameters
    ----------
    times_us : ndarray of int64, shape (n,)
        Instants [us].
    zone : ZoneInfo
        The zone of the installation.

    Examples
    --------
    Before and after the spring change in Paris (01:00 UTC on 2026-03-29):

    >>> t = np.array([1774745999, 1774746000], np.int64) * SECOND
    >>> local_time(t, ZoneInfo("Europe/Paris")).minute.tolist()
    [119, 180]
    """
    local = times_us + offsets(times_us, zone)
    day = np.floor_divide(local, DAY)
    minute = np.floor_divide(local - day * DAY, MINUTE)
    return LocalTime(day, minute, (day + EPOCH_WEEKDAY) % 7)


def offsets(times_us: Int64, zone: ZoneInfo) -> Int64:
    """Offset of local time from UTC at each instant [us], shape (n,).

    Notes
    -----
    The zone is asked once for a quarter of an hour (every change since 1970 falls on one), and only twice for
    a UTC day whose first and last quarters agree.
    """
    found = np.empty(len(times_us), np.int64)
    days, place = np.unique(np.floor_divide(times_us, DAY), return_inverse=True)
    first = np.array([_offset(int(d) * DAY, zone) for d in days], np.int64)
    last = np.array([_offset(int(d) * DAY + DAY - 1, zone) for d in days], np.int64)
    found[:] = first[place]
    changing = (first != last)[place]
    if changing.any():
        quarters, at = np.unique(np.floor_divide(times_us[changing], 15 * MINUTE), return_inverse=True)
        found[changing] = np.array([_offset(int(q) * 15 * MINUTE, zone) for q in quarters], np.int64)[at]
    return found


def _offset(time_us: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(time_us // SECOND, UTC).astimezone(zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds()) * SECOND
