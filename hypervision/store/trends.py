"""The course of one datastream for a chart: few points, yet every extreme and every hole of its readings.

Narrow windows are drawn from all readings. For wide ones the roll-ups say in which hours the extremes lie, and only
the readings of those hours are read: what is drawn is the same, reading by reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from hypervision.batch import Bool, Float64, Int64
from hypervision.clock import from_us, to_us
from hypervision.store.arrays import arrays
from hypervision.store.connection import Connection
from hypervision.store.copy import PG_EPOCH_US
from hypervision.store.rollups import HOUR_US
from hypervision.store.screens import TrendPoint

# From so many hours a bucket on it pays to ask the roll-ups first.
_WIDE: Final = 4


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of one datastream, rising in time; shape (n,) each."""

    time_us: Int64
    result: Float64
    quality: Int64

    def __len__(self) -> int:
        return len(self.time_us)


@dataclass(frozen=True, slots=True)
class Hours:
    """What the roll-ups know of one datastream; times of full hours and of readings [us].

    Attributes
    ----------
    time_us, low, high : ndarray, shape (n,)
        Hours with readings within their range, and their extremes.
    outside_us : ndarray of int64, shape (m,)
        Hours with readings out of range.
    began_us, ended_us : ndarray of int64, shape (k,)
        Readings before and after each silence.
    due_us : int or None
        First hour that waits to be computed anew: from there on nothing of this holds.
    hole_us : int or None
        A longer silence is one; None: of this datastream no silences are noted.
    """

    time_us: Int64
    low: Float64
    high: Float64
    outside_us: Int64
    began_us: Int64
    ended_us: Int64
    due_us: int | None
    hole_us: int | None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which readings to read for a wide window.

    Attributes
    ----------
    starts_us, ends_us : ndarray of int64, shape (n,)
        Stretches of time that do not touch, rising.
    joined : ndarray of bool, shape (n,)
        Whether no reading lies between a stretch and the one before it.
    """

    starts_us: Int64
    ends_us: Int64
    joined: Bool


def read_trend(
    connection: Connection,
    datastream_id: int,
    *,
    since: datetime,
    until: datetime,
    buckets: int,
    hole: timedelta,
) -> list[TrendPoint]:
    """A trend with at most about two points a bucket, extremes and holes kept.

    Parameters
    ----------
    until : datetime
        Included.
    buckets : int
        About so many; in a wide window a bucket is a whole number of hours.
    hole : timedelta
        A longer silence breaks the line.
    """
    since_us, until_us, hole_us = to_us(since), to_us(until) + 1, hole // timedelta(microseconds=1)
    width_us = max(1, -(-(until_us - since_us) // buckets))
    if width_us >= _WIDE * HOUR_US:
        width_us = -(-width_us // HOUR_US) * HOUR_US
        hours = _read_hours(connection, datastream_id, since_us, until_us)
        if hours.hole_us == hole_us or (hours.hole_us is None and hole_us > until_us - since_us):
            choice = choose(hours, since_us=since_us, until_us=until_us, width_us=width_us)
            found = _read_stretches(connection, datastream_id, choice)
            return points(found, _silences(found, choice, hours, hole_us), width_us=width_us)
    found = _read_stretch(connection, datastream_id, since_us, until_us)
    return points(found, np.diff(found.time_us) > hole_us, width_us=width_us)


def points(found: Readings, silent: Bool, *, width_us: int) -> list[TrendPoint]:
    """The readings that a chart needs: extremes of each bucket, both edges of each silence, first and last.

    Parameters
    ----------
    silent : ndarray of bool, shape (n - 1,)
        Whether a silence lies before each reading but the first.
    width_us : int
        Of a bucket [us]; buckets are counted from the Unix epoch.
    """
    if not len(found):
        return []
    bucket = found.time_us // width_us
    starts = np.flatnonzero(np.append(True, np.diff(bucket) != 0))
    keep = np.zeros(len(found), np.bool_)
    keep[[0, -1]] = True
    keep[1:] |= silent
    keep[:-1] |= silent
    after = np.append(False, silent)
    sizes = np.diff(np.append(starts, len(bucket)))
    for extreme in (np.fmin, np.fmax):
        at = np.flatnonzero(found.result == np.repeat(extreme.reduceat(found.result, starts), sizes))
        # The earliest of equals.
        keep[at[np.flatnonzero(np.append(True, np.diff(bucket[at]) != 0))]] = True
    rows = np.flatnonzero(keep)
    columns = (found.time_us[rows], found.result[rows], found.quality[rows], after[rows])
    return [TrendPoint(from_us(t), v, q, a) for t, v, q, a in zip(*(c.tolist() for c in columns), strict=True)]


def choose(hours: Hours, *, since_us: int, until_us: int, width_us: int) -> Choice:
    """Find the hours whose readings a chart needs.

    Parameters
    ----------
    since_us, until_us : int
        The window, its end not included [us].
    width_us : int
        Of a bucket, whole hours [us].

    Notes
    -----
    Of what the roll-ups know: the first hour with the lowest and with the highest reading of each bucket, all with
    readings out of range, both edges of every silence, the first and the last hour. Before and behind it everything.
    """
    known_until = _full_hour(until_us) if hours.due_us is None else min(hours.due_us, _full_hour(until_us))
    rolled = hours.time_us < known_until
    time_us = hours.time_us[rolled]
    if not len(time_us):
        return Choice(np.array([since_us]), np.array([until_us]), np.array([True]))
    first_us = int(time_us[0])
    outside = hours.outside_us[(hours.outside_us >= first_us) & (hours.outside_us < known_until)]
    noted = (hours.began_us >= first_us) & (hours.ended_us < known_until)
    edges = np.append(hours.began_us[noted], hours.ended_us[noted]) // HOUR_US * HOUR_US
    last_us = max(int(time_us[-1]), int(outside.max(initial=0)))
    bucket = time_us // width_us
    extremes = [_first_of(bucket, hours.low[rolled]), _first_of(bucket, -hours.high[rolled])]
    wanted = np.unique(np.concatenate([time_us[np.concatenate(extremes)], outside, edges, [first_us, last_us]]))
    starts = np.concatenate([[since_us], wanted, [known_until]])
    ends = np.concatenate([[first_us], wanted + HOUR_US, [until_us]])
    # Stretches that touch become one.
    fresh = np.append(True, starts[1:] > ends[:-1])
    starts, ends = starts[fresh], ends[np.append(fresh[1:], True)]
    # Nothing lies between the first hour and what is before it, nor between the last one and what is behind it.
    joined = (starts <= first_us) | (starts == known_until)
    return Choice(starts.astype(np.int64), ends.astype(np.int64), joined)


def _first_of(bucket: Int64, value: Float64) -> Int64:
    """Where the least value of each bucket stands first."""
    order = np.lexsort((np.arange(len(value)), value, bucket))
    return np.asarray(order[np.append(True, np.diff(bucket[order]) != 0)], np.int64)


def _silences(found: Readings, choice: Choice, hours: Hours, hole_us: int) -> Bool:
    stretch = np.searchsorted(choice.starts_us, found.time_us, side="right") - 1
    beside = (stretch[1:] == stretch[:-1]) | choice.joined[stretch[1:]] | np.isin(found.time_us[1:], hours.ended_us)
    return np.asarray((np.diff(found.time_us) > hole_us) & beside, np.bool_)


def _full_hour(at_us: int) -> int:
    return at_us // HOUR_US * HOUR_US


def _read_hours(connection: Connection, datastream_id: int, since_us: int, until_us: int) -> Hours:
    values = {
        "datastream_id": datastream_id,
        "since": from_us(-(-since_us // HOUR_US) * HOUR_US),
        "until": from_us(until_us),
    }
    found = arrays(connection, "trend_hours", values)
    time_us, outside, began, ended, due = (_from_2000(found[i]) for i in (0, 3, 4, 5, 6))
    return Hours(
        time_us, found[1], found[2], outside, began, ended,
        int(due[0]) if len(due) else None, int(found[7][0]) if len(found[7]) else None,
    )  # fmt: skip


def _read_stretch(connection: Connection, datastream_id: int, since_us: int, until_us: int) -> Readings:
    values = {"datastream_id": datastream_id, "since": from_us(since_us), "until": from_us(until_us)}
    return _readings(*arrays(connection, "trend_stretch", values))


def _read_stretches(connection: Connection, datastream_id: int, choice: Choice) -> Readings:
    values = {
        "datastream_id": datastream_id,
        "starts": [from_us(at) for at in choice.starts_us.tolist()],
        "ends": [from_us(at) for at in choice.ends_us.tolist()],
    }
    return _readings(*arrays(connection, "trend_readings", values))


def _readings(time: Int64, result: Float64, quality: Int64) -> Readings:
    return Readings(_from_2000(time), result, quality.astype(np.int64))


def _from_2000(time: Int64) -> Int64:
    return time.astype(np.int64) + PG_EPOCH_US
