"""The verb that dashboards brings to the command line."""

from __future__ import annotations

import argparse

from hypervision.settings import Settings
from hypervision.verbs import Verb


def _serve(_options: argparse.Namespace, settings: Settings) -> int:
    from dashboards import serving

    return serving.run(settings)


SERVE = Verb("serve", "run the control room and the HTTP API", _serve)
