"""The messages of `bench ingest`: pure functions of their number and the present."""

from __future__ import annotations

from typing import Final

from ingest.bench.feeder import Make

PROBES: Final = 10
"""Things whose readings tell when they were published; several, so that none is near the limit of one Thing."""
PROBE_EVERY: Final = 12
"""Every so many messages of a latency run, one is a probe."""
WIDE: Final = (
    "flow", "volume", "pressure", "level", "pump_power", "valve_position", "chlorine", "turbidity", "conductivity",
    "temperature",
)  # fmt: skip
"""Ten properties; a message with two times of them carries 20 readings."""
LOOPER: Final = "looper"
"""The Thing that talks too much."""


def pair(*, topics: int, start_ms: int, step_ms: int = 60_000, root: str = "urban") -> Make:
    """Two readings a message, times of each Thing a step apart.

    Parameters
    ----------
    topics : int
        How many Things take turns.
    start_ms : int
        Time of the first message [ms since the Unix epoch].
    step_ms : int
        Between two messages of one Thing [ms].
    root : str
        First level of the topic.
    """
    names = [f"{root}/v1/water/bench{thing:05d}/up" for thing in range(topics)]

    def make(number: int, _now_ms: int) -> tuple[str, bytes]:
        turn, thing = divmod(number, topics)
        # Slow signals, as in a town; one Thing of a thousand goes below the limit of a rule and back.
        pressure = 3 + thing % 77 * 0.05 + turn % 5 * 0.01 - (2 if thing % 1000 == 0 and turn % 4 == 3 else 0)
        return (
            names[thing],
            b'{"time":%d,"flow":%.3f,"pressure":%.2f}' % (start_ms + turn * step_ms, number % 997 * 0.1, pressure),
        )

    return make


def wide(*, topics: int, start_ms: int, step_ms: int, root: str = "urban") -> Make:
    """Twenty readings a message: an array of two objects, half a step apart, of ten properties each.

    Parameters
    ----------
    topics, start_ms, step_ms, root
        See `pair`.
    """
    names = [f"{root}/v1/water/wide{thing:05d}/up" for thing in range(topics)]
    item = b'{"time":%d,' + b",".join(b'"%b":%%.2f' % name.encode() for name in WIDE) + b"}"

    def make(number: int, _now_ms: int) -> tuple[str, bytes]:
        turn, thing = divmod(number, topics)
        at = start_ms + turn * step_ms
        values = tuple(3 + (number + place) % 97 * 0.01 for place in range(len(WIDE)))
        return names[thing], b"[%b,%b]" % (item % (at, *values), item % (at + step_ms // 2, *values))

    return make


def probed(plain: Make) -> Make:
    """Messages among which every so many-th carries the time of its publishing as a value."""

    def make(number: int, now_ms: int) -> tuple[str, bytes]:
        if number % PROBE_EVERY == 0:
            thing = number // PROBE_EVERY % PROBES
            return f"urban/v1/water/probe{thing}/up", b'{"time":%d,"level":%d}' % (now_ms, now_ms)
        return plain(number, now_ms)

    return make


def looping() -> Make:
    """A device in a loop: as many messages as it can, each with a time of its own."""

    def make(number: int, now_ms: int) -> tuple[str, bytes]:
        at = now_ms / 1e3 + number % 1000 * 1e-6
        return f"urban/v1/water/{LOOPER}/up", b'{"time":%.6f,"level":%d}' % (at, number % 100)

    return make
