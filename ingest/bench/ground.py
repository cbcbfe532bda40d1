"""What every measurement of `bench ingest` needs: publishers, a collector, and the moment when all is committed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from hypervision.errors import ServiceError
from hypervision.partitions import WRITER
from hypervision.services.stage import Role, Stage
from hypervision.store.bench import Gauge
from ingest.bench import bare, meter
from ingest.session import Address

NAME: Final = f"{WRITER}1/1"
LIMIT: Final = 120.0
"""No single run takes longer [s]."""
# Rules judge what is at most an hour old; the runs themselves take some minutes of it.
_PAST_MS: Final = 2_700_000


class Feed:
    """A publisher in a process of its own.

    Parameters
    ----------
    order : dict
        See `ingest.bench.feed`.
    """

    def __init__(self, order: dict[str, Any]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ingest.bench.feed"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    @property
    def running(self) -> bool:
        """Whether it is still publishing."""
        return self._process.poll() is None

    def wait(self) -> int:
        """Wait until everything is sent and answered for; how many messages were.

        Raises
        ------
        ServiceError
            It failed, or took too long.
        """
        return self._end(say=False)

    def stop(self) -> int:
        """Send no more; how many messages were sent."""
        return self._end(say=True)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.communicate()

    def _end(self, *, say: bool) -> int:
        try:
            if say:
                answer, _ = self._process.communicate(timeout=LIMIT)
            else:
                # Its input stays open meanwhile: the end of it is the wish to stop.
                self._process.wait(timeout=LIMIT)
                answer, _ = self._process.communicate()
        except subprocess.TimeoutExpired:
            raise ServiceError(f"the publisher takes longer than {LIMIT:.0f} s") from None
        if self._process.returncode:
            raise ServiceError(f"the publisher ended with code {self._process.returncode}")
        return int(json.loads(answer)["sent"])


class Ground:
    """A stage with its publishers and its clock.

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
        self.place = place
        self.topics = topics
        # Recent enough for rules to judge every reading, and each run later than the one before.
        self._start_ms = time.time_ns() // 1_000_000 - _PAST_MS
        self._step_ms = max(100, min(60_000, _PAST_MS // (planned // topics + 40)))

    def make_sessions(self) -> None:
        """Let both sides have a durable session, so that the broker keeps what is published."""
        bare.make_session(Address.parse(self.place.mqtt_url()))
        self.collector().stop()

    def collector(self) -> Role:
        """Start a collector and wait until it is connected."""
        role = self.place.start("collect")
        deadline = time.monotonic() + 60
        while role.running and time.monotonic() < deadline:
            with Gauge(self.place.database_url) as gauge:
                found = gauge.snapshot(NAME)
            if found is not None and found.link == "connected":
                return role
            time.sleep(0.05)
        raise ServiceError("the collector does not connect", remedy=role.tail())

    @contextmanager
    def feed(self, kind: str, messages: int, *, topics: int | None = None, rate: float | None = None) -> Iterator[Feed]:
        """Publish, beside what is done meanwhile; a publisher that is still at work at the end is ended.

        Parameters
        ----------
        kind : str
            `pair`, `wide`, `probe` or `loop`, or for the bare path `bare-pair` or `bare-wide`.
        messages : int
            How many.
        topics : int, optional
            How many Things take turns; all by default.
        rate : float, optional
            Messages a second; as fast as the broker answers by default.
        """
        topics = topics or self.topics
        made = Feed(
            {
                "mqtt": self.place.mqtt_url(),
                "kind": kind,
                "messages": messages,
                "topics": topics,
                "start_ms": self._start_ms,
                "step_ms": self._step_ms,
                "rate": rate,
            }
        )
        self._start_ms += (messages // topics + 1) * self._step_ms if kind != "loop" else 0
        try:
            yield made
        finally:
            if made.running:
                made.kill()

    def fill(self, kind: str, messages: int, *, topics: int | None = None) -> None:
        """Publish as fast as the broker answers, with nobody to take it."""
        with self.feed(kind, messages, topics=topics) as feed:
            feed.wait()

    def settled(self, gauge: Gauge, messages: int, role: Role) -> float:
        """Wait until the collector has committed so many messages over its life; when it had [s, wall clock]."""
        deadline, left = time.monotonic() + LIMIT, messages
        while role.running and time.monotonic() < deadline:
            now = time.time()
            left = messages - gauge.settled(NAME)[0]
            if left <= 0:
                return now
            time.sleep(0.01)
        raise ServiceError(
            f"the collector does not take the last {left} messages ({gauge.snapshot(NAME)})", remedy=role.tail(500)
        )

    def rest(self) -> None:
        """Let a collector take what an earlier run has left behind."""
        role = self.collector()
        deadline, before = time.monotonic() + LIMIT, -1
        with Gauge(self.place.database_url) as gauge:
            while (now := gauge.settled(NAME)[0]) != before and time.monotonic() < deadline:
                before = now
                time.sleep(2.0)
        self.stop(role)

    def stop(self, role: Role) -> None:
        """Stop a collector, which must end well."""
        code = role.stop()
        if code:
            raise ServiceError(f"the collector ended with code {code}", remedy=role.tail())

    def cpu(self) -> dict[str, float]:
        """CPU seconds of the stage's services so far."""
        return {
            verb: meter.cpu_seconds(role.process.pid)
            for verb, role in self.place.roles.items()
            if verb in ("broker", "database")
        }

    def spent(self, before: dict[str, float], *, taker: float) -> dict[str, float]:
        """CPU seconds since an earlier look, beside those of the process that took the messages."""
        return {"taker": taker, **{verb: seconds - before[verb] for verb, seconds in self.cpu().items()}}
