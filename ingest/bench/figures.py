"""The figures of `bench ingest`: what each is held to, its median over the runs, and what that says."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple


class Bar(NamedTuple):
    """What a figure is held to.

    Attributes
    ----------
    key : str
        Short name.
    what : str
        For a person.
    unit : str
        Of the figure.
    least, aim : float or None
        The bound, and what is aimed at.
    digits : int
        Digits after the point.
    low : bool
        Whether less is better: `least` is then the most that is allowed.
    """

    key: str
    what: str
    unit: str
    least: float | None = None
    aim: float | None = None
    digits: int = 0
    low: bool = False


BARS: Final = (
    Bar("drain", "drain to committed rows, one collector, 2 readings each, rules on, embedded broker", "messages/s",
        31_000, 45_000),
    Bar("mosquitto", "the same from Mosquitto (no persistence)", "messages/s", 35_000, 60_000),
    Bar("together", "end to end, publisher and embedded broker on the same cores", "messages/s", 18_000, 26_000),
    Bar("wide", "the same drain when a message carries 20 readings", "readings/s", 150_000, 250_000),
    Bar("cpu", "CPU of the collector per million readings, in the first drain", "s", 14, 4, 1, low=True),
    Bar("backlog", "backlog of a database outage, worked off beside what goes on arriving", "times real time",
        8, None, 1),
    Bar("flat", "memory of the collector: the rest of that outage above its first third", "MB", 25, None, 1, low=True),
    Bar("p50", "publish to committed row, half of the messages", "ms", 300, None, low=True),
    Bar("p99", "publish to committed row, 99 of 100 messages", "ms", 1_000, None, low=True),
    Bar("looping", "that p99 beside one device in a loop, as a multiple", "times", 2, None, 2, low=True),
    Bar("memory", "memory of the collector, most of all runs", "MB", 250, None, low=True),
)  # fmt: skip


@dataclass(slots=True)
class Figure:
    """One figure with its runs.

    Attributes
    ----------
    values, bare : list of float
        Of each run, ours and the bare path's.
    why_not : str
        Why it was not measured; empty when it was.
    """

    bar: Bar
    values: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    why_not: str = ""

    @property
    def median(self) -> float | None:
        """The middle of the runs; None without any."""
        return statistics.median(self.values) if self.values else None

    @property
    def bare_median(self) -> float | None:
        """The middle of the bare path's runs; None without any."""
        return statistics.median(self.bare) if self.bare else None

    @property
    def verdict(self) -> str:
        """`aim`, `reached` or `missed`; or that there is nothing to judge.

        Examples
        --------
        >>> Figure(Bar("cpu", "", "s", 14, 4, low=True), [5.0, 3.0, 9.0]).verdict
        'reached'
        """
        middle, bar = self.median, self.bar
        if middle is None:
            return "not measured"
        if bar.aim is not None and _holds(middle, bar.aim, low=bar.low):
            return "aim"
        if bar.least is None or _holds(middle, bar.least, low=bar.low):
            return "reached"
        return "missed"

    def document(self) -> dict[str, Any]:
        """The figure as JSON takes it."""
        bar = self.bar
        return {
            "key": bar.key, "what": bar.what, "unit": bar.unit, "bound": bar.least, "aim": bar.aim,
            "less_is_better": bar.low, "median": self.median, "runs": self.values, "bare_median": self.bare_median,
            "bare_runs": self.bare, "verdict": self.verdict, "why_not": self.why_not,
        }  # fmt: skip


def _holds(value: float, bound: float, *, low: bool) -> bool:
    return value <= bound if low else value >= bound


def shown(value: float | None, digits: int) -> str:
    """A number as a table shows it; a dash for none.

    Examples
    --------
    >>> shown(12345.6, 0), shown(3.14159, 1), shown(None, 0)
    ('12,346', '3.1', '–')
    """
    return "–" if value is None else f"{value:,.{digits}f}"


def bound(bar: Bar) -> str:
    """What a figure is held to, in words."""
    if bar.least is None:
        return "–"
    least = f"{'at most' if bar.low else 'at least'} {shown(bar.least, 0)}"
    return least if bar.aim is None else f"{least}, aim {shown(bar.aim, 0)}"


def runs(values: Sequence[float], digits: int) -> str:
    """All runs of a figure, in their order."""
    return ", ".join(shown(value, digits) for value in values) or "–"
