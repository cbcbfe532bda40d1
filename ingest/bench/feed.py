"""The publisher of `bench ingest` as a process: its order on standard input, one line of JSON."""

from __future__ import annotations

import json
import sys

from ingest.bench.feeder import Feeder, Make, pair
from ingest.bench.runs import PROBE_EVERY
from ingest.session import Address


def probed(plain: Make) -> Make:
    """Messages among which every so many-th carries the time of its publishing as a value."""

    def make(number: int, now_ms: int) -> tuple[str, bytes]:
        if number % PROBE_EVERY == 0:
            return "urban/v1/water/probe/up", b'{"time":%d,"level":%d}' % (now_ms, now_ms)
        return plain(number, now_ms)

    return make


def main() -> None:
    """Publish as ordered."""
    order = json.loads(sys.stdin.readline())
    kind = order["kind"]
    root = "bare" if kind == "bare" else "urban"
    plain = pair("bench", topics=order["topics"], start_ms=order["start_ms"], step_ms=order["step_ms"], root=root)
    feeder = Feeder(Address.parse(order["mqtt"]), probed(plain) if kind == "probe" else plain)
    feeder.run(order["messages"], rate=order["rate"])


if __name__ == "__main__":
    main()
