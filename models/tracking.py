"""One detector on one datastream, followed in time: what is to be written next."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from hypervision.batch import Float64, Int64
from models.clock import HOUR
from models.detector import NO_SCORES, Detector, Scores
from models.walk import Walker

# A score is repeated at the time of evaluation while its night is not older than this: past it, the flow is
# missing and an old score must not look fresh.
REPEAT_FOR: Final = 30 * HOUR


@dataclass(slots=True)
class Track:
    """Scores of one datastream, each written once.

    Parameters
    ----------
    thing : str
        The Thing whose datastream is read and that gets the derived one.
    detector : Detector
        A fresh one, for this series alone.
    written_us : int or None
        Newest time in the derived datastream [us]; None where it has none.

    Attributes
    ----------
    scored_us : int or None
        End of the newest interval that was scored [us].
    newest : (int, float) or None
        The newest scored interval's end [us] and its score, which is the one that is repeated.
    """

    thing: str
    detector: Detector
    written_us: int | None = None
    scored_us: int | None = None
    newest: tuple[int, float] | None = field(default=None, repr=False)
    walker: Walker = field(init=False)

    def __post_init__(self) -> None:
        self.walker = Walker(self.detector)

    @property
    def problem(self) -> str:
        """Why there are no scores yet; empty when there are."""
        return self.walker.problem

    @property
    def wants_history(self) -> bool:
        """Whether the next `advance` must be given the whole past: nothing is learnt yet."""
        return self.walker.fitted_us is None

    def due(self, now_us: int) -> bool:
        """Whether the next `advance` learns anew, so that it must be given the whole past."""
        return self.wants_history or self.walker.due(now_us)

    def advance(
        self, times_us: Int64, values: Float64, *, now_us: int, here: Callable[[], None] = lambda: None
    ) -> Scores:
        """Score what is new.

        Parameters
        ----------
        times_us : ndarray of int64, shape (n,)
            Rising, none later than now; the whole past where `due`, else at least the detector's context [us].
        values : ndarray of float64, shape (n,)
            Results in the unit of the property.
        here : callable
            Told again and again that the work goes on: a first walk through the past takes long.

        Returns
        -------
        Scores
            What is to be written, later than all that was written before; say `wrote` when it was.

        Notes
        -----
        The first time, the past is walked through day by day, each scored by what was known then; then the detector
        learns from all of it, for what comes. Where the past was scored before a restart, only what may have to be
        repeated is walked through again.
        """
        if not len(times_us):
            return NO_SCORES
        start = self.written_us if self.scored_us is None else self.scored_us
        if self.wants_history:
            if not self.walker.fit(times_us, values, now_us=now_us):
                return NO_SCORES
            since = int(times_us[0]) if start is None else start
            reach = min(since, now_us - REPEAT_FOR) if self.detector.refresh_us else since
            past = Walker(copy(self.detector))
            found = past.advance(times_us, values, since_us=reach, until_us=now_us, here=here)
            self._note(found)
            found = found.since(since) if start is not None else found
            # Of what is complete now this model has perhaps learnt: it judges what comes after.
            complete = self.detector.excess(times_us, values).times_us
            self.scored_us = max([since, *complete[-1:].tolist()])
        else:
            assert start is not None
            found = self.walker.advance(times_us, values, since_us=start, until_us=now_us, here=here)
            self._note(found)
            if len(found.times_us):
                self.scored_us = int(found.times_us[-1])
        return self._writable(found, now_us)

    def wrote(self, scores: Scores) -> None:
        """Note that these were stored."""
        if len(scores.times_us):
            self.written_us = int(scores.times_us[-1])

    def _note(self, found: Scores) -> None:
        if len(found.times_us):
            self.newest = int(found.times_us[-1]), float(found.excess[-1])

    def _writable(self, found: Scores, now_us: int) -> Scores:
        """What is later than the written, then the repeated newest when it is time for it."""
        written = self.written_us
        fresh = found if written is None else found.since(written)
        overtaken = len(fresh.times_us) < len(found.times_us)
        newest = written if not len(fresh.times_us) else int(fresh.times_us[-1])
        refresh = self.detector.refresh_us
        wait = 1 if overtaken else refresh
        if refresh and self.newest is not None and (newest is None or now_us - newest >= wait):
            # The score as it was given: the model of today has perhaps learnt from that very night.
            end_us, excess = self.newest
            if now_us - end_us <= REPEAT_FOR:
                fresh = Scores(np.append(fresh.times_us, now_us), np.append(fresh.excess, excess))
        return fresh
