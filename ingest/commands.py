"""The verbs that ingest brings to the command line."""

from __future__ import annotations

import argparse

from hypervision.settings import Settings
from hypervision.verbs import Verb


def _broker(_options: argparse.Namespace, settings: Settings) -> int:
    from ingest import broker

    return broker.guard(settings)


BROKER = Verb("broker", "run the embedded broker alone (a part of `up`)", _broker)
