"""How fast each datastream changes: against its last reading of an earlier minute, or the first one known.

Two readings a second apart, or two without a time of their own that came in one packet, differ by noise: over so short
a time any noise is a steep rise. So a reading is compared with the last sound one of an earlier minute, and a change
counts as if it had taken a minute at least.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from hypervision.batch import Bool, Float64, Int32, Int64
from hypervision.clock import HOUR_US
from hypervision.datastreams import NEVER

MINUTE_US: Final = 60_000_000


class References(NamedTuple):
    """What each reading is compared with; shape (n,) each, `NEVER` and NaN where there is nothing."""

    time_us: Int64
    result: Float64


class Rates:
    """The last sound readings of every slot, in two different minutes.

    Attributes
    ----------
    last_us, last : ndarray
        The newest sound reading per slot.
    before_us, before : ndarray
        The newest sound one of a minute before that.
    """

    def __init__(self) -> None:
        self._allocate(1024)

    def _allocate(self, size: int) -> None:
        self.last_us: Int64 = np.full(size, NEVER, np.int64)
        self.last: Float64 = np.full(size, np.nan)
        self.before_us: Int64 = np.full(size, NEVER, np.int64)
        self.before: Float64 = np.full(size, np.nan)

    def _cover(self, slot: Int32) -> None:
        size = len(self.last_us)
        if not len(slot) or int(slot.max()) < size:
            return
        old = {name: getattr(self, name) for name in ("last_us", "last", "before_us", "before")}
        self._allocate(max(2 * size, int(slot.max()) + 1))
        for name, column in old.items():
            getattr(self, name)[:size] = column

    def forget(self) -> None:
        """Know nothing any more."""
        self._allocate(len(self.last_us))

    def know(self, slot: int, time_us: int, result: float) -> None:
        """Take a sound reading from the store."""
        self._cover(np.array([slot], np.int32))
        self.last_us[slot], self.last[slot] = time_us, result
        self.before_us[slot], self.before[slot] = NEVER, np.nan

    def references(self, slot: Int32, time_us: Int64, result: Float64) -> References:
        """What each reading is compared with.

        Parameters
        ----------
        slot, time_us, result : ndarray, shape (n,)
            Sound readings, sorted by (slot, time).
        """
        self._cover(slot)
        minute = time_us // MINUTE_US
        last_us, before_us = self.last_us[slot], self.before_us[slot]
        # Where no earlier minute is known, the oldest reading of this one is what there is.
        earlier = (last_us < minute * MINUTE_US) | (before_us == NEVER)
        found_us = np.where(earlier, last_us, before_us)
        found = np.where(earlier, self.last[slot], self.before[slot])
        if len(slot):
            # Runs of one slot and one minute; a run is compared with the end of the one before.
            starts = np.flatnonzero(np.append(True, (slot[1:] != slot[:-1]) | (minute[1:] != minute[:-1])))
            follows = starts[1:][slot[starts[1:]] == slot[starts[1:] - 1]]
            ends = np.append(starts[1:], len(slot))
            alone = np.repeat(starts, ends - starts)
            nothing = (found_us == NEVER) & (alone < np.arange(len(slot)))
            found_us[nothing], found[nothing] = time_us[alone[nothing]], result[alone[nothing]]
            for start, end in zip(follows, ends[np.searchsorted(starts, follows)], strict=True):
                if time_us[start - 1] >= found_us[start] or found_us[start] == NEVER:
                    found_us[start:end], found[start:end] = time_us[start - 1], result[start - 1]
        return References(found_us, found)

    def of(self, slot: Int32, time_us: Int64, result: Float64) -> Float64:
        """Absolute change per hour, shape (n,); NaN where there is nothing to compare with.

        Parameters
        ----------
        slot, time_us, result : ndarray, shape (n,)
            Sound readings, sorted by (slot, time).
        """
        reference = self.references(slot, time_us, result)
        known = (reference.time_us != NEVER) & (time_us > reference.time_us)
        took = np.maximum(np.where(known, time_us - reference.time_us, MINUTE_US), MINUTE_US)
        return np.where(known, np.abs(result - reference.result) * (HOUR_US / took), np.nan)

    def remember(self, slot: Int32, time_us: Int64, result: Float64) -> None:
        """Take over readings that are committed, those that are newer than what is known.

        Parameters
        ----------
        slot, time_us, result : ndarray, shape (n,)
            Sound readings, sorted by (slot, time).
        """
        self._cover(slot)
        newer = time_us > self.last_us[slot]
        slot, time_us, result = slot[newer], time_us[newer], result[newer]
        if not len(slot):
            return
        reference = self.references(slot, time_us, result)
        rows = np.flatnonzero(np.append(slot[1:] != slot[:-1], True))
        self.before_us[slot[rows]], self.before[slot[rows]] = reference.time_us[rows], reference.result[rows]
        self.last_us[slot[rows]], self.last[slot[rows]] = time_us[rows], result[rows]


def of_series(time_us: Int64, result: Float64, sound: Bool) -> Float64:
    """The same for one datastream whose readings are all given, shape (n,); NaN for unsound ones.

    Examples
    --------
    >>> of_series(np.array([0, 60_000_000]), np.array([1.0, 3.0]), np.array([True, True])).tolist()
    [nan, 120.0]
    """
    rate = np.full(len(time_us), np.nan)
    rate[sound] = Rates().of(np.zeros(int(sound.sum()), np.int32), time_us[sound], result[sound])
    return rate
