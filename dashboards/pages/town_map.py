"""The map of the town, drawn from local GeoJSON; the list beside it says the same to keyboard and screen reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import Input, Output, dcc
from dash.development.base_component import Component

from dashboards import geo
from dashboards.columns import registry, silent
from dashboards.components.alarms import describe, symbol
from dashboards.components.ground import ground, placed
from dashboards.components.values import age
from dashboards.geo import Extent, TownMap
from dashboards.kept import kept
from dashboards.server import Server
from dashboards.sessions import CALLER
from dashboards.theme import colours
from dashboards.town import RANK
from dashboards.ui import button, div, drawn, el, hidden, link, segmented, span
from dashboards.views import Drawing, Scene, of_view
from hypervision.store.screens import AlarmRow

# What the browser fills in: first every Thing, then what is abnormal, the worst drawn last.
MARKS = ("place", "stale", "low", "medium", "high", "critical")
_SYMBOLS = {"low": "circle", "medium": "diamond", "high": "triangle-up", "critical": "square"}


def layout(scene: Scene, asked: Mapping[str, Sequence[str]], *, theme: str) -> Component:
    """The page.

    Parameters
    ----------
    asked : mapping
        `domain` and `asset` of the address.
    """
    words = scene.words
    town_map, extent = ground(scene)
    if extent is None:
        return div(el("H1", words.t("rail.map"), cls="vh"), words.t("map.empty"), cls="empty")
    domain = next(iter(asked.get("domain", ())), "all")
    wanted = next(iter(asked.get("asset", ())), "")
    domains = [("all", words.t("map.all_domains"))]
    domains += [(code, found.label(words.language)) for code, found in scene.catalogue.items()]
    graph: Component = dcc.Graph(
        id="map-graph",
        figure=figure(town_map, extent, theme=theme),
        config={"displayModeBar": False, "scrollZoom": True, "doubleClick": "reset", "responsive": True},
        className="map-graph",
    )
    return div(
        div(
            el("H1", words.t("rail.map")),
            segmented(
                "map-filter",
                [("abnormal", words.t("map.abnormal")), ("all", words.t("map.everything"))],
                "all" if wanted else "abnormal",
                words.t("map.filter"),
            ),
            segmented("map-domain", domains, domain if domain in scene.catalogue else "all", words.t("map.domain")),
            *[
                button(
                    span(sign, aria_hidden="true"),
                    cls="btn-zoom",
                    data_map_zoom=way,
                    aria_label=words.t(f"map.zoom_{way}"),
                )
                for way, sign in (("in", "+"), ("out", "−"), ("reset", "⌂"))
            ],
            span(words.t("map.zoom"), cls="muted note"),
            cls="page-head",
        ),
        div(
            div(graph, hidden(words.t("map.title")), _legend(scene), cls="map-place", aria_hidden="true"),
            el(
                "Aside",
                div(
                    div(ident="map-card", data_hint=words.t("map.choose"), data_wanted=wanted),
                    drawn("map-card-values"),
                    cls="map-card",
                ),
                el("H2", words.t("map.list")),
                drawn("map-list", cls="map-list"),
                cls="panel map-side",
            ),
            cls="map-columns",
        ),
        cls="map-page",
    )


def register(app: Any, server: Server) -> None:
    """Add the callback that draws the ground in another theme; the marks are filled in by the browser."""

    def draw_ground(theme: object) -> dict[str, Any]:
        scene = server.scene_of(CALLER.get(), "/map")
        town_map, extent = ground(scene)
        return {} if extent is None else figure(town_map, extent, theme=str(theme))

    app.callback(Output("map-graph", "figure"), Input("theme", "data"), prevent_initial_call=True)(draw_ground)


def _legend(scene: Scene) -> Component:
    words = scene.words
    return div(
        *[
            span(symbol(p, words), span(words.t(f"priority.{p}")), cls="legend-entry")
            for p in ("critical", "high", "medium", "low")
        ],
        span(span(cls="legend-dot legend-stale"), span(words.t("map.stale")), cls="legend-entry"),
        span(span(cls="legend-dot"), span(words.t("map.legend")), cls="legend-entry"),
        cls="legend",
    )


def draw(scene: Scene, _path: str) -> Drawing:
    """Where every Thing is, which are abnormal, and the list of these."""
    _town_map, extent = ground(scene)
    if extent is None:
        return Drawing({})
    town = scene.town
    places = kept(
        ("places", extent, scene.scope),
        (town.things, town.streams, scene.catalogue),
        lambda: {"data": _places(scene, extent)},
    )
    marks, listed = kept(
        ("marks", *of_view(scene)),
        (town.alarms, town.things, town.streams, scene.catalogue),
        lambda: _abnormal(scene),
    )
    quiet = silent(town, scene.scope, now=scene.now, periods=scene.periods)
    stale = [[t.code, "stale", "", scene.words.t("map.stale"), ""] for t in quiet if t.longitude is not None]
    return Drawing(
        {
            "map-places": places,
            "map-marks": {"data": marks + stale},
            "map-list": {"children": listed},
        }
    )


def _places(scene: Scene, extent: Extent) -> list[list[Any]]:
    """Where every Thing is, and of which domains."""
    domains: dict[int, list[str]] = {}
    members = registry(scene.town, scene.scope).members
    for code in scene.catalogue:
        for thing in members.get(code, ()):
            domains.setdefault(thing.thing_id, []).append(code)
    found = []
    for thing, longitude, latitude in placed(scene):
        x, y = extent.project(longitude, latitude)
        own = domains.get(thing.thing_id, [])
        found.append([thing.code, thing.name or thing.code, own, round(x, 7), round(y, 7), thing.place])
    return found


def _abnormal(scene: Scene) -> tuple[list[list[Any]], Component]:
    """The marks of what is abnormal, and the list of it."""
    worst = _worst(scene)
    marks = []
    for alarm in worst:
        line = describe(alarm, scene.town, scene.words, scene.catalogue)
        since = scene.words.t("map.since", at=scene.words.clock(alarm.raised_at))
        what = " · ".join(part for part in (f"{line.label} {line.value}".strip(), since) if part)
        marks.append([line.code, alarm.priority, scene.words.t(f"letter.{alarm.priority}"), what, alarm.domain])
    return marks, _list(scene, worst)


def _worst(scene: Scene) -> list[AlarmRow]:
    """The worst open alarm of every Thing and domain, the worst of all first."""
    worst: dict[tuple[int, str], AlarmRow] = {}
    alarms = [a for a in scene.town.visible_alarms(scene.scope) if a.thing_id is not None]
    for alarm in sorted(alarms, key=lambda a: (RANK.get(a.priority, 9), -a.raised_at.timestamp())):
        worst.setdefault((alarm.thing_id or 0, alarm.domain), alarm)
    return list(worst.values())


def _list(scene: Scene, alarms: list[AlarmRow]) -> Component:
    if not alarms:
        return div(scene.words.t("map.nothing"), cls="empty")
    entries = []
    for alarm in alarms:
        line = describe(alarm, scene.town, scene.words, scene.catalogue)
        entries.append(
            el(
                "Li",
                symbol(alarm.priority, scene.words, state=alarm.state),
                div(
                    link(line.name, href=f"/asset/{line.code}", cls="strong"),
                    div(span(line.label), span(line.value, cls="muted num"), cls="short-what"),
                ),
                age(alarm.raised_at),
                data_code=line.code,
                data_domain=alarm.domain,
            )
        )
    return el("Ul", *entries, cls="map-entries")


def figure(town_map: TownMap, extent: Extent, *, theme: str) -> dict[str, Any]:
    """The ground in grey and empty traces for the marks, on flat axes of equal scale."""
    c = colours(theme)
    width, height = extent.size
    still: dict[str, Any] = {"hoverinfo": "skip", "showlegend": False}
    data: list[dict[str, Any]] = []
    styles = {
        "district": (c["district"], 1.0, "dot"),
        "river": (c["water"], 5.0, "solid"),
        "street": (c["street"], 1.6, "solid"),
        "pipe": (c["pipe"], 1.3, "solid"),
        "park": (c["park"], 3.0, "solid"),
    }
    for layer in geo.LAYERS:
        colour, stroke, dash = styles[layer]
        areas, lines = town_map.areas.get(layer, ()), town_map.lines.get(layer, ())
        if areas:
            xs, ys = _joined(areas, extent)
            filled = {"fill": "toself", "fillcolor": colour} if layer != "district" else {}
            pen = {"color": colour, "width": 1.0 if filled else stroke, "dash": dash}
            data.append({"type": "scatter", "mode": "lines", "x": xs, "y": ys, "line": pen, **filled, **still})
        if lines:
            xs, ys = _joined(lines, extent)
            pen = {"color": colour, "width": stroke, "dash": dash}
            data.append({"type": "scatter", "mode": "lines", "x": xs, "y": ys, "line": pen, **still})
    data.extend(_names(town_map, extent, c))
    ground_traces = len(data)
    data.extend(_marks(name, c) for name in MARKS)
    return {
        "data": data,
        "layout": {
            "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"color": c["text"], "size": 12},
            "xaxis": {"visible": False, "range": [0, width], "constrain": "domain"},
            "yaxis": {"visible": False, "range": [0, height], "scaleanchor": "x", "scaleratio": 1},
            "dragmode": "pan",
            "hovermode": "closest",
            "hoverlabel": {"bgcolor": c["panel"], "bordercolor": c["edge"], "font": {"color": c["text"], "size": 13}},
            "uirevision": "map",
            "meta": {"ground": ground_traces, "marks": list(MARKS)},
        },
    }


def _marks(name: str, c: Mapping[str, str]) -> dict[str, Any]:
    trace: dict[str, Any] = {
        "type": "scatter", "name": name, "x": [], "y": [], "customdata": [], "hovertext": [], "showlegend": False,
        "hovertemplate": "%{hovertext}<extra></extra>",
    }  # fmt: skip
    if name == "place":
        return {
            **trace,
            "mode": "markers",
            "marker": {"size": 7, "color": c["ink"], "line": {"width": 1, "color": c["bg"]}},
        }
    if name == "stale":
        pen = {"width": 2, "color": c["muted"]}
        return {**trace, "mode": "markers", "marker": {"size": 11, "symbol": "x-thin", "color": c["bg"], "line": pen}}
    size = {"high": 30, "medium": 25}.get(name, 21)
    return {
        **trace,
        "mode": "markers+text",
        "text": [],
        "textposition": "middle center",
        "textfont": {"color": c["letter"], "size": 11, "weight": 700},
        "marker": {"size": size, "symbol": _SYMBOLS[name], "color": c[name], "line": {"width": 2, "color": c["bg"]}},
    }


def _joined(lines: Sequence[geo.Line], extent: Extent) -> tuple[list[float | None], list[float | None]]:
    xs: list[float | None] = []
    ys: list[float | None] = []
    for line in lines:
        if xs:
            xs.append(None)
            ys.append(None)
        for longitude, latitude in line:
            x, y = extent.project(longitude, latitude)
            xs.append(round(x, 7))
            ys.append(round(y, 7))
    return xs, ys


def _names(town_map: TownMap, extent: Extent, c: Mapping[str, str]) -> list[dict[str, Any]]:
    """The names on the ground: text below the marks, so that no name hides an alarm."""
    traces = []
    for layer in ("district", "park", "river"):
        names = town_map.names.get(layer, ())[:40]
        if names:
            points = [extent.project(longitude, latitude) for _, longitude, latitude in names]
            font = {"color": c["muted"], "size": 12 if layer == "district" else 10}
            traces.append(
                {
                    "type": "scatter",
                    "mode": "text",
                    "x": [x for x, _ in points],
                    "y": [y for _, y in points],
                    "text": [_plain(name) for name, _, _ in names],
                    "textfont": font,
                    "hoverinfo": "skip",
                    "showlegend": False,
                }
            )
    return traces


def _plain(text: str) -> str:
    """A name without the few tags that plotly would take for markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
