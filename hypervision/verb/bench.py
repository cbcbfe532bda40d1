"""`bench`: what can be measured is found by entry points."""

from __future__ import annotations

import argparse
from importlib.metadata import entry_points
from typing import Final

from hypervision.settings import Settings
from hypervision.verbs import Verb

GROUP: Final = "hypervision.benches"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add a subject for everything that can be measured, with its own options."""
    subjects = parser.add_subparsers(dest="subject", required=True, metavar="SUBJECT")
    for entry in sorted(entry_points(group=GROUP), key=lambda found: found.name):
        verb: Verb = entry.load()
        own = subjects.add_parser(verb.name, help=verb.summary)
        verb.configure(own)
        own.set_defaults(measure=verb.run)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Measure it."""
    return int(options.measure(options, settings))
