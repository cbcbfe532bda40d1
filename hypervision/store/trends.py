"""The course of one datastream for a chart and its table: few points, yet every extreme and hole of its readings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np

from hypervision.batch import Float64, Int64
from hypervision.clock import DAY_US, HOUR_US, MICROSECOND, from_us, to_us
from hypervision.quality import GOOD, OUT_OF_RANGE
from hypervision.store import rollups
from hypervision.store.arrays import arrays
from hypervision.store.connection import Connection, mapped
from hypervision.store.copy import PG_EPOCH_US
from hypervision.store.screens import TrendPoint
from hypervision.store.sql import query

_MOST: Final = 2_000_000
"""Readings that are drawn one by one; a chart of more than these would take memory and seconds from all the others."""


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of one datastream, rising in time; shape (n,) each."""

    time_us: Int64
    result: Float64
    quality: Int64

    def __len__(self) -> int:
        return len(self.time_us)


class Held(NamedTuple):
    """For how long a value held, from an instant on [us]; shape (n,) each."""

    begin_us: Int64
    held_us: Int64
    result: Float64


class Part(NamedTuple):
    """A stretch of time drawn from one source; silence of more than `hole_us` is a hole in it."""

    readings: Readings
    held: Held
    hole_us: int


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
    readings_from : datetime or None
        What is before it is drawn from roll-ups; None where all is drawn from readings.
    """

    points: list[TrendPoint]
    slices: list[Slice | None]
    readings_from: datetime | None = None


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
    readings out of range, which an engineer wants to see. Only what is no longer kept as readings is drawn from them,
    and of a datastream that sends each second what is older than its newest millions.
    """
    values: dict[str, Any] = {"datastream_id": datastream_id, "since": since, "until": until}
    values["readings_from"] = _readings_from(connection, values) or since
    rolled, begin_us = _rolled(connection, values, hole_us=hole // MICROSECOND)
    time, result, quality = arrays(connection, "trend_readings", values | {"since": from_us(begin_us)})
    found = Readings(time.astype(np.int64) + PG_EPOCH_US, result, quality.astype(np.int64))
    parts = [
        *rolled,
        Part(found, held(found, to_us(until) + 1, hold_us=hold // MICROSECOND), hole // MICROSECOND),
    ]
    width_us = max(1, (until - since) // MICROSECOND // buckets)
    edges = np.linspace(to_us(since), to_us(until) + 1, slices + 1).astype(np.int64)
    return Drawn(
        joined(parts, width_us=width_us),
        sliced(parts, edges),
        from_us(begin_us) if any(len(part.readings) for part in rolled) else None,
    )


def _readings_from(connection: Connection, values: Mapping[str, Any]) -> datetime | None:
    """From where on the readings are not too many; None for all of them. Told by the roll-ups, which are few."""
    with mapped():
        size = connection.execute(query("trend_size"), values).fetchone()
        if size is None or size[0] <= _MOST:
            return None
        found = connection.execute(query("trend_readings_from"), {**values, "most": _MOST}).fetchone()
    at: datetime | None = None if found is None else found[0]
    return at


def _rolled(connection: Connection, values: Mapping[str, Any], *, hole_us: int) -> tuple[list[Part], int]:
    """What stands for readings that are not drawn, days, then hours; and from where on to draw the readings.

    A local day rarely ends where hours and readings begin to be kept: what is finer is drawn from its end on.
    """
    columns = arrays(connection, "trend_rolled", values)
    begin, end = (column.astype(np.int64) + PG_EPOCH_US for column in columns[:2])
    low, high, mean, covered, level = columns[2:]
    found = []
    drawn_us = to_us(values["since"])
    for number, width_us in ((rollups.DAY, DAY_US), (rollups.HOUR, HOUR_US)):
        mine = (level == number) & (begin >= drawn_us)
        first = begin[mine]
        # Days of another time zone stay as they are, and may reach into the next one.
        last = np.minimum(end[mine], np.append(first[1:], to_us(values["until"])))
        length = last - first
        came = ~np.isnan(low[mine])
        # Of the extremes the instants are not known: they stand in the first and in the last quarter.
        at = np.column_stack([first + length // 4, first + 3 * length // 4])[came].ravel()
        both = np.column_stack([low[mine], high[mine]])[came].ravel()
        readings = Readings(at, both, np.full(len(at), GOOD))
        spans = Held(first, np.minimum((covered[mine] * 1e6).astype(np.int64), length), mean[mine])
        found.append(Part(readings, spans, max(width_us, hole_us)))
        drawn_us = int(last[-1]) if len(last) else drawn_us
    return found, max(drawn_us, to_us(values["readings_from"]))


def joined(parts: Sequence[Part], *, width_us: int) -> list[TrendPoint]:
    """The points of parts that follow each other in time, with the holes between them.

    Parameters
    ----------
    width_us : int
        See `points`.
    """
    found: list[TrendPoint] = []
    before_us = 0
    for part in parts:
        mine = points(part.readings, width_us=width_us, hole_us=part.hole_us)
        if mine and found and mine[0].at - found[-1].at > max(before_us, part.hole_us) * MICROSECOND:
            mine[0] = replace(mine[0], after_hole=True)
        found += mine
        before_us = part.hole_us if mine else before_us
    return found


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


def held(found: Readings, until_us: int, *, hold_us: int) -> Held:
    """For how long each reading stands: to the next, and no longer than `hold_us`; those out of range do not count."""
    counts = found.quality != OUT_OF_RANGE
    begin, result = found.time_us[counts], found.result[counts]
    end = np.minimum(np.append(begin[1:], until_us), begin + hold_us) if len(begin) else begin
    return Held(begin, end - begin, result)


def sliced(parts: Sequence[Part], edges_us: Int64) -> list[Slice | None]:
    """Lowest and highest reading and the mean of each slice, weighted by time as the roll-ups weight it.

    Parameters
    ----------
    parts : sequence of Part
        In order of time.
    edges_us : ndarray of int64, shape (n + 1,)
        Of the slices, rising; the last one is not included [us].

    Returns
    -------
    list, length n
        None without a reading in the slice. What the last reading before the first slice holds into it is not counted.
    """
    time_us = np.concatenate([part.readings.time_us for part in parts])
    result = np.concatenate([part.readings.result for part in parts])
    first = np.searchsorted(time_us, edges_us)
    spans = (np.concatenate([part.held[column] for part in parts]) for column in range(3))
    means = _means(Held(*spans), edges_us)
    return [
        Slice(float(np.fmin.reduce(result[a:b])), mean, float(np.fmax.reduce(result[a:b]))) if b > a else None
        for a, b, mean in zip(first[:-1].tolist(), first[1:].tolist(), means, strict=True)
    ]


def _means(spans: Held, edges_us: Int64) -> list[float | None]:
    if not len(spans.begin_us):
        return [None] * (len(edges_us) - 1)
    # What was held, and its integral, from the first reading to each edge.
    at = np.searchsorted(spans.begin_us, edges_us, side="right") - 1
    into = np.clip(edges_us - spans.begin_us[at], 0, spans.held_us[at])
    covered = np.append(0, np.cumsum(spans.held_us))[at] + into
    summed = np.append(0.0, np.cumsum(spans.result * spans.held_us))[at] + spans.result[at] * into
    covered[at < 0], summed[at < 0] = 0, 0.0
    lengths, sums = np.diff(covered).tolist(), np.diff(summed).tolist()
    return [total / length if length else None for total, length in zip(sums, lengths, strict=True)]
