"""The verbs that ingest brings to the command line."""

from __future__ import annotations

import argparse
from importlib.metadata import entry_points

from hypervision.endpoints import complete
from hypervision.settings import Settings
from hypervision.verbs import Verb


def _broker(_options: argparse.Namespace, settings: Settings) -> int:
    from ingest import broker

    return broker.guard(settings)


def _collect_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--partition", metavar="I/N", help="which part of the messages (default 1/1: all of them)")
    parser.add_argument(
        "--retire", action="store_true", help="store what this partition's session still holds, then remove it"
    )


def _collect(options: argparse.Namespace, settings: Settings) -> int:
    from ingest import service

    return service.run(
        complete(settings, collects=True, process="collect"), partition=options.partition, retire=options.retire
    )


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

    subjects = report.configure(parser)
    for entry in sorted(entry_points(group="hypervision.benches"), key=lambda found: found.name):
        verb: Verb = entry.load()
        own = subjects.add_parser(verb.name, help=verb.summary)
        verb.configure(own)
        own.set_defaults(measure=verb.run)


def _bench(options: argparse.Namespace, settings: Settings) -> int:
    from ingest.bench import report

    measure = getattr(options, "measure", None)
    return report.run(options) if measure is None else int(measure(options, settings))


def _bench_storage_options(parser: argparse.ArgumentParser) -> None:
    from ingest.bench import storage

    storage.configure(parser)


def _bench_storage(options: argparse.Namespace, _settings: Settings) -> int:
    from ingest.bench import storage

    return storage.run(options)


BROKER = Verb("broker", "run the embedded broker alone (a part of `up`)", _broker)
COLLECT = Verb("collect", "take readings from the broker to the database", _collect, _collect_options)
PUBLISH = Verb("publish", "publish one reading as a device would", _publish, _publish_options)
REJECTED = Verb("rejected", "look at quarantined messages, send them through again", _rejected, _rejected_options)
BENCH = Verb("bench", "measure this machine: the way in, the queries, the room a reading takes", _bench, _bench_options)
BENCH_STORAGE = Verb("storage", "the room a reading takes, open and packed", _bench_storage, _bench_storage_options)
