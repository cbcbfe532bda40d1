"""Message counters of devices: which numbers have not come. Pure: what is known and what came -> what is known.

A run is one life of a counter, from a restart of the device to the next. Where the device tells its restarts
(`boot`), each value of it is a run. Where it does not, a smaller number with a later time begins one, and times tell
to which run a number belongs that comes late.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

RUNS: Final = 8
"""So many runs of one counter are remembered, the newest ones: a number of an older one is not looked at."""


class Came(NamedTuple):
    """A numbered message that came.

    Attributes
    ----------
    time_us : int
        Phenomenon time [us]; that of receipt where the message has none.
    assumed : bool
        Whether the time is that of receipt: then a late message looks younger than it is.
    """

    boot: str
    seq: int
    time_us: int
    assumed: bool = False


class Gap(NamedTuple):
    """Numbers that have not come, and the times of the messages on both sides [us]."""

    first_seq: int
    last_seq: int
    began_us: int
    ended_us: int


class Run(NamedTuple):
    """How far a counter has come in one run.

    Attributes
    ----------
    boot : str
        What the device says of its restart; empty where it says nothing.
    first_seq, last_seq : int
        Lowest and highest number that came.
    first_us, last_us : int
        Times of those two messages [us].
    sequence_id : int
        Key in the store, 0 before it is stored.
    version : int
        Of the stored row, which several processes may move.
    """

    boot: str
    first_seq: int
    last_seq: int
    first_us: int
    last_us: int
    sequence_id: int = 0
    version: int = 0


@dataclass(slots=True)
class Track:
    """A run on its way forward, with those of its gaps that may be touched."""

    run: Run
    gaps: list[Gap] = field(default_factory=list)

    def take(self, came: Came) -> None:
        """A number of this run."""
        run, seq, at = self.run, came.seq, came.time_us
        if seq > run.last_seq:
            if seq > run.last_seq + 1:
                self.gaps.append(Gap(run.last_seq + 1, seq - 1, run.last_us, at))
            self.run = run._replace(last_seq=seq, last_us=at)
        elif seq < run.first_seq:
            if seq < run.first_seq - 1:
                self.gaps.append(Gap(seq + 1, run.first_seq - 1, at, run.first_us))
            self.run = run._replace(first_seq=seq, first_us=at)
        else:
            self._fill(seq, at)

    def lacks(self, seq: int) -> bool:
        """Whether a number is one of those that have not come."""
        return any(gap.first_seq <= seq <= gap.last_seq for gap in self.gaps)

    def _fill(self, seq: int, at: int) -> None:
        for i, gap in enumerate(self.gaps):
            if gap.first_seq <= seq <= gap.last_seq:
                below = Gap(gap.first_seq, seq - 1, gap.began_us, at)
                above = Gap(seq + 1, gap.last_seq, at, gap.ended_us)
                self.gaps[i : i + 1] = [part for part in (below, above) if part.first_seq <= part.last_seq]
                return


def advance(runs: Sequence[Run], gaps: Mapping[int, Iterable[Gap]], came: Iterable[Came]) -> list[Track]:
    """Take numbered messages of one counter, in whatever order they came.

    Parameters
    ----------
    runs : sequence of Run
        What is known.
    gaps : mapping of int to gaps
        By `Run.sequence_id`: at least those that touch the numbers that came.
    came : iterable of Came
        Messages, repeated ones among them.

    Returns
    -------
    list of Track
        All runs, old and new, by the time of their newest number.

    Examples
    --------
    >>> tracks = advance([], {}, [Came("", 5, 50), Came("", 9, 90), Came("", 7, 70)])
    >>> [(gap.first_seq, gap.last_seq) for gap in tracks[0].gaps]
    [(6, 6), (8, 8)]
    """
    tracks = [Track(run, list(gaps.get(run.sequence_id, ()))) for run in runs]
    # By time, so that what was only shuffled on its way is no restart.
    for one in sorted(came, key=lambda c: (c.time_us, c.seq)):
        chosen = _of_boot(tracks, one) if one.boot else _of_time(tracks, one)
        if chosen is None:
            tracks.append(Track(Run(one.boot, one.seq, one.seq, one.time_us, one.time_us)))
        else:
            chosen.take(one)
    return sorted(tracks, key=lambda track: track.run.last_us)


def _of_boot(tracks: list[Track], came: Came) -> Track | None:
    return next((track for track in tracks if track.run.boot == came.boot), None)


def _of_time(tracks: list[Track], came: Came) -> Track | None:
    """The run of a number whose device does not tell its restarts; None when it begins one."""
    known = sorted((track for track in tracks if not track.run.boot), key=lambda track: track.run.last_us)
    if not known:
        return None
    current = known[-1]
    return _of_later(known, current, came) if came.time_us > current.run.last_us else _of_earlier(known, came)


def _of_later(known: list[Track], current: Track, came: Came) -> Track | None:
    """For a message younger than all: it goes on, or begins anew."""
    seq, newest = came.seq, current.run
    if seq > newest.last_seq + 1:
        # A run that seemed over and goes on with its next number was interrupted by a message that came late, or by
        # a clock that was wrong for a while.
        return next((track for track in known if track.run.last_seq + 1 == seq), current)
    if seq >= newest.last_seq or (came.assumed and current.lacks(seq)):
        return current
    return None


def _of_earlier(known: list[Track], came: Came) -> Track | None:
    """For a message that is not the youngest: to the run of its time, or to the end of one that lies next to it."""
    seq, at = came.seq, came.time_us
    for track in reversed(known):
        run = track.run
        if run.first_us <= at <= run.last_us:
            if seq >= run.first_seq or at == run.first_us:
                return track
            # Older than the run by its number, younger by its time: it belongs to none that is known.
            return None
    after = [track for track in known if track.run.first_us > at and seq < track.run.first_seq]
    before = [track for track in known if track.run.last_us < at and seq > track.run.last_seq]
    if after:
        return min(after, key=lambda track: track.run.first_us)
    return before[-1] if before else None
