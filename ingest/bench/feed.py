"""The publisher of `bench ingest` as a process.

Its order comes on standard input, one line of JSON; the end of the input is a wish to stop. What it has sent goes to
standard output.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

from ingest.bench import makes
from ingest.bench.feeder import Feeder, Make
from ingest.session import Address


def make_of(order: dict[str, Any]) -> Make:
    """The messages that are ordered."""
    kind = order["kind"]
    if kind == "loop":
        return makes.looping()
    maker = makes.wide if kind.endswith("wide") else makes.pair
    root = "bare" if kind.startswith("bare") else "urban"
    plain = maker(topics=order["topics"], start_ms=order["start_ms"], step_ms=order["step_ms"], root=root)
    return makes.probed(plain) if kind == "probe" else plain


def main() -> None:
    """Publish as ordered."""
    order = json.loads(sys.stdin.readline())
    told = threading.Event()

    def listen() -> None:
        sys.stdin.read()
        told.set()

    threading.Thread(target=listen, daemon=True).start()
    feeder = Feeder(Address.parse(order["mqtt"]), make_of(order), client_id=f"hypervision-bench-{order['kind']}")
    feeder.run(order["messages"], rate=order["rate"], stop=told.is_set)
    sys.stdout.write(json.dumps({"sent": feeder.ledger.attempted}) + "\n")


if __name__ == "__main__":
    main()
