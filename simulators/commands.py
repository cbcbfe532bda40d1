"""The verb that the simulators bring to the command line."""

from __future__ import annotations

import argparse
import re
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path

from hypervision.settings import Settings
from hypervision.verbs import Verb


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scenario", default="town", metavar="FILE", help="a .toml file, or town or tiny")
    parser.add_argument("--seed", type=int, metavar="N", help="instead of the scenario's")
    parser.add_argument("--truth", type=Path, metavar="FILE", help="write what is really wrong as JSON lines")
    parser.add_argument("--speed", type=_positive, default=1.0, metavar="X", help="times faster than real time")
    parser.add_argument(
        "--duration", type=_positive, metavar="SECONDS", help="simulated time; for ever without, an hour with --speed"
    )
    parser.add_argument("--things", type=int, metavar="N", help="about how many Things")
    parser.add_argument(
        "--history", type=float, metavar="DAYS", help="first make up the past in the database (a demo does)"
    )
    parser.add_argument(
        "--prefix", type=_code, default="", metavar="TEXT", help="before every Thing's code: a town beside another"
    )


def _code(text: str) -> str:
    if not re.fullmatch(r"(?:[A-Za-z0-9][A-Za-z0-9._:-]{0,31})?", text):
        raise argparse.ArgumentTypeError(f"{text!r} cannot begin a Thing's code: letters, digits and ._:- only")
    return text


def _positive(text: str) -> float:
    value = float(text)
    if not 0.0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def _simulate(options: argparse.Namespace, settings: Settings) -> int:
    from simulators import run

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    wishes = run.Wishes(
        scenario=options.scenario,
        seed=options.seed,
        truth=options.truth,
        speed=options.speed,
        duration_s=options.duration,
        things=options.things,
        history_days=options.history,
        prefix=options.prefix,
    )
    published = run.run(wishes, settings, clock=lambda: datetime.now(UTC), stop=stop)
    print(f"{published} messages published")
    return 0


SIMULATE = Verb("simulate", "drive the simulated devices of a town over MQTT", _simulate, _configure)
