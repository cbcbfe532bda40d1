"""The trends of one Thing, read for its page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from dashboards.limits import Periods
from dashboards.town import Town
from hypervision.store import screens
from hypervision.store.screens import AlarmRow, JournalRow, LimitRow, StreamRow, ThingRow, TrendPoint

RANGES: Final[Mapping[str, timedelta]] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
}
# About one bucket for every two pixels of a chart: what lies between cannot be seen.
_BUCKETS: Final = 400
# A datastream without expected period comes on change: only a silence this long breaks its line.
_LONGEST: Final = timedelta(days=3650)
# What a page draws at once; the rest is named.
_CHARTS: Final = 8


@dataclass(frozen=True, slots=True)
class Trend:
    """One chart: a datastream, its points, its limits."""

    stream: StreamRow
    points: list[TrendPoint]
    limits: list[LimitRow]


@dataclass(frozen=True, slots=True)
class Trends:
    """Everything below the values of an asset's page; `undrawn` are the datastreams beyond the drawn ones."""

    since: datetime
    until: datetime
    trends: list[Trend]
    alarms: list[AlarmRow]
    journal: list[JournalRow]
    undrawn: tuple[StreamRow, ...] = ()


def read_trends(
    connection: screens.Database, town: Town, thing: ThingRow, chosen: str, *, now: datetime, periods: Periods
) -> Trends:
    """Read the charts of a Thing for one of `RANGES` (any other word: a day)."""
    since = now - RANGES.get(chosen, RANGES["day"])
    trends = []
    streams = town.streams_of.get(thing.thing_id, ())
    for stream_id in streams[:_CHARTS]:
        stream = town.streams[stream_id]
        hole = _LONGEST if stream.period is None else timedelta(seconds=periods.stale * stream.period)
        points = screens.read_trend(connection, stream_id, since=since, until=now, buckets=_BUCKETS, hole=hole)
        trends.append(Trend(stream, points, town.limits.of_stream(stream)))
    return Trends(
        since,
        now,
        trends,
        screens.read_alarm_history(connection, thing.thing_id, since=since),
        screens.read_journal(connection, thing.thing_id),
        tuple(town.streams[i] for i in streams[_CHARTS:]),
    )


def line(points: list[TrendPoint]) -> tuple[list[datetime], list[float | None]]:
    """The points of a line, with a None where it must break.

    Returns
    -------
    tuple of lists, shape (n + holes,)
        Times and results.
    """
    times: list[datetime] = []
    results: list[float | None] = []
    for point in points:
        if point.after_hole:
            times.append(point.at)
            results.append(None)
        times.append(point.at)
        results.append(point.result)
    return times, results
