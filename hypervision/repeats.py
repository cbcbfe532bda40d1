"""A refused message that the broker delivers again, after its collector was killed, is refused once.

A reading has its key, and a message with a counter its identity; what cannot even be read has only its content. It
is therefore compared with the rows of the quarantine that a predecessor may have written without its answer reaching
the broker, and only where the broker itself says that it has delivered it before: what a device sends twice is two
messages. What this process itself has refused, its collector knows better.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from hypervision.batch import Batch, Refusal
from hypervision.store import outages, rejected
from hypervision.store.connection import Connection

# What was committed and not acknowledged when a collector died is among its last messages, of which a broker sends
# 60,000 ahead at most; other writers may have refused something meanwhile.
_ROWS: Final = 200_000
# So long before its last sign of life may a collector have received what it had not answered then: the batches that
# wait, the one that is committed, a beat, and an answer under way.
_MARGIN: Final = timedelta(seconds=30)
_MOST_REMEMBERED: Final = 100_000


class Repeats:
    """Which rows of the quarantine a redelivery was found in; each stands for one delivery."""

    def __init__(self) -> None:
        self._newest: int | None = None
        self._beaten: float = 0.0
        self._followed = False
        self._taken: Counter[bytes] = Counter()
        self._pending: Mapping[bytes, int] = {}

    def follow(self, connection: Connection, writer: str) -> None:
        """Look which rows a predecessor may have left unanswered, before this writer gives its first sign of life."""
        if self._followed:
            return
        last = outages.last_beat(connection, writer)
        if last is not None:
            beat_at, now = last
            self._beaten = time.monotonic() - (now - beat_at).total_seconds()
            self._newest = rejected.newest(connection)
        self._followed = True

    def left(self, connection: Connection, batch: Batch, refusals: list[Refusal], *, now: datetime) -> list[Refusal]:
        """The refusals without those of messages that are in the quarantine already; `noted` follows the commit.

        Parameters
        ----------
        now : datetime
            By the clock that gives messages their times of receipt, which the database's need not agree with.
        """
        self._pending = {}
        if self._newest is None or not batch.again or not refusals:
            return refusals
        again = set(batch.again)
        messages = sorted({refusal.message for refusal in refusals if refusal.message in again})
        if not messages:
            return refusals
        silent = timedelta(seconds=time.monotonic() - self._beaten)
        known = self._known(connection, batch, messages, rejected.Window(now - silent - _MARGIN, self._newest, _ROWS))
        return [refusal for refusal in refusals if refusal.message not in known]

    def noted(self) -> None:
        """The batch is committed."""
        if self._pending:
            if len(self._taken) > _MOST_REMEMBERED:
                self._taken.clear()
            self._taken.update(self._pending)
            self._pending = {}

    def _known(
        self, connection: Connection, batch: Batch, messages: Sequence[int], window: rejected.Window
    ) -> set[int]:
        refused = [rejected.Refused(batch.topics[i], batch.payloads[i]) for i in messages]
        alike: dict[bytes, list[int]] = {}
        distinct: dict[bytes, rejected.Refused] = {}
        for message, one in zip(messages, refused, strict=True):
            key = blake2b(f"{one.topic}\0".encode("utf-8", "replace") + one.payload, digest_size=16).digest()
            alike.setdefault(key, []).append(message)
            distinct[key] = one
        found = rejected.repeated(connection, list(distinct.values()), window)
        numbers = dict(zip(distinct, found, strict=True))
        pending: dict[bytes, int] = {}
        known: set[int] = set()
        for key, same in alike.items():
            free = max(numbers[key] - self._taken[key], 0)
            if free:
                known.update(same[:free])
                pending[key] = len(same[:free])
        self._pending = pending
        return known
