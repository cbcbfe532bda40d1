"""Messages on their way: columns, and the faults of clocks and links as pure functions on them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from simulators.localtime import SECOND_US
from simulators.noise import Int64, uniform
from simulators.readings import Bool, Int32, Readings

_LATENCY_US = (40_000, 900_000)
_REPEAT_US = 2 * SECOND_US
_SHUFFLE_US = (3 * SECOND_US, 30 * SECOND_US)
# A reading further ahead of its receipt is refused by the platform (its setting `ingest.future_tolerance`).
_AHEAD_US = 600 * SECOND_US


@dataclass(frozen=True, slots=True)
class Messages:
    """Messages of many devices; each carries the readings of one Thing at one instant.

    Attributes
    ----------
    thing : ndarray of int32, shape (n,)
        Index into the Things.
    time_us : ndarray of int64, shape (n,)
        What the device's clock says [us].
    sent_us : ndarray of int64, shape (n,)
        When it reaches the broker [us].
    seq : ndarray of int64, shape (n,)
        The device's message counter.
    timed : ndarray of bool, shape (n,)
        Whether the time stands in the message.
    first, stop : ndarray of int64, shape (n,)
        Its readings as a range of the readings' columns.
    """

    thing: Int32
    time_us: Int64
    sent_us: Int64
    seq: Int64
    timed: Bool
    first: Int64
    stop: Int64

    def __len__(self) -> int:
        return len(self.thing)

    def take(self, index: Int64 | Bool) -> Messages:
        """Some of the messages, in the order given."""
        return Messages(
            self.thing[index], self.time_us[index], self.sent_us[index], self.seq[index], self.timed[index],
            self.first[index], self.stop[index],
        )  # fmt: skip


def group(readings: Readings, thing_of_stream: Int32, next_seq: Int64, *, key: int) -> tuple[Messages, Int64]:
    """Put readings of one Thing at one instant into one message, and number them.

    Parameters
    ----------
    readings : Readings
        Sorted, datastreams of a Thing being neighbours.
    thing_of_stream : ndarray of int32, shape (n_streams,)
        The Thing of each datastream.
    next_seq : ndarray of int64, shape (n_things,)
        Number of each Thing's next message.
    key : int
        Source of chance for the time on the way.

    Returns
    -------
    messages : Messages
        In order of time.
    next_seq : ndarray of int64, shape (n_things,)
        The counters after them.
    """
    thing = thing_of_stream[readings.stream]
    n = len(thing)
    opens = np.ones(n, np.bool_)
    opens[1:] = (np.diff(thing) != 0) | (np.diff(readings.time_us) != 0)
    first = np.flatnonzero(opens)
    stop = np.append(first[1:], n)[: len(first)]
    owner, time_us = thing[first], readings.time_us[first]
    # The k-th message of a Thing in this stretch gets its counter plus k.
    order = np.argsort(owner, kind="stable")
    ranked = owner[order]
    begins = np.ones(len(ranked), np.bool_)
    begins[1:] = np.diff(ranked) != 0
    starts = np.maximum.accumulate(np.where(begins, np.arange(len(ranked)), 0))
    rank = np.empty(len(ranked), np.int64)
    rank[order] = np.arange(len(ranked)) - starts
    after = next_seq + np.bincount(owner, minlength=len(next_seq))
    low, high = _LATENCY_US
    latency = low + (uniform(key, time_us // 1_000 * 4_099 + owner) * (high - low)).astype(np.int64)
    messages = Messages(
        owner, time_us, time_us + latency, next_seq[owner] + rank, np.ones(len(first), np.bool_), first, stop
    )
    return messages, after


def chosen(messages: Messages, hit: Bool, share: float, key: int) -> Bool:
    """A share of the messages that a fault concerns, shape (n,); the same ones whenever it is asked."""
    some: Bool = hit & (uniform(key, messages.time_us // 1_000) < share)
    return some


def dropout(messages: Messages, hit: Bool) -> Messages:
    """Lose messages; their counters show the gap."""
    return messages.take(~hit)


def duplicate(messages: Messages, hit: Bool) -> Messages:
    """Send messages a second time, unchanged, two seconds later."""
    again = messages.take(hit)
    again = replace(again, sent_us=again.sent_us + _REPEAT_US)
    return _joined(messages, again)


def late(messages: Messages, hit: Bool, *, delay_us: int) -> Messages:
    """Hold messages back for a time; what they say stays true."""
    return replace(messages, sent_us=messages.sent_us + np.where(hit, delay_us, 0))


def out_of_order(messages: Messages, hit: Bool, *, key: int) -> Messages:
    """Hold each message back for a time of its own, so that newer ones overtake it."""
    low, high = _SHUFFLE_US
    delay = low + (uniform(key ^ 1, messages.time_us // 1_000) * (high - low)).astype(np.int64)
    return replace(messages, sent_us=messages.sent_us + np.where(hit, delay, 0))


def clock_skew(messages: Messages, hit: Bool, *, skew_us: int) -> Messages:
    """Let the device's clock be wrong: ahead when positive."""
    return replace(messages, time_us=messages.time_us + np.where(hit, skew_us, 0))


def missing_time(messages: Messages, hit: Bool) -> Messages:
    """Leave the time out; the counter stays."""
    return replace(messages, timed=messages.timed & ~hit)


class Arrived(NamedTuple):
    """Readings as a database holds them.

    Attributes
    ----------
    readings : Readings
        Each at the time it is stored with.
    assumed : ndarray of bool, shape (n,)
        Whether that time is the one of receipt, because the message had none.
    """

    readings: Readings
    assumed: Bool

    def where(self, keep: Bool) -> Arrived:
        """Those for which `keep` holds."""
        return Arrived(self.readings.where(keep), self.assumed[keep])


def arrived(readings: Readings, messages: Messages) -> Arrived:
    """What a platform stores of messages: each once, in order of arrival, at its own time or that of its receipt."""
    order = np.lexsort((messages.seq, messages.thing, messages.sent_us))
    messages = messages.take(order[messages.time_us[order] - messages.sent_us[order] <= _AHEAD_US])
    # A counter that was heard already is a repeated message.
    _, once = np.unique(np.stack([messages.thing.astype(np.int64), messages.seq]), axis=1, return_index=True)
    messages = messages.take(np.sort(once))
    length = messages.stop - messages.first
    begins = np.repeat(messages.first - np.append(0, np.cumsum(length))[:-1], length)
    row = begins + np.arange(len(begins))
    stream = readings.stream[row]
    time_us = np.repeat(np.where(messages.timed, messages.time_us, messages.sent_us), length)
    # Of two readings of one datastream at one instant the first one stays; the order is stable.
    order = np.lexsort((stream, time_us))
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (np.diff(stream[order]) != 0) | (np.diff(time_us[order]) != 0)
    order = order[fresh]
    stored = replace(readings, stream=stream[order], time_us=time_us[order], result=readings.result[row][order])
    return Arrived(stored, np.repeat(~messages.timed, length)[order])


def _joined(one: Messages, other: Messages) -> Messages:
    columns = {name: np.concatenate([getattr(one, name), getattr(other, name)]) for name in Messages.__slots__}
    return Messages(**columns)
