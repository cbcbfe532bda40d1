"""The five counters of a collector, changed and read as one."""

from __future__ import annotations

import threading
from typing import NamedTuple

from hypervision.batch import Receipt


class Snapshot(NamedTuple):
    """All five counters at one instant."""

    received: int
    stored: int
    duplicate: int
    rejected: int
    in_flight: int


class Counters:
    """Messages by what became of them; received and in_flight are counted on arrival, on their own.

    Parameters
    ----------
    committed : tuple of int
        Stored, duplicate and rejected at the start, as the database has them.

    Examples
    --------
    >>> counters = Counters((5, 1, 0))
    >>> counters.arrived(3)
    >>> counters.gone(1)
    >>> counters.snapshot()
    Snapshot(received=8, stored=5, duplicate=1, rejected=0, in_flight=2)
    """

    def __init__(self, committed: tuple[int, int, int]) -> None:
        self._lock = threading.Lock()
        self._stored, self._duplicate, self._rejected = committed
        self._received = sum(committed)
        self._in_flight = 0

    def arrived(self, messages: int) -> None:
        """Messages came and are held."""
        with self._lock:
            self._received += messages
            self._in_flight += messages

    def gone(self, messages: int) -> None:
        """Messages that were held are thrown away, to come again over the next connection."""
        with self._lock:
            self._received -= messages
            self._in_flight -= messages

    def settled(self, receipt: Receipt) -> None:
        """A batch is committed."""
        with self._lock:
            self._stored += receipt.stored
            self._duplicate += receipt.duplicate
            self._rejected += receipt.rejected
            self._in_flight -= len(receipt.outcome)

    def snapshot(self) -> Snapshot:
        """All five from one instant."""
        with self._lock:
            return Snapshot(self._received, self._stored, self._duplicate, self._rejected, self._in_flight)
