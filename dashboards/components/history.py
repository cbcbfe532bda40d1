"""Charts with limits and alarm spans, the alarms of the period, the journal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dash import dcc
from dash.development.base_component import Component

from dashboards.components import gaps, growth
from dashboards.components.alarms import symbol
from dashboards.components.readings import property_label, value_text
from dashboards.components.tables import table
from dashboards.theme import colours
from dashboards.trends import LINES, Trend, Trends, alone, line
from dashboards.ui import Node, div, el, hidden, span
from dashboards.views import Scene
from dashboards.words import HUGE
from hypervision.store.screens import JournalRow

_HEIGHT = 132
# The share of a chart's width that a letter takes.
_LETTER = 0.05
CAUSES = (
    "shelved", "shelf_ended", "unshelved", "out_of_service", "in_service", "maintenance", "maintenance_ended",
    "suppressed_by_design", "cause_ended", "re_alarm", "escalated",
)  # fmt: skip
"""Causes of steps that are told in the journal; the others are told by the state alone."""
_SHAPES = {"critical": "■", "high": "▲", "medium": "◆", "low": "●"}


def history(scene: Scene, found: Trends, *, theme: str) -> Component:
    """Draw everything below the values."""
    words = scene.words
    undrawn = ", ".join(property_label(scene, stream) for stream in found.undrawn)
    charts = [chart(scene, found, trend, theme=theme) for trend in found.trends if trend.points]
    return div(
        div(*charts, cls="charts") if charts else div(words.t("asset.no_trend"), cls="empty"),
        div(words.t("asset.no_chart", names=undrawn), cls="muted note") if undrawn else None,
        div(
            el("Section", el("H2", words.t("asset.alarms")), _alarms(scene, found)),
            el("Section", el("H2", words.t("asset.journal")), _journal(scene, found.journal)),
            cls="asset-history",
        ),
    )


def chart(
    scene: Scene, found: Trends, trend: Trend, *, theme: str, marks: tuple[list[Any], list[Any]] = ([], [])
) -> Component:
    """One chart, with its name, its range in words for who cannot see it, and no line across a hole.

    Parameters
    ----------
    marks : (list, list)
        More of plotly's shapes and annotations to draw in it.
    """
    words, stream = scene.words, trend.stream
    prop = scene.catalogue.find(stream.domain, stream.property)
    label = property_label(scene, stream)
    decimals = 2 if prop is None else prop.decimals
    results = [p.result for p in trend.points]
    unit = words.unit(stream.unit)
    if trend.growth is not None:
        unit = growth.unit_text(scene, trend, trend.growth)
        spread = growth.total_text(scene, trend, trend.growth, decimals)
    elif stream.kind in ("state", "event"):
        spread = ""
    else:
        spread = words.t(
            "value.spread",
            low=words.quantity(min(results), stream.unit, decimals),
            high=words.quantity(max(results), stream.unit, decimals),
        )
    drawn = figure(scene, found, trend, theme=theme)
    for place, more in zip(("shapes", "annotations"), marks, strict=True):
        drawn["layout"][place] += more
    graph: Component = dcc.Graph(
        id={"chart": stream.datastream_id},
        figure=drawn,
        config={"displayModeBar": False, "locale": words.language, "responsive": True, "scrollZoom": False},
        style={"height": f"{_HEIGHT}px"},
    )
    return div(
        div(span(label, cls="strong"), span(unit, cls="muted"), span(spread, cls="muted num"), cls="chart-head"),
        hidden(f"{label}, {unit}, {spread}" if trend.growth else f"{label}, {spread}"),
        div(graph, aria_hidden="true"),
        _source(scene, trend),
        twin(scene, found, trend),
        cls="chart",
    )


def _source(scene: Scene, trend: Trend) -> Component | None:
    """Until when the chart knows only the extremes of hours and days."""
    if trend.readings_from is None or trend.growth is not None:
        return None
    return div(scene.words.t("asset.rolled", at=scene.words.clock(trend.readings_from)), cls="muted note")


def twin(scene: Scene, found: Trends, trend: Trend) -> Component:
    """The chart as a table, for who cannot see it: a line a slice of time, or a line a change of a state."""
    rows: list[list[Node]]
    words, stream = scene.words, trend.stream
    if trend.growth is not None:
        prop = scene.catalogue.find(stream.domain, stream.property)
        heads: tuple[str, ...] = ("time", *growth.HEADS)
        rows = growth.rows(scene, trend, trend.growth, 2 if prop is None else prop.decimals)
    elif stream.kind in ("state", "event"):
        changes = [p for i, p in enumerate(trend.points) if i == 0 or p.result != trend.points[i - 1].result]
        heads = ("time", "value")
        rows = [[words.clock(p.at), value_text(scene, stream, p.result)] for p in reversed(changes[-LINES:])]
    else:
        heads = ("time", "lowest", "mean", "highest")
        width = (found.until - found.since) / max(len(trend.slices), 1)
        rows = [
            [
                words.clock(found.since + place * width),
                *["—" if value is None else value_text(scene, stream, value) for value in one],
            ]
            for place, one in reversed(list(enumerate(trend.slices)))
            if one is not None
        ]
    shown = table([words.t(f"asset.{key}") for key in heads], rows, numeric=range(1, 4))
    summary = el("Summary", words.t("asset.table"), cls="muted note")
    return el("Details", summary, shown, gaps.told(scene, trend.gaps), cls="twin")


def figure(scene: Scene, found: Trends, trend: Trend, *, theme: str) -> dict[str, Any]:
    """The chart as plotly's JSON."""
    c = colours(theme)
    zone = scene.words.zone
    times, results = line(trend)
    stepped = trend.stream.kind in ("state", "event")
    prop = scene.catalogue.find(trend.stream.domain, trend.stream.property)
    states = () if prop is None else prop.states
    decimals = 2 if prop is None else prop.decimals
    local = [t.astimezone(zone).replace(tzinfo=None).isoformat() for t in times]
    single = len(trend.points) < 3
    # The limits of a counter are those of its register, which its bars do not show.
    shapes, notes = _limits(scene, trend, c) if trend.growth is None else ([], [])
    spans, letters = alarm_spans(scene, found, trend, c)
    holes, names = gaps.drawn(scene, found, trend, c)
    huge = max((abs(p.result) for p in trend.points), default=0.0) >= HUGE
    y: dict[str, Any] = {"tickformat": ".2~e" if huge else f",.{decimals}f", "nticks": 4, "rangemode": "normal"}
    if states:
        y = {
            "tickvals": [s.value for s in states],
            "ticktext": [scene.words.pick(s.fr, s.en) for s in states],
            "range": [min(s.value for s in states) - 0.3, max(s.value for s in states) + 0.3],
        }
    if trend.growth is not None:
        y = growth.axis(trend.growth, decimals)
    axis = {
        "gridcolor": c["line"],
        "zeroline": False,
        "linecolor": c["line"],
        "tickcolor": c["line"],
        "fixedrange": True,
    }
    drawn = {
        "type": "scatter",
        # A reading between two holes has no line to be seen by.
        "mode": "lines+markers",
        "x": local,
        "y": results,
        "connectgaps": False,
        "line": {"color": c["ink"], "width": 1.6, "shape": "hv" if stepped else "linear"},
        "marker": {"color": c["ink"], "size": [5 if single or one else 0 for one in alone(results)]},
        "text": gaps.beside(scene, trend, times),
        "hovertemplate": "%{y}<br>%{x|%d/%m %H:%M:%S}%{text}<extra></extra>",
    }
    if trend.growth is not None:
        drawn = growth.bars(scene, trend, trend.growth, decimals, c["ink"])
    window = [t.astimezone(zone).replace(tzinfo=None).isoformat() for t in (found.since, found.until)]
    return {
        "data": [*holes, drawn],
        "layout": {
            "margin": {"l": 62, "r": 10, "t": 6, "b": 22},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"color": c["muted"], "size": 11},
            "separators": ",\u202f" if scene.words.language == "fr" else ".,",
            "showlegend": False,
            "hovermode": "x",
            "hoverlabel": {"bgcolor": c["panel"], "bordercolor": c["edge"], "font": {"color": c["text"]}},
            "xaxis": {**axis, "type": "date", "range": window, "nticks": 8, "tickformatstops": _ticks()},
            "yaxis": {**axis, **y, "automargin": False},
            "yaxis2": {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True},
            "shapes": [*spans, *shapes],
            "annotations": [*letters, *notes, *names],
        },
    }


def _ticks() -> list[dict[str, Any]]:
    hour = 3_600_000
    return [
        {"dtickrange": [None, 20 * hour], "value": "%H:%M"},
        {"dtickrange": [20 * hour, None], "value": "%d/%m"},
    ]


def _limits(scene: Scene, trend: Trend, c: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Dashed lines; those far outside of what was read are told at the edge instead of flattening the chart."""
    results = [p.result for p in trend.points]
    low, high = min(results), max(results)
    room = max((high - low) * 3, abs(high) * 0.5, 1e-9)
    shapes, notes = [], []
    for limit in trend.limits:
        if limit.kind not in ("high", "low") or not low - room <= limit.limit <= high + room:
            continue
        shapes.append(
            {
                "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": limit.limit, "y1": limit.limit,
                "line": {"color": c["edge"], "width": 1.2, "dash": "dash"},
            }
        )  # fmt: skip
        notes.append(
            {
                "xref": "paper", "x": 0, "xanchor": "left", "y": limit.limit, "showarrow": False,
                "yanchor": "bottom" if limit.kind == "high" else "top",
                "text": scene.words.t(f"asset.limit_{limit.kind}"), "font": {"color": c["muted"], "size": 10},
            }
        )  # fmt: skip
    return shapes, notes


def alarm_spans(
    scene: Scene, found: Trends, trend: Trend, c: Mapping[str, str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The alarms of a datastream as spans, each with the shape and the letter of its priority.

    Returns
    -------
    tuple of lists
        Rectangles and annotations; what is over (state NORM) is grey: colour is kept for what is still abnormal
        or waits.
    """
    zone = scene.words.zone
    spans, letters = [], []
    last: datetime | None = None
    room = (found.until - found.since) * _LETTER
    for alarm in sorted(found.alarms, key=lambda a: a.raised_at):
        if alarm.datastream_id not in (None, trend.stream.datastream_id):
            continue
        start = max(alarm.raised_at, found.since)
        end = alarm.returned_at or found.until
        over = alarm.state == "NORM"
        colour = c["edge"] if over else c.get(alarm.priority, c["edge"])
        x0, x1 = (t.astimezone(zone).replace(tzinfo=None).isoformat() for t in (start, end))
        spans.append(
            {
                "type": "rect", "layer": "below", "yref": "paper", "y0": 0, "y1": 1, "x0": x0, "x1": x1,
                "fillcolor": colour, "opacity": 0.14 if over else 0.2, "line": {"width": 0},
            }
        )  # fmt: skip
        # A burst of short alarms has one letter, not a heap of them.
        if last is None or start - last >= room or not over:
            last = start
            side = "right" if found.until - start < room else "left"
            mark = f"{_SHAPES.get(alarm.priority, '')} {scene.words.t(f'letter.{alarm.priority}')}"
            letters.append(
                {
                    "xref": "x", "x": x0, "xanchor": side, "yref": "paper", "y": 1, "yanchor": "top",
                    "showarrow": False, "text": mark, "bgcolor": c["panel"], "borderpad": 1,
                    "font": {"color": c["muted"] if over else colour, "size": 10, "weight": 700},
                }
            )  # fmt: skip
    return spans, letters


def _alarms(scene: Scene, found: Trends) -> Component:
    words = scene.words
    rows: list[list[Node]] = [
        [
            symbol(a.priority, words, quiet=a.state == "NORM"),
            span(words.pick(a.label_fr, a.label_en), cls="strong"),
            span(words.clock(a.raised_at), cls="num"),
            span(words.clock(a.returned_at) if a.returned_at else words.t("asset.still"), cls="num"),
            a.acknowledged_by or "—",
        ]
        for a in found.alarms
    ]
    if not rows:
        return div(words.t("asset.no_alarms"), cls="empty")
    return table([words.t(f"asset.{key}") for key in ("priority", "what", "from", "to", "by")], rows)


def _journal(scene: Scene, journal: list[JournalRow]) -> Component:
    if not journal:
        return div(scene.words.t("asset.no_journal"), cls="empty")
    return el(
        "Ul",
        *[
            el(
                "Li",
                span(scene.words.clock(j.at), cls="num muted"),
                span(journal_text(scene, j)),
                span(j.actor, cls="muted"),
            )
            for j in journal
        ],
        cls="journal",
    )


def journal_text(scene: Scene, row: JournalRow) -> str:
    """A line of the journal in words."""
    words = scene.words
    if row.to_state is not None:
        label = _rule_label(scene, row.rule or "")
        said = words.known("role", row.detail) if row.cause == "escalated" else row.detail
        comment = words.t("journal.comment", text=said) if said else ""
        code = (row.cause or "").replace(" ", "_").replace("-", "_")
        # What is no step of the state itself is told besides: it was shelved, escalated, rang again.
        told = f" ({words.known('cause', code)})" if code in CAUSES else ""
        return f"{label} → {words.t(f'state.{row.to_state}').lower()}{told}{comment}"
    text = words.known("journal", row.kind.replace(" ", "_"))
    try:
        detail = json.loads(row.detail)
    except ValueError:
        return text
    if not isinstance(detail, dict):
        return text
    if row.kind == "correction":
        text = words.known("journal", f"correction_{detail.get('kind')}")
        return f"{text} ({detail.get('property')}){words.t('journal.comment', text=str(detail.get('reason')))}"
    if row.kind == "period" and isinstance(detail.get("value"), int | float):
        return words.t("journal.period", property=detail.get("property"), seconds=words.number(detail["value"]))
    parts = [_rule_label(scene, str(detail["rule"]))] if "rule" in detail else []
    value = detail.get("value")
    parts += [words.number(value, 2)] if isinstance(value, int | float) else []
    return f"{text} ({', '.join(parts)})" if parts else text


def _rule_label(scene: Scene, code: str) -> str:
    rule = next((r for d in scene.catalogue.ruled.values() for r in d.rules if r.code == code), None)
    return code if rule is None else scene.words.pick(rule.fr, rule.en)
