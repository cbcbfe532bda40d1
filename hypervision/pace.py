"""How many messages a Thing may send: a token bucket that runs on phenomenon time.

A device in a loop must not take the platform from the others; an honest backlog of a night, delivered in a second,
must pass. Both are told apart by the times of their readings: tokens come back as those advance, not as the messages
arrive. (The algorithm is the token bucket of RFC 2697, section 3, with one colour.)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hypervision.batch import Batch, Bool, Float64, Int32, Int64
from hypervision.datastreams import StreamTable

_NEVER = np.iinfo(np.int64).min


class Judgement(NamedTuple):
    """What a batch does to the buckets; it counts when the batch is committed.

    Attributes
    ----------
    limited : ndarray of int32
        Messages beyond what their Thing may send.
    things : ndarray of int32
        Things of those messages.
    thing, used, last_us : ndarray, shape (n_things,)
        Buckets afterwards.
    """

    limited: Int32
    things: Int32
    thing: Int32
    used: Float64
    last_us: Int64


class Pace:
    """A bucket per Thing.

    Parameters
    ----------
    rate : float
        Messages per second of phenomenon time that a Thing may send for ever; 0 for no limit.
    burst : float
        Messages it may send beyond that.
    """

    def __init__(self, *, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = max(burst, 1.0)
        self._used = np.zeros(1024)
        self._last_us = np.full(1024, _NEVER, np.int64)

    def judge(self, batch: Batch, streams: StreamTable) -> Judgement:
        """Find the messages of a batch that are too many; what came from no device is not asked.

        Parameters
        ----------
        batch : Batch
            With slots that are resolved.
        """
        if self._rate <= 0 or batch.imported or not len(batch):
            return _nothing()
        message, first = np.unique(batch.message, return_index=True)
        thing = streams.thing_id[batch.slot[first]]
        asked = (thing >= 0) & np.array([bool(batch.payloads[m]) for m in message], np.bool_)
        message, thing = message[asked], thing[asked]
        time_us = np.minimum(batch.time_us[first[asked]], batch.received_us[message])
        limited, found, used, last_us = self._fill(thing, time_us)
        return Judgement(message[limited].astype(np.int32), thing[limited], found, used, last_us)

    def noted(self, judgement: Judgement) -> None:
        """The batch is committed."""
        self._used[judgement.thing] = judgement.used
        self._last_us[judgement.thing] = judgement.last_us

    def _fill(self, thing: Int32, time_us: Int64) -> tuple[Bool, Int32, Float64, Int64]:
        limited: Bool = np.zeros(len(thing), np.bool_)
        found, of, count = np.unique(thing, return_inverse=True, return_counts=True)
        self._cover(found)
        newest = np.full(len(found), _NEVER, np.int64)
        np.maximum.at(newest, of, time_us)
        last = self._last_us[found]
        fresh = last == _NEVER
        newest = np.where(fresh, newest, np.maximum(newest, last))
        back = np.where(fresh, 0.0, (newest - np.where(fresh, newest, last)) * (self._rate / 1e6))
        used: Float64 = (np.maximum(self._used[found] - back, 0.0) + count).astype(np.float64)
        for index in np.flatnonzero(used > self._burst):
            rows = np.flatnonzero(of == index)
            level, at = float(self._used[found[index]]), int(last[index])
            for row in rows:
                now = max(at, int(time_us[row]))
                level = max(0.0, level - (0.0 if at == _NEVER else (now - at) * (self._rate / 1e6)))
                at = now
                limited[row] = level + 1 > self._burst
                level += not limited[row]
            used[index] = level
        return limited, found.astype(np.int32), used, newest

    def _cover(self, thing: Int32) -> None:
        size = len(self._used)
        if not len(thing) or int(thing[-1]) < size:
            return
        wanted = max(2 * size, int(thing[-1]) + 1)
        self._used = np.concatenate([self._used, np.zeros(wanted - size)])
        self._last_us = np.concatenate([self._last_us, np.full(wanted - size, _NEVER, np.int64)])


def _nothing() -> Judgement:
    none = np.empty(0, np.int32)
    return Judgement(none, none, none, np.empty(0), np.empty(0, np.int64))
