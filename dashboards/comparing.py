"""Series of any Things side by side: what an address asks for, read from the database, and told as rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, quote

from dashboards.choices import instant
from dashboards.town import Town
from dashboards.trends import RANGES, Trend, read_course, read_one
from hypervision.scope import Scope
from hypervision.store import notes as store
from hypervision.store import screens
from hypervision.store.notes import DrawnCorrection, Note
from hypervision.store.screens import AlarmRow, GapRow, StreamRow, ThingRow

MOST: Final = 8
"""Series that are drawn at once."""
USUAL: Final = "day"
LONGEST: Final = timedelta(days=3_660)
"""A longer time is not asked for."""
COLUMNS: Final = ("thing", "name", "domain", "property", "unit", "start", "end", "lowest", "mean", "highest")
_KEY: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._:-]{0,63})/([a-z][a-z0-9_]{0,31})/([a-z][a-z0-9_]{0,63})")


class Key(NamedTuple):
    """Which datastream, as people know it."""

    thing: str
    domain: str
    property: str

    @classmethod
    def of(cls, text: str) -> Key | None:
        """Read it; None for what cannot be one.

        Examples
        --------
        >>> Key.of("water-001/water/pressure"), Key.of("water-001")
        (Key(thing='water-001', domain='water', property='pressure'), None)
        """
        found = _KEY.fullmatch(text)
        return None if found is None else cls(*found.groups())

    def __str__(self) -> str:
        return "/".join(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the address of the page chooses.

    Attributes
    ----------
    range : str
        Of `RANGES`; counts nothing where `since` or `until` is given.
    since, until : str
        As somebody typed them, local time.
    """

    series: tuple[Key, ...] = ()
    range: str = USUAL
    since: str = ""
    until: str = ""

    @classmethod
    def of(cls, search: str) -> Wanted:
        """The choice of an address; what makes no sense is left out.

        Examples
        --------
        >>> Wanted.of("?s=a/water/flow&s=a/water/flow&s=x&range=week").href()
        '/trends?s=a/water/flow&range=week'
        """
        asked = parse_qs(search.removeprefix("?")[:4_000])
        keys = [key for text in asked.get("s", ()) if (key := Key.of(text)) is not None]
        chosen = asked.get("range", [USUAL])[0]
        since, until = (asked.get(name, [""])[0].strip()[:40] for name in ("from", "to"))
        return cls(
            series=tuple(dict.fromkeys(keys))[:MOST],
            range=chosen if chosen in RANGES else USUAL,
            since=since,
            until=until,
        )

    def href(self, **changes: Any) -> str:
        """The address of the page with another choice."""
        wanted = replace(self, **changes)
        query = [("s", str(key)) for key in wanted.series]
        if wanted.since or wanted.until:
            query += [(name, text) for name, text in (("from", wanted.since), ("to", wanted.until)) if text]
        elif wanted.range != USUAL:
            query.append(("range", wanted.range))
        told = "&".join(f"{name}={quote(text, safe='/:')}" for name, text in query)
        return f"/trends?{told}" if told else "/trends"

    @property
    def is_timed(self) -> bool:
        """Whether somebody typed a time."""
        return bool(self.since or self.until)

    def wrong(self, zone: tzinfo, *, now: datetime) -> list[str]:
        """What was typed as a time and is none, or ends before it begins, or is too long."""
        typed = [text for text in (self.since, self.until) if text and instant(text, zone) is None]
        if typed or not self.is_timed:
            return typed
        since, until = self._typed(zone, now=now)
        return [f"{self.since} – {self.until}"] if not timedelta(0) < until - since <= LONGEST else []

    def period(self, zone: tzinfo, *, now: datetime) -> tuple[datetime, datetime]:
        """From when to when; of a time that is wrong the usual one."""
        if self.is_timed and not self.wrong(zone, now=now):
            return self._typed(zone, now=now)
        return now - RANGES[self.range], now

    def _typed(self, zone: tzinfo, *, now: datetime) -> tuple[datetime, datetime]:
        until = (instant(self.until, zone) if self.until else None) or now
        since = (instant(self.since, zone) if self.since else None) or until - RANGES[self.range]
        return since, until


@dataclass(frozen=True, slots=True)
class Series:
    """One datastream with its Thing."""

    key: Key
    thing: ThingRow
    stream: StreamRow


def known(town: Town, keys: Sequence[Key]) -> tuple[list[Series], list[Key]]:
    """The datastreams of the keys, and the keys that are of none in this town."""
    found, strange = [], []
    for key in keys:
        thing = town.things.get(town.codes.get(key.thing, -1))
        streams = () if thing is None else town.streams_of.get(thing.thing_id, ())
        stream = next(
            (s for s in map(town.streams.__getitem__, streams) if (s.domain, s.property) == key[1:]),
            None,
        )
        if thing is None or stream is None:
            strange.append(key)
        else:
            found.append(Series(key, thing, stream))
    return found, strange


@dataclass(frozen=True, slots=True)
class Compared:
    """Everything that is drawn.

    Attributes
    ----------
    trends : list of (Series, Trend)
        In the order of the address.
    alarms : mapping
        By number of the Thing, those that touch the time.
    outages : list of GapRow
        Of the platform itself.
    """

    since: datetime
    until: datetime
    read_at: datetime
    trends: list[tuple[Series, Trend]]
    strange: list[Key]
    alarms: Mapping[int, list[AlarmRow]]
    notes: list[Note]
    corrections: list[DrawnCorrection]
    outages: list[GapRow]


def compare(
    connection: screens.Database, town: Town, keys: Sequence[Key], *, since: datetime, until: datetime,
    scope: Scope, now: datetime,
) -> Compared:  # fmt: skip
    """Read the series and what happened beside them."""
    series, strange = known(town, keys)
    things = {one.thing.thing_id: one.thing for one in series}
    gaps = {number: screens.read_gaps(connection, number, since=since, until=until) for number in things}
    trends = [
        (one, read_one(connection, town, one.stream, gaps[one.thing.thing_id], since=since, until=until))
        for one in series
    ]
    alarms = store.read_alarms(connection, list(things), since=since, until=until)
    every = {gap: None for found in gaps.values() for gap in found if gap.domain is None and gap.datastream_id is None}
    return Compared(
        since=since,
        until=until,
        read_at=now,
        trends=trends,
        strange=strange,
        alarms={number: [a for a in alarms if a.thing_id == number] for number in things},
        notes=store.read_notes(connection, since=since, until=until, scope=scope, things=list(things)),
        corrections=store.read_corrections(
            connection, [one.stream.datastream_id for one in series], since=since, until=until
        ),
        outages=list(every),
    )


def read_rows(
    connection: screens.Database, town: Town, keys: Sequence[Key], *, since: datetime, until: datetime, steps: int
) -> list[dict[str, Any]]:
    """Lowest, mean and highest of each series in equal steps of time; none for a step without a reading."""
    rows = []
    width = (until - since) / steps
    for one in known(town, keys)[0]:
        named = {
            "thing": one.key.thing, "name": one.thing.name, "domain": one.stream.domain,
            "property": one.stream.property, "unit": one.stream.unit,
        }  # fmt: skip
        drawn = read_course(connection, one.stream, since=since, until=until, slices=steps)
        for number, each in enumerate(drawn.slices):
            if each is not None:
                begins = since + number * width
                values = {"lowest": each.low, "mean": each.mean, "highest": each.high}
                rows.append({**named, "start": begins, "end": begins + width, **values})
    return rows
