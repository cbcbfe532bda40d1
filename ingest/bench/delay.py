"""From publish to committed row at a steady rate, alone and beside a device in a loop."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypervision.errors import ServiceError
from hypervision.store.bench import Gauge
from ingest.bench import meter
from ingest.bench.ground import NAME, Ground
from ingest.bench.makes import PROBE_EVERY

# What a device in a loop sends before anything is measured: its allowance is used up by then [s].
_AHEAD = 2.0


@dataclass(frozen=True, slots=True)
class Delay:
    """From publish to committed row [s].

    Attributes
    ----------
    rate : float
        Messages a second of those that are measured.
    looping : float
        Messages a second that the device in a loop managed; 0 without one.
    probes : int
        How many were timed.
    lost : int
        Messages that were sent and neither stored nor refused.
    cpu : float
        CPU seconds of the collector a second.
    memory : float
        Peak of the collector [MB].
    """

    rate: float
    looping: float
    probes: int
    p50: float
    p99: float
    lost: int
    cpu: float
    memory: float


def delay(ground: Ground, *, rate: float, seconds: float, looping: float = 0.0) -> Delay:
    """Publish at a rate, and see when each probe among the messages is in the database.

    Parameters
    ----------
    rate : float
        Messages a second.
    seconds : float
        For how long.
    looping : float
        Messages a second of one further device; none by default.
    """
    messages = int(rate * seconds)
    wanted = -(-messages // PROBE_EVERY)
    role = ground.collector()
    with Gauge(ground.place.database_url) as gauge, meter.Watch(role.process.pid) as watch:
        before = gauge.settled(NAME)[0]
        many = int(looping * (seconds + _AHEAD + 60))
        with ground.feed("loop", many, rate=looping or 1.0) as loop:
            began = time.time()
            time.sleep(_AHEAD if looping else 0.0)
            first = time.time()
            with ground.feed("probe", messages, rate=rate) as feed:
                seen = _watch(gauge, wanted, seconds=seconds + 30)
                last = time.time()
                sent = feed.wait() + loop.stop()
        ended = time.time()
        deadline = time.monotonic() + 20
        while (settled := gauge.settled(NAME)[0] - before) < sent and time.monotonic() < deadline:
            time.sleep(0.05)
    ground.stop(role)
    if not seen:
        raise ServiceError("no probe arrived", remedy=role.tail())
    seen.sort()
    p50, p99 = (seen[min(len(seen) - 1, int(len(seen) * part))] for part in (0.5, 0.99))
    used = watch.cpu_between(first, last) / (last - first)
    return Delay(rate, (sent - messages) / (ended - began), len(seen), p50, p99, sent - settled, used, watch.peak)


def _watch(gauge: Gauge, wanted: int, *, seconds: float) -> list[float]:
    """Look for probes until all are there; how long each took [s]."""
    after = datetime.now(UTC) - timedelta(seconds=1)
    streams = list(gauge.streams("probe", "level"))
    seen: list[float] = []
    deadline = time.monotonic() + seconds
    while len(seen) < wanted and time.monotonic() < deadline:
        rows = gauge.arrived(streams, after=after)
        now = time.time()
        if rows:
            after = rows[-1][0]
            seen += [now - sent / 1000 for _, sent in rows]
        time.sleep(0.005)
    return seen
