"""What the broker has kept while the database was away is worked off, beside what goes on arriving."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from hypervision.errors import ServiceError
from hypervision.store.bench import Gauge
from ingest.bench import meter
from ingest.bench.ground import LIMIT, NAME, Ground

FLAT_MB: Final = 25.0
"""More than this between the first third of the backlog and its end is no flat memory [MB]."""
BEHIND: Final = 3.0
"""Less than this behind is abreast of the present: a publisher, too, takes its time to start [s]."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """A backlog and how it was worked off.

    Attributes
    ----------
    messages : int
        That waited when the database came back.
    rate : float
        Messages a second that went on arriving.
    seconds : float
        From the database's return to the moment when the collector was abreast of the present.
    early, away, after : float
        Memory of the collector [MB]: most of it in the first third of the outage, in the rest of it, and afterwards.
    lost : int
        Messages that were sent and not committed.
    """

    messages: int
    rate: float
    seconds: float
    early: float
    away: float
    after: float
    lost: int

    @property
    def factor(self) -> float:
        """How many times faster than it had come the backlog was worked off."""
        return self.messages / self.seconds / self.rate

    @property
    def flat(self) -> bool:
        """Whether the collector's memory did not follow the backlog."""
        return self.away - self.early <= FLAT_MB


def backlog(ground: Ground, messages: int, *, rate: float) -> Backlog:
    """Take the database away, let messages wait, give it back.

    Parameters
    ----------
    messages : int
        That are published while the database is away, as fast as the broker answers.
    rate : float
        Messages a second that go on arriving afterwards.
    """
    place = ground.place
    role = ground.collector()
    with Gauge(place.database_url) as gauge:
        before = gauge.settled(NAME)[0]
    with meter.Watch(role.process.pid) as watch:
        # Some messages first: what every batch needs is there before memory is compared.
        warm = int(rate * 2)
        ground.fill("pair", warm)
        with Gauge(place.database_url) as gauge:
            ground.settled(gauge, before + warm, role)
        place.roles["database"].stop()
        away = time.time()
        ground.fill("pair", messages)
        back = time.time()
        place.start("database")
        # The server takes log-ins from here on.
        began = time.time()
        with ground.feed("pair", int(rate * LIMIT), rate=rate) as feed:
            ended = _abreast(ground, before + warm + messages, rate=rate, began=began)
            sent = feed.stop()
        with Gauge(place.database_url) as gauge:
            ground.settled(gauge, before + warm + messages + sent, role)
            lost = before + warm + messages + sent - gauge.settled(NAME)[0]
    ground.stop(role)
    third = away + (back - away) / 3
    return Backlog(
        messages,
        rate,
        ended - began,
        _most(watch, away, third),
        _most(watch, third, back),
        _most(watch, back, ended),
        lost,
    )


def _abreast(ground: Ground, messages: int, *, rate: float, began: float) -> float:
    """When the collector has committed the backlog, and of what came since all but the last seconds [s]."""
    deadline = time.monotonic() + LIMIT
    with Gauge(ground.place.database_url) as gauge:
        while time.monotonic() < deadline:
            now = time.time()
            if gauge.settled(NAME)[0] >= messages + rate * max(0.0, now - began - BEHIND):
                return now
            time.sleep(0.02)
    raise ServiceError("the backlog is not worked off", remedy=ground.place.roles["collect"].tail())


def _most(watch: meter.Watch, first: float, last: float) -> float:
    return max((size for at, size in watch.memory if first <= at <= last), default=0.0)
