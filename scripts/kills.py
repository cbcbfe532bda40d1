# ruff: noqa: INP001  (a program, not a module)
"""The kill tests in their full form, with a report: `.venv/bin/python scripts/kills.py`.

Kills the collector ten times, the database three times and the broker three times under load, on services of
their own in a temporary folder. Ends with 0 when nothing was lost, doubled or missed.
"""

from __future__ import annotations

import argparse
import sys

from ingest.bench.kills import campaign
from ingest.bench.stage import stage


def main() -> int:
    """Run the campaigns and print a verdict each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--collector", type=int, default=10, metavar="N")
    parser.add_argument("--database", type=int, default=3, metavar="N")
    parser.add_argument("--broker", type=int, default=3, metavar="N")
    parser.add_argument("--rate", type=float, default=600.0, metavar="R", help="messages a second")
    parser.add_argument("--pause", type=float, default=3.0, metavar="S", help="between two kills [s]")
    options = parser.parse_args()
    failed = 0
    for verb, count in (("collect", options.collector), ("database", options.database), ("broker", options.broker)):
        with stage() as place:
            verdict = campaign(place, {verb: count}, rate=options.rate, pause=options.pause)
        print(f"{verb}: {verdict}", flush=True)  # noqa: T201
        failed += not verdict.passed
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
