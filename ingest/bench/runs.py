"""How fast waiting messages, and messages under way, become committed rows; on both sides."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from hypervision.errors import ServiceError
from hypervision.store.bench import Gauge
from ingest.bench import meter
from ingest.bench.ground import LIMIT, NAME, Ground
from ingest.bench.makes import WIDE

__all__ = ["NAME", "Drain", "bare", "drain", "together", "together_bare"]

# Fewer Things for wide messages: each has ten datastreams.
WIDE_TOPICS: Final = 2_000
READINGS: Final = {"pair": 2, "wide": 2 * len(WIDE)}
"""Readings of a message by its kind."""


@dataclass(frozen=True, slots=True)
class Drain:
    """How fast messages were taken.

    Attributes
    ----------
    rate : float
        From the first receipt, or the first publish, to the last commit [messages/s].
    readings : int
        Of a message.
    cpu : dict
        CPU seconds by process; `taker` is the collector or the bare path, from its first message on.
    memory : float
        Peak of the taker, shared pages in proportion [MB].
    """

    messages: int
    readings: int
    rate: float
    cpu: dict[str, float]
    memory: float

    @property
    def cpu_per_million(self) -> float:
        """CPU seconds of the taker per million readings."""
        return self.cpu["taker"] / (self.messages * self.readings) * 1e6


def drain(ground: Ground, messages: int, *, kind: str = "pair") -> Drain:
    """Let the platform's collector take messages that wait."""
    ground.fill(kind, messages, topics=_topics(kind))
    since = datetime.now(UTC)
    with Gauge(ground.place.database_url) as gauge:
        before, cpu = gauge.settled(NAME)[0], ground.cpu()
        role = ground.place.start("collect")
        with meter.Watch(role.process.pid) as watch:
            last = ground.settled(gauge, before + messages, role)
        receipt = gauge.first_receipt(since)
        if receipt is None:
            raise ServiceError("no reading was stored", remedy=role.tail())
        first = receipt.timestamp()
        spent = ground.spent(cpu, taker=watch.cpu_between(first, last))
        ground.stop(role)
    return Drain(messages, READINGS[kind], messages / (last - first), spent, watch.peak)


def bare(ground: Ground, messages: int, *, kind: str = "pair") -> Drain:
    """Let the bare path take as many."""
    ground.fill(f"bare-{kind}", messages, topics=_topics(kind))
    cpu = ground.cpu()
    with _bare(ground, messages, kind) as process, meter.Watch(process.pid) as watch:
        found = _answer(process, messages)
    spent = ground.spent(cpu, taker=found["cpu"])
    return Drain(messages, READINGS[kind], messages / (found["last"] - found["first"]), spent, watch.peak)


def together(ground: Ground, messages: int) -> Drain:
    """Publisher, broker, collector and database at once."""
    role = ground.collector()
    with Gauge(ground.place.database_url) as gauge, meter.Watch(role.process.pid) as watch:
        before, cpu, first = gauge.settled(NAME)[0], ground.cpu(), time.time()
        with ground.feed("pair", messages) as feed:
            last = ground.settled(gauge, before + messages, role)
            feed.wait()
    spent = ground.spent(cpu, taker=watch.cpu_between(first, last))
    ground.stop(role)
    return Drain(messages, READINGS["pair"], messages / (last - first), spent, watch.peak)


def together_bare(ground: Ground, messages: int) -> Drain:
    """Publisher, broker, bare path and database at once."""
    cpu = ground.cpu()
    with _bare(ground, messages, "pair") as process, meter.Watch(process.pid) as watch:
        assert process.stdout is not None
        process.stdout.readline()
        first = time.time()
        with ground.feed("bare-pair", messages) as feed:
            found = _answer(process, messages)
            feed.wait()
    spent = ground.spent(cpu, taker=found["cpu"])
    return Drain(messages, READINGS["pair"], messages / (found["last"] - first), spent, watch.peak)


def _topics(kind: str) -> int | None:
    return WIDE_TOPICS if kind == "wide" else None


@contextmanager
def _bare(ground: Ground, messages: int, kind: str) -> Iterator[subprocess.Popen[str]]:
    """The bare path as a process."""
    order = {
        "mqtt": ground.place.mqtt_url(),
        "database": ground.place.database_url,
        "messages": messages,
        "seconds": LIMIT,
        "names": WIDE if kind == "wide" else ("flow", "pressure"),
        "several": kind == "wide",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "ingest.bench.bare"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdin is not None
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        yield process
    finally:
        process.kill()
        process.communicate()


def _answer(process: subprocess.Popen[str], messages: int) -> dict[str, Any]:
    """What the bare path has done."""
    try:
        answer, _ = process.communicate(timeout=LIMIT + 10)
    except subprocess.TimeoutExpired:
        raise ServiceError("the bare path does not end") from None
    lines = answer.splitlines()
    found: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    if found.get("committed") != messages:
        raise ServiceError(f"the bare path took {found.get('committed', 0)} of {messages} messages")
    return found
