"""`hypervision bench ingest`: its options, and where its figures go."""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from hypervision.bars import Figure
from hypervision.cli import number, whole
from hypervision.services.stage import stage
from hypervision.store import address
from hypervision.store.bench import Gauge
from ingest.bench import table
from ingest.bench.backlog import BEHIND
from ingest.bench.course import LOOPING_RATE, STAGES, Course, Sizes
from ingest.bench.ground import Ground
from ingest.bench.rig import Rig, find_mosquitto, rig

Subjects: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 -- it has no public name
_HIDDEN: Final = ("--mqtt-url", "--database-url", "--report", "--json")
_QUICK: Final = Sizes(messages=100_000, rounds=1, seconds=5.0, outage=300.0)


def configure(parser: argparse.ArgumentParser) -> Subjects:
    """Add the options; the word after `bench` may be one of others, too."""
    full = Sizes()
    subjects = parser.add_subparsers(dest="subject", required=True, metavar="SUBJECT")
    ingest = subjects.add_parser("ingest", help="drain and end-to-end rates, delay, CPU, memory, beside the bare path")
    ingest.add_argument("--quick", action="store_true", help="smaller and once, for somebody in a hurry")
    ingest.add_argument("--only", action="append", choices=list(STAGES), metavar="NAME", help="of " + ", ".join(STAGES))
    ingest.add_argument(
        "--messages", type=whole(1_000, 100_000_000), metavar="N", help=f"of each drain (default {full.messages:,})"
    )
    ingest.add_argument(
        "--topics", type=whole(1, 1_000_000), metavar="N", help=f"Things that send (default {full.topics:,})"
    )
    ingest.add_argument(
        "--rounds", type=whole(1, 1000), metavar="N", help=f"runs, the median counts (default {full.rounds})"
    )
    ingest.add_argument("--rate", type=number(1, 1_000_000), metavar="R", help="of the steady runs [1/s]")
    ingest.add_argument("--seconds", type=number(1, 86_400), metavar="S", help="of each steady run [s]")
    ingest.add_argument("--outage", type=number(1, 86_400), metavar="S", help="how long the database is away [s]")
    ingest.add_argument("--mqtt-url", metavar="URL", help="a broker of one's own instead of the embedded one")
    ingest.add_argument("--database-url", metavar="URL", help="an empty database of one's own")
    ingest.add_argument("--json", type=Path, metavar="FILE", help="write everything there")
    ingest.add_argument("--report", type=Path, metavar="FILE", help="write the table there as Markdown")
    return subjects


def sizes_of(options: argparse.Namespace) -> Sizes:
    """How much is measured: what was given, else the quick or the full form's."""
    names = [field.name for field in dataclasses.fields(Sizes)]
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    return dataclasses.replace(_QUICK if options.quick else Sizes(), **given)


def command_of(words: Sequence[str]) -> str:
    """The command as somebody else may type it: no path and no address of this machine."""
    shown = []
    option = ""
    for word in words:
        name, equals, value = word.partition("=")
        if option:
            shown.append(_hidden(option, word))
        elif equals and name in _HIDDEN:
            shown.append(f"{name}={_hidden(name, value)}")
        else:
            shown.append(word)
        option = word if word in _HIDDEN and not option else ""
    return " ".join(["hypervision", *shown])


def _hidden(option: str, value: str) -> str:
    return "…" if option.endswith("-url") else Path(value).name


def run(options: argparse.Namespace) -> int:
    """Measure and tell; every step is bounded in time and everything started is ended.

    Returns
    -------
    int
        1 when something that was asked for could not be measured.
    """
    if options.database_url is not None:
        address.check(options.database_url)
    # A wish to stop passes through every `finally`, as Ctrl-C does: what is measured by then is told.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sizes, began, started = sizes_of(options), datetime.now(UTC), time.monotonic()
    stages = [name for name in options.only or STAGES if name != "mosquitto" or options.mqtt_url is None]
    say("starting a broker, a database and a collector of its own …")
    course = Course(sizes, say, find_mosquitto(), stages=stages)
    wanted = [key for name in stages for key in STAGES[name]] + ["memory"]
    figures = [figure for key, figure in course.figures.items() if key in wanted]
    with stage(mqtt_url=options.mqtt_url, database_url=options.database_url) as place:
        with Gauge(place.database_url) as gauge:
            gauge.require_no_things()
            about = rig(database=gauge.server(), mosquitto=course.mosquitto)
        say(about.sentence())
        try:
            course.run(Ground(place, topics=sizes.topics, planned=sizes.planned))
            with Gauge(place.database_url) as gauge:
                gauge.drop_bare()
        finally:
            told = _Told(command_of(sys.argv[1:]), f"{began:%Y-%m-%d %H:%M} UTC", time.monotonic() - started)
            _tell(options, course, figures, about, told)
    absent = {"mosquitto"} if course.mosquitto is None else set()
    return 1 if any(figure.why_not and figure.bar.key not in absent for figure in figures) else 0


class _Told(NamedTuple):
    """What stands above the table."""

    command: str
    date: str
    took: float


def _tell(options: argparse.Namespace, course: Course, figures: Sequence[Figure], about: Rig, told: _Told) -> None:
    for part in ("", *table.text(figures), "", table.SCALE, table.OTHERS):
        say(part)
    if options.report is not None:
        how = notes(course.sizes, own_broker=options.mqtt_url is not None)
        options.report.write_text(table.markdown(figures, about, notes=how, **told._asdict()), encoding="utf-8")
    if options.json is not None:
        found = table.document(figures, about, raw=course.raw, **told._asdict())
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def notes(sizes: Sizes, *, own_broker: bool = False) -> list[str]:
    """How it was measured, a sentence each.

    Parameters
    ----------
    own_broker : bool
        Whether the broker is one of the user's.
    """
    waiting, minutes = f"{sizes.rate * sizes.outage:,.0f} messages", f"{sizes.outage / 60:.0f} minutes"
    drains = (
        f"A drain: {sizes.messages:,} QoS 1 messages of {sizes.topics:,} Things wait in the session of a collector "
        "that is then started; from the first receipt to the commit of the last row. The same for messages "
        f"with 20 readings (an array of two objects with ten properties each), {sizes.messages // 4:,} of them."
    )
    bare = (
        "The bare path is one Python process with paho, orjson, numpy and binary COPY through a staging table into one "
        "table of id, time and value with a unique key: same broker, same database, no checks, no rules, no newest "
        "values, no roll-ups, no quarantine. CPU seconds are those of one process from its first message on."
    )
    steady = (
        f"Publish to committed row: {sizes.rate:,.0f} messages a second for {sizes.seconds:.0f} s, every twelfth "
        "carries the time of its publishing; a second connection looks for it every 5 ms. Then the same beside one "
        f"device that sends {LOOPING_RATE:,.0f} messages a second."
    )
    outage = (
        f"The outage: the database is stopped, {waiting} arrive ({minutes} at {sizes.rate:,.0f} a second, sent as fast "
        "as the broker takes them), the database is started again while messages go on arriving at that rate; from its "
        f"return until the collector is less than {BEHIND:.0f} s behind."
    )
    where = "Publisher, broker, database and collector share the cores and talk over loopback, without TLS."
    if own_broker:
        where = "The broker was not the embedded one but one of the user's own."
    return [where, drains, bare, steady, outage]


def say(text: str) -> None:
    """Tell the person at once."""
    print(text, flush=True)  # noqa: T201
