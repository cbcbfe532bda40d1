"""The verb that the simulators bring to the command line."""

from __future__ import annotations

import argparse
import re
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path

from hypervision.cli import number, whole
from hypervision.clock import to_us
from hypervision.settings import Settings
from hypervision.verbs import Verb


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scenario", default="town", metavar="FILE", help="a .toml file, or town or tiny")
    parser.add_argument("--seed", type=whole(0, 2**32 - 1), metavar="N", help="instead of the scenario's")
    parser.add_argument(
        "--start",
        type=_instant,
        metavar="TIME",
        help="first simulated instant, RFC 3339, in the past: with it and the seed a run can be repeated (now)",
    )
    parser.add_argument("--truth", type=Path, metavar="FILE", help="write what is really wrong as JSON lines")
    parser.add_argument(
        "--speed", type=number(0.001, 1_000_000), default=1.0, metavar="X", help="times faster than real time"
    )
    parser.add_argument(
        "--duration",
        type=number(0.001, 31_622_400),
        metavar="SECONDS",
        help="simulated time, at most a year; for ever without, an hour with --speed",
    )
    parser.add_argument("--things", type=whole(1, 20_000), metavar="N", help="about how many Things, 1 to 20000")
    parser.add_argument(
        "--history",
        type=number(0, 366),
        metavar="DAYS",
        help="first make up the past in the database, 0 to 366 (a demo does)",
    )
    parser.add_argument(
        "--prefix", type=_code, default="", metavar="TEXT", help="before every Thing's code: a town beside another"
    )


def _code(text: str) -> str:
    if not re.fullmatch(r"(?:[A-Za-z0-9][A-Za-z0-9._:-]{0,31})?", text):
        raise argparse.ArgumentTypeError(f"{text!r} cannot begin a Thing's code: letters, digits and ._:- only")
    return text


def _instant(text: str) -> int:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        when = None
    if when is None or when.tzinfo is None or not 2000 <= when.year < 2200:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no time such as 2026-11-22T10:00:00Z")
    return to_us(when)


def _simulate(options: argparse.Namespace, settings: Settings) -> int:
    from simulators import run

    stop = threading.Event()
    for caught in (signal.SIGTERM, signal.SIGINT):
        signal.signal(caught, lambda *_: stop.set())
    wishes = run.Wishes(
        scenario=options.scenario,
        seed=options.seed,
        truth=options.truth,
        speed=options.speed,
        duration_s=options.duration,
        things=options.things,
        history_days=options.history,
        prefix=options.prefix,
        start_us=options.start,
    )
    published = run.run(wishes, settings, clock=lambda: datetime.now(UTC), stop=stop)
    print(f"{published} messages published")
    return 0


SIMULATE = Verb("simulate", "drive the simulated devices of a town over MQTT", _simulate, _configure)
