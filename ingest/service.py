"""The collector as a process: signals, the wait for the database, what an earlier division left, the end."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from hypervision import units
from hypervision.errors import HypervisionError
from hypervision.intake import Intake
from hypervision.partitions import Partition, of_writer
from hypervision.settings import Settings
from hypervision.store import collectors as store
from ingest import earlier, retirement
from ingest.collector import Collector
from ingest.division import filters_of
from ingest.retirement import Retirement
from ingest.session import Address

_log = logging.getLogger(__name__)

_LOOK: Final = 0.1
# The broker's guard looks within seconds of its start; from then on it is worth a line, and again each minute [s].
_PATIENCE: Final = 10.0
_TELL_AGAIN: Final = 60.0


def run(settings: Settings, *, partition: str | None = None, retire: bool = False) -> int:
    """Collect until asked to stop, or take a partition out of service; the verb `collect`.

    Parameters
    ----------
    partition : str, optional
        `I/N`; overrides the setting.
    retire : bool
        Store what the session of this partition still holds, then remove it.

    Returns
    -------
    int
        0 when it was asked to stop, or when the partition is out of service.
    """
    part = Partition.parse(partition or settings.ingest.partition)
    # A wrong URL, or a part that there is not, is said before anything is waited for.
    Address.of(settings)
    filters_of(settings, part)
    # Until there is something to finish, the wish to stop is granted at once.
    _on_stop(lambda: sys.exit(0))
    if retire:
        _on_stop(lambda: sys.exit(f"partition {part} is not retired: it was asked to stop"))
        units.warm()
        print(retirement.explicitly(settings, part))  # noqa: T201
        return 0
    left = clear_earlier(settings, part)
    with Intake.open(settings, writer=part.writer) as intake:
        begin(settings, intake, part, left)
        stop = threading.Event()
        collector = Collector(settings, intake, stop, partition=part)

        def end() -> None:
            stop.set()
            collector.wake()

        _on_stop(end)
        # Before messages come: the first of them, or the first with a unit, would wait for it.
        intake.know_all()
        units.warm()
        collector.run()
    return 0


def clear_earlier(settings: Settings, part: Partition) -> set[str] | None:
    """Wait until what another number of collectors left at the embedded broker is stored; the first part does it.

    New messages wait at the broker meanwhile: so readings of one Thing stay in order, and an old crossing still rings.

    Returns
    -------
    set of str or None
        Writers that could not be retired; None where this is not ours to do.
    """
    data_dir = settings.data_dir
    if not earlier.concerns(settings):
        return None
    if part.number != 1:
        _wait(lambda: not earlier.expected(data_dir), "the first part to store what another number of collectors left")
        return None
    _wait(lambda: earlier.read(data_dir) is not None, "the broker to say what another number of collectors left")
    sessions = earlier.read(data_dir) or []
    left: set[str] = set()
    for session in sessions:
        old = Partition.parse(session.partition)
        quiet = retirement.quiet_for(settings, unanswered=session.unanswered)
        try:
            with Intake.open(settings, writer=old.writer) as intake:
                drained = Retirement(settings, old, quiet=quiet, proved=True).run(intake)
            _log.info("partition %s is retired, %s", old, drained)
        except HypervisionError as error:
            # The platform collects all the same; the next start tries again.
            _log.warning("partition %s is not retired (%s)", old, error)
            left.add(old.writer)
    return left


def _wait(done: Callable[[], bool], what: str) -> None:
    """Wait, and tell the log: nothing else would say why a process that runs collects nothing."""
    began = time.monotonic()
    due = began + _PATIENCE
    while not done():
        if time.monotonic() >= due:
            _log.warning("waiting since %.0f s for %s", time.monotonic() - began, what)
            due += _TELL_AGAIN
        time.sleep(_LOOK)


def begin(settings: Settings, intake: Intake, part: Partition, left: set[str] | None) -> None:
    """Let the other collectors go, after `clear_earlier`.

    At the platform's own broker a collector without a session has nothing to come back for.
    """
    if left is None:
        return
    now = datetime.now(UTC)
    with intake.between() as connection:
        for name in store.collectors(connection):
            known = of_writer(name)
            if known is not None and known.of != part.of and name not in left:
                store.retire(connection, name, now=now)
    earlier.settle(settings.data_dir)


def _on_stop(do: Callable[[], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: do())
