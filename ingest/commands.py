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


def _publish_options(parser: argparse.ArgumentParser) -> None:
    from ingest import publish

    publish.configure(parser)


def _publish(options: argparse.Namespace, settings: Settings) -> int:
    from ingest import publish

    return publish.run(options, settings)


def _rejected_options(parser: argparse.ArgumentParser) -> None:
    from ingest import rejects

    rejects.configure(parser)


def _rejected(options: argparse.Namespace, settings: Settings) -> int:
    from ingest import rejects

    return rejects.run(options, settings)


def _bench_options(parser: argparse.ArgumentParser) -> None:
    from ingest.bench import report

    report.configure(parser)


def _bench(options: argparse.Namespace, _settings: Settings) -> int:
    from ingest.bench import report

    return report.run(options)


BROKER = Verb("broker", "run the embedded broker alone (a part of `up`)", _broker)
COLLECT = Verb("collect", "take readings from the broker to the database", _collect, _collect_options)
PUBLISH = Verb("publish", "publish one reading as a device would", _publish, _publish_options)
REJECTED = Verb("rejected", "look at quarantined messages, send them through again", _rejected, _rejected_options)
BENCH_INGEST = Verb("ingest", "drain and end-to-end rates, latency, CPU, memory", _bench, _bench_options)
