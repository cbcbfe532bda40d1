"""The overview: a tile per domain, the worst that waits, the town in small."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dash.development.base_component import Component

from dashboards.causes import marks_of
from dashboards.components import alarms as parts
from dashboards.components import flood as signs
from dashboards.components.thumbnail import marks, thumbnail
from dashboards.components.tile import box, box_class, course, tile, tile_figures
from dashboards.kept import kept
from dashboards.town import waits
from dashboards.ui import div, drawn, el, link
from dashboards.views import Drawing, Scene, of_view
from hypervision.store.screens import AlarmRow

_LISTED: Final = 5


def layout(scene: Scene) -> Component:
    """The page with what is known now."""
    words = scene.words
    return div(
        el("H1", words.t("rail.overview"), cls="vh"),
        div(
            *[box(code) for code in scene.catalogue],
            cls="tiles",
        ),
        div(
            el(
                "Section",
                div(
                    el("H2", words.t("overview.waiting")),
                    link(words.t("overview.all"), href="/alarms", cls="muted"),
                    cls="panel-head",
                ),
                drawn("overview-waiting", data_held=words.t("banner.held")),
                cls="panel panel-waiting",
            ),
            el(
                "Section",
                div(
                    el("H2", words.t("overview.town")),
                    link(words.t("overview.open_map"), href="/map", cls="muted"),
                    cls="panel-head",
                ),
                div(thumbnail(scene, "overview-marks"), cls="thumb-slot"),
                cls="panel panel-town",
            ),
            cls="side",
        ),
        cls="overview",
    )


def draw(scene: Scene, _path: str) -> Drawing:
    """The live parts."""
    town = scene.town
    alarms = town.visible_alarms(scene.scope)
    fragments: dict[str, dict[str, object]] = {}
    for code, domain in scene.catalogue.items():
        raised = [a for a in alarms if a.domain == code]
        fragments[f"box-{code}"] = {"className": box_class(raised)}
        fragments[f"tile-{code}"] = {"children": tile(domain, raised, scene)}
        fragments[f"figures-{code}"] = {"children": tile_figures(domain, scene)}
        fragments[f"course-{code}"] = {"children": course(domain, scene)}
    fragments["overview-waiting"] = {
        "children": kept(
            ("waiting", *of_view(scene)),
            (town.alarms, town.chattering, town.things, town.streams, scene.catalogue),
            lambda: _waiting(scene, alarms),
        )
    }
    fragments["overview-marks"] = {"children": marks(scene)}
    return Drawing(fragments)


def _waiting(scene: Scene, alarms: Sequence[AlarmRow]) -> Component:
    town = scene.town
    waiting = [a for a in alarms if waits(a.state)][:_LISTED]
    marked = marks_of(town, scene.scope) if waiting else {}
    told = {a.alarm_id: signs.mark_line(marked[a.alarm_id], a, town, scene.words) for a in waiting}
    return parts.short_list(waiting, town, scene.words, scene.catalogue, allowed=scene.may_acknowledge, marks=told)
