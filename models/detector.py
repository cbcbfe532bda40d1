"""What every detector is: learn what is normal, then say how far above it a series lies.

A detector knows neither topics nor tables, and no limit: it writes an excess, and an ordinary rule on the derived
datastream decides about ringing. It is found by entry point (group `hypervision.detectors`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import ClassVar, Final, NamedTuple, Self
from zoneinfo import ZoneInfo

import numpy as np

from hypervision.batch import Float64, Int64
from hypervision.errors import HypervisionError

GROUP: Final = "hypervision.detectors"
DEFAULT_ZONE: Final = ZoneInfo("Europe/Paris")

# The derived properties are valid within +-1000; further out a number says nothing more.
EXCESS_LIMIT: Final = 999.0


class HistoryError(HypervisionError):
    """There is not enough history to say what is normal."""


class Scores(NamedTuple):
    """Readings of a derived datastream: it has a clock of its own, one score a quarter hour, or a night.

    Attributes
    ----------
    times_us : ndarray of int64, shape (m,)
        When the scored interval ended, rising [us].
    excess : ndarray of float64, shape (m,)
        How far above the expectation, in robust standard deviations; negative below it.
    """

    times_us: Int64
    excess: Float64

    def since(self, time_us: int) -> Scores:
        """The scores after an instant [us]."""
        start = int(np.searchsorted(self.times_us, time_us, side="right"))
        return Scores(self.times_us[start:], self.excess[start:])

    def until(self, time_us: int) -> Scores:
        """The scores up to an instant [us], itself included."""
        end = int(np.searchsorted(self.times_us, time_us, side="right"))
        return Scores(self.times_us[:end], self.excess[:end])


NO_SCORES: Final = Scores(np.empty(0, np.int64), np.empty(0, np.float64))


class Detector(ABC):
    """Base of all detectors: keyword-only parameters, stored unchanged; `fit`, then `excess` or `score`.

    Attributes
    ----------
    domain, reads, writes : str
        Domain, observed property and derived property.
    thing_kinds : tuple of str
        Kinds of the Things whose datastreams it reads.
    history_us : int
        How much past `fit` wants [us].
    context_us : int
        How much past `excess` wants before the first instant that is to be scored [us].
    refresh_us : int
        How long a score may stand before it is written again at the time of evaluation [us]; 0 for never.
    """

    domain: ClassVar[str]
    reads: ClassVar[str]
    writes: ClassVar[str]
    thing_kinds: ClassVar[tuple[str, ...]]
    context_us: ClassVar[int]
    refresh_us: ClassVar[int] = 0

    @property
    @abstractmethod
    def history_us(self) -> int: ...

    @abstractmethod
    def fit(self, times_us: Int64, values: Float64) -> Self:
        """Learn what is normal; the newest reading given stands for now.

        Parameters
        ----------
        times_us : ndarray of int64, shape (n,)
            Phenomenon times [us], in any order.
        values : ndarray of float64, shape (n,)
            Results in the unit of the property; what is not finite counts as missing.

        Raises
        ------
        HistoryError
            There is too little of it; the message says how much is wanted.
        """

    @abstractmethod
    def excess(self, times_us: Int64, values: Float64) -> Scores:
        """How far above the expectation each complete interval lies, in robust standard deviations.

        An interval is scored once a reading at or after its end is given, so a later reading changes no score.

        Raises
        ------
        HistoryError
            Nothing was learnt yet.
        """

    def score(self, times_us: Int64, values: Float64) -> Scores:
        """`excess` on a scale from 0 to 1, for comparison with other detectors."""
        found = self.excess(times_us, values)
        return Scores(found.times_us, unit_score(found.excess))

    @abstractmethod
    def describe(self) -> str:
        """What was learnt, in one line for a person."""


def unit_score(excess: Float64) -> Float64:
    """Map an excess to [0, 1]: 0 at and below the expectation, one half at 5 robust standard deviations.

    Examples
    --------
    >>> unit_score(np.array([-3.0, 0.0, 5.0, 45.0])).tolist()
    [0.0, 0.0, 0.5, 0.9]
    """
    above = np.maximum(excess, 0.0)
    mapped: Float64 = above / (above + 5.0)
    return mapped


@dataclass(frozen=True, slots=True)
class Column:
    """A series without what is missing, in order of time, one reading an instant."""

    times_us: Int64
    values: Float64

    @classmethod
    def of(cls, times_us: Int64, values: Float64) -> Column:
        """Copy the finite readings; of several at one instant the last given stays."""
        times = np.asarray(times_us, np.int64)
        results = np.asarray(values, np.float64)
        if times.shape != results.shape or times.ndim != 1:
            raise ValueError(f"times {times.shape} and values {results.shape} must be columns of one length")
        finite = np.isfinite(results)
        times, results = times[finite], results[finite]
        order = np.argsort(times, kind="stable")
        times, results = times[order], results[order]
        if len(times) > 1:
            last = np.append(np.diff(times) > 0, True)
            times, results = times[last], results[last]
        return cls(times, results)

    def __len__(self) -> int:
        return len(self.times_us)

    @property
    def newest_us(self) -> int:
        """Instant of the newest reading [us]."""
        return int(self.times_us[-1])


def training_span(oldest_us: int, newest_us: int, *, window_us: int, guard_us: int, minimum_us: int) -> tuple[int, int]:
    """The part of the past to learn from: a window, without the guard at its end where an anomaly may grow.

    Returns
    -------
    tuple of int
        Start and end [us]. While history is short the guard gives way, so that `minimum_us` remains.

    Examples
    --------
    >>> training_span(0, 14, window_us=28, guard_us=5, minimum_us=7)
    (0, 9)
    >>> training_span(0, 10, window_us=28, guard_us=5, minimum_us=7)
    (0, 7)
    """
    start = max(oldest_us, newest_us - window_us)
    return start, max(newest_us - guard_us, min(newest_us, start + minimum_us))


def discover(zone: ZoneInfo = DEFAULT_ZONE) -> list[Detector]:
    """One fresh detector of each kind that is installed, by name."""
    found = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    return [entry.load()(zone=zone) for entry in found]
