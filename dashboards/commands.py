"""The verbs that dashboards brings to the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from hypervision.cli import whole
from hypervision.settings import Settings
from hypervision.verbs import Verb


def _serve(_options: argparse.Namespace, settings: Settings) -> int:
    from dashboards import serving

    return serving.run(settings)


def _bench_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rows", type=whole(250_000, 2_000_000_000), default=20_000_000, metavar="N", help="readings (20,000,000)"
    )
    parser.add_argument("--rounds", type=whole(1, 10_000), default=20, metavar="N", help="of each question (20)")
    parser.add_argument("--database-url", metavar="URL", help="an empty database of one's own; what is filled in stays")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write it there: .json, else Markdown")


def _bench(options: argparse.Namespace, _settings: Settings) -> int:
    from dashboards.bench import queries

    return queries.run(options)


def _bench_desk_options(parser: argparse.ArgumentParser) -> None:
    from dashboards.bench.desk import report

    report.configure(parser)


def _bench_desk(options: argparse.Namespace, _settings: Settings) -> int:
    from dashboards.bench.desk import report

    return report.run(options)


SERVE = Verb("serve", "run the control room and the HTTP API", _serve)
BENCH_QUERIES = Verb("queries", "queries and screens on a large database", _bench, _bench_options)
BENCH_DESK = Verb("desk", "the alarm desk and its screens in a real browser", _bench_desk, _bench_desk_options)
