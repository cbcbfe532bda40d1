"""The page of one Thing: values with age and quality, trends with limits, alarms, journal."""

from __future__ import annotations

import asyncio
from typing import Any

from dash import Input, Output, State, dcc
from dash.development.base_component import Component

from dashboards.causes import marks_of
from dashboards.comparing import MOST, Key, Wanted
from dashboards.components import alarms as parts
from dashboards.components import desk
from dashboards.components import flood as signs
from dashboards.components.history import history
from dashboards.components.readings import limits_text, property_label, value_text
from dashboards.components.tables import table
from dashboards.components.values import age
from dashboards.hidden import hidden_alarms
from dashboards.live import utc_now
from dashboards.server import Server
from dashboards.sessions import CALLER
from dashboards.town import Freshness, freshness
from dashboards.trends import RANGES, Trends, read_trends
from dashboards.ui import Node, div, drawn, el, icon, link, segmented, span
from dashboards.views import Drawing, Scene
from hypervision import quality
from hypervision.errors import StoreError
from hypervision.store.screens import ThingRow

# The charts are read again at most this often while readings come [s].
_REDRAW_EVERY = 10
# Then the page says that the database does not answer [s].
_PATIENCE = 10.0


def find(scene: Scene, code: str) -> ThingRow | None:
    """The Thing of a code, when the account may see it."""
    thing = scene.town.things.get(scene.town.codes.get(code, -1))
    return None if thing is None or not scene.scope.holds(thing) else thing


def layout(scene: Scene, code: str) -> Component:
    """The page with what is known now; charts and history follow by a callback."""
    words = scene.words
    thing = find(scene, code)
    if thing is None:
        return div(el("H1", words.t("asset.unknown", code=code)), cls="empty")
    return div(
        drawn("asset-head", cls="asset-head", data_held=words.t("banner.held")),
        el(
            "Section",
            div(el("H2", words.t("asset.values")), cls="panel-head"),
            drawn("asset-values"),
            cls="panel",
        ),
        el(
            "Section",
            div(
                el("H2", words.t("asset.trends")),
                segmented(
                    "asset-range",
                    [(key, words.t(f"asset.{key}")) for key in RANGES],
                    "day",
                    words.t("asset.range"),
                ),
                link(words.t("asset.compare"), href=_comparison(scene, thing)),
                cls="panel-head",
            ),
            dcc.Store(id="asset-code", data=code),
            dcc.Store(id="asset-tick", data=""),
            div(ident="asset-trends", cls="asset-trends"),
            cls="panel",
        ),
        cls="asset",
    )


def _comparison(scene: Scene, thing: ThingRow) -> str:
    """The page of trends with what this Thing observes, to which others can be added."""
    streams = (scene.town.streams[i] for i in scene.town.streams_of.get(thing.thing_id, ()))
    keys = tuple(Key(thing.code, stream.domain, stream.property) for stream in streams)
    return Wanted(series=keys[:MOST]).href()


def draw(scene: Scene, code: str) -> Drawing:
    """The live parts."""
    thing = find(scene, code)
    if thing is None:
        return Drawing({})
    return Drawing(
        {
            "asset-head": {"children": _head(scene, thing)},
            "asset-values": {"children": _values(scene, thing)},
            "asset-tick": {"data": _tick(scene, thing)},
        }
    )


def _tick(scene: Scene, thing: ThingRow) -> str:
    """Changes when the charts are worth reading again."""
    town = scene.town
    newest = max(
        (town.latest[i].at.timestamp() for i in town.streams_of.get(thing.thing_id, ()) if i in town.latest),
        default=0.0,
    )
    states = sorted((a.alarm_id, a.state) for a in town.alarms.values() if a.thing_id == thing.thing_id)
    return f"{int(newest // _REDRAW_EVERY)} {states}"


def _head(scene: Scene, thing: ThingRow) -> Component:
    words, town = scene.words, scene.town
    domain = scene.catalogue.get(thing.domain)
    raised = [a for a in town.visible_alarms(scene.scope) if a.thing_id == thing.thing_id]
    marks = marks_of(town, scene.scope) if raised else {}
    told = {a.alarm_id: signs.mark_line(marks[a.alarm_id], a, town, words) for a in raised}
    facts: list[tuple[str, Node]] = [("place", thing.place), ("organisation", thing.organisation)]
    if thing.district and thing.district not in thing.place:
        facts.insert(1, ("district", thing.district))
    if thing.parent:
        facts.append(("part_of", link(_name_of(scene, thing.parent), href=f"/asset/{thing.parent}", cls="underlined")))
    if thing.status:
        facts.append(("status", span(f"{words.t(f'asset.{thing.status}')} ", age(thing.status_at))))
    return div(
        div(
            icon(domain.icon if domain else "sensor", "tile-icon"),
            div(
                el("H1", thing.name or thing.code),
                div(
                    span(thing.code, cls="code"),
                    *[span(span(f"{words.t(f'asset.{key}')} ", cls="muted"), value) for key, value in facts if value],
                    cls="asset-facts",
                ),
            ),
            link(icon("pin"), span(words.t("asset.on_map")), href=f"/map?asset={thing.code}", cls="btn asset-map")
            if thing.longitude is not None
            else None,
            cls="asset-title",
        ),
        parts.short_list(raised, town, words, scene.catalogue, allowed=scene.may_acknowledge, marks=told)
        if raised
        else None,
        _hidden(scene, thing),
    )


def _hidden(scene: Scene, thing: ThingRow) -> Component | None:
    """The asset's alarms that do not ring, why, and until when."""
    words = scene.words
    found = [a for a in hidden_alarms(scene.town, scene.scope) if a.thing_id == thing.thing_id]
    if not found:
        return None
    marks = marks_of(scene.town, scene.scope)
    return el(
        "Ul",
        *[
            el(
                "Li",
                parts.symbol(alarm.priority, words, quiet=True),
                span(parts.describe(alarm, scene.town, words, scene.catalogue).label, cls="strong"),
                span(f"{desk.why(alarm, words)} · {desk.comes_back(alarm, words)}", cls="muted"),
                signs.mark_line(marks[alarm.alarm_id], alarm, scene.town, words),
            )
            for alarm in found
        ],
        cls="asset-hidden",
    )


def _name_of(scene: Scene, code: str) -> str:
    thing = scene.town.things.get(scene.town.codes.get(code, -1))
    return thing.name if thing is not None and thing.name else code


def _values(scene: Scene, thing: ThingRow) -> Component:
    words, town, periods = scene.words, scene.town, scene.periods_of(thing.domain, thing.thing_id)
    rows: list[list[Node]] = []
    for stream_id in town.streams_of.get(thing.thing_id, ()):
        stream = town.streams[stream_id]
        reading = town.latest.get(stream_id)
        state = freshness(reading, stream.period, now=scene.now, periods=periods)
        trusted = state in (Freshness.GOOD, Freshness.LATE)
        told = words.t("quality.never") if reading is None else words.t(f"quality.{quality.NAMES[reading.quality]}")
        if state in (Freshness.LATE, Freshness.STALE):
            told = f"{words.t(f'quality.{state}')} · {told}"
        rows.append(
            [
                property_label(scene, stream),
                span(
                    "—" if reading is None else value_text(scene, stream, reading.result),
                    cls="num strong hv-value" + ("" if trusted else " is-old"),
                ),
                span(age(None if reading is None else reading.at, period=stream.period, periods=periods)),
                span(told, cls="" if told == words.t("quality.good") else "strong"),
                span(limits_text(scene, stream, town.limits.of_stream(stream)), cls="muted num"),
            ]
        )
    if not rows:
        return div(words.t("asset.no_values"), cls="empty")
    heads = [words.t(f"asset.{key}") for key in ("property", "value", "age", "quality", "limits")]
    return table(heads, rows, numeric=(1, 2))


def register(app: Any, server: Server) -> None:
    """Add the callback that reads charts and history."""

    async def draw_trends(chosen: str, _tick: str, theme: str, code: str) -> Component:
        scene = server.scene_of(CALLER.get(), "/asset")
        return await trends_of(scene, server, str(code), str(chosen), str(theme))

    app.callback(
        Output("asset-trends", "children"),
        Input("asset-range", "value"),
        Input("asset-tick", "data"),
        Input("theme", "data"),
        State("asset-code", "data"),
    )(draw_trends)


async def trends_of(scene: Scene, server: Server, code: str, chosen: str, theme: str) -> Component:
    """Charts, alarms and journal of a Thing; a sentence when the database is away."""
    thing = find(scene, code)
    if thing is None:
        return div(scene.words.t("asset.unknown", code=code), cls="empty")

    def work() -> Trends:
        with server.pool.connection() as connection:
            return read_trends(connection, scene.town, thing, chosen, now=utc_now())

    try:
        found = await asyncio.wait_for(asyncio.to_thread(work), _PATIENCE)
    except (StoreError, TimeoutError):
        return div(icon("unlink"), span(scene.words.t("asset.away")), cls="empty")
    return history(scene, found, theme=theme)
