"""`hypervision bench ingest`: what it measures and how it says so."""

from __future__ import annotations

import argparse
import json
import statistics
from dataclasses import asdict
from pathlib import Path
from typing import Final, TypeAlias

from hypervision.cli import number, whole
from hypervision.errors import SettingError
from hypervision.store import address
from hypervision.store.bench import Gauge
from ingest.bench.runs import Drain, Latency, Runs
from ingest.bench.stage import stage

Subjects: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 -- it has no public name
SCALE: Final = (
    "for scale, 2 cores, from Mosquitto: Node-RED as people use it 4,000/s; Node-RED tuned 22,000/s (and 116,000 of",
    "200,000 messages lost when killed); a Rust bridge 27,900/s; one Python process with paho 32,800/s (about",
    "25,000/s from the embedded broker); without an MQTT library 84,600/s.",
)


def configure(parser: argparse.ArgumentParser) -> Subjects:
    """Add the options; the word after `bench` may be one of others, too."""
    subjects = parser.add_subparsers(dest="subject", required=True, metavar="SUBJECT")
    ingest = subjects.add_parser("ingest", help="drain and end-to-end rates, latency, CPU, memory")
    ingest.add_argument(
        "--messages", type=whole(1, 100_000_000), default=200_000, metavar="N", help="of each run (default 200,000)"
    )
    ingest.add_argument(
        "--topics", type=whole(1, 1_000_000), default=20_000, metavar="N", help="Things that send (default 20,000)"
    )
    ingest.add_argument("--rounds", type=whole(1, 1000), default=2, metavar="N", help="drains of each side (default 2)")
    ingest.add_argument(
        "--rate", type=number(1, 1_000_000), default=1200.0, metavar="R", help="of the latency run [1/s]"
    )
    ingest.add_argument("--seconds", type=number(1, 86_400), default=20.0, metavar="S", help="of the latency run [s]")
    ingest.add_argument("--mqtt-url", metavar="URL", help="a broker of one's own instead of the embedded one")
    ingest.add_argument("--database-url", metavar="URL", help="an empty database of one's own")
    ingest.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    return subjects


def run(options: argparse.Namespace) -> int:
    """Measure and print; every step is bounded in time and everything started is ended."""
    if options.database_url is not None:
        address.check(options.database_url)
    print("starting a broker, a database and a collector of its own …", flush=True)  # noqa: T201
    with stage(mqtt_url=options.mqtt_url, database_url=options.database_url) as place:
        with Gauge(place.database_url) as gauge:
            if gauge.things():
                raise SettingError("--database-url holds Things already", remedy="give an empty database")
        planned = options.topics + options.messages * (options.rounds + 1) + int(options.rate * options.seconds)
        runs = Runs(place, topics=options.topics, planned=planned)
        runs.make_sessions()
        drains: list[Drain] = []
        bares: list[Drain] = []
        # The first pass registers the Things; it is not counted on either side.
        runs.drain(options.topics)
        runs.drain_bare(options.topics)
        for number in range(options.rounds):
            bares.append(runs.drain_bare(options.messages))
            print(line(f"bare path {number + 1}", bares[-1]), flush=True)  # noqa: T201
            drains.append(runs.drain(options.messages))
            print(line(f"drain {number + 1}", drains[-1]), flush=True)  # noqa: T201
        both = runs.end_to_end(options.messages)
        print(line("end to end", both), flush=True)  # noqa: T201
        delay = runs.latency(rate=options.rate, seconds=options.seconds)
        with Gauge(place.database_url) as gauge:
            gauge.drop_bare()
    for text in summary(drains, bares, both, delay):
        print(text)  # noqa: T201
    if options.json is not None:
        figures = {
            "drain": [asdict(d) for d in drains],
            "bare": [asdict(d) for d in bares],
            "end_to_end": asdict(both),
            "latency": asdict(delay),
        }
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


def line(name: str, found: Drain) -> str:
    """One run on one line.

    Examples
    --------
    >>> line("drain 1", Drain(1000, 2500.0, {"collector": 1.25}, 99.6))
    'drain 1          2,500 messages/s (2 readings each)   CPU s: collector 1.2   memory 100 MB'
    """
    cpu = ", ".join(f"{verb} {seconds:.1f}" for verb, seconds in found.cpu.items())
    return f"{name:<12}{found.rate:>10,.0f} messages/s (2 readings each)   CPU s: {cpu}   memory {found.memory:.0f} MB"


def summary(drains: list[Drain], bares: list[Drain], both: Drain, delay: Latency) -> list[str]:
    """The figures that count, beside what they are measured against."""
    ours, bare = (statistics.median(d.rate for d in found) for found in (drains, bares))
    memory = max(d.memory for d in [*drains, both])
    probes = f"p50 {delay.p50:.3f} s, p99 {delay.p99:.3f} s over {delay.probes} probes, {delay.lost} lost"
    return [
        "",
        f"drain of waiting messages   {ours:>9,.0f}/s   {ours / bare:.2f} of the bare path with paho (at least 0.75)",
        f"bare path with paho         {bare:>9,.0f}/s   same broker, same database, no checks, no rules",
        f"end to end with publisher   {both.rate:>9,.0f}/s   (at least 10,000)",
        f"publish to committed row at {delay.rate:,.0f}/s: {probes} (at most 0.3 and 1.0 s)",
        f"collector memory, peak      {memory:>9,.0f} MB   shared pages in proportion (at most 250)",
        *SCALE,
    ]
