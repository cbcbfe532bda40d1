# ruff: noqa: INP001  (a program, not a module)
"""Faults on a seeded schedule against a platform of its own, with a ledger: `make faults`.

Starts `up` in a temporary folder, publishes, kills, stops, cuts, fills and floods, and compares what the broker has
answered for with what the database holds. The report goes to standard output and to a file. Ends with 0 when nothing
was lost, doubled, invented or misfiled, the counters always added up and everything recovered.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from hypervision.services.machine import machine
from ingest.bench.faults.campaign import FAULTS, Order, run
from ingest.bench.faults.report import markdown


def main() -> int:
    """Run one campaign."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the schedule (default 1)")
    parser.add_argument("--faults", type=int, default=200, metavar="N", help="at most (default 200)")
    parser.add_argument(
        "--minutes", type=float, default=75.0, metavar="M", help="then no further fault begins (default 75)"
    )
    parser.add_argument(
        "--messages", type=int, metavar="N", help="at least (default 5,000,000, or fewer in a short run)"
    )
    parser.add_argument("--report", type=Path, default=Path("faults.md"), metavar="FILE", help="default faults.md")
    parser.add_argument("--only", action="append", default=[], metavar="KIND", choices=[f.span.kind for f in FAULTS])
    parser.add_argument("--list", action="store_true", help="name the kinds of faults and end")
    options = parser.parse_args()
    if options.list:
        for fault in FAULTS:
            why = fault.missing()
            print(f"{fault.span.kind:<28}{'skipped: ' + why if why else ''}".rstrip())  # noqa: T201
        return 0
    # A wish to stop passes through every `finally`, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    messages = options.messages if options.messages is not None else min(5_000_000, int(options.minutes * 66_000))
    order = Order(
        seed=options.seed,
        faults=options.faults,
        seconds=options.minutes * 60,
        messages=messages,
        kinds=options.only,
    )
    result = run(order, say=lambda text: print(text, flush=True))  # noqa: T201
    text = markdown(result, command=" ".join(["scripts/faults.py", *sys.argv[1:]]), machine=str(machine()))
    options.report.write_text(text, "utf-8")
    print(f"\n{text}\nwritten to {options.report}")  # noqa: T201
    for kind, why in result.skipped.items():
        print(f"SKIPPED {kind}: {why}", file=sys.stderr)  # noqa: T201
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
