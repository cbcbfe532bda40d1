"""How many messages a Thing may send: a token bucket that runs on phenomenon time.

A device in a loop must not take the platform from the others; an honest backlog of a night, delivered in a second,
must pass. Both are told apart by the times of their readings: tokens come back as those advance, not as the messages
arrive. (The algorithm is the token bucket of RFC 2697, section 3, with one colour.)

A message that holds no reading is judged as well, for each of them costs a row of the quarantine: by the time that it
gives, and else by that of its receipt, in a bucket of its own. In that of the readings it would make a backlog that
follows look as if no time passed.
"""

from __future__ import annotations

from itertools import chain
from typing import Final, NamedTuple

import numpy as np

from hypervision.batch import Batch, Bool, Float64, Int32, Int64
from hypervision.datastreams import StreamTable
from hypervision.topics import thing_of

_NEVER: Final = np.iinfo(np.int64).min
# Beyond so many names without a datastream somebody makes them up; all begin anew then.
_MOST_STRANGERS: Final = 100_000


class Judgement(NamedTuple):
    """What a batch does to the buckets; it counts when the batch is committed.

    Attributes
    ----------
    limited : ndarray of int32
        Messages beyond what their Thing may send.
    things : ndarray of int32
        Number of the Thing of each; `Pace.name` tells its name.
    bucket, used, last_us : ndarray, shape (n_buckets,)
        Buckets afterwards.
    """

    limited: Int32
    things: Int32
    bucket: Int32
    used: Float64
    last_us: Int64


class _Asked(NamedTuple):
    """Messages that are judged, in order of arrival; shape (n,) each."""

    message: Int32
    bucket: Int32
    time_us: Int64


class Pace:
    """Two buckets per Thing: one that runs on phenomenon time, one on the time of receipt.

    Parameters
    ----------
    rate : float
        Messages per second of phenomenon time that a Thing may send for ever; 0 for no limit.
    burst : float
        Messages it may send beyond that.

    Notes
    -----
    Things go by the code in their topics, for what cannot be read has no other, and a Thing may be unknown to the
    registry; what comes over a topic that names none goes by the topic.
    """

    def __init__(self, *, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = max(burst, 1.0)
        self._begin()

    def _begin(self) -> None:
        self._things: dict[str, int] = {}
        self._names: list[str] = []
        self._strangers = 0
        self._of_slot: Int32 = np.empty(0, np.int32)
        self._used = np.zeros(1024)
        self._last_us = np.full(1024, _NEVER, np.int64)
        self._received_us = _NEVER

    def judge(self, batch: Batch, streams: StreamTable) -> Judgement:
        """Find the messages of a batch that are too many; what came from no device is not asked.

        Parameters
        ----------
        batch : Batch
            Of these streams.
        """
        if self._rate <= 0 or batch.imported:
            return _nothing()
        if self._strangers > _MOST_STRANGERS:
            self._begin()
        asked = self._read(batch, streams)
        if batch.refusals or batch.statuses:
            asked = self._with_unread(batch, asked)
        if not len(asked.message):
            return _nothing()
        self._heed(int(batch.received_us.max()))
        time_us = np.minimum(asked.time_us, batch.received_us[asked.message])
        limited, found, used, last_us = self._fill(asked.bucket, time_us)
        return Judgement(asked.message[limited], asked.bucket[limited] // 2, found, used, last_us)

    def _heed(self, received_us: int) -> None:
        """A clock that was set back takes the buckets along: else no token came back before it is where it was."""
        if received_us < self._received_us:
            np.minimum(self._last_us, received_us, out=self._last_us)
        self._received_us = received_us

    def noted(self, judgement: Judgement) -> None:
        """The batch is committed."""
        self._used[judgement.bucket] = judgement.used
        self._last_us[judgement.bucket] = judgement.last_us

    def name(self, thing: int) -> str:
        """What a Thing of the newest judgement is called: its code, or a topic that names none."""
        return self._names[thing]

    def _read(self, batch: Batch, streams: StreamTable) -> _Asked:
        """Messages with readings, by the time of the first."""
        known = len(self._of_slot)
        if len(streams.keys) > known:
            fresh = [self._thing(thing) for _, thing, _ in streams.keys[known:]]
            self._of_slot = np.concatenate([self._of_slot, np.array(fresh, np.int32)])
        message, first = np.unique(batch.message, return_index=True)
        if not all(batch.payloads):
            asked = np.array([bool(batch.payloads[m]) for m in message], np.bool_)
            message, first = message[asked], first[asked]
        return _Asked(message, 2 * self._of_slot[batch.slot[first]], batch.time_us[first])

    def _with_unread(self, batch: Batch, asked: _Asked) -> _Asked:
        """Those without a reading too: refused whole, or a word about the link."""
        told = chain((refusal.message for refusal in batch.refusals), (status.message for status in batch.statuses))
        unread = np.setdiff1d(np.fromiter(told, np.int32), batch.message).astype(np.int32)
        if not len(unread):
            return asked
        moments = dict(batch.moments)
        buckets: list[int] = []
        times: list[int] = []
        for message in unread.tolist():
            topic = batch.topics[message]
            thing = self._stranger(thing_of(topic) or topic)
            time_us = moments.get(message)
            buckets.append(2 * thing + (time_us is None))
            times.append(int(batch.received_us[message]) if time_us is None else time_us)
        message = np.concatenate([asked.message, unread])
        order = np.argsort(message)
        return _Asked(
            message[order],
            np.concatenate([asked.bucket, np.array(buckets, np.int32)])[order],
            np.concatenate([asked.time_us, np.array(times, np.int64)])[order],
        )

    def _thing(self, name: str) -> int:
        found = self._things.get(name)
        if found is None:
            found = self._things[name] = len(self._names)
            self._names.append(name)
        return found

    def _stranger(self, name: str) -> int:
        self._strangers += name not in self._things
        return self._thing(name)

    def _fill(self, bucket: Int32, time_us: Int64) -> tuple[Bool, Int32, Float64, Int64]:
        limited: Bool = np.zeros(len(bucket), np.bool_)
        found, of, count = np.unique(bucket, return_inverse=True, return_counts=True)
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

    def _cover(self, bucket: Int32) -> None:
        size = len(self._used)
        if int(bucket[-1]) < size:
            return
        wanted = max(2 * size, int(bucket[-1]) + 1)
        self._used = np.concatenate([self._used, np.zeros(wanted - size)])
        self._last_us = np.concatenate([self._last_us, np.full(wanted - size, _NEVER, np.int64)])


def _nothing() -> Judgement:
    none = np.empty(0, np.int32)
    return Judgement(none, none, none, np.empty(0), np.empty(0, np.int64))
