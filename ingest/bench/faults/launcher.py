"""`up`, with its collector behind the harness's proxies and clocks that can be wrong.

As a process, its order as JSON on the command line.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from dataclasses import replace

from hypervision import launch
from hypervision import settings as settings_module
from hypervision.errors import HypervisionError


def _watch() -> None:
    """End when the harness is gone, however it went: it holds the other end of our standard input."""
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    """Run as `hypervision up` does."""
    order = json.loads(sys.argv[1])
    threading.Thread(target=_watch, name="harness", daemon=True).start()
    overrides = {
        "data_dir": order["folder"],
        "http": {"port": order["http"]},
        "broker": {"port": order["mqtt"]},
    }
    try:
        settings = settings_module.load(dict(os.environ), overrides=overrides)
        programs = launch.programs("up", own_database=False, own_broker=False)
        programs = [
            replace(program, environment={**program.environment, **order["environments"].get(program.name, {})})
            for program in programs
        ]
        return launch.run(argparse.Namespace(), settings, name="up", children=programs)
    except HypervisionError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1


if __name__ == "__main__":
    sys.exit(main())
