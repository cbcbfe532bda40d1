"""What a fault finds on stage: the platform, the publishers with their ledgers, and the eyes that watch both."""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psutil

from hypervision.errors import ServiceError, StoreError
from hypervision.store.bench import Gauge
from ingest.bench.faults import lanes
from ingest.bench.faults.ledger import Book, Lane
from ingest.bench.faults.town import Town
from ingest.bench.faults.verdict import Sample, recovered
from ingest.bench.feeder import Feeder

_log = logging.getLogger(__name__)

_ENDLESS: Final = 1 << 40
# Of probes this far back it is asked whether they are all there [s].
_BACK: Final = 120.0
PROBE_RATE: Final = 10.0


@dataclass(frozen=True, slots=True)
class Deed:
    """A fault that was done.

    Attributes
    ----------
    since : float
        From when on the recovery counts: the kill, or the end of what lasted [s since the Unix epoch].
    note : str
        What it showed by itself.
    wrong : str
        What it found to be wrong; empty when nothing.
    """

    since: float
    note: str = ""
    wrong: str = ""


class Publisher:
    """A lane that publishes all the time, in a thread of its own, whatever happens to the broker."""

    def __init__(self, town: Town, book: Book, *, rate: float | None) -> None:
        self.book = book
        self.rate = rate
        self._town = town
        self._stop = threading.Event()
        self._rest = threading.Event()
        self._resting = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"publisher-{book.lane.name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        halted = lambda: self._stop.is_set() or self._rest.is_set()  # noqa: E731
        while not self._stop.is_set():
            if self._rest.is_set():
                self._resting.set()
                self._stop.wait(0.05)
                continue
            self._resting.clear()
            feeder = Feeder(
                self._town.device, self.book.lane.make, client_id=f"faults-{self.book.lane.name}", ledger=self.book
            )
            with suppress(OSError):
                feeder.run(_ENDLESS, rate=self.rate, stop=halted)

    def rest(self, *, seconds: float = 90.0) -> None:
        """Publish nothing; returns when the last answer is there."""
        self._rest.set()
        self._resting.wait(seconds)

    def resume(self) -> None:
        """Go on."""
        self._resting.clear()
        self._rest.clear()

    def stop(self) -> None:
        """End it, with the answers that are due."""
        self._stop.set()
        self._thread.join(90)


@dataclass(slots=True)
class Scene:
    """One campaign's stage.

    Attributes
    ----------
    town : Town
        Runs already.
    scale : float
        1 for the numbers of the full schedule, less for a short one.
    ack_wait : float
        After so long the broker delivers again what was not acknowledged [s].
    """

    town: Town
    rate: float
    scale: float = 1.0
    ack_wait: float = 15.0
    lamp_every: int = 500
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="hv-ledger-")))
    samples: list[Sample] = field(default_factory=list)
    books: dict[str, Book] = field(default_factory=dict)
    publishers: list[Publisher] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def open(self) -> None:
        """Start publishing and watching."""
        self.publishers = [
            Publisher(self.town, self.book(lanes.main(lamp_every=self.lamp_every)), rate=self.rate),
            Publisher(self.town, self.book(lanes.probe(), remember=True), rate=PROBE_RATE),
        ]
        thread = threading.Thread(target=self._watch, name="samples", daemon=True)
        thread.start()
        self._threads.append(thread)

    def close(self) -> None:
        """End publishing and watching; the ledger is complete then."""
        for publisher in self.publishers:
            publisher.stop()
        self._stop.set()
        for thread in self._threads:
            thread.join(10)
        for book in self.books.values():
            book.close()

    def book(self, lane: Lane, *, remember: bool = False) -> Book:
        """The ledger of a lane; made when it is first asked for."""
        if lane.name not in self.books:
            self.books[lane.name] = Book(self.folder, lane, remember=remember)
        return self.books[lane.name]

    def count(self, full: int) -> int:
        """A number of the full schedule, made smaller for a short one."""
        return max(1, int(full * self.scale))

    def burst(self, lane: Lane, count: int, *, flags: int = 0, seconds: float = 60.0) -> int:
        """Publish so many more messages of a lane and wait for the answers; how many were answered."""
        book = self.book(lane)
        before, target = book.answered, book.attempted + count
        deadline = time.monotonic() + seconds
        feeder = Feeder(self.town.device, lane.make, client_id=f"faults-{lane.name}", ledger=book, flags=flags)
        with suppress(OSError):
            feeder.run(target, stop=lambda: time.monotonic() > deadline)
        return book.answered - before

    def wait(self, condition: Callable[[], object], *, seconds: float, what: str) -> float:
        """Poll until it holds; how long that took [s].

        Raises
        ------
        ServiceError
            It does not.
        """
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > seconds:
                raise ServiceError(f"{what} takes longer than {seconds:g} s", remedy=self.town.tail())
            time.sleep(0.05)
        return time.monotonic() - began

    def recovery(self, since: float, *, whole: bool, seconds: float = 120.0) -> tuple[float, float | None]:
        """From an instant to the first new reading stored, and, if it shall be `whole`, to the last old one [s].

        Raises
        ------
        ServiceError
            It does not come in time.
        """
        new_at: float | None = None
        missing = 0
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            answered = self.books["probe"].answers(since=since - _BACK)
            stored = self._probes(since - _BACK - 60)
            new, old = recovered(answered, stored, since=since)
            missing = len(answered.keys() - stored)
            if new and new_at is None:
                new_at = time.time() - since
            if new_at is not None and (old or not whole):
                return new_at, (time.time() - since if whole else None)
            time.sleep(0.2)
        raise ServiceError(
            f"{missing} answered probes are not stored {seconds:g} s after the fault"
            if new_at is not None
            else f"nothing new is stored {seconds:g} s after the fault",
            remedy=self.town.tail(),
        )

    def _probes(self, after: float) -> set[int]:
        try:
            with Gauge(self.town.database_url) as gauge:
                rows = gauge.results("probe0000", "volume", after=datetime.fromtimestamp(after, UTC))
        except StoreError:
            return set()
        return {int(result) for _, result in rows}

    def committed(self) -> int:
        """Messages stored, as the platform last said; -1 when it says nothing."""
        counters = self.town.health().get("messages") or {}
        return int(counters.get("stored", -1))

    def quiet(self) -> bool:
        """Whether nothing is under way; takes longer than the broker waits before it delivers again.

        The number of messages committed tells nothing: what was delivered twice is counted twice.
        """
        before = self.town.health().get("messages") or {}
        deadline = time.monotonic() + self.ack_wait + 2.0
        while before and not before["in_flight"]:
            if time.monotonic() > deadline:
                return True
            time.sleep(0.5)
            if (self.town.health().get("messages") or {}) != before:
                return False
        return False

    def connections(self) -> int:
        """How often the collector has said that it is connected to the broker."""
        return self.said("collect", "connected to the")

    def said(self, part: str, words: str) -> int:
        """How often a part has said something."""
        try:
            return (self.town.folder / "logs" / f"{part}.log").read_text("utf-8", "replace").count(words)
        except OSError:
            return 0

    def _watch(self) -> None:
        collector: psutil.Process | None = None
        while not self._stop.wait(1.0):
            memory = 0.0
            try:
                if collector is None or not collector.is_running():
                    collector = self.town.part("collect")
                if collector is not None:
                    memory = collector.memory_info().rss / 1e6
            except psutil.Error:
                collector = None
            said = self.town.health()
            self.samples.append(
                Sample(time.time(), said.get("messages") or {}, tuple(said.get("failing") or ()), memory)
            )

    def named(self, part: str, *, since: float) -> float | None:
        """How long after an instant the health page named a part as failing, or did not answer [s]; None if never."""
        for sample in list(self.samples):
            if sample.at > since and (
                any(part in name for name in sample.failing) if part != "serve" else not sample.counters
            ):
                return sample.at - since
        return None
