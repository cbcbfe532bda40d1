"""The single measurements of `bench ingest`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hypervision.errors import ServiceError
from hypervision.partitions import WRITER
from hypervision.store.bench import Gauge
from ingest.bench import bare, meter
from ingest.bench.stage import Role, Stage
from ingest.session import Address

NAME: Final = f"{WRITER}1/1"
_LIMIT: Final = 300.0
# Rules judge what is at most an hour old; the runs themselves take some minutes of it.
_PAST_MS: Final = 3_000_000


@dataclass(frozen=True, slots=True)
class Drain:
    """How fast waiting messages were taken.

    Attributes
    ----------
    rate : float
        First receipt to last commit [messages/s].
    cpu : dict
        CPU seconds by process.
    memory : float
        Peak of the collector, shared pages in proportion [MB]; 0 when not measured.
    """

    messages: int
    rate: float
    cpu: dict[str, float]
    memory: float


@dataclass(frozen=True, slots=True)
class Latency:
    """From publish to committed row [s]."""

    rate: float
    probes: int
    p50: float
    p99: float
    lost: int


class Runs:
    """Measurements on one stage.

    Parameters
    ----------
    place : Stage
        With services running.
    topics : int
        How many Things take turns.
    planned : int
        How many messages all runs together will publish, for times that fit into the last hour.
    """

    def __init__(self, place: Stage, *, topics: int, planned: int) -> None:
        self._place = place
        self._topics = topics
        # Recent enough for rules to judge every reading, and each run later than the one before.
        self._start_ms = time.time_ns() // 1_000_000 - _PAST_MS
        self._step_ms = max(100, min(60_000, _PAST_MS // (planned // topics + 20)))

    def make_sessions(self) -> None:
        """Let both sides have a durable session, so that the broker keeps what is published."""
        bare.make_session(Address.parse(self._place.mqtt_url()))
        role = self._place.start("collect")
        self._until_connected(role)
        role.stop()

    def drain(self, messages: int) -> Drain:
        """Let the platform's collector take messages that wait."""
        self._fill("urban", messages)
        since = datetime.now(UTC)
        with Gauge(self._place.database_url) as gauge:
            before = gauge.settled(NAME)[0]
            cpu = self._cpu()
            role = self._place.start("collect")
            with meter.Watch(role.process.pid) as watch:
                last = self._until_settled(gauge, before + messages, role)
            spent = self._spent(cpu, collector=meter.cpu_seconds(role.process.pid))
            first = gauge.first_receipt(since)
            assert first is not None
            self._stop(role)
        return Drain(messages, messages / (last - first.timestamp()), spent, watch.peak)

    def drain_bare(self, messages: int) -> Drain:
        """Let the bare path take as many."""
        self._fill("bare", messages)
        cpu = self._cpu()
        order = {"mqtt": self._place.mqtt_url(), "database": self._place.database_url, "messages": messages}
        process = subprocess.Popen(
            [sys.executable, "-m", "ingest.bench.bare"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with meter.Watch(process.pid) as watch:
            try:
                answer, _ = process.communicate(json.dumps(order) + "\n", timeout=_LIMIT)
            finally:
                process.kill()
                process.wait()
        found = json.loads(answer or "{}")
        if found.get("committed") != messages:
            raise ServiceError(f"the bare path took {found.get('committed', 0)} of {messages} messages")
        return Drain(messages, messages / (found["last"] - found["first"]), self._spent(cpu), watch.peak)

    def end_to_end(self, messages: int) -> Drain:
        """Publisher, broker, collector and database at once."""
        role = self._place.start("collect")
        self._until_connected(role)
        with Gauge(self._place.database_url) as gauge:
            before, cpu = gauge.settled(NAME)[0], self._cpu()
            own = meter.cpu_seconds(role.process.pid)
            started = time.time()
            with self._feeder("urban", messages) as feeder, meter.Watch(role.process.pid) as watch:
                last = self._until_settled(gauge, before + messages, role)
                feeder.wait(timeout=_LIMIT)
            spent = self._spent(cpu, collector=meter.cpu_seconds(role.process.pid) - own)
            self._stop(role)
        return Drain(messages, messages / (last - started), spent, watch.peak)

    def latency(self, *, rate: float, seconds: float) -> Latency:
        """Publish at a rate, and see when each probe among the messages is in the database."""
        role = self._place.start("collect")
        self._until_connected(role)
        messages = int(rate * seconds)
        after = datetime.now(UTC) - timedelta(seconds=1)
        seen: list[float] = []
        with Gauge(self._place.database_url) as gauge:
            before = gauge.settled(NAME)[0]
            with self._feeder("probe", messages, rate=rate) as feeder:
                deadline = time.monotonic() + seconds + 30
                wanted = -(-messages // PROBE_EVERY)
                while len(seen) < wanted and time.monotonic() < deadline:
                    rows = gauge.results("probe", "level", after=after)
                    now = time.time()
                    if rows:
                        after = rows[-1][0]
                        seen += [now - sent / 1000 for _, sent in rows]
                    time.sleep(0.005)
                feeder.wait(timeout=_LIMIT)
            settled = gauge.settled(NAME)[0] - before
            deadline = time.monotonic() + 10
            while settled < messages and time.monotonic() < deadline:
                time.sleep(0.05)
                settled = gauge.settled(NAME)[0] - before
        self._stop(role)
        seen.sort()
        if not seen:
            raise ServiceError("no probe arrived", remedy=role.tail())
        return Latency(
            rate, len(seen), seen[len(seen) // 2], seen[min(len(seen) - 1, int(len(seen) * 0.99))], messages - settled
        )

    def _fill(self, kind: str, messages: int) -> None:
        with self._feeder(kind, messages) as feeder:
            if feeder.wait(timeout=_LIMIT):
                raise ServiceError(f"the publisher ended with code {feeder.returncode}")

    def _feeder(self, kind: str, messages: int, *, rate: float | None = None) -> subprocess.Popen[str]:
        order: dict[str, Any] = {
            "mqtt": self._place.mqtt_url(),
            "kind": kind,
            "messages": messages,
            "topics": self._topics,
            "start_ms": self._start_ms,
            "step_ms": self._step_ms,
            "rate": rate,
        }
        if kind != "bare":
            self._start_ms += (messages // self._topics + 1) * self._step_ms
        process = subprocess.Popen([sys.executable, "-m", "ingest.bench.feed"], stdin=subprocess.PIPE, text=True)
        assert process.stdin is not None
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        return process

    def _until_connected(self, role: Role) -> None:
        deadline = time.monotonic() + 60
        while role.running and time.monotonic() < deadline:
            with Gauge(self._place.database_url) as gauge:
                found = gauge.snapshot(NAME)
            if found is not None and found.link == "connected":
                return
            time.sleep(0.05)
        raise ServiceError("the collector does not connect", remedy=role.tail())

    def _until_settled(self, gauge: Gauge, messages: int, role: Role) -> float:
        deadline = time.monotonic() + _LIMIT
        while role.running and time.monotonic() < deadline:
            now = time.time()
            if gauge.settled(NAME)[0] >= messages:
                return now
            time.sleep(0.01)
        raise ServiceError("the collector does not take all messages", remedy=role.tail())

    def _stop(self, role: Role) -> None:
        code = role.stop()
        if code:
            raise ServiceError(f"the collector ended with code {code}", remedy=role.tail())

    def _cpu(self) -> dict[str, float]:
        return {
            verb: meter.cpu_seconds(role.process.pid)
            for verb, role in self._place.roles.items()
            if verb in ("broker", "database")
        }

    def _spent(self, before: dict[str, float], *, collector: float | None = None) -> dict[str, float]:
        spent = {verb: seconds - before[verb] for verb, seconds in self._cpu().items()}
        return spent if collector is None else {"collector": collector, **spent}


PROBE_EVERY: Final = 60
"""Every so many messages of a latency run, one is a probe."""
