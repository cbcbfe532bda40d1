"""Roll-ups follow the readings: a writer marks the hours it touches, `watch` computes them anew."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from hypervision.batch import Int32, Int64
from hypervision.clock import HOUR_US
from hypervision.errors import PermanentStoreError, TemporaryStoreError
from hypervision.store import rollups as store
from hypervision.store.connection import Connection, roll_back
from hypervision.store.versions import reconnect

_log = logging.getLogger(__name__)

EVERY: Final = 5.0
"""Between two looks at the marks [s]."""
_HOURS: Final = 500
"""Computed in one step: of the newest ones and of those that wait, each."""
_NEWEST: Final = 20_000
"""Taken before those that wait, in one round."""
# After each step the machine is left to the readings: hours under way are computed again and again and may take a
# twentieth of the time, those that wait are computed once and may take a fifth. A slow step brings no longer rest.
_REST: Final = 20.0
_REST_BEHIND: Final = 4.0
_LONGEST_REST: Final = 10.0
# SQLSTATE of a statement that took longer than it may.
_TOO_LONG: Final = "57014"
_NOTHING: Final = np.iinfo(np.int64).min
_HALF: Final = 2**31


class Hours(NamedTuple):
    """Hours to mark; shape (n,) each, the hour counted since the Unix epoch."""

    slot: Int32
    hour: Int64
    epoch: int


class Touched:
    """Which hours a writer has marked since the marks were last collected, so that each is marked once."""

    def __init__(self) -> None:
        self._hour = np.empty(0, np.int64)
        self._epoch = 0

    def note(self, slot: Int32, time_us: Int64, epoch: int) -> Hours:
        """The hours of these readings that are not marked yet.

        Parameters
        ----------
        slot, time_us : ndarray, shape (n,)
            Datastream and phenomenon time [us] of every new reading.
        epoch : int
            Of the marks, as this transaction holds it.
        """
        if epoch != self._epoch:
            self._hour[:] = _NOTHING
            self._epoch = epoch
        if len(slot) and int(slot.max()) >= len(self._hour):
            grown = np.full(max(1024, 2 * int(slot.max())), _NOTHING, np.int64)
            grown[: len(self._hour)] = self._hour
            self._hour = grown
        hour = time_us // HOUR_US
        new = self._hour[slot] != hour
        # Both in one number, hours before 1970 included: columns of pairs are slow to sort.
        pairs = np.unique((slot[new].astype(np.int64) << 32) + (hour[new] + _HALF))
        return Hours((pairs >> 32).astype(np.int32), (pairs & (2 * _HALF - 1)) - _HALF, epoch)

    def noted(self, hours: Hours) -> None:
        """The marks are committed."""
        if hours.epoch == self._epoch:
            # Several hours of one datastream: the last one stays, the others are marked again when touched again.
            self._hour[hours.slot] = hours.hour

    def forget(self) -> None:
        """Mark everything anew."""
        self._epoch = 0


def bring_up_to_date(
    connection: Connection,
    *,
    zone: str,
    rest: Callable[[float], bool] = lambda _seconds: False,
    progress: Callable[[int], None] = lambda _due: None,
) -> int:
    """Compute everything that is marked, step by step: the newest hours before those that wait, and some of these too.

    Parameters
    ----------
    connection : Connection
        Of its own, not in autocommit mode.
    zone : str
        Whose midnight begins a day.
    rest : callable
        Asked after each step to wait so long [s]; True ends the work early.
    progress : callable
        Told at first and after each step how many hours are still due, as `store.rollups.backlog` counts them.

    Returns
    -------
    int
        Hours still due, marks that came meanwhile among them.
    """
    newest: list[store.Marked] = []
    collected = -math.inf
    due, ended = 0, False
    while not ended:
        if not newest and time.monotonic() - collected >= EVERY:
            newest = store.collect(connection, newest=_NEWEST)
            collected = time.monotonic()
            due = store.backlog(connection)
            progress(due)
            if not due:
                return 0
        began = time.monotonic()
        taken = _work(connection, zone=zone, first=newest[:_HOURS], limit=_HOURS)
        newest = newest[_HOURS:]
        # What was counted may have been a part, and marks come meanwhile: counted anew when that is done.
        more = taken >= _HOURS
        due = (max(0, due - taken) if more else 0) or store.backlog(connection)
        progress(due)
        waits = (_REST_BEHIND if more and due > len(newest) else _REST) * (time.monotonic() - began)
        ended = rest(min(waits, _LONGEST_REST)) or not more
    return due


def _work(connection: Connection, *, zone: str, first: list[store.Marked], limit: int) -> int:
    """As `store.work`; the hour whose numbers cannot be added up is found, told and left out.

    What is too much for one statement is done by halves: a reading of a meter that is read once a year changes the
    8,760 hours before it.
    """
    try:
        return store.work(connection, zone=zone, first=first, limit=limit)
    except TemporaryStoreError as error:
        if error.sqlstate != _TOO_LONG or len(first) + limit == 1:
            raise
        roll_back(connection)
    except PermanentStoreError as error:
        if not error.of_data:
            raise
        roll_back(connection)
        if len(first) + limit == 1:
            left = store.leave_out(connection, first=first, limit=limit)
            _log.warning("an hour has no roll-up: %s: %s", left, error)
            return 1
    half, rest = len(first) // 2, limit // 2
    if not first:
        halves: tuple[tuple[list[store.Marked], int], ...] = (([], rest), ([], limit - rest))
    elif limit:
        halves = ((first, 0), ([], limit))
    else:
        halves = ((first[:half], 0), (first[half:], 0))
    return sum(_work(connection, zone=zone, first=hours, limit=others) for hours, others in halves)


class Roller:
    """A thread that keeps the roll-ups abreast; a database that is away is waited for.

    Parameters
    ----------
    url : str
        Of the database.
    zone : str
        Whose midnight begins a day.

    Attributes
    ----------
    due : int
        Hours that waited after the last step, marks not yet taken over among them; of very many, about a hundred
        thousand.
    """

    def __init__(self, url: str, *, zone: str) -> None:
        self.due = 0
        self._abreast = time.monotonic()
        self._url = url
        self._zone = zone
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="rollups", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; the step under way is finished or, after some seconds, abandoned."""
        self._stop.set()
        self._thread.join(5.0)

    def age(self) -> float:
        """Since the roll-ups were last abreast of the readings [s]."""
        return time.monotonic() - self._abreast

    def check(self) -> None:
        """Raise what ended the thread before its time."""
        if self._failure is not None:
            raise self._failure

    def _note(self, due: int) -> None:
        self.due = due

    def _run(self) -> None:
        connection: Connection | None = None
        pause = 0.0
        warned = zoned = False
        try:
            while not self._stop.wait(pause):
                try:
                    if connection is None or connection.closed:
                        connection = reconnect(self._url, application="rollups")
                        zoned = False
                    if not zoned:
                        # Before anything is computed: days of two zones do not fit beside each other.
                        store.use_zone(connection, self._zone)
                        zoned = True
                    bring_up_to_date(connection, zone=self._zone, rest=self._stop.wait, progress=self._note)
                    self._abreast = time.monotonic()
                    warned = False
                except TemporaryStoreError as error:
                    if not warned:
                        _log.warning("the roll-ups wait: %s", error)
                    warned = True
                    if connection is not None:
                        roll_back(connection)
                pause = EVERY
        except BaseException as error:  # noqa: BLE001  (the thread of the timers raises it)
            self._failure = error
        finally:
            if connection is not None:
                connection.close()
