"""What figures of a benchmark are held to, their median over the runs, and what that says."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


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
    least = f"{'at most' if bar.low else 'at least'} {bar.least:,g}"
    return least if bar.aim is None else f"{least}, aim {bar.aim:,g}"


def runs(values: Sequence[float], digits: int) -> str:
    """All runs of a figure, in their order."""
    return ", ".join(shown(value, digits) for value in values) or "–"
