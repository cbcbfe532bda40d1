"""The beat of a writer: its counters of one instant, once a second, on a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from hypervision.errors import TemporaryStoreError
from hypervision.store.connection import Connection, mapped
from hypervision.store.versions import reconnect
from hypervision.store.writer import publish


@dataclass(frozen=True, slots=True)
class Counters:
    """Messages of a writer at one instant; received is the sum of the others."""

    received: int
    stored: int
    duplicate: int
    rejected: int
    in_flight: int


class Beat:
    """Publishes counters; safe beside the writer's own transactions."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
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
                    publish(
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
            except TemporaryStoreError:
                self._connection.close()
                raise

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
