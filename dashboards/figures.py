"""The key figures of a domain's tile, chosen from its data alone: a new domain needs no edit here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashboards.columns import last_of, newest, registry
from dashboards.limits import Periods
from dashboards.town import Town
from hypervision.domains import Domain, ObservedProperty
from hypervision.scope import Scope
from hypervision.store.screens import StreamRow

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


def key_figures(town: Town, domain: Domain, *, scope: Scope, now: datetime, periods: Periods) -> list[Figure]:
    """Up to three figures: what most limits watch comes first, then the order of the domain file."""
    found = registry(town, scope).properties.get(domain.code, {})
    props = [domain.properties[name] for name in found if name in domain.properties]
    chosen = sorted(props, key=lambda p: _weight(p, domain))[:SHOWN]
    return [_figure(town, prop, found[prop.name], scope=scope, now=now, periods=periods) for prop in chosen]


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
    town: Town, prop: ObservedProperty, rows: NDArray[np.intp], *, scope: Scope, now: datetime, periods: Periods
) -> Figure:
    known, read = registry(town, scope), newest(town, scope)
    at, expected = read.at[rows], known.period[rows]
    last = last_of(at)
    period = None if np.isnan(expected).all() else float(np.nanmin(expected))
    age = now.timestamp() - at
    # What `dashboards.town.freshness` calls good or late: a comparison with what is not there is false.
    trusted = ~np.isnan(at) & ~(age > periods.stale * expected)
    trusted &= (age > periods.late * expected) | (read.quality[rows] != 0)
    values = read.result[rows][trusted]
    if prop.states:
        # The state a city wants to know the share of: the first that is not zero (on, occupied, open).
        state = next((s for s in prop.states if s.value != 0), prop.states[0])
        count = int((values == state.value).sum())
        share = 100 * count / len(values) if len(values) else None
        return Figure(prop, share, 0, 100, None, state.code, count, len(values), last, period)
    normal = _band(town, known.streams[rows[0]])
    middle = float(np.median(values)) if len(values) else None
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
    return Figure(prop, middle, low, high, normal, "", len(values), len(values), last, period)


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
