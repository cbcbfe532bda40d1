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
        self._rows: dict[int, tuple[int, int]] = {}
        self._detail = (
            f"more than {settings.rate:g} messages a second from one Thing (ingest.rate, ingest.burst); "
            "this is the first of them"
        )

    def reject(self, connection: Connection, batch: Batch, judgement: Judgement) -> dict[int, tuple[int, int]]:
        """Count what was beyond the pace, in the batch's transaction.

        Returns
        -------
        dict
            The rows that count now; `noted` takes them when the batch is committed.
        """
        if not len(judgement.limited):
            return {}
        rows: dict[int, tuple[int, int]] = {}
        wanted: list[tuple[int, store.Limited]] = []
        counts: dict[int, tuple[int, int]] = {}
        for thing, first, number in _first_of_each(judgement):
            message = int(judgement.limited[first])
            minute = int(batch.received_us[message]) // _MINUTE_US
            known = self._rows.get(thing)
            if known is not None and known[0] == minute:
                counts[known[1]] = (thing, number)
                rows[thing] = known
            topic, payload = batch.topics[message], batch.payloads[message]
            wanted.append(
                (minute, store.Limited(thing, number, int(batch.received_us[message]), topic, thing_of(topic), payload))
            )
        counted = store.count(connection, {row: number for row, (_, number) in counts.items()})
        again = {counts[row][0] for row in counted}
        new = [(minute, one) for minute, one in wanted if one.thing_id not in again]
        for (minute, one), row in zip(new, store.put(connection, [one for _, one in new], self._detail), strict=True):
            rows[one.thing_id] = (minute, row)
        return rows

    def things(self, now_us: int) -> int:
        """How many Things were beyond their pace in this minute or the one before."""
        since = now_us // _MINUTE_US - 1
        return sum(minute >= since for minute, _ in list(self._rows.values()))

    def noted(self, judgement: Judgement, rows: dict[int, tuple[int, int]]) -> None:
        """The batch is committed."""
        self.pace.noted(judgement)
        self._rows |= rows


def _first_of_each(judgement: Judgement) -> list[tuple[int, int, int]]:
    """(thing_id, index of its first limited message, how many) of every Thing."""
    things, first, number = np.unique(judgement.things, return_index=True, return_counts=True)
    return [(int(t), int(f), int(n)) for t, f, n in zip(things, first, number, strict=True)]
