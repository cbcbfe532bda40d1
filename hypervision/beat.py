"""The beat of a writer: its counters of one instant, once a second, on a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hypervision.errors import TemporaryStoreError
from hypervision.store.connection import Connection, mapped
from hypervision.store.versions import reconnect
from hypervision.store.writer import publish
from hypervision.timekeeping import Clock

# At most ten hints a second and writer.
_HINT_EVERY: Final = timedelta(seconds=0.1)


@dataclass(frozen=True, slots=True)
class Counters:
    """Messages of a writer at one instant; received is the sum of the others."""

    received: int
    stored: int
    duplicate: int
    rejected: int
    in_flight: int


class Beat:
    """Publishes counters, and tells the clock what the database says; safe beside the writer's own transactions."""

    def __init__(self, url: str, name: str, clock: Clock) -> None:
        self._url = url
        self._name = name
        self._clock = clock
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    def publish(
        self, writer_id: int, counters: Counters, *, age: float, link: str, detail: Mapping[str, object]
    ) -> None:
        """Publish the counters of one instant.

        Raises
        ------
        TemporaryStoreError
            The database is away; the next beat tries again.
        PermanentStoreError
            The counters do not add up.
        """
        with self._lock:
            if self._connection is None or self._connection.closed:
                self._connection = reconnect(self._url, application=f"{self._name} beat")
                self._connection.autocommit = True
            try:
                with mapped():
                    began = self._clock.steady()
                    at = publish(
                        self._connection,
                        writer_id,
                        age=age,
                        received=counters.received,
                        stored=counters.stored,
                        duplicate=counters.duplicate,
                        rejected=counters.rejected,
                        in_flight=counters.in_flight,
                        link=link,
                        detail=dict(detail),
                    )
                    self._clock.told(at, began=began)
            except TemporaryStoreError:
                self._connection.close()
                raise

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


class Hints:
    """How often the screens are told that there is something new; they poll as well."""

    def __init__(self) -> None:
        self._last: datetime | None = None

    def due(self, now: datetime) -> bool:
        """Whether a commit of this instant carries a hint."""
        if self._last is not None and abs(now - self._last) < _HINT_EVERY:
            return False
        self._last = now
        return True
