"""A thread of `watch` that drops what is too old, once a day, and packs what is old, every hour."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

from hypervision import retention
from hypervision.errors import StoreError
from hypervision.settings import StorageSettings
from hypervision.store.connection import Connection, roll_back
from hypervision.store.retention import BY_AGE
from hypervision.store.versions import wait_for_schema

_log = logging.getLogger(__name__)

EVERY: Final = 3600.0
"""Between two rounds [s]."""
AGAIN: Final = 60.0
"""After a round that failed [s]."""


class Keeper:
    """The thread, with a connection of its own; a database that is away is waited for.

    Parameters
    ----------
    url : str
        Of the database.
    clock : callable
        Tells the time.
    """

    def __init__(self, url: str, storage: StorageSettings, *, clock: Callable[[], datetime]) -> None:
        self._url = url
        self._storage = storage
        self._clock = clock
        self._stop = threading.Event()
        self._dropped: date | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="keeping", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what it works on is undone by the database, or goes on the next time."""
        self._stop.set()
        self._thread.join(5.0)

    def check(self) -> None:
        """Raise what ended the thread before its time."""
        if self._failure is not None:
            raise self._failure

    def round(self, connection: Connection, *, now: datetime) -> None:
        """One round: retention where the day is a new one, or failed so far, then packing."""
        today = now.astimezone(UTC).date()
        if today != self._dropped:
            done = retention.drop(connection, self._storage, actor=BY_AGE, now=now)
            if not any(each.failure for each in done):
                self._dropped = today
        retention.pack(connection, self._storage, now=now, stop=self._stop)

    def _run(self) -> None:
        connection: Connection | None = None
        pause = AGAIN
        try:
            # A start is busy enough, and a clock that was wrong at boot has been set by then.
            while not self._stop.wait(pause):
                pause = EVERY
                try:
                    if connection is None or connection.closed:
                        connection = wait_for_schema(self._url, application="keeping", wait=0.0)
                    self.round(connection, now=self._clock())
                except StoreError as error:
                    _log.warning("retention and packing wait: %s", error)
                    pause = AGAIN
                    if connection is not None:
                        roll_back(connection)
        except BaseException as error:  # noqa: BLE001  (the thread of the timers raises it)
            self._failure = error
        finally:
            if connection is not None:
                connection.close()
