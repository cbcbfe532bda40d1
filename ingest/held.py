"""What is held and not yet acknowledged, so that the broker's redelivery of it counts nothing."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
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


def contents(names: Sequence[str], payloads: Sequence[bytes]) -> list[int]:
    """What tells messages of this process from others, at a hundredth of the price of `digest`."""
    return list(map(hash, zip(names, payloads, strict=True)))


class Held:
    """Packet ids of the present connection, and messages without an identity of their own.

    Notes
    -----
    MQTT reuses a packet id only after its acknowledgement, so while one is held the same id, marked DUP, is the same
    delivery. Once it is acknowledged the id says nothing more: NATS before 2.15 begins at 1 again whenever nothing is
    under way, and what a connection before held comes marked DUP under any id. A message with neither time nor number,
    or one that was refused, has nothing but its content: it is remembered from its commit until its acknowledgement
    certainly arrived.

    Attributes
    ----------
    proved : float
        What was answered before is known to have reached the broker (monotonic clock [s]); a line may swallow answers
        for long before it is given up. Infinity where nobody asks.
    """

    def __init__(self) -> None:
        self.proved = math.inf
        self._mids: set[int] = set()
        self._answered: dict[int, float] = {}
        self._answered_content: dict[int, int] = {}
        # By age: when each was answered last.
        self._sent: OrderedDict[tuple[int, bytes], float] = OrderedDict()
        self._expected: Counter[bytes] = Counter()
        self._doubted: set[tuple[int, bytes]] = set()
        # What was expected and came, until it is acknowledged.
        self._met: set[tuple[int, bytes]] = set()
        self._expected_until = 0.0

    def __len__(self) -> int:
        return len(self._mids)

    @property
    def remembered(self) -> int:
        """Digests of messages without an identity that may come again."""
        return len(self._sent) + len(self._expected) + len(self._doubted) + len(self._met)

    def answerable(
        self, mids: Sequence[int], again: Iterable[int], told: Callable[[int], int], *, now: float
    ) -> Sequence[int]:
        """The packet ids of a chunk, 0 where no answer may be sent.

        A message marked DUP that was answered on this connection a moment ago was sent before the answer arrived.
        It needs no other, and another might answer the next message of that id.

        Parameters
        ----------
        told : callable
            The content (`contents`) of the message at an index: another one that came under an id which is free again
            wants an answer of its own.
        """
        crossed = [
            index
            for index in again
            if now - self._answered.get(mids[index], -_UNSURE) < _UNSURE
            and mids[index] not in self._mids
            and self._answered_content[mids[index]] == told(index)
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

    def acknowledged(
        self,
        mids: Sequence[int],
        told: Sequence[int],
        anonymous: Iterable[tuple[int, bytes]],
        *,
        now: float,
    ) -> None:
        """Let go what was acknowledged.

        Parameters
        ----------
        told : sequence of int
            Their `contents`.
        anonymous : iterable of (mid, digest)
            Those of them without a key of their own.
        now : float
            Monotonic clock [s].
        """
        answered = dict.fromkeys(mids, now)
        self._mids -= answered.keys()
        self._answered |= answered
        self._answered_content |= dict(zip(mids, told, strict=True))
        for one in anonymous:
            self._sent[one] = now
            self._sent.move_to_end(one)
            self._met.discard(one)
        since = self._unsure_since(now)
        while self._sent and (len(self._sent) > _MOST_REMEMBERED or self._sent[next(iter(self._sent))] < since):
            self._sent.popitem(last=False)

    def _unsure_since(self, now: float) -> float:
        return min(now, self.proved) - _UNSURE

    def disconnected(self, unacknowledged: Iterable[tuple[int, bytes]], *, now: float) -> None:
        """Forget the packet ids of a connection that is gone; remember what was committed without answer.

        What was expected, came, and was thrown away with its batch is expected once more.

        Parameters
        ----------
        unacknowledged : iterable of (mid, digest)
            Committed messages without a key of their own whose acknowledgement was not sent.
        """
        self._mids.clear()
        self._answered.clear()
        self._answered_content.clear()
        if now > self._expected_until or len(self._expected) + len(self._doubted) > _MOST_REMEMBERED:
            self._expected.clear()
            self._doubted.clear()
        self._expected_until = now + _REMEMBERED
        pairs = list(unacknowledged)
        self._expected.update(key for _, key in (*pairs, *self._met.difference(pairs)))
        self._met.clear()
        # Answered, but perhaps not heard: only the same packet id is the same message, for an equal one may follow.
        since = self._unsure_since(now)
        self._doubted.update(one for one, at in self._sent.items() if at >= since)
        self._sent.clear()

    def is_redelivery(self, mid: int, topic: str, payload: bytes, *, now: float) -> bool:
        """Whether a message marked DUP is one that was committed already."""
        if not (self._expected or self._doubted or self._sent):
            return False
        key = digest(topic, payload)
        one = (mid, key)
        if self._sent.get(one, -math.inf) >= self._unsure_since(now):
            return True  # sent by the broker before our acknowledgement reached it
        if now > self._expected_until:
            return False
        if one in self._doubted:
            self._doubted.discard(one)
        elif self._expected[key] > 0:
            self._expected[key] -= 1
        else:
            return False
        self._met.add(one)
        return True
