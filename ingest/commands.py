"""The verbs that ingest brings to the command line."""

from __future__ import annotations

import argparse

from hypervision.settings import Settings
from hypervision.verbs import Verb


def _broker(_options: argparse.Namespace, settings: Settings) -> int:
    from ingest import broker

    return broker.guard(settings)


def _collect_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--partition", metavar="I/N", help="which part of the topics (default 1/1: all of them)")


def _collect(options: argparse.Namespace, settings: Settings) -> int:
    from ingest import service

    return service.run(settings, partition=options.partition)


BROKER = Verb("broker", "run the embedded broker alone (a part of `up`)", _broker)
COLLECT = Verb("collect", "take readings from the broker to the database", _collect, _collect_options)
