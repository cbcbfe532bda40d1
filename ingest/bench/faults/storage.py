"""Faults of the database: slow, locked, refusing, read-only, out of connections, its disks full."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Final

from hypervision.store.trouble import Trouble
from ingest.bench.faults import disk
from ingest.bench.faults.catalogue import Fault
from ingest.bench.faults.scene import Deed, Scene
from ingest.bench.faults.schedule import Span, Step


def trouble(make: Callable[[Trouble], AbstractContextManager[object]], scene: Scene, step: Step) -> Deed:
    """Make trouble for a while."""
    with make(scene.town.trouble):
        time.sleep(step.seconds)
    return Deed(time.time(), f"{step.seconds:.0f} s")


def full(which: str, scene: Scene, step: Step) -> Deed:
    """No byte is left on a file system of the platform's, then there is room again."""
    broke = False
    with disk.full(scene.town.folder, which):
        if which == "log":
            broke = scene.town.trouble.use_up_log(step.seconds)
        else:
            time.sleep(step.seconds)
    return Deed(time.time(), f"{step.seconds:.0f} s{', the server broke over it' if broke else ''}")


FAULTS: Final = [
    Fault(Span("database slow", 4, 12), partial(trouble, Trouble.slow)),
    # Longer than the lock timeout of a writer (10 s).
    Fault(Span("database locked", 3, 25), partial(trouble, Trouble.locked)),
    Fault(Span("database refuses", 3, 10), partial(trouble, Trouble.refusing)),
    Fault(Span("database read-only", 3, 10), partial(trouble, Trouble.read_only)),
    Fault(Span("out of connections", 3, 10), partial(trouble, Trouble.crowded)),
    Fault(Span("disk full", 4, 12), partial(full, "data"), disk.missing),
    Fault(Span("write-ahead log full", 4, 12), partial(full, "log"), disk.missing),
]
