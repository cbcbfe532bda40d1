"""The pulse of a process: when its work last went on, and a beat that cannot claim more than that."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final, Self

from hypervision.errors import StoreError

_log = logging.getLogger(__name__)

EVERY: Final = 1.0
"""Between two beats [s]."""
COLLECTOR_PATIENCE: Final = 3.0
"""A collector whose last beat is older has stopped [s]: it beats each second, whatever is down."""
PATIENCE: Final = 10.0
"""Any other process whose last beat is older has stopped [s]; a slow step of its work may take less."""
NAMED_WITHIN: Final = 15.0
"""From the stop of a process to its name on the health page [s], at most: the patience, a beat, a look, an answer."""


class Pulse:
    """When the work last went on; told by the thread that works, asked by the one that beats.

    Parameters
    ----------
    clock : callable
        Monotonic [s].

    Examples
    --------
    >>> times = iter([0.0, 5.0, 12.0])
    >>> pulse = Pulse(clock=lambda: next(times))
    >>> pulse.here()
    >>> pulse.age()
    7.0
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = clock()
        self._failure: BaseException | None = None

    def here(self) -> None:
        """The work goes on."""
        self._at = self._clock()

    def age(self) -> float:
        """Since it last did [s]."""
        return self._clock() - self._at

    def fail(self, failure: BaseException) -> None:
        """The thread that beats has ended before its time."""
        self._failure = failure

    @property
    def failed(self) -> bool:
        """Whether it has."""
        return self._failure is not None

    def check(self) -> None:
        """Raise what ended it: work that nobody can see is not gone on with."""
        if self._failure is not None:
            raise self._failure

    def still(self, *, grace: float = 0.0) -> float:
        """The age that a beat must tell: what the work has stood still beyond a grace [s]."""
        return max(0.0, self.age() - grace)

    def rest(self, stop: threading.Event, seconds: float) -> bool:
        """Wait on purpose, alive all the time; whether `stop` was set meanwhile. Raises as `check`."""
        left = seconds
        while True:
            self.check()
            self.here()
            if stop.wait(min(max(left, 0.0), EVERY)):
                return True
            left -= EVERY
            if left <= 0.0:
                self.here()
                return False


class Heart:
    """A thread that beats each second with the age of the last progress; a context manager.

    Notes
    -----
    While the work stands still the beat goes on and tells an ever greater age, so that a process that hangs is
    named as soon as one that was stopped, and one that computes for long stays well as long as it gets ahead. What ends
    this thread otherwise ends the process too: `Pulse.rest` raises it in the thread that works.

    Parameters
    ----------
    beat : callable
        Publishes a beat of that age [s]; a database that is away gets the next one.
    pulse : Pulse
        Of the work.
    """

    def __init__(self, beat: Callable[[float], None], pulse: Pulse) -> None:
        self._beat = beat
        self._pulse = pulse
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        try:
            while True:
                try:
                    self._beat(self._pulse.still())
                except StoreError as error:
                    _log.debug("no beat: %s", error)
                if self._stop.wait(EVERY):
                    return
        except BaseException as error:  # noqa: BLE001  (the thread that works raises it)
            self._pulse.fail(error)
