"""The trends of one Thing, read for its page."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from dashboards.town import Town
from hypervision.store import screens
from hypervision.store.growth import Grown, read_growth
from hypervision.store.screens import AlarmRow, GapRow, JournalRow, LimitRow, StreamRow, ThingRow, TrendPoint
from hypervision.store.trends import Drawn, Slice, read_trend

RANGES: Final[Mapping[str, timedelta]] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}
# From this on a counter's bars are days, not hours; of an hour its register is drawn.
_BY_DAY: Final = timedelta(days=28)
_HOUR: Final = 3600.0
# About one bucket for every two pixels of a chart: what lies between cannot be seen.
_BUCKETS: Final = 400
# A datastream without expected period comes on change: only a silence this long breaks its line.
_LONGEST: Final = timedelta(days=3650)
# As hv.hold: a reading stands for two of its expected periods, and what is longer is a silence.
_HOLD: Final = 2.0
# As hv.hold: what comes on change only stands for a day.
_ON_CHANGE: Final = timedelta(hours=24)
LINES: Final = 24
"""Lines of a chart's table."""
# An outage of the platform between two readings further apart than so many periods took one away.
_ONE_LOST: Final = 1.5
# What a page draws at once; the rest is named.
_CHARTS: Final = 8


@dataclass(frozen=True, slots=True)
class Growth:
    """By how much a counter grew in each step of some time; the step as in `hypervision.store.growth.STEPS`."""

    step: str
    steps: Sequence[Grown]


@dataclass(frozen=True, slots=True)
class Trend:
    """One chart: a datastream, its points, its limits; `slices` are the lines of its table, in equal parts of time.

    What is before `readings_from`, if that is known, is drawn from roll-ups. A counter is drawn by its growth.
    """

    stream: StreamRow
    points: list[TrendPoint]
    limits: list[LimitRow]
    gaps: tuple[GapRow, ...] = ()
    slices: Sequence[Slice | None] = ()
    readings_from: datetime | None = None
    growth: Growth | None = None


@dataclass(frozen=True, slots=True)
class Trends:
    """Everything below the values of an asset's page; `undrawn` are the datastreams beyond the drawn ones."""

    since: datetime
    until: datetime
    trends: list[Trend]
    alarms: list[AlarmRow]
    journal: list[JournalRow]
    undrawn: tuple[StreamRow, ...] = ()


def read_trends(connection: screens.Database, town: Town, thing: ThingRow, chosen: str, *, now: datetime) -> Trends:
    """Read the charts of a Thing for one of `RANGES` (any other word: a day)."""
    since = now - RANGES.get(chosen, RANGES["day"])
    streams = town.streams_of.get(thing.thing_id, ())
    gaps = screens.read_gaps(connection, thing.thing_id, since=since, until=now)
    trends = [
        read_one(connection, town, town.streams[stream_id], gaps, since=since, until=now)
        for stream_id in streams[:_CHARTS]
    ]
    return Trends(
        since,
        now,
        trends,
        screens.read_alarm_history(connection, thing.thing_id, since=since),
        screens.read_journal(connection, thing.thing_id),
        tuple(town.streams[i] for i in streams[_CHARTS:]),
    )


def read_one(
    connection: screens.Database, town: Town, stream: StreamRow, gaps: Sequence[GapRow], *, since: datetime,
    until: datetime,
) -> Trend:  # fmt: skip
    """Read the chart of one datastream.

    Parameters
    ----------
    gaps : sequence of GapRow
        Of its Thing.
    """
    drawn = read_course(connection, stream, since=since, until=until, slices=LINES)
    limits = town.limits.of_stream(stream)
    growth = None
    if stream.kind == "counter" and until - since > RANGES["hour"] and drawn.points:
        step = "day" if until - since >= _BY_DAY or (stream.period or 0.0) > _HOUR else "hour"
        # Of the time after its newest reading nothing is known: it has not stood still.
        steps = read_growth(connection, stream.datastream_id, since=since, until=drawn.points[-1].at, step=step)
        growth = Growth(step, steps) if steps else None
    return Trend(stream, drawn.points, limits, gaps_of(gaps, stream), drawn.slices, drawn.readings_from, growth)


def read_course(
    connection: screens.Database, stream: StreamRow, *, since: datetime, until: datetime, slices: int
) -> Drawn:
    """The points of a chart, and so many lines of its table."""
    hole = _LONGEST if stream.period is None else timedelta(seconds=_HOLD * stream.period)
    return read_trend(
        connection, stream.datastream_id, since=since, until=until, buckets=_BUCKETS, slices=slices, hole=hole,
        hold=min(hole, _ON_CHANGE) if stream.period is None else hole,
    )  # fmt: skip


def gaps_of(gaps: Sequence[GapRow], stream: StreamRow) -> tuple[GapRow, ...]:
    """The gaps of a Thing that may have taken readings of one datastream away."""
    return tuple(
        gap
        for gap in gaps
        if gap.datastream_id == stream.datastream_id
        or (gap.datastream_id is None and gap.domain in (None, stream.domain))
    )


def breaks(trend: Trend) -> dict[int, datetime]:
    """Where the line must break: by number of the point behind a hole, the instant from which nothing is known."""
    points, period = trend.points, trend.stream.period
    found = {i: points[i - 1].at for i, point in enumerate(points) if i and point.after_hole}
    times = [point.at for point in points]
    for gap in trend.gaps:
        i = bisect_right(times, gap.began)
        # Points within it say that it took nothing from this datastream.
        if gap.ended is None or not 0 < i < len(points) or times[i] < gap.ended:
            continue
        length = (times[i] - times[i - 1]).total_seconds()
        if gap.domain is not None or period is None or length > _ONE_LOST * period:
            found.setdefault(i, gap.began)
    return found


def line(trend: Trend) -> tuple[list[datetime], list[float | None]]:
    """The points of a line, with a None where it must break; a state holds until the hole begins.

    Returns
    -------
    tuple of lists, shape (n + holes,)
        Times and results.
    """
    times: list[datetime] = []
    results: list[float | None] = []
    broken = breaks(trend)
    stepped = trend.stream.kind in ("state", "event")
    for i, point in enumerate(trend.points):
        if i in broken:
            if stepped and broken[i] > times[-1]:
                times.append(broken[i])
                results.append(results[-1])
            times.append(point.at)
            results.append(None)
        times.append(point.at)
        results.append(point.result)
    return times, results


def alone(results: Sequence[float | None]) -> list[bool]:
    """Which points have no neighbour to draw a line to.

    Examples
    --------
    >>> alone([1.0, None, 2.0, 3.0, None, 4.0])
    [True, False, False, False, False, True]
    """
    around = [None, *results, None]
    return [result is not None and around[i] is None and around[i + 2] is None for i, result in enumerate(results)]
