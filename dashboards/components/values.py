"""How a value looks: never without its age, never normal when it is old."""

from __future__ import annotations

from datetime import datetime

from dash.development.base_component import Component

from dashboards.figures import Figure, scale
from dashboards.limits import Periods
from dashboards.town import milliseconds
from dashboards.ui import div, hidden, span
from dashboards.words import Words


def age(at: datetime | None, *, period: float | None = None, periods: Periods | None = None) -> Component:
    """How long ago, ticking in the browser; late and stale by the expected period.

    Parameters
    ----------
    period : float, optional
        Expected period [s]; None: the age is told, not judged.
    """
    if at is None:
        return span("—", cls="age")
    judged = period is not None and periods is not None
    return span(
        cls="age num",
        data_since=str(milliseconds(at)),
        data_late=str(round(periods.late * period)) if judged and periods and period else None,
        data_stale=str(round(periods.stale * period)) if judged and periods and period else None,
    )


def bar(figure: Figure) -> Component:
    """Where a figure stands between its limits: band, spread of the Things, median."""
    low, high = scale(figure)
    width = (high - low) or 1.0

    def at(value: float) -> float:
        return round(100 * min(max((value - low) / width, 0.0), 1.0), 2)

    parts: list[Component] = []
    if figure.normal is not None:
        left = at(low if figure.normal[0] is None else figure.normal[0])
        right = at(high if figure.normal[1] is None else figure.normal[1])
        parts.append(div(cls="bar-band", style={"left": f"{left}%", "width": f"{max(right - left, 0)}%"}))
    if figure.value is not None:
        if figure.state:
            parts.append(div(cls="bar-share", style={"width": f"{at(figure.value)}%"}))
        else:
            start, end = at(figure.low), at(figure.high)
            parts.append(div(cls="bar-spread", style={"left": f"{start}%", "width": f"{max(end - start, 0.5)}%"}))
            parts.append(div(cls="bar-tick", style={"left": f"{at(figure.value)}%"}))
    return div(*parts, cls="bar", aria_hidden="true")


def figure_row(figure: Figure, words: Words, periods: Periods) -> Component:
    """One key figure: name, bar, value, age."""
    prop = figure.prop
    label = prop.label(words.language)
    if figure.value is None:
        text = words.t("value.none")
    elif figure.state:
        state = next(s for s in prop.states if s.code == figure.state)
        label = f"{label} · {words.pick(state.fr, state.en)}"
        text = f"{words.number(figure.count)} / {words.number(figure.total)}"
    else:
        text = words.quantity(figure.value, prop.unit, prop.decimals)
    return div(
        span(label, cls="figure-name", title=label),
        bar(figure),
        span(text, cls="figure-value num hv-value"),
        age(figure.newest, period=figure.period, periods=periods),
        hidden(_spread(figure, words)),
        cls="figure",
    )


def _spread(figure: Figure, words: Words) -> str:
    if figure.value is None or figure.state:
        return ""
    unit, decimals = figure.prop.unit, figure.prop.decimals
    return words.t(
        "value.spread",
        low=words.quantity(figure.low, unit, decimals),
        high=words.quantity(figure.high, unit, decimals),
    )
