"""The newest readings as columns: ten thousand Things are judged in a millisecond, not in a fifth of a second."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboards.kept import kept
from dashboards.limits import Periods
from dashboards.town import Reporting, Town, observes
from hypervision.scope import Scope
from hypervision.store.screens import StreamRow, ThingRow

Times = NDArray[np.float64]
_ALL: Final = ""


class Newest(NamedTuple):
    """Of each datastream the newest reading; NaN where nothing was ever read.

    Attributes
    ----------
    at : array of shape (n,)
        Seconds since the Unix epoch [s].
    result : array of shape (n,)
        In the datastream's unit.
    quality : array of shape (n,)
        0 is bad.
    """

    at: Times
    result: Times
    quality: Times


@dataclass(frozen=True, slots=True)
class Expected:
    """The Things of which something regular is expected, with where their datastreams stand.

    Attributes
    ----------
    rows : array of int
        Datastreams, those of one Thing together.
    starts : array of int
        Where in `rows` each Thing begins.
    period : array of float
        The shortest expected period of each Thing [s].
    """

    things: Sequence[ThingRow]
    rows: NDArray[np.intp]
    starts: NDArray[np.intp]
    period: Times

    def heard(self, newest: Newest, *, now: datetime, periods: Periods) -> NDArray[np.bool_]:
        """Which of them are heard of."""
        if not len(self.starts):
            return np.zeros(0, np.bool_)
        last = np.fmax.reduceat(newest.at[self.rows], self.starts)
        heard: NDArray[np.bool_] = now.timestamp() - last <= periods.stale * self.period
        return heard


@dataclass(frozen=True, slots=True)
class Registry:
    """What a scope sees of the registry, in columns.

    Attributes
    ----------
    streams : sequence of StreamRow
        Those of its Things, in the order of the Things.
    period : array of shape (n,)
        The expected period of each datastream [s]; NaN where none is.
    members : mapping
        The Things of each domain: by registration or by a datastream.
    expected : mapping
        By domain, and of all domains under the empty name.
    properties : mapping
        Datastreams by domain and property.
    """

    things: Sequence[ThingRow]
    streams: Sequence[StreamRow]
    period: Times
    members: Mapping[str, Sequence[ThingRow]]
    expected: Mapping[str, Expected]
    properties: Mapping[str, Mapping[str, NDArray[np.intp]]]

    @classmethod
    def of(cls, town: Town, scope: Scope) -> Registry:
        """Sort what a town knows."""
        things = town.visible_things(scope)
        streams = [town.streams[i] for t in things for i in town.streams_of.get(t.thing_id, ()) if i in town.streams]
        period = np.array([np.nan if s.period is None else s.period for s in streams], np.float64)
        by_id = {t.thing_id: t for t in things}
        domains = {s.domain for s in streams}
        rows: dict[str, dict[str, list[int]]] = {}
        for i, stream in enumerate(streams):
            rows.setdefault(stream.domain, {}).setdefault(stream.property, []).append(i)
        return cls(
            things,
            streams,
            period,
            {d: [t for t in things if observes(town, t, d)] for d in domains | {t.domain for t in things}},
            {
                domain: _expected(by_id, streams, period, [i for found in rows[domain].values() for i in found])
                for domain in domains
            }
            | {_ALL: _expected(by_id, streams, period, range(len(streams)))},
            {domain: {name: np.array(found, np.intp) for name, found in own.items()} for domain, own in rows.items()},
        )


def _expected(
    by_id: Mapping[int, ThingRow], streams: Sequence[StreamRow], period: Times, rows: Iterable[int]
) -> Expected:
    of: dict[int, list[int]] = {}
    for i in rows:
        of.setdefault(streams[i].thing_id, []).append(i)
    least = {thing: float(np.fmin.reduce(period[own])) for thing, own in of.items()}
    regular = [thing for thing in of if not np.isnan(least[thing])]
    sizes = [len(of[thing]) for thing in regular]
    return Expected(
        [by_id[thing] for thing in regular],
        np.array([i for thing in regular for i in of[thing]], np.intp),
        np.cumsum([0, *sizes[:-1]], dtype=np.intp) if sizes else np.zeros(0, np.intp),
        np.array([least[thing] for thing in regular], np.float64),
    )


def registry(town: Town, scope: Scope) -> Registry:
    """The registry as a scope sees it, sorted once."""
    return kept(("registry", scope), (town.things, town.streams), lambda: Registry.of(town, scope))


def newest(town: Town, scope: Scope) -> Newest:
    """The newest readings of a scope's datastreams, in the order of its registry."""
    known = registry(town, scope)

    def read() -> Newest:
        rows: list[Any] = [town.latest.get(s.datastream_id) for s in known.streams]
        nothing = (np.nan, np.nan, np.nan)
        told = [nothing if row is None else (row.at.timestamp(), row.result, row.quality) for row in rows]
        return Newest(*np.array(told, np.float64).reshape(len(rows), 3).T)

    return kept(("newest", scope), (known, town.latest), read)


def last_of(times: Times) -> datetime | None:
    """The newest of some times; None of none."""
    last = np.fmax.reduce(times) if times.size else np.nan
    return None if np.isnan(last) else datetime.fromtimestamp(float(last), UTC)


def reporting(town: Town, scope: Scope, *, now: datetime, periods: Periods, domain: str = _ALL) -> Reporting:
    """Count the Things that report, in one domain or at all: as `dashboards.town.reporting` does."""
    found = registry(town, scope).expected.get(domain)
    if found is None:
        return Reporting(0, 0)
    heard = found.heard(newest(town, scope), now=now, periods=periods)
    return Reporting(int(heard.sum()), len(heard))


def silent(town: Town, scope: Scope, *, now: datetime, periods: Periods) -> list[ThingRow]:
    """The Things that should report and do not."""
    found = registry(town, scope).expected[_ALL]
    heard = found.heard(newest(town, scope), now=now, periods=periods)
    return [found.things[int(i)] for i in np.flatnonzero(~heard)]
