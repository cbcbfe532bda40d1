"""The course of one datastream for a chart: few points, yet every extreme and every hole of its readings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from hypervision.batch import Float64, Int64
from hypervision.clock import MICROSECOND, from_us
from hypervision.store.arrays import arrays
from hypervision.store.connection import Connection
from hypervision.store.copy import PG_EPOCH_US
from hypervision.store.screens import TrendPoint


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of one datastream, rising in time; shape (n,) each."""

    time_us: Int64
    result: Float64
    quality: Int64

    def __len__(self) -> int:
        return len(self.time_us)


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
        About so many.
    hole : timedelta
        A longer silence breaks the line.

    Notes
    -----
    From the readings, also over a year: roll-ups know the extremes of an hour but not their instants, and leave out
    readings out of range, which an engineer wants to see.
    """
    values = {"datastream_id": datastream_id, "since": since, "until": until}
    time, result, quality = arrays(connection, "trend_readings", values)
    order = np.argsort(time, kind="stable")
    found = Readings(time[order].astype(np.int64) + PG_EPOCH_US, result[order], quality[order].astype(np.int64))
    width_us = max(1, (until - since) // MICROSECOND // buckets)
    return points(found, width_us=width_us, hole_us=hole // MICROSECOND)


def points(found: Readings, *, width_us: int, hole_us: int) -> list[TrendPoint]:
    """The readings that a chart needs: extremes of each bucket, both edges of each hole, first and last.

    Parameters
    ----------
    width_us : int
        Of a bucket [us]; buckets are counted from the Unix epoch.
    hole_us : int
        A longer silence is a hole [us].
    """
    if not len(found):
        return []
    bucket = found.time_us // width_us
    starts = np.flatnonzero(np.append(True, np.diff(bucket) != 0))
    sizes = np.diff(np.append(starts, len(bucket)))
    hole = np.diff(found.time_us) > hole_us
    keep = np.append(True, hole) | np.append(hole, True)
    for extreme in (np.fmin, np.fmax):
        at = np.flatnonzero(found.result == np.repeat(extreme.reduceat(found.result, starts), sizes))
        # The earliest of equals.
        keep[at[np.append(True, np.diff(bucket[at]) != 0)]] = True
    rows = np.flatnonzero(keep)
    columns = (found.time_us[rows], found.result[rows], found.quality[rows], np.append(False, hole)[rows])
    return [TrendPoint(from_us(t), v, q, a) for t, v, q, a in zip(*(c.tolist() for c in columns), strict=True)]
