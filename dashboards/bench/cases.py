"""The questions: each calls the very function that a screen or the API calls."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from dashboards.assembly import create_server
from dashboards.live import LiveReader
from dashboards.server import Server
from dashboards.views import ViewKey
from hypervision import settings as settings_module
from hypervision.scope import EVERYTHING, Scope
from hypervision.store import screens
from hypervision.store.pool import Listener, ScreenPool
from hypervision.store.rollups import DAY, HOUR
from hypervision.store.trends import read_trend

_DAY: Final = timedelta(days=1)
_HOLE: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Place:
    """What the questions are about.

    Attributes
    ----------
    pool : ScreenPool
        Of one connection.
    streams : sequence of int
        The datastreams, those with a year first.
    years : int
        How many these are.
    flood : datetime
        Beginning of the day with a flood of alarms.
    """

    pool: ScreenPool
    streams: Sequence[int]
    years: int
    thing: str
    thing_id: int
    now: datetime
    flood: datetime


Ask = Callable[[Place], Any]


def _trend(length: timedelta) -> Ask:
    def ask(place: Place) -> Any:
        with place.pool.connection() as connection:
            return read_trend(
                connection, place.streams[0], since=place.now - length, until=place.now, buckets=500, slices=24,
                hole=_HOLE, hold=_HOLE,
            ).points  # fmt: skip

    return ask


def _latest(place: Place) -> Any:
    with place.pool.connection() as connection:
        return screens.read_latest(connection, {})


def _latest_changed(place: Place) -> Any:
    with place.pool.connection() as connection:
        cursors = {w.writer_id: w.commit_no - 1 for w in screens.read_writers(connection)}
        return screens.read_latest(connection, cursors)


def _course(place: Place) -> Any:
    streams = place.streams[place.years : place.years + 200]
    with place.pool.connection() as connection:
        return screens.read_course(connection, streams, since=place.now - _DAY, until=place.now, width=1800.0)


def _gaps_newest(place: Place) -> Any:
    with place.pool.connection() as connection:
        return screens.read_newest_gaps(connection, scope=EVERYTHING, since=place.now - _DAY)


def _gaps_thing(place: Place) -> Any:
    with place.pool.connection() as connection:
        return screens.read_gaps(connection, place.thing_id, since=place.now - _DAY, until=place.now)


def _alarm_history(place: Place) -> Any:
    with place.pool.connection() as connection:
        return screens.read_alarm_history(connection, place.thing_id, since=place.now - _DAY)


def _journal(place: Place) -> Any:
    with place.pool.connection() as connection:
        return screens.read_journal(connection, place.thing_id)


def _rows(name: str, *unset: str, many: bool = False, **values: Any) -> Ask:
    full = {**dict.fromkeys(unset), **EVERYTHING.values(), **values}

    def ask(place: Place) -> Any:
        filled = {key: value(place) if callable(value) else value for key, value in full.items()}
        return (place.pool.first_rows if many else place.pool.rows)(name, filled)

    return ask


_ASKED: Final = ("domain", "thing", "property")
_ALARMS: Final = (
    "id", "open", "hidden", "explained_by", "domain", "thing", "priority", "since", "until", "before",
)  # fmt: skip


def _now(place: Place) -> datetime:
    return place.now


def _yesterday(place: Place) -> datetime:
    return place.now - _DAY


def _last_year(place: Place) -> datetime:
    return place.now - 365 * _DAY


def _thing(place: Place) -> str:
    return place.thing


def _after(days: int) -> Callable[[Place], datetime]:
    return lambda place: place.flood + days * _DAY


QUERIES: Final[Mapping[str, Ask]] = {
    "latest": _latest,
    "latest_changed": _latest_changed,
    "trend_day": _trend(_DAY),
    "trend_month": _trend(timedelta(days=30)),
    "trend_year": _trend(timedelta(days=365)),
    "course": _course,
    "hours": _rows(
        "api_rollups", "thing", level=HOUR, since=_yesterday, until=_now, domain="water", property="flow", limit=24_000
    ),
    "days": _rows(
        "api_rollups", "domain", level=DAY, since=_last_year, until=_now, thing=_thing, property="flow", limit=10_000
    ),
    "alarms_day": _rows("api_alarms", *_ALARMS, since=_after(-3), until=_after(-2), limit=100_000),
    "alarms_flood": _rows("api_alarms", *_ALARMS, since=_after(0), until=_after(1), limit=100_000),
    "alarms_newest": _rows("api_alarms", *_ALARMS, limit=1000),
    "alarm_history": _alarm_history,
    "journal": _journal,
    "gaps_newest": _gaps_newest,
    "gaps_thing": _gaps_thing,
    "datastreams": _rows("api_datastreams", *_ASKED, limit=10_000),
    "observations": _rows(
        "api_observations", "domain", since=_yesterday, until=_now, thing=_thing, property="flow", limit=10_000
    ),
    "observations_all": _rows("api_observations", *_ASKED, many=True, since=_yesterday, until=_now, limit=10_000),
}
"""By the name of their budget."""


class Screens:
    """A server of which nothing is opened: its reader looks when it is told to, its pages are drawn for a browser."""

    def __init__(self, url: str) -> None:
        given = {"data_dir": tempfile.gettempdir(), "database_url": url, "registration": "open", "language": "en"}
        self._server: Server = create_server(settings_module.load({}, overrides=given))
        self._url = url
        self._seen: dict[str, int] = {}

    def look_first(self, listener: Listener) -> Any:
        """Look as at the start."""
        self._server.reader = LiveReader(self._url, self._server.catalogue)
        # Somebody of the one organisation has a screen open as well.
        self._server.reader.want(Scope(1))
        return self.look_again(listener)

    def look_again(self, listener: Listener) -> Any:
        """Look as each second."""
        reader = self._server.reader
        reader.look(listener)
        # A page is drawn for readings alone once a second at most, and here each time.
        reader.town = replace(reader.town, alarms=dict(reader.town.alarms))
        return self._server.reader.town.latest

    def page(self, path: str) -> Any:
        """What a screen is told that showed the page at the look before."""
        key = ViewKey(path, "en", EVERYTHING, may_acknowledge=True)
        told = self._server.views.after(key, self._seen.get(path, 0))
        self._seen[path] = told["seq"]
        return told["set"]
