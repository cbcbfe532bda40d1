"""A counter's chart: by how much it grew in each step of time, with the register under the pointer."""

from __future__ import annotations

import math
from typing import Any, Final

from dashboards.components import gaps
from dashboards.trends import LINES, Growth, Trend
from dashboards.ui import Node
from dashboards.views import Scene
from hypervision.store.growth import STEPS

# Figures of the largest step that are shown, whatever the register shows.
_FIGURES: Final = 3
_MILLISECONDS: Final = 1000
HEADS: Final = ("grown", "shown")
"""Of its table, after the time."""


def decimals_of(growth: Growth, decimals: int) -> int:
    """How many decimals tell the steps apart: a register of whole cubic metres may grow by some litres.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from hypervision.store.growth import Grown
    >>> at = datetime(2026, 3, 26, tzinfo=UTC)
    >>> [decimals_of(Growth("hour", [Grown(at, total, None)]), 0) for total in (250.0, 2.5, 0.03, 0.0)]
    [0, 2, 4, 0]
    """
    largest = max((step.total for step in growth.steps), default=0.0)
    return decimals if largest <= 0 else max(decimals, _FIGURES - 1 - math.floor(math.log10(largest)))


def unit_text(scene: Scene, trend: Trend, growth: Growth) -> str:
    """What a bar is counted in."""
    return scene.words.t(f"asset.per_{growth.step}", unit=scene.words.unit(trend.stream.unit))


def total_text(scene: Scene, trend: Trend, growth: Growth, decimals: int) -> str:
    """All bars together."""
    total = sum(step.total for step in growth.steps)
    return scene.words.t("asset.in_all", total=scene.words.quantity(total, trend.stream.unit, decimals))


def bars(scene: Scene, trend: Trend, growth: Growth, decimals: int, colour: str) -> dict[str, Any]:
    """The trace as plotly's JSON; a time of which nothing is known has no bar."""
    words, unit, length = scene.words, trend.stream.unit, STEPS[growth.step]
    fine = decimals_of(growth, decimals)
    told = []
    for step, gap in zip(growth.steps, gaps.beside(scene, trend, [step.at for step in growth.steps]), strict=True):
        lines = [words.quantity(step.total, unit, fine), f"{words.clock(step.at)} – {words.clock(step.at + length)}"]
        if step.register is not None:
            lines.append(words.t("asset.register", value=words.quantity(step.register, unit, decimals)))
        told.append("<br>".join(lines) + gap)
    return {
        "type": "bar",
        "x": [step.at.astimezone(words.zone).replace(tzinfo=None).isoformat() for step in growth.steps],
        "y": [step.total for step in growth.steps],
        "width": round(length.total_seconds() * _MILLISECONDS),
        "offset": 0,
        "marker": {"color": colour, "opacity": 0.75},
        "customdata": told,
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def axis(growth: Growth, decimals: int) -> dict[str, Any]:
    """The axis of the bars, from nothing on."""
    fine = decimals_of(growth, decimals)
    found: dict[str, Any] = {"tickformat": f",.{fine}f", "nticks": 4, "rangemode": "tozero"}
    return found if any(step.total for step in growth.steps) else {**found, "range": [0, 1]}


def rows(scene: Scene, trend: Trend, growth: Growth, decimals: int) -> list[list[Node]]:
    """The lines of its table, the newest first: time, growth, register; several steps in one where there are many."""
    words, unit = scene.words, trend.stream.unit
    fine = decimals_of(growth, decimals)
    several = max(1, math.ceil(len(growth.steps) / LINES))
    lines: list[list[Node]] = []
    for first in range(0, len(growth.steps), several):
        part = growth.steps[first : first + several]
        shown = [step.register for step in part if step.register is not None]
        total = words.quantity(sum(step.total for step in part), unit, fine)
        lines.append([words.clock(part[0].at), total, words.quantity(shown[-1], unit, decimals) if shown else "—"])
    return lines[::-1]
