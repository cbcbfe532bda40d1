"""What the time is for one process: by its own clock, as long as that agrees with the database's.

Readings are judged by the time of their receipt, and timers by how long nothing came. A process whose clock is wrong
would refuse honest readings, take new ones for history, and ring for Things that send. All writers share one database,
so its clock counts where they differ: each beat brings it, and a clock that does not jump carries it on until the next.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from hypervision.clock import from_us

_log = logging.getLogger(__name__)

AGREES: Final = 2.0
"""By so much a clock may differ from the database's and is still believed [s]; a time service keeps it closer."""
# An answer that took longer tells no time.
_PROMPT: Final = 1.0
# Goes on while the machine sleeps, too: `time.monotonic` does not, and here only macOS lacks the first name.
_STEADY_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def steady() -> float:
    """A clock that never jumps [s]."""
    return time.clock_gettime(_STEADY_CLOCK)


class Clock:
    """The clock of a process that writes; every thread of it may ask.

    Parameters
    ----------
    wall, steady : callable
        The process's own clock [s since the Unix epoch], and one that never jumps [s].

    Attributes
    ----------
    ahead : float
        By how much the process's own clock is ahead of the database's, as far as it is not believed; 0 otherwise [s].
    jumps : int
        How often the time that is told has jumped: the database's clock was set.

    Examples
    --------
    >>> wall, running = [1_000_000.0], [0.0]
    >>> clock = Clock(wall=lambda: wall[0], steady=lambda: running[0])
    >>> clock.told(from_us(1_000_000_000_000), began=0.0)
    >>> wall[0], running[0] = 5_000_000.0, 10.0
    >>> clock.now() - from_us(1_000_000_000_000)
    datetime.timedelta(seconds=10)
    """

    def __init__(self, *, wall: Callable[[], float] = time.time, steady: Callable[[], float] = steady) -> None:
        self._wall = wall
        self._steady = steady
        # What is added to the steady clock to get the database's time [s]; None before it was asked.
        self._base: float | None = None
        self.ahead = 0.0
        self.jumps = 0

    def now(self) -> datetime:
        """The time, aware."""
        return from_us(round(self.seconds() * 1e6))

    def seconds(self) -> float:
        """The time [s since the Unix epoch]."""
        wall, base = self._wall(), self._base
        if base is None:
            return wall
        carried = self._steady() + base
        return wall if abs(wall - carried) <= self._limit() else carried

    def steady(self) -> float:
        """The clock that never jumps [s]; `told` wants to know when the database was asked by it."""
        return self._steady()

    def told(self, at: datetime, *, began: float) -> None:
        """Take the database's time.

        Parameters
        ----------
        at : datetime
            What it said.
        began : float
            When it was asked, by `steady` [s].
        """
        ended = self._steady()
        if self._base is not None and ended - began > _PROMPT:
            return
        base = at.timestamp() - (began + ended) / 2
        if self._base is not None and abs(base - self._base) > AGREES:
            self.jumps += 1
            _log.warning("the database's clock was set by %s", timedelta(seconds=round(base - self._base)))
        self._base = base
        self._compare(self._wall() - (self._steady() + base))

    def _limit(self) -> float:
        """One that is not believed must agree better: else the time went to and fro where it differs by so much."""
        return AGREES / 2 if self.ahead else AGREES

    def _compare(self, ahead: float) -> None:
        before, self.ahead = self.ahead, ahead if abs(ahead) > self._limit() else 0.0
        if self.ahead and abs(self.ahead - before) > AGREES:
            word = "ahead of" if ahead > 0 else "behind"
            _log.warning(
                "the clock of this process is %s %s the database's, which is used instead; set the clock of one of the"
                " two machines",
                timedelta(seconds=round(abs(ahead))),
                word,
            )
        elif before and not self.ahead:
            _log.info("the clock of this process agrees with the database's again")


def system_clock() -> datetime:
    """The time by the process's own clock, for what has no database to ask."""
    return datetime.now(UTC)
