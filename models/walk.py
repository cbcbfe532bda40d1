"""Walk a detector forward: learn from the past only, score what follows, learn anew each day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from hypervision.batch import Float64, Int64
from models.clock import DAY, HOUR
from models.detector import NO_SCORES, Detector, HistoryError, Scores

# While history is too short, learning is tried again this often [us].
RETRY: Final = 6 * HOUR


@dataclass(slots=True)
class Walker:
    """One detector on one series.

    Attributes
    ----------
    detector : Detector
        Fitted anew every `every_us`.
    fitted_us : int or None
        When it was last fitted [us].
    problem : str
        Why it cannot score yet; empty when it can.
    """

    detector: Detector
    every_us: int = DAY
    fitted_us: int | None = None
    problem: str = ""
    _tried_us: int | None = field(default=None, repr=False)

    def due(self, now_us: int) -> bool:
        """Whether the next `advance` to this instant begins with a fit, so that it wants the whole past."""
        if self.fitted_us is None:
            return self._tried_us is None or now_us - self._tried_us >= RETRY
        return now_us - self.fitted_us >= self.every_us

    def advance(
        self,
        times_us: Int64,
        values: Float64,
        *,
        since_us: int,
        until_us: int,
        here: Callable[[], None] = lambda: None,
    ) -> Scores:
        """Score what ended after `since_us` and up to `until_us`, fitting on the way when it is due.

        Parameters
        ----------
        times_us : ndarray of int64, shape (n,)
            Rising; with `detector.history_us` of past before each fit [us].
        values : ndarray of float64, shape (n,)
            Results in the unit of the property.
        here : callable
            Told before each fit that the walk goes on.

        Returns
        -------
        Scores
            Each made with what was known at most `every_us` after the fit, never with later readings.
        """
        parts: list[Scores] = []
        cursor = since_us
        while cursor < until_us:
            here()
            if self.due(cursor):
                self.fit(times_us, values, now_us=cursor)
            stop = until_us
            if self.fitted_us is not None:
                stop = min(until_us, max(self.fitted_us + self.every_us, cursor + 1))
                parts.append(self._score(times_us, values, cursor, stop))
            elif self._tried_us is not None:
                stop = min(until_us, max(self._tried_us + RETRY, cursor + 1))
            cursor = stop
        found = [part for part in parts if len(part.times_us)]
        if not found:
            return NO_SCORES
        return Scores(
            np.concatenate([part.times_us for part in found]), np.concatenate([part.excess for part in found])
        )

    def fit(self, times_us: Int64, values: Float64, *, now_us: int) -> bool:
        """Learn from the past of an instant [us]; False, with `problem` set, when there is too little of it."""
        past = _span(times_us, now_us - self.detector.history_us, now_us)
        self._tried_us = now_us
        try:
            self.detector.fit(times_us[past], values[past])
        except HistoryError as error:
            self.fitted_us, self.problem = None, str(error)
        else:
            self.fitted_us, self.problem = now_us, ""
        return self.fitted_us is not None

    def _score(self, times_us: Int64, values: Float64, since_us: int, until_us: int) -> Scores:
        seen = _span(times_us, since_us - self.detector.context_us, until_us)
        return self.detector.excess(times_us[seen], values[seen]).since(since_us)


def _span(times_us: Int64, after_us: int, until_us: int) -> slice:
    """Readings after an instant and up to another."""
    first, last = np.searchsorted(times_us, (after_us, until_us), side="right")
    return slice(int(first), int(last))


def walk(detector: Detector, times_us: Int64, values: Float64, *, every_us: int = DAY) -> Scores:
    """Score a whole series as it would have been scored while it came in.

    Parameters
    ----------
    times_us : ndarray of int64, shape (n,)
        Rising [us].
    values : ndarray of float64, shape (n,)
        Results in the unit of the property.
    """
    if not len(times_us):
        return NO_SCORES
    return Walker(detector, every_us=every_us).advance(
        times_us, values, since_us=int(times_us[0]), until_us=int(times_us[-1])
    )
