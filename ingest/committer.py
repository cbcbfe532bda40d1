"""The thread that only commits: one batch after the other, the same one again while the database is away."""

from __future__ import annotations

import queue
import random
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from hypervision.batch import Batch, Receipt
from hypervision.errors import TemporaryStoreError
from hypervision.store.outages import Cause
from hypervision.timekeeping import system_clock
from ingest.assembly import Load
from ingest.counters import Counters
from ingest.isolation import isolate, suspected
from ingest.quiet import Quiet

_quiet = Quiet(__name__)

WAITING: Final = 2
"""Batches that may wait while one is committed."""
_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 5.0
# While nobody answers at all, asking costs little; what answers and breaks is given more time.
_LONGEST_UNANSWERED: Final = 1.0
# So often an idle thread looks for an outage to write [s].
_IDLE: Final = 1.0


class Store(Protocol):
    """What the committer needs of intake."""

    def commit(self, batch: Batch, *, now: datetime) -> Receipt:
        """Store one batch."""


class Notes(Protocol):
    """What the committer needs of `Outages`."""

    def note(self, cause: Cause, began: datetime, ended: datetime) -> None:
        """Note an outage that is over."""

    def write(self) -> None:
        """Write what is noted."""


class Committer:
    """Commits loads in order and hands them back for acknowledgement.

    Parameters
    ----------
    store : Store
        The way in.
    counters : Counters
        Told of every commit.
    settled : callable
        Called in this thread after each commit, to wake the reader.
    outages : Notes, optional
        Told how long the database was away; written from this thread between two batches.
    clock : callable
        Tells the time.

    Attributes
    ----------
    done : deque of Load
        Committed and not yet acknowledged.
    failure : BaseException or None
        What no retry can mend.
    """

    def __init__(
        self,
        store: Store,
        counters: Counters,
        *,
        settled: Callable[[], None],
        outages: Notes | None = None,
        clock: Callable[[], datetime] = system_clock,
    ) -> None:
        self._store = store
        self._counters = counters
        self._settled = settled
        self._outages = outages
        self._clock = clock
        self._away_since: datetime | None = None
        self._queue: queue.Queue[Load | None] = queue.Queue(maxsize=WAITING)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="commit", daemon=True)
        self._lock = threading.Lock()
        self._running = 0
        self.done: deque[Load] = deque()
        self.failure: BaseException | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def full(self) -> bool:
        """Whether another load would have to wait for a place."""
        return self._queue.full()

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is being committed."""
        with self._lock:
            return self._running == 0

    @property
    def waiting(self) -> int:
        """Loads that wait or are being committed."""
        with self._lock:
            return self._running

    def submit(self, load: Load) -> None:
        """Queue a load; ask `full` before."""
        with self._lock:
            self._running += 1
        self._queue.put_nowait(load)

    def discard(self) -> int:
        """Throw away the loads that are not being committed yet; their number of messages."""
        messages = 0
        while True:
            try:
                load = self._queue.get_nowait()
            except queue.Empty:
                return messages
            if load is not None:
                messages += load.batch.messages
                with self._lock:
                    self._running -= 1

    def stop(self, seconds: float) -> bool:
        """Commit what was submitted, for at most so long; whether all of it is committed."""
        try:
            self._queue.put(None, timeout=seconds / 2)
        except queue.Full:
            self._stop.set()
        self._thread.join(seconds / 2)
        # A batch that waits for the database is abandoned: it was not acknowledged, so it comes again.
        self._stop.set()
        self._thread.join(min(0.5, seconds / 2))
        return self.idle

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    load = self._queue.get(timeout=_IDLE)
                except queue.Empty:
                    self._write_outages()
                    continue
                if load is None or not self._commit(load):
                    return
                with self._lock:
                    self._running -= 1
                self._settled()
                self._write_outages()
        except BaseException as error:  # noqa: BLE001  (the reader's thread raises it)
            self.failure = error
            self._settled()

    def _commit(self, load: Load) -> bool:
        """Commit one load, however long it takes; False when told to stop meanwhile."""
        parts, done = [load.batch], 0
        while parts:
            try:
                receipt = self._patiently(parts[0])
            except Exception as error:  # noqa: BLE001  (whatever is wrong with a message, its neighbours are stored)
                _quiet.warning("a batch of %d messages is taken apart (%s)", parts[0].messages, error)
                parts[:1] = isolate(parts[0], error)
                continue
            if receipt is None:
                return False
            self._counters.settled(receipt)
            if receipt.refused:
                load.refused(done + message for message in receipt.refused)
            done += parts[0].messages
            del parts[0]
        self.done.append(load)
        return True

    def _patiently(self, batch: Batch) -> Receipt | None:
        """Commit a batch, again and again while the database is away; None when told to stop.

        Raises
        ------
        TemporaryStoreError
            The batch itself seems to be what the database cannot bear.
        """
        pause = _FIRST_PAUSE
        blows: list[TemporaryStoreError] = []
        while not self._stop.is_set():
            try:
                receipt = self._store.commit(batch, now=self._clock())
            except TemporaryStoreError as error:
                self._away_since = self._away_since or self._clock()
                _quiet.warning("the batch waits for the database: %s", error)
                blows.append(error)
                if suspected(batch, blows):
                    raise
                # With some chance in it, so that writers do not all return at once.
                self._stop.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311
                pause = min(2 * pause, _LONGEST_PAUSE if error.midway else _LONGEST_UNANSWERED)
            else:
                self._back()
                return receipt
        return None

    def _back(self) -> None:
        """The database takes batches."""
        if self._away_since is not None and self._outages is not None:
            self._outages.note("database", self._away_since, self._clock())
        self._away_since = None

    def _write_outages(self) -> None:
        if self._outages is not None:
            self._outages.write()
