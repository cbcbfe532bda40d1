"""`hypervision bench desk`: its options, and where its figures go."""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import sys
import time
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import dashboards
from dashboards.bench.desk import table
from dashboards.bench.desk.bars import PARTS, QUICK, Sizes
from hypervision.cli import number, whole
from hypervision.errors import ServiceError
from hypervision.services.machine import commit, machine

if TYPE_CHECKING:
    from dashboards.bench.desk.course import Course


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    full = Sizes()
    parser.add_argument("--quick", action="store_true", help="a smaller town and few runs, for somebody in a hurry")
    parser.add_argument("--only", action="append", choices=list(PARTS), metavar="NAME", help="of " + ", ".join(PARTS))
    parser.add_argument(
        "--things", type=whole(500, 100_000), metavar="N", help=f"of the town (default {full.things:,})"
    )
    parser.add_argument(
        "--alarms", type=whole(20, 2_000), metavar="N", help=f"that stand all the while (default {full.alarms})"
    )
    parser.add_argument(
        "--rate", type=number(1, 100_000), metavar="R", help=f"messages committed [1/s] (default {full.rate:,.0f})"
    )
    parser.add_argument("--rounds", type=whole(1, 1000), metavar="N", help=f"of what is repeated ({full.rounds})")
    parser.add_argument("--raised", type=whole(1, 1000), metavar="N", help=f"alarms that are timed ({full.raised})")
    parser.add_argument("--seconds", type=number(1, 3600), metavar="S", help="for which bytes are counted [s]")
    parser.add_argument(
        "--minutes", type=number(0.1, 1440), metavar="M", help=f"of replay, for memory ({full.minutes:.0f}) [min]"
    )
    parser.add_argument("--browser", metavar="PROGRAM", help="a Chromium (the system's own by default)")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the table there as Markdown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there")


def sizes_of(options: argparse.Namespace) -> Sizes:
    """How much is measured: what was given, else the quick or the full form's."""
    names = [field.name for field in dataclasses.fields(Sizes)]
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    return dataclasses.replace(QUICK if options.quick else Sizes(), **given)


def run(options: argparse.Namespace) -> int:
    """Measure and tell; everything that was started is ended.

    Returns
    -------
    int
        1 when something that was asked for could not be measured.
    """
    if find_spec("playwright") is None:
        raise ServiceError(
            "the desk is measured in a browser, and Playwright, which drives it, is not installed",
            remedy="install playwright into the platform's environment (pip install playwright; `make test` does)",
        )
    from dashboards.bench.desk.browser import opened
    from dashboards.bench.desk.course import Course
    from dashboards.bench.desk.place import place

    # A wish to stop passes through every `finally`, as Ctrl-C does: what is measured by then is told.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sizes, began, started = sizes_of(options), datetime.now(UTC), time.monotonic()
    course = Course(sizes, say, parts=[name for name in PARTS if name in (options.only or PARTS)])
    say(f"making a town of {sizes.things:,} Things with a database, a server and timers of its own …")
    with (
        place(things=sizes.things, alarms=sizes.alarms, rate=sizes.rate) as town,
        opened(town.base, program=options.browser) as screens,
    ):
        about = f"{machine()}, Chromium {screens.version}"
        say(about)
        try:
            course.run(town, screens)
        finally:
            code = commit(str(Path(dashboards.__file__).parent.parent))
            told = table.About(_command(), f"{began:%Y-%m-%d %H:%M} UTC", code, about, time.monotonic() - started)
            _tell(options, course, told)
    return 1 if any(figure.why_not for figure in course.wanted) else 0


def _command() -> str:
    """The command as somebody else may type it: no path of this machine."""
    words = [Path(word).name if word.startswith("/") else word for word in sys.argv[1:]]
    return " ".join(["hypervision", *words])


def _tell(options: argparse.Namespace, course: Course, about: table.About) -> None:
    for line in ("", *table.text(course.wanted)):
        say(line)
    if options.report is not None:
        options.report.write_text(table.markdown(course.wanted, about, course.sizes), encoding="utf-8")
    if options.json is not None:
        found = table.document(course.wanted, about, course.sizes, course.raw)
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def say(text: str) -> None:
    """Tell the person at once."""
    print(text, flush=True)  # noqa: T201
