"""How good the alarms are, after EEMUA 191 and ISA-18.2: pure functions of what rang and what was acknowledged.

An *activation* is what an operator is told: a transition to UNACK. Windows of ten minutes are counted from full ten
minutes on, by the time at which the platform told (`recorded_at`): after an outage everything rings at once, and that
is what the operator had to bear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from hypervision.batch import Int64
from hypervision.clock import from_us
from hypervision.shifts import Shifts

WINDOW_US: Final = 600_000_000
"""Ten minutes [us]."""
FLOOD: Final = 10
"""More activations in a window, per operator, are a flood (EEMUA 191)."""
CHATTERING: Final = 3
"""So many activations of one alarm within a minute are chattering (EEMUA 191)."""
MINUTE_US: Final = 60_000_000
PRIORITIES: Final = ("critical", "high", "medium", "low")

# What an event is.
RANG: Final = 1
RANG_AGAIN: Final = 2
"""Before anybody had acknowledged the first time."""
ACKNOWLEDGED: Final = 3

Floats = npt.NDArray[np.float64]


class Events(NamedTuple):
    """Activations and acknowledgements, in any order; shape (n,) each.

    Attributes
    ----------
    at_us : ndarray of int64
        When the platform told, or was told [us].
    alarm : ndarray of int64
        The occurrence.
    what : ndarray of int64
        `RANG`, `RANG_AGAIN` or `ACKNOWLEDGED`.
    rank : ndarray of int64
        Of the priority, 0 for critical to 3 for low.
    actor : ndarray of int64
        Source and rule in one number: `actor_of`.
    """

    at_us: Int64
    alarm: Int64
    what: Int64
    rank: Int64
    actor: Int64

    def only(self, mask: npt.NDArray[np.bool_]) -> Events:
        """Some of them."""
        return Events(*(column[mask] for column in self))

    def in_time(self) -> Events:
        """All of them by time."""
        order = np.argsort(self.at_us, kind="stable")
        return Events(*(column[order] for column in self))


class Actor(NamedTuple):
    """Source and rule of an alarm; `kind` is a place in `SOURCES`."""

    kind: int
    rule_id: int
    source_id: int


SOURCES: Final = ("datastream", "thing", "group", "system")


def actor_of(number: int) -> Actor:
    """Take the number apart in which the database packs source and rule.

    Examples
    --------
    >>> actor_of(1 << 60 | 7 << 32 | 42)
    Actor(kind=1, rule_id=7, source_id=42)
    """
    return Actor(number >> 60, number >> 32 & 0xFFF_FFFF, number & 0xFFFF_FFFF)


@dataclass(frozen=True, slots=True)
class Period:
    """What is looked at: from a full ten minutes on [us] to now, whose window is still running [us]."""

    since_us: int
    until_us: int

    @classmethod
    def of(cls, until_us: int, *, length_us: int) -> Period:
        """The period of a length that ends with the window of an instant.

        Examples
        --------
        >>> Period.of(25 * 60_000_000, length_us=2 * WINDOW_US)
        Period(since_us=600000000, until_us=1500000000)
        """
        ends = -(-until_us // WINDOW_US) * WINDOW_US
        return cls(ends - length_us, until_us)

    @property
    def windows(self) -> int:
        """How many windows of ten minutes it touches."""
        return -((self.since_us - self.until_us) // WINDOW_US)

    def lengths(self) -> Floats:
        """How much of each window is over, 0 to 1; shape (windows,)."""
        found = np.ones(self.windows)
        if self.windows:
            found[-1] = (self.until_us - self.since_us) / WINDOW_US - (self.windows - 1)
        return found


@dataclass(frozen=True, slots=True)
class Load:
    """What operators had to bear, in all of a period or in one shift of it.

    Attributes
    ----------
    alarms : int
        Activations.
    per_window : float
        Per ten minutes and operator.
    peak : int
        Most of one window.
    peak_us : int or None
        When that window began [us].
    flood : float
        Share of the windows with more than `FLOOD` per operator, 0 to 1.
    acknowledged, waiting : int
        Waits for an acknowledgement that ended, and that last.
    p50, p95 : float or None
        Of the waits that ended [s].
    """

    alarms: int
    per_window: float
    peak: int
    peak_us: int | None
    flood: float
    acknowledged: int
    waiting: int
    p50: float | None
    p95: float | None


class Share(NamedTuple):
    """One alarm among the others: activations, its share of all (0 to 1), most within a minute."""

    actor: Actor
    alarms: int
    share: float
    in_a_minute: int


@dataclass(frozen=True, slots=True)
class Quality:
    """Everything that is measured over a period.

    Attributes
    ----------
    shifts : tuple of Load
        In the order of the setting.
    priorities : tuple of Load
        From critical to low; their windows are those of the whole period.
    counts : ndarray of int64, shape (windows,)
        Activations of each window.
    top : tuple of Share
        What rang most, most first.
    top_share : float
        Their share of all activations, 0 to 1.
    chattering : tuple of Share
        What rang `CHATTERING` times within a minute, worst first.
    """

    period: Period
    total: Load
    shifts: tuple[Load, ...]
    priorities: tuple[Load, ...]
    counts: Int64
    top: tuple[Share, ...]
    top_share: float
    chattering: tuple[Share, ...]


def measure(events: Events, period: Period, *, shifts: Shifts, zone: tzinfo, operators: int, top: int = 10) -> Quality:
    """Measure a period.

    Parameters
    ----------
    events : Events
        From the beginning of the period on.
    operators : int
        How many people share the alarms.
    top : int
        How many bad actors are named.
    """
    events = events.in_time()
    rang = events.only(events.what != ACKNOWLEDGED)
    window = (rang.at_us - period.since_us) // WINDOW_US
    shift = shift_of_windows(period, shifts, zone)
    waits = waits_of(events)
    wait_window = (waits.since_us - period.since_us) // WINDOW_US

    def load(mine: Any, windows: Any, waited: Any) -> Load:
        counts = np.bincount(window[mine], minlength=period.windows)
        return _load(counts, waits.only(waited), period, windows=windows, operators=operators)

    every = np.ones(period.windows, np.bool_)
    whole = load(np.ones(len(window), np.bool_), every, np.ones(len(wait_window), np.bool_))
    shares = shares_of(rang)
    return Quality(
        period=period,
        total=whole,
        shifts=tuple(load(shift[window] == n, shift == n, shift[wait_window] == n) for n in range(len(shifts.starts))),
        priorities=tuple(load(rang.rank == rank, every, waits.rank == rank) for rank in range(len(PRIORITIES))),
        counts=np.bincount(window, minlength=period.windows).astype(np.int64),
        top=tuple(shares[:top]),
        top_share=float(sum(share.share for share in shares[:top])),
        chattering=tuple(
            sorted((s for s in shares if s.in_a_minute >= CHATTERING), key=lambda s: (-s.in_a_minute, -s.alarms))
        ),
    )


def _load(counts: Int64, waits: Waits, period: Period, *, windows: Any, operators: int) -> Load:
    mine = counts[windows]
    length = float(period.lengths()[windows].sum())
    peak = int(mine.max(initial=0))
    at = int(np.flatnonzero(windows & (counts == peak))[0]) if peak else None
    ended = waits.seconds[~np.isnan(waits.seconds)]
    p50, p95 = np.percentile(ended, [50, 95]).tolist() if len(ended) else (None, None)
    return Load(
        alarms=int(mine.sum()),
        per_window=float(mine.sum()) / length / operators if length else 0.0,
        peak=peak,
        peak_us=None if at is None else period.since_us + at * WINDOW_US,
        flood=float((mine > FLOOD * operators).mean()) if len(mine) else 0.0,
        acknowledged=len(ended),
        waiting=len(waits.seconds) - len(ended),
        p50=p50,
        p95=p95,
    )


def shift_of_windows(period: Period, shifts: Shifts, zone: tzinfo) -> Int64:
    """The shift in which each window begins, by local time; shape (windows,)."""
    begins = range(period.since_us, period.since_us + period.windows * WINDOW_US, WINDOW_US)
    return np.array([shifts.number(from_us(at).astimezone(zone)) for at in begins], np.int64)


class Waits(NamedTuple):
    """Waits for an acknowledgement; shape (n,) each: since when [us], how long [s, NaN while it lasts], priority."""

    since_us: Int64
    seconds: Floats
    rank: Int64

    def only(self, mask: npt.NDArray[np.bool_]) -> Waits:
        """Some of them."""
        return Waits(self.since_us[mask], self.seconds[mask], self.rank[mask])


def waits_of(events: Events) -> Waits:
    """Each activation that nobody had acknowledged yet, to its acknowledgement.

    Notes
    -----
    What rings again before it is acknowledged is still the first wait. An acknowledgement of what rang before the
    period is left out: how long that wait was is not known here.
    """
    order = np.lexsort((events.what, events.at_us, events.alarm))
    at, alarm, what, rank = (column[order] for column in events[:4])
    opens = np.flatnonzero(what == RANG)
    # What ends a wait is the first event behind it that is no ringing of the same occurrence again.
    ends = np.append(np.flatnonzero(what != RANG_AGAIN), len(what))
    behind = ends[np.searchsorted(ends, opens, side="right")]
    there = np.minimum(behind, max(len(what) - 1, 0))
    answered = (behind < len(what)) & (alarm[there] == alarm[opens]) & (what[there] == ACKNOWLEDGED)
    seconds = np.where(answered, (at[there] - at[opens]) / 1e6, np.nan)
    return Waits(at[opens], seconds, rank[opens])


def shares_of(rang: Events) -> list[Share]:
    """Every alarm that rang, most first; each with the most activations within any minute."""
    if not len(rang.at_us):
        return []
    known, place = np.unique(rang.actor, return_inverse=True)
    counts = np.bincount(place)
    order = np.lexsort((rang.at_us, place))
    start = int(rang.at_us.min())
    # One line of time for all, on which those of two actors are further apart than any minute.
    room = int(rang.at_us.max()) - start + 2 * MINUTE_US
    line = place[order].astype(np.int64) * room + (rang.at_us[order] - start)
    follow = np.searchsorted(line, line + MINUTE_US, side="left") - np.arange(len(line))
    firsts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    most = np.maximum.reduceat(follow, firsts)
    worst = np.lexsort((known, -counts))
    total = len(rang.at_us)
    return [Share(actor_of(int(known[i])), int(counts[i]), float(counts[i] / total), int(most[i])) for i in worst]


class Standing(NamedTuple):
    """An open alarm: when it last rang [us], whether its cause is there, whether somebody shelved it."""

    since_us: int
    active: bool
    shelved: bool


STALE_US: Final = 86_400_000_000
"""What is active for longer without a pause is stale (EEMUA 191) [us]."""


def is_stale(alarm: Standing, *, now_us: int) -> bool:
    """Whether an alarm has stood for more than a day."""
    return alarm.active and now_us - alarm.since_us > STALE_US


class Figure(NamedTuple):
    """One figure with its aim, at most or at least so much; `unit` is `share`, `count`, `rate` or `seconds`."""

    code: str
    value: float | None
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether the aim is reached; None without value or aim.

        Examples
        --------
        >>> Figure("flood", 0.02, "share", at_most=0.01).is_met
        False
        """
        if self.value is None or (self.at_most is None and self.at_least is None):
            return None
        return (self.at_most is None or self.value <= self.at_most) and (
            self.at_least is None or self.value >= self.at_least
        )


# A day of 144 windows, and what a person can manage of alarms (EEMUA 191: one in ten minutes, 150 a day).
_A_DAY: Final = 144
_PER_DAY: Final = 150


def figures(found: Quality, standing: Sequence[Standing], *, operators: int) -> list[Figure]:
    """The figures of a period with their aims.

    Notes
    -----
    Aims: EEMUA 191 (one alarm in ten minutes, floods of more than ten, fewer than ten standing alarms, priorities
    5/15/80) and ISA-18.2 (peak, share of time in flood, of the top ten, no chattering, fewer than five stale). Neither
    gives one for the time to acknowledge, nor for what is shelved.
    """
    total, now_us = found.total, found.period.until_us
    everything = total.alarms or None
    part = [None if everything is None else load.alarms / everything for load in found.priorities]
    rest = None if part[2] is None or part[3] is None else part[2] + part[3]
    return [
        Figure("rate", total.per_window, "rate", at_most=1.0),
        Figure("day", total.per_window * _A_DAY, "rate", at_most=_PER_DAY),
        Figure("peak", total.peak / operators, "rate", at_most=FLOOD),
        Figure("flood", total.flood, "share", at_most=0.01),
        Figure("top", None if everything is None else found.top_share, "share", at_most=0.05),
        Figure("chattering", len(found.chattering), "count", at_most=0),
        Figure("standing", sum(one.active and not one.shelved for one in standing), "count", at_most=9 * operators),
        Figure("stale", sum(is_stale(one, now_us=now_us) for one in standing), "count", at_most=4),
        Figure("shelved", sum(one.shelved for one in standing), "count"),
        Figure("critical", part[0], "share", at_most=0.05),
        Figure("high", part[1], "share", at_most=0.15),
        Figure("rest", rest, "share", at_least=0.80),
        Figure("p50", total.p50, "seconds"),
        Figure("p95", total.p95, "seconds"),
        Figure("waiting", total.waiting, "count"),
    ]
