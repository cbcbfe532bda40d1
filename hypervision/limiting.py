"""Messages beyond a Thing's pace: one row of the quarantine per Thing and minute, however many there are."""

from __future__ import annotations

import numpy as np

from hypervision.batch import Batch
from hypervision.pace import Judgement, Pace
from hypervision.settings import IngestSettings
from hypervision.store import limits as store
from hypervision.store.connection import Connection
from hypervision.topics import thing_of

_MINUTE_US = 60_000_000


class Limiter:
    """The pace of every Thing of one writer, and the rows that count what was beyond it."""

    def __init__(self, settings: IngestSettings) -> None:
        self.pace = Pace(rate=settings.rate, burst=settings.burst)
        # Per Thing the minute [since the epoch] and the row that counts in it.
        self._rows: dict[str, tuple[int, int]] = {}
        self._detail = (
            f"more than {settings.rate:g} messages a second from one Thing (ingest.rate, ingest.burst); "
            "this is the first of them"
        )

    def reject(self, connection: Connection, batch: Batch, judgement: Judgement) -> dict[str, tuple[int, int]]:
        """Count what was beyond the pace, in the batch's transaction.

        Returns
        -------
        dict
            The rows that count now; `noted` takes them when the batch is committed.
        """
        if not len(judgement.limited):
            return {}
        rows: dict[str, tuple[int, int]] = {}
        wanted: dict[str, store.Limited] = {}
        counts: dict[int, int] = {}
        for thing, first, number in _first_of_each(judgement):
            name, message = self.pace.name(thing), int(judgement.limited[first])
            received_us = int(batch.received_us[message])
            known = self._rows.get(name)
            if known is not None and known[0] == received_us // _MINUTE_US:
                counts[known[1]] = number
                rows[name] = known
            topic, payload = batch.topics[message], batch.payloads[message]
            wanted[name] = store.Limited(number, received_us, topic, thing_of(topic), payload)
        counted = set(store.count(connection, counts))
        new = {name: one for name, one in wanted.items() if name not in rows or rows[name][1] not in counted}
        begun = store.put(connection, list(new.values()), self._detail)
        for (name, one), row in zip(new.items(), begun, strict=True):
            rows[name] = (one.received_us // _MINUTE_US, row)
        return rows

    def things(self, now_us: int) -> int:
        """How many Things were beyond their pace in this minute or the one before."""
        since = now_us // _MINUTE_US - 1
        return sum(since <= minute <= since + 1 for minute, _ in list(self._rows.values()))

    def noted(self, judgement: Judgement, rows: dict[str, tuple[int, int]]) -> None:
        """The batch is committed."""
        self.pace.noted(judgement)
        if rows:
            since = max(minute for minute, _ in rows.values()) - 1
            self._rows = {name: row for name, row in self._rows.items() if row[0] >= since} | rows


def _first_of_each(judgement: Judgement) -> list[tuple[int, int, int]]:
    """(number of the Thing, index of its first limited message, how many) of every Thing."""
    things, first, number = np.unique(judgement.things, return_index=True, return_counts=True)
    return [(int(t), int(f), int(n)) for t, f, n in zip(things, first, number, strict=True)]
