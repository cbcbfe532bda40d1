"""What is held and not yet acknowledged, so that the broker's redelivery of it counts nothing."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Final

# Of a lost connection, what was acknowledged this shortly before may not have reached the broker [s].
_UNSURE: Final = 5.0
_MOST_REMEMBERED: Final = 100_000
# Brokers redeliver at the latest when their timer ends (tens of seconds); what has not come by then will not [s].
_REMEMBERED: Final = 600.0


def digest(topic: str, payload: bytes) -> bytes:
    """What makes two messages without a key of their own equal (BLAKE2b, RFC 7693)."""
    told = blake2b(topic.encode("utf-8", "replace"), digest_size=16)
    told.update(b"\0" + payload)
    return told.digest()


class Held:
    """Packet ids of the present connection, and messages without an identity of their own.

    Notes
    -----
    MQTT reuses a packet id only after its acknowledgement, so while one is held the same id, marked DUP, is the same
    delivery. A message with neither time nor number, or one that was refused, has nothing but its content: it is
    remembered from its commit until its acknowledgement certainly arrived.
    """

    def __init__(self) -> None:
        self._mids: set[int] = set()
        self._answered: dict[int, float] = {}
        # By age: when each was answered last.
        self._sent: OrderedDict[tuple[int, bytes], float] = OrderedDict()
        self._expected: Counter[bytes] = Counter()
        self._doubted: set[tuple[int, bytes]] = set()
        self._expected_until = 0.0

    def __len__(self) -> int:
        return len(self._mids)

    @property
    def remembered(self) -> int:
        """Digests of messages without an identity that may come again."""
        return len(self._sent) + len(self._expected) + len(self._doubted)

    def answerable(self, mids: Sequence[int], again: Iterable[int], *, now: float) -> Sequence[int]:
        """The packet ids of a chunk, 0 where no answer may be sent.

        A message marked DUP whose id was answered on this connection a moment ago was sent before the answer arrived.
        It needs no other, and another might answer the next message of that id.
        """
        crossed = [
            index
            for index in again
            if now - self._answered.get(mids[index], -_UNSURE) < _UNSURE and mids[index] not in self._mids
        ]
        if not crossed:
            return mids
        found = list(mids)
        for index in crossed:
            found[index] = 0
        return found

    def take(self, mids: Sequence[int], again: Iterable[int] = ()) -> list[int] | None:
        """Hold the messages of a chunk.

        Parameters
        ----------
        again : iterable of int
            Indices of those marked DUP. One that is not marked is new whatever its packet id (MQTT 3.1.1, section
            3.3.1.1): Mosquitto 2.0 exceeds its window while answers come in, until packet ids come round.

        Returns
        -------
        list of int or None
            Indices of those that are new; None when all are.
        """
        fresh = set(mids)
        if len(fresh) == len(mids) and 0 not in fresh and self._mids.isdisjoint(fresh):
            self._mids |= fresh
            return None
        held, marked = self._mids, set(again)
        new: list[int] = []
        for index, mid in enumerate(mids):
            if mid == 0:
                new.append(index)
            elif mid not in held:
                held.add(mid)
                new.append(index)
            elif index not in marked:
                new.append(index)
        return None if len(new) == len(mids) else new

    def acknowledged(self, mids: Iterable[int], anonymous: Iterable[tuple[int, bytes]], *, now: float) -> None:
        """Let go what was acknowledged.

        Parameters
        ----------
        anonymous : iterable of (mid, digest)
            Those of them without a key of their own.
        now : float
            Monotonic clock [s].
        """
        answered = dict.fromkeys(mids, now)
        self._mids -= answered.keys()
        self._answered |= answered
        for one in anonymous:
            self._sent[one] = now
            self._sent.move_to_end(one)
        while self._sent and (len(self._sent) > _MOST_REMEMBERED or self._sent[next(iter(self._sent))] < now - _UNSURE):
            self._sent.popitem(last=False)

    def disconnected(self, unacknowledged: Iterable[tuple[int, bytes]], *, now: float) -> None:
        """Forget the packet ids of a connection that is gone; remember what was committed without answer.

        Parameters
        ----------
        unacknowledged : iterable of (mid, digest)
            Committed messages without a key of their own whose acknowledgement was not sent.
        """
        self._mids.clear()
        self._answered.clear()
        if now > self._expected_until or len(self._expected) + len(self._doubted) > _MOST_REMEMBERED:
            self._expected.clear()
            self._doubted.clear()
        self._expected_until = now + _REMEMBERED
        self._expected.update(key for _, key in unacknowledged)
        # Answered, but perhaps not heard: only the same packet id is the same message, for an equal one may follow.
        self._doubted.update(one for one, at in self._sent.items() if at >= now - _UNSURE)
        self._sent.clear()

    def is_redelivery(self, mid: int, topic: str, payload: bytes, *, now: float) -> bool:
        """Whether a message marked DUP is one that was committed already."""
        if not (self._expected or self._doubted or self._sent):
            return False
        key = digest(topic, payload)
        if now <= self._expected_until:
            if (mid, key) in self._doubted:
                self._doubted.discard((mid, key))
                return True
            if self._expected[key] > 0:
                self._expected[key] -= 1
                return True
        # Sent by the broker before our acknowledgement reached it.
        return (mid, key) in self._sent
