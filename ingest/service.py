"""The collector as a process: signals, the wait for the database, the end."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from typing import Final

from hypervision import units
from hypervision.errors import SettingError
from hypervision.intake import Intake
from hypervision.settings import Settings
from ingest.collector import Collector
from ingest.session import Address

# The control room and `watch` know collectors by this beginning.
WRITER: Final = "collector-"


def run(settings: Settings, *, partition: str | None = None) -> int:
    """Collect until asked to stop; the verb `collect`.

    Parameters
    ----------
    partition : str, optional
        `I/N`; overrides the setting.

    Returns
    -------
    int
        0 when it was asked to stop.
    """
    wanted = partition or settings.ingest.partition
    if wanted != "1/1":
        raise SettingError(
            f"setting 'ingest.partition' cannot be {wanted!r}",
            remedy="this version collects with one process; leave it at 1/1",
        )
    # A wrong URL is said before anything is waited for.
    Address.of(settings)
    # Until there is something to finish, the wish to stop is granted at once.
    _on_stop(lambda: sys.exit(0))
    with Intake.open(settings, writer=WRITER + wanted) as intake:
        stop = threading.Event()
        collector = Collector(settings, intake, stop)

        def end() -> None:
            stop.set()
            collector.wake()

        _on_stop(end)
        # Before messages come: the first of them, or the first with a unit, would wait for it.
        intake.know_all()
        units.warm()
        collector.run()
    return 0


def _on_stop(do: Callable[[], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: do())
