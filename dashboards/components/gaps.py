"""Gaps in a chart: hatched, with a word, and told in its table."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from dash.development.base_component import Component

from dashboards.components.tables import table
from dashboards.trends import Trend, Trends
from dashboards.ui import Node
from dashboards.views import Scene
from hypervision.store.screens import GapRow

# What is drawn in one chart, the longest ones, and what its table tells, the newest ones.
_DRAWN: Final = 40
_TOLD: Final = 24
# The share of a chart's width that a word takes.
_WORD: Final = 0.14


def words_of(scene: Scene, gap: GapRow) -> list[str]:
    """A gap in words: what, from when to when, how many."""
    words = scene.words
    ended = words.clock(gap.ended) if gap.ended is not None else words.t("gap.lasts")
    found = [words.t(f"gap.{gap.cause}"), f"{words.clock(gap.began)} – {ended}"]
    if gap.missing is not None:
        kind = "messages" if gap.cause == "sequence" else "readings"
        found.append(words.t(f"gap.{kind}", n=words.number(gap.missing)))
    return found


def drawn(
    scene: Scene, found: Trends, trend: Trend, c: Mapping[str, str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The gaps as hatched areas that say what they are under the pointer, the wide ones with their word.

    Returns
    -------
    tuple of lists
        Traces on the axis `y2`, and annotations.
    """
    traces, notes = [], []
    window = found.until - found.since
    for gap in _longest(trend.gaps, found):
        start, end = max(gap.began, found.since), min(gap.ended or found.until, found.until)
        x0, x1 = (t.astimezone(scene.words.zone).replace(tzinfo=None).isoformat() for t in (start, end))
        traces.append(
            {
                "type": "scatter", "mode": "lines", "yaxis": "y2", "x": [x0, x0, x1, x1, x0], "y": [0, 1, 1, 0, 0],
                "fill": "toself", "fillcolor": "rgba(0,0,0,0)", "line": {"width": 0, "color": c["edge"]},
                "fillpattern": {"shape": "/", "fgcolor": c["edge"], "fgopacity": 0.5, "size": 7, "solidity": 0.12},
                "hoveron": "fills", "hoverinfo": "text", "text": "<br>".join(words_of(scene, gap)),
            }
        )  # fmt: skip
        if (end - start) >= _WORD * window:
            notes.append(
                {
                    "xref": "x", "x": x0, "xanchor": "left", "yref": "paper", "y": 0, "yanchor": "bottom",
                    "showarrow": False, "text": scene.words.t(f"gap.{gap.cause}"), "bgcolor": c["panel"],
                    "borderpad": 1, "font": {"color": c["muted"], "size": 10},
                }
            )  # fmt: skip
    return traces, notes


def beside(scene: Scene, trend: Trend, times: Sequence[datetime]) -> list[str]:
    """What the pointer tells of a gap at each point of a line: at its edges, and within it where readings came."""
    found = [""] * len(times)
    for gap in trend.gaps:
        last = len(times) if gap.ended is None else bisect_right(times, gap.ended)
        for i in range(bisect_left(times, gap.began), last):
            found[i] = "<br>" + "<br>".join(words_of(scene, gap))
    return found


def told(scene: Scene, gaps: Sequence[GapRow]) -> Component | None:
    """The newest gaps as lines of a table; None when there is none."""
    if not gaps:
        return None
    rows: list[list[Node]] = [
        [what, when, " ".join(missing)]
        for what, when, *missing in (words_of(scene, gap) for gap in reversed(gaps[-_TOLD:]))
    ]
    return table([scene.words.t(f"gap.{key}") for key in ("what", "when", "missing")], rows)


def _longest(gaps: Sequence[GapRow], found: Trends) -> list[GapRow]:
    def length(gap: GapRow) -> float:
        ended: datetime = gap.ended or found.until
        return (ended - gap.began).total_seconds()

    return sorted(sorted(gaps, key=length)[-_DRAWN:], key=lambda gap: gap.began)
