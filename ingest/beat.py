"""Once a second: the collector's counters, its link, and what the broker itself refused."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hypervision.errors import StoreError
from hypervision.intake import Intake
from hypervision.pulse import EVERY, Pulse
from hypervision.services.broker_log import LogReader
from hypervision.services.plan import log_file
from ingest.counters import Counters
from ingest.quiet import Quiet

_quiet = Quiet(__name__)

# A large batch, or a broker that takes no connection, may keep the reader for so long [s].
_GRACE: Final = 6.0


class Beat:
    """Publishes a snapshot of the counters each second, in a thread of its own.

    Parameters
    ----------
    link : callable
        `connected` or `connecting`.
    data_dir : Path or None
        Where the embedded broker's log is, if there is one; None for a collector that leaves it to another.
    pulse : Pulse
        Of the thread that reads: while it stands still the beat grows old, whatever this thread does. It is told what
        ended this one before its time.
    """

    def __init__(
        self, intake: Intake, counters: Counters, *, link: Callable[[], str], data_dir: Path | None, pulse: Pulse
    ) -> None:
        self._intake = intake
        self._counters = counters
        self._link = link
        self._pulse = pulse
        self._log = None if data_dir is None else LogReader(log_file(data_dir, "broker"))
        self._refused: Counter[str] = Counter()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beat", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and publish a last time, unless that is what ended it."""
        self._stop.set()
        self._thread.join(2.0)
        if not self._pulse.failed:
            self.publish()
        if self._log is not None:
            self._log.close()

    def publish(self) -> None:
        """Publish now; a database that is away gets the next one."""
        try:
            if self._log is not None:
                self._refused += self._log.read()
            self._intake.publish_counters(
                **self._counters.snapshot()._asdict(),
                age=self._pulse.still(grace=_GRACE),
                link=self._link(),
                detail={"broker_refused": dict(self._refused)},
            )
        except (StoreError, OSError) as error:
            _quiet.warning("the counters cannot be published: %s", error)

    def _run(self) -> None:
        try:
            while True:
                self.publish()
                if self._stop.wait(EVERY):
                    return
        except BaseException as error:  # noqa: BLE001  (the thread that reads raises it)
            self._pulse.fail(error)
