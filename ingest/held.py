"""What is held and not yet acknowledged, so that the broker's redelivery of it counts nothing."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Final

# Of a lost connection, what was acknowledged this shortly before may not have reached the broker [s].
_UNSURE: Final = 5.0
_MOST_REMEMBERED: Final = 100_000
# Brokers redeliver at the latest when their timer ends (tens of seconds); what has not come by then will not [s].
_REMEMBERED: Final = 600.0


def digest(topic: str, payload: bytes) -> bytes:
    """What makes two messages without time and number equal (BLAKE2b, RFC 7693)."""
    return blake2b(payload, digest_size=16, key=topic.encode("utf-8", "replace")[:64]).digest()


class Held:
    """Packet ids of the present connection, and messages without an identity of their own.

    Notes
    -----
    MQTT reuses a packet id only after its acknowledgement, so while one is held the same id is the same
    delivery. A message with neither time nor number has nothing but its content: it is remembered from its
    commit until its acknowledgement certainly arrived.
    """

    def __init__(self) -> None:
        self._mids: set[int] = set()
        self._sent: deque[tuple[float, int, bytes]] = deque(maxlen=_MOST_REMEMBERED)
        self._expected: Counter[bytes] = Counter()
        self._expected_until = 0.0

    def __len__(self) -> int:
        return len(self._mids)

    def take(self, mids: Sequence[int]) -> list[int] | None:
        """Hold the messages of a chunk.

        Returns
        -------
        list of int or None
            Indices of those that are new; None when all are.
        """
        fresh = set(mids)
        if len(fresh) == len(mids) and 0 not in fresh and self._mids.isdisjoint(fresh):
            self._mids |= fresh
            return None
        held = self._mids
        new: list[int] = []
        for index, mid in enumerate(mids):
            if mid == 0:
                new.append(index)
            elif mid not in held:
                held.add(mid)
                new.append(index)
        return None if len(new) == len(mids) else new

    def acknowledged(self, mids: Iterable[int], anonymous: Iterable[tuple[int, bytes]], *, now: float) -> None:
        """Let go what was acknowledged.

        Parameters
        ----------
        anonymous : iterable of (mid, digest)
            Those of them without time and number.
        now : float
            Monotonic clock [s].
        """
        self._mids.difference_update(mids)
        while self._sent and self._sent[0][0] < now - _UNSURE:
            self._sent.popleft()
        self._sent.extend((now, mid, key) for mid, key in anonymous)

    def disconnected(self, unacknowledged: Iterable[tuple[int, bytes]], *, now: float) -> None:
        """Forget the packet ids of a connection that is gone; remember what was committed without answer.

        Parameters
        ----------
        unacknowledged : iterable of (mid, digest)
            Committed messages without time and number whose acknowledgement was not sent.
        """
        self._mids.clear()
        if now > self._expected_until or len(self._expected) > _MOST_REMEMBERED:
            self._expected.clear()
        self._expected_until = now + _REMEMBERED
        self._expected.update(key for _, key in unacknowledged)
        self._expected.update(key for at, _, key in self._sent if at >= now - _UNSURE)
        self._sent.clear()

    def is_redelivery(self, mid: int, topic: str, payload: bytes, *, now: float) -> bool:
        """Whether a message marked DUP is one that was committed already."""
        if not self._expected and not self._sent:
            return False
        key = digest(topic, payload)
        if self._expected[key] > 0 and now <= self._expected_until:
            self._expected[key] -= 1
            return True
        # Sent by the broker before our acknowledgement reached it.
        return any(known == key and number == mid for _, number, known in self._sent)
