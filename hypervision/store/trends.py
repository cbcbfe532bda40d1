"""The course of one datastream for a chart and its table: few points, yet every extreme and hole of its readings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from hypervision.batch import Float64, Int64
from hypervision.clock import MICROSECOND, from_us, to_us
from hypervision.quality import OUT_OF_RANGE
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


class Slice(NamedTuple):
    """The readings of a slice of time; the mean is None where none counts (out of range), or held into nothing."""

    low: float
    mean: float | None
    high: float


@dataclass(frozen=True, slots=True)
class Drawn:
    """A datastream over some time.

    Attributes
    ----------
    points : list of TrendPoint
        For a chart: at most about two a bucket, extremes and holes kept.
    slices : list of Slice or None
        For a table: the time in equal parts, None without a reading.
    """

    points: list[TrendPoint]
    slices: list[Slice | None]


def read_trend(
    connection: Connection,
    datastream_id: int,
    *,
    since: datetime,
    until: datetime,
    buckets: int,
    slices: int,
    hole: timedelta,
    hold: timedelta,
) -> Drawn:
    """The course of a datastream.

    Parameters
    ----------
    until : datetime
        Included.
    buckets, slices : int
        Of the chart, about so many, and of the table.
    hole : timedelta
        A longer silence breaks the line.
    hold : timedelta
        How long a reading stands when none follows, for the mean.

    Notes
    -----
    From the readings, also over a year: roll-ups know the extremes of an hour but not their instants, and leave out
    readings out of range, which an engineer wants to see.
    """
    values = {"datastream_id": datastream_id, "since": since, "until": until}
    time, result, quality = arrays(connection, "trend_readings", values)
    found = Readings(time.astype(np.int64) + PG_EPOCH_US, result, quality.astype(np.int64))
    width_us = max(1, (until - since) // MICROSECOND // buckets)
    edges = np.linspace(to_us(since), to_us(until) + 1, slices + 1).astype(np.int64)
    return Drawn(
        points(found, width_us=width_us, hole_us=hole // MICROSECOND), sliced(found, edges, hold_us=hold // MICROSECOND)
    )


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


def sliced(found: Readings, edges_us: Int64, *, hold_us: int) -> list[Slice | None]:
    """Lowest and highest reading and the mean of each slice, weighted by time as the roll-ups weight it.

    Parameters
    ----------
    edges_us : ndarray of int64, shape (n + 1,)
        Of the slices, rising; the last one is not included [us].
    hold_us : int
        How long a reading stands when none follows [us].

    Returns
    -------
    list, length n
        None without a reading in the slice. What the last reading before the first slice holds into it is not counted.
    """
    first = np.searchsorted(found.time_us, edges_us)
    means = _means(found, edges_us, hold_us)
    return [
        Slice(float(np.fmin.reduce(found.result[a:b])), mean, float(np.fmax.reduce(found.result[a:b])))
        if b > a
        else None
        for a, b, mean in zip(first[:-1].tolist(), first[1:].tolist(), means, strict=True)
    ]


def _means(found: Readings, edges_us: Int64, hold_us: int) -> list[float | None]:
    counts = found.quality != OUT_OF_RANGE
    begin, result = found.time_us[counts], found.result[counts]
    if not len(begin):
        return [None] * (len(edges_us) - 1)
    end = np.minimum(np.append(begin[1:], edges_us[-1]), begin + hold_us)
    held = end - begin
    # What was held, and its integral, from the first reading to each edge.
    at = np.searchsorted(begin, edges_us, side="right") - 1
    into = np.clip(edges_us - begin[at], 0, held[at])
    covered = np.append(0, np.cumsum(held))[at] + into
    summed = np.append(0.0, np.cumsum(result * held))[at] + result[at] * into
    covered[at < 0], summed[at < 0] = 0, 0.0
    spans, sums = np.diff(covered).tolist(), np.diff(summed).tolist()
    return [total / span if span else None for total, span in zip(sums, spans, strict=True)]
