"""What the harness publishes: each message says its number in a value, in its payload or in the code of its Thing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ingest.bench.faults.ledger import Entry, Lane

# Many, so that none of them sends more than a Thing may; `lamp_every` divides it, so that the number of a lamp is
# missing in the counters of no other Thing.
METERS: Final = 2_000
STORM: Final = 2_000
"""Devices of the reconnect storm."""
# Ahead by less than ten minutes is stored, ahead by more is refused; a clock behind is history.
SKEWS_MS: Final = (0, 300_000, -59_000, -3_540_000, -86_400_000, -40 * 86_400_000, 3_600_000, 86_400_000)
_REFUSED_FROM_MS: Final = 600_000


def main(*, lamp_every: int = 500) -> Lane:
    """The load: two readings with a time, one with a counter and no time, and now and then a lamp that fails."""

    def make(number: int, now_ms: int) -> tuple[str, bytes]:
        if number % lamp_every == 0:
            return f"urban/v1/lighting/lamp{number:08d}/up", b'{"time":%d,"lamp_state":2}' % now_ms
        thing = number % METERS
        # By Thing, for a device counts the messages of one domain.
        if thing % 3 == 1:
            return f"urban/v1/water/load{thing:04d}/up", b'{"seq":%d,"volume":%d}' % (number // METERS, number)
        # A pole's clock has milliseconds; its number keeps two messages of one millisecond apart.
        values = (now_ms, number // METERS % 1000, number // METERS, number, number)
        payload = b'{"time":%d.%03d,"seq":%d,"energy":%d,"burning_hours":%d}' % values
        return f"urban/v1/lighting/load{thing:04d}/up", payload

    def entry(number: int, now_ms: int) -> Entry:
        if number % lamp_every == 0:
            return Entry(now_ms * 1000, number, 1)
        if number % METERS % 3 == 1:
            return Entry(0, number % METERS, 1)
        return Entry(now_ms * 1000 + number // METERS % 1000, number % METERS, 2)

    return Lane("main", "load", make, entry, ("energy", "burning_hours"))


def lamps(number: int, *, lamp_every: int = 500) -> bool:
    """Whether a message of the load is a lamp that fails."""
    return number % lamp_every == 0


def _single(name: str, *, things: int, seq: bool = False, timed: bool = True) -> Lane:
    """A lane of one volume a message."""

    def make(number: int, now_ms: int) -> tuple[str, bytes]:
        words = [b'"time":%d.%03d' % (now_ms, number // things % 1000)] if timed else []
        words += [b'"seq":%d' % number] if seq else []
        payload = b"{" + b",".join([*words, b'"volume":%d' % number]) + b"}"
        return f"urban/v1/water/{name}{number % things:04d}/up", payload

    def entry(number: int, now_ms: int) -> Entry:
        return Entry(now_ms * 1000 + number // things % 1000 if timed else 0, number % things, 1)

    return Lane(name, name, make, entry, ("volume",), once=timed or seq)


def probe() -> Lane:
    """One Thing, often: tells when new readings are stored again."""
    return _single("probe", things=1)


def anonymous() -> Lane:
    """Neither time nor counter: only its content tells a redelivery."""
    return _single("anon", things=20, timed=False)


def storm() -> Lane:
    """Two thousand devices that come back at once."""
    return _single("storm", things=STORM)


def retained() -> Lane:
    """Readings that the broker keeps and sends again at every subscription."""
    return _single("kept", things=5_000)


def late() -> Lane:
    """Readings of hours ago, delivered in a shuffled order."""

    def make(number: int, now_ms: int) -> tuple[str, bytes]:
        return f"urban/v1/water/late{number % 10:04d}/up", b'{"time":%d,"volume":%d}' % (_past(number, now_ms), number)

    def _past(number: int, now_ms: int) -> int:
        # 7919 is prime to the number of places: the order is mixed, and no time of a day's campaign comes twice.
        return now_ms // 86_400_000 * 86_400_000 - 40 * 3_600_000 + number * 7919 % 100_000 * 1000

    def entry(number: int, now_ms: int) -> Entry:
        return Entry(_past(number, now_ms) * 1000, number % 10, 1)

    return Lane("late", "late", make, entry, ("volume",))


def skewed() -> Lane:
    """Devices whose clocks are wrong; those far ahead must be refused."""

    def make(number: int, now_ms: int) -> tuple[str, bytes]:
        time_us, thing, _ = entry(number, now_ms)
        payload = b'{"time":%d.%03d,"volume":%d}' % (*divmod(time_us, 1000), number)
        return f"urban/v1/water/skew{thing:04d}/up", payload

    def entry(number: int, now_ms: int) -> Entry:
        thing = number % len(SKEWS_MS)
        skew = SKEWS_MS[thing]
        return Entry((now_ms + skew) * 1000 + number // len(SKEWS_MS) % 1000, thing, int(skew < _REFUSED_FROM_MS))

    return Lane("skew", "skew", make, entry, ("volume",))


_POISON: Final[Sequence[bytes]] = (
    b"",
    b"{",
    b'{"time":"yesterday","volume":1}',
    b'{"time":1e400,"volume":1}',
    b'{"volume":[',
    b"\xff\xfe\x00",
    b"[" * 300,
    b'{"time":"2026-01-01T00:00:00Z"}',
    b'{"time":"2026-01-01T00:00:00Z","volume":"\xed\xa0\x80"}',
    b"null",
    b'{"volume":NaN,"volume":',
    b'{"a":' * 100,
)


def poison() -> Lane:
    """What no decoder reads; the number stands at the end of the topic's Thing."""

    def make(number: int, _now_ms: int) -> tuple[str, bytes]:
        payload = _POISON[number % len(_POISON)]
        return f"urban/v1/water/poison{number:08d}/up", payload

    def entry(number: int, _now_ms: int) -> Entry:
        return Entry(0, number, 0)

    return Lane("poison", "poison", make, entry, (), numbered=False)
