"""The key figures of a domain's tile, chosen from its data alone: a new domain needs no edit here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Final

from dashboards.limits import Periods
from dashboards.town import Freshness, Town, freshness
from hypervision.domains import Domain, ObservedProperty
from hypervision.store.screens import ReadingRow, StreamRow, ThingRow

SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure over all Things of a domain.

    Attributes
    ----------
    value : float or None
        The median of a gauge [its unit], the share of Things in `state` for a state [%]; None without a
        trusted reading.
    low, high : float
        Lowest and highest of the Things; 0 and 100 for a state.
    normal : tuple of float or None
        The band without alarm, where limits draw one; either side may be None.
    state : str
        Code of the counted state, empty for a gauge.
    count, total : int
        Things counted and Things with a trusted reading.
    newest : datetime or None
        The newest reading among them.
    period : float or None
        Their shortest expected period [s].
    """

    prop: ObservedProperty
    value: float | None
    low: float
    high: float
    normal: tuple[float | None, float | None] | None
    state: str
    count: int
    total: int
    newest: datetime | None
    period: float | None


def observes(town: Town, thing: ThingRow, domain: str) -> bool:
    """Whether a Thing is of a domain: by its registration or by a datastream (a smart pole has several)."""
    return thing.domain == domain or any(
        town.streams[i].domain == domain for i in town.streams_of.get(thing.thing_id, ())
    )


def key_figures(
    town: Town, domain: Domain, things: Sequence[ThingRow], *, now: datetime, periods: Periods
) -> list[Figure]:
    """Up to three figures: what most limits watch comes first, then the order of the domain file."""
    found: dict[str, list[StreamRow]] = {}
    for thing in things:
        for stream_id in town.streams_of.get(thing.thing_id, ()):
            stream = town.streams[stream_id]
            if stream.domain == domain.code:
                found.setdefault(stream.property, []).append(stream)
    props = [domain.properties[name] for name in found if name in domain.properties]
    chosen = sorted(props, key=lambda p: _weight(p, domain))[:SHOWN]
    return [_figure(town, prop, found[prop.name], now=now, periods=periods) for prop in chosen]


def leading_property(town: Town, domain: Domain) -> ObservedProperty | None:
    """The property whose day the tile draws: the first figure that is a gauge, else the first."""
    present = {s.property for s in town.streams.values() if s.domain == domain.code}
    props = sorted((p for p in domain.properties.values() if p.name in present), key=lambda p: _weight(p, domain))
    main = [p for p in props if not _weight(p, domain)[0]]
    gauges = [p for p in main if p.kind == "gauge"]
    return next(iter(gauges or main or props), None)


def _weight(prop: ObservedProperty, domain: Domain) -> tuple[int, int, int]:
    order = list(domain.properties).index(prop.name)
    minor = prop.name == "battery" or prop.derived or prop.kind in ("counter", "event")
    watched = any(rule.property == prop.name for rule in domain.rules)
    return (int(minor), int(not watched), order)


def _figure(
    town: Town, prop: ObservedProperty, streams: Sequence[StreamRow], *, now: datetime, periods: Periods
) -> Figure:
    read: list[tuple[StreamRow, ReadingRow]] = []
    newest: datetime | None = None
    for stream in streams:
        reading = town.latest.get(stream.datastream_id)
        if reading is not None:
            newest = reading.at if newest is None else max(newest, reading.at)
            if freshness(reading, stream.period, now=now, periods=periods) in (Freshness.GOOD, Freshness.LATE):
                read.append((stream, reading))
    values = [reading.result for _stream, reading in read]
    regular = [s.period for s in streams if s.period is not None]
    period = min(regular, default=None)
    if prop.states:
        # The state a city wants to know the share of: the first that is not zero (on, occupied, open).
        state = next((s for s in prop.states if s.value != 0), prop.states[0])
        count = sum(value == state.value for value in values)
        share = 100 * count / len(values) if values else None
        return Figure(prop, share, 0, 100, None, state.code, count, len(values), newest, period)
    normal = _band(town, streams[0])
    middle = median(values) if values else None
    low, high = (min(values), max(values)) if values else (0.0, 0.0)
    return Figure(prop, middle, low, high, normal, "", len(values), len(values), newest, period)


def _band(town: Town, stream: StreamRow) -> tuple[float | None, float | None] | None:
    limits = town.limits.of_stream(stream)
    lows = [row.limit for row in limits if row.kind == "low"]
    highs = [row.limit for row in limits if row.kind == "high"]
    if not lows and not highs:
        return None
    return (max(lows, default=None), min(highs, default=None))


def scale(figure: Figure) -> tuple[float, float]:
    """Ends of a figure's bar: readings and limits with some room on both sides."""
    if figure.state:
        return (0.0, 100.0)
    ends = [figure.low, figure.high]
    ends += [end for end in figure.normal or () if end is not None]
    low, high = min(ends), max(ends)
    room = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    return (0.0 if low >= 0 and low - room < 0 else low - room, high + room)
