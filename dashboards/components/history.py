"""Charts with limits and alarm spans, the alarms of the period, the journal."""

from __future__ import annotations

import json
from typing import Any

from dash import dcc
from dash.development.base_component import Component

from dashboards.components.alarms import symbol
from dashboards.components.tables import table
from dashboards.theme import colours
from dashboards.trends import Trend, Trends, line
from dashboards.ui import Node, div, el, hidden, span
from dashboards.views import Scene
from hypervision.store.screens import JournalRow

_HEIGHT = 132


def history(scene: Scene, found: Trends, *, theme: str) -> Component:
    """Draw everything below the values."""
    words = scene.words
    charts = [chart(scene, found, trend, theme=theme) for trend in found.trends if trend.points]
    return div(
        div(*charts, cls="charts") if charts else div(words.t("asset.no_trend"), cls="empty"),
        div(
            el("Section", el("H2", words.t("asset.alarms")), _alarms(scene, found)),
            el("Section", el("H2", words.t("asset.journal")), _journal(scene, found.journal)),
            cls="asset-history",
        ),
    )


def chart(scene: Scene, found: Trends, trend: Trend, *, theme: str) -> Component:
    """One chart, with its name, its range in words for who cannot see it, and no line across a hole."""
    words, stream = scene.words, trend.stream
    prop = scene.catalogue.find(stream.domain, stream.property)
    label = stream.property if prop is None else prop.label(words.language)
    decimals = 2 if prop is None else prop.decimals
    results = [p.result for p in trend.points]
    spread = (
        ""
        if stream.kind in ("state", "event")
        else words.t(
            "value.spread",
            low=words.quantity(min(results), stream.unit, decimals),
            high=words.quantity(max(results), stream.unit, decimals),
        )
    )
    graph: Component = dcc.Graph(
        id={"chart": stream.datastream_id},
        figure=figure(scene, found, trend, theme=theme),
        config={"displayModeBar": False, "locale": words.language, "responsive": True, "scrollZoom": False},
        style={"height": f"{_HEIGHT}px"},
    )
    unit = words.unit(stream.unit)
    return div(
        div(span(label, cls="strong"), span(unit, cls="muted"), span(spread, cls="muted num"), cls="chart-head"),
        hidden(f"{label}, {spread}"),
        div(graph, aria_hidden="true"),
        cls="chart",
    )


def figure(scene: Scene, found: Trends, trend: Trend, *, theme: str) -> dict[str, Any]:
    """The chart as plotly's JSON."""
    c = colours(theme)
    zone = scene.words.zone
    times, results = line(trend.points)
    stepped = trend.stream.kind in ("state", "event")
    prop = scene.catalogue.find(trend.stream.domain, trend.stream.property)
    states = () if prop is None else prop.states
    decimals = 2 if prop is None else prop.decimals
    local = [t.astimezone(zone).replace(tzinfo=None).isoformat() for t in times]
    single = len(trend.points) < 3
    shapes, notes = _limits(scene, trend, c)
    y: dict[str, Any] = {"tickformat": f",.{decimals}f", "nticks": 4, "rangemode": "normal"}
    if states:
        y = {
            "tickvals": [s.value for s in states],
            "ticktext": [scene.words.pick(s.fr, s.en) for s in states],
            "range": [min(s.value for s in states) - 0.3, max(s.value for s in states) + 0.3],
        }
    axis = {
        "gridcolor": c["line"],
        "zeroline": False,
        "linecolor": c["line"],
        "tickcolor": c["line"],
        "fixedrange": True,
    }
    window = [t.astimezone(zone).replace(tzinfo=None).isoformat() for t in (found.since, found.until)]
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers" if single else "lines",
                "x": local,
                "y": results,
                "connectgaps": False,
                "line": {"color": c["ink"], "width": 1.6, "shape": "hv" if stepped else "linear"},
                "marker": {"color": c["ink"], "size": 5},
                "hovertemplate": "%{y}<br>%{x|%d/%m %H:%M:%S}<extra></extra>",
            }
        ],
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
            "shapes": [*_spans(scene, found, trend, c), *shapes],
            "annotations": notes,
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
                "xref": "paper", "x": 1, "xanchor": "right", "y": limit.limit, "showarrow": False,
                "yanchor": "bottom" if limit.kind == "high" else "top",
                "text": scene.words.t(f"asset.limit_{limit.kind}"), "font": {"color": c["muted"], "size": 10},
            }
        )  # fmt: skip
    return shapes, notes


def _spans(scene: Scene, found: Trends, trend: Trend, c: Any) -> list[dict[str, Any]]:
    zone = scene.words.zone
    spans = []
    for alarm in found.alarms:
        if alarm.datastream_id not in (None, trend.stream.datastream_id):
            continue
        start = max(alarm.raised_at, found.since).astimezone(zone).replace(tzinfo=None)
        end = (alarm.returned_at or found.until).astimezone(zone).replace(tzinfo=None)
        colour = c.get(alarm.priority, c["edge"])
        spans.append(
            {
                "type": "rect", "layer": "below", "yref": "paper", "y0": 0, "y1": 1, "x0": start.isoformat(),
                "x1": end.isoformat(), "fillcolor": colour, "opacity": 0.2, "line": {"width": 0},
            }
        )  # fmt: skip
    return spans


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
        comment = f" : « {row.detail} »" if words.language == "fr" else f': "{row.detail}"'
        return f"{label} → {words.t(f'state.{row.to_state}').lower()}" + (comment if row.detail else "")
    kind = row.kind.replace(" ", "_")
    known = ("late_crossing", "gap", "admitted", "session_lost")
    text = words.t(f"journal.{kind}") if kind in known else row.kind
    try:
        detail = json.loads(row.detail)
    except ValueError:
        return text
    if not isinstance(detail, dict):
        return text
    told = [_rule_label(scene, str(detail.pop("rule")))] if "rule" in detail else []
    value = detail.pop("value", None)
    told += [words.number(value, 2)] if isinstance(value, int | float) else []
    told += [f"{key} {item}" for key, item in detail.items()]
    return f"{text} ({', '.join(told)})" if told else text


def _rule_label(scene: Scene, code: str) -> str:
    rule = next((r for d in scene.catalogue.values() for r in d.rules if r.code == code), None)
    return code if rule is None else scene.words.pick(rule.fr, rule.en)
