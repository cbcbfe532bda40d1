"""The verbs that models bring to the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from hypervision.cli import number, whole
from hypervision.endpoints import complete
from hypervision.settings import Settings
from hypervision.verbs import Verb


def _analyse(options: argparse.Namespace, settings: Settings) -> int:
    import signal
    import threading

    from models import analysis

    stop = threading.Event()
    for caught in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(caught, lambda *_: stop.set())
    analysis.run(complete(settings, process="analyse"), stop, every=options.every)
    return 0


def _analyse_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--every",
        type=number(1, 86_400),
        default=60.0,
        metavar="S",
        help="time between two rounds, 1 to 86400 [s] (60)",
    )


def _models(options: argparse.Namespace, settings: Settings) -> int:
    from models import desk

    return {"fit": desk.fit, "score": desk.score, "evaluate": desk.judge}[options.action](options, complete(settings))


def _models_options(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="fit|score|evaluate")
    fit = actions.add_parser("fit", help="tell what each detector learns from the past")
    score = actions.add_parser("score", help="score a past walked through day by day; stores nothing")
    judge = actions.add_parser("evaluate", help="judge the alarms of the default rules against the truth")
    for part in (fit, score, judge):
        part.add_argument(
            "--file", type=Path, help="readings as CSV or Parquet instead of the database: columns thing, property, "
            "time, result"
        )  # fmt: skip
    score.add_argument("--out", type=Path, help="write the scores as CSV with the same columns")
    judge.add_argument("--truth", type=Path, help="what was wrong and when, as `simulate --truth` writes it")
    judge.add_argument(
        "--dataset",
        nargs=2,
        metavar=("NAME", "PATH"),
        help="battledim or leakdb, with the folder of its network and leaks",
    )
    judge.add_argument(
        "--scenarios", type=whole(1, 500), default=20, metavar="N", help="how many of leakdb's 500 scenarios (20)"
    )
    judge.add_argument("--first", type=whole(1, 500), default=1, metavar="N", help="the first of them (1)")
    judge.add_argument(
        "--seed", type=whole(0, 2**32 - 1), default=1, metavar="N", help="of the demand noise of a data set (1)"
    )


ANALYSE = Verb("analyse", "learn what is normal and write how far readings lie above it", _analyse, _analyse_options)
MODELS = Verb("models", "fit, score and evaluate detectors on the database or on files", _models, _models_options)
