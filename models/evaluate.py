"""How good alarms are: found events beside false alarms, because either alone can be won without detecting.

Definitions: alarms closer than a gap merge to one run; a true event is found when a run starts inside it; a run
that starts outside every event is one false alarm, also one that is already on when an event begins. No point
adjustment (a random score wins it: Kim et al., AAAI 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.clock import DAY, HOUR
from models.ringing import Span


@dataclass(frozen=True, slots=True)
class Report:
    """Counts of one or more series; add them up with `+`.

    Attributes
    ----------
    found, missed : int
        True events.
    false : int
        False alarms.
    delays_us : tuple of int
        From the start of each found event to its first alarm [us].
    sensors : int
        Series judged.
    watched_us, normal_us, alarmed_us : int
        Time judged, of it without an event, of that under alarm [us].
    """

    found: int = 0
    missed: int = 0
    false: int = 0
    delays_us: tuple[int, ...] = ()
    sensors: int = 0
    watched_us: int = 0
    normal_us: int = 0
    alarmed_us: int = 0

    def __add__(self, other: Report) -> Report:
        return Report(
            self.found + other.found,
            self.missed + other.missed,
            self.false + other.false,
            self.delays_us + other.delays_us,
            self.sensors + other.sensors,
            self.watched_us + other.watched_us,
            self.normal_us + other.normal_us,
            self.alarmed_us + other.alarmed_us,
        )

    @property
    def f1(self) -> float:
        """Event F1; NaN where there was neither an event nor an alarm."""
        total = 2 * self.found + self.false + self.missed
        return 2 * self.found / total if total else float("nan")

    @property
    def false_per_sensor_day(self) -> float:
        """False alarms per sensor and day [1/d]."""
        return self.false / (self.watched_us / DAY) if self.watched_us else float("nan")

    @property
    def median_delay_hours(self) -> float:
        """Median time from an event's start to its alarm, of the found ones [h]."""
        return float(np.median(self.delays_us)) / HOUR if self.delays_us else float("nan")

    @property
    def normal_share_alarmed(self) -> float:
        """Share of the time without an event that was under alarm [1]."""
        return self.alarmed_us / self.normal_us if self.normal_us else float("nan")


def evaluate(alarms: Sequence[Span], events: Sequence[Span], *, start_us: int, end_us: int, gap_us: int = 0) -> Report:
    """Judge the alarms of one series against its true events.

    Parameters
    ----------
    alarms, events : sequence of Span
        In any order.
    start_us, end_us : int
        The time that is judged [us]; what lies outside is cut off, an event that ends before it does not count.
    gap_us : int
        Alarms at most so far apart are one run [us].

    Examples
    --------
    >>> report = evaluate([Span(12, 20), Span(60, 61)], [Span(10, 30), Span(80, 90)], start_us=0, end_us=100)
    >>> report.found, report.missed, report.false, report.f1
    (1, 1, 1, 0.5)
    """
    truth = _cut(events, start_us, end_us)
    runs = merge(_cut(alarms, start_us, end_us), gap_us=gap_us)
    delays: list[int] = []
    for event in truth:
        inside = [run.start_us for run in runs if event.start_us <= run.start_us <= event.end_us]
        if inside:
            delays.append(min(inside) - event.start_us)
    false = sum(not any(event.start_us <= run.start_us <= event.end_us for event in truth) for run in runs)
    normal = _complement(merge(truth), start_us, end_us)
    return Report(
        found=len(delays),
        missed=len(truth) - len(delays),
        false=false,
        delays_us=tuple(delays),
        sensors=1,
        watched_us=max(0, end_us - start_us),
        normal_us=sum(span.end_us - span.start_us for span in normal),
        alarmed_us=sum(max(0, min(a.end_us, n.end_us) - max(a.start_us, n.start_us)) for a in runs for n in normal),
    )


def merge(spans: Sequence[Span], *, gap_us: int = 0) -> list[Span]:
    """Union of intervals; those at most `gap_us` apart become one.

    Examples
    --------
    >>> merge([Span(5, 6), Span(0, 2), Span(3, 4)], gap_us=1)
    [Span(start_us=0, end_us=6)]
    """
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start_us <= merged[-1].end_us + gap_us:
            merged[-1] = Span(merged[-1].start_us, max(merged[-1].end_us, span.end_us))
        else:
            merged.append(span)
    return merged


def _cut(spans: Sequence[Span], start_us: int, end_us: int) -> list[Span]:
    return [
        Span(max(s.start_us, start_us), min(s.end_us, end_us))
        for s in sorted(spans)
        if s.end_us >= start_us and s.start_us <= end_us
    ]


def _complement(spans: Sequence[Span], start_us: int, end_us: int) -> list[Span]:
    free: list[Span] = []
    cursor = start_us
    for span in spans:
        if span.start_us > cursor:
            free.append(Span(cursor, span.start_us))
        cursor = max(cursor, span.end_us)
    if cursor < end_us:
        free.append(Span(cursor, end_us))
    return free
