"""The overview: a tile per domain, the worst that waits, the town in small."""

from __future__ import annotations

from typing import Final

from dash.development.base_component import Component

from dashboards.causes import marks_of
from dashboards.components import alarms as parts
from dashboards.components import flood as signs
from dashboards.components.thumbnail import marks, thumbnail
from dashboards.components.tile import box, box_class, course, tile
from dashboards.figures import observes
from dashboards.town import waits
from dashboards.ui import div, el, link
from dashboards.views import Drawing, Scene

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
                div(ident="overview-waiting", data_held=words.t("banner.held")),
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
    things = town.visible_things(scene.scope)
    alarms = town.visible_alarms(scene.scope)
    fragments: dict[str, dict[str, object]] = {}
    for code, domain in scene.catalogue.items():
        own = [t for t in things if observes(town, t, code)]
        raised = [a for a in alarms if a.domain == code]
        fragments[f"box-{code}"] = {"className": box_class(raised)}
        fragments[f"tile-{code}"] = {"children": tile(domain, own, raised, scene)}
        fragments[f"course-{code}"] = {"children": course(domain, scene)}
    waiting = [a for a in alarms if waits(a.state)][:_LISTED]
    marked = marks_of(town, scene.scope) if waiting else {}
    told = {a.alarm_id: signs.mark_line(marked[a.alarm_id], a, town, scene.words) for a in waiting}
    fragments["overview-waiting"] = {
        "children": parts.short_list(
            waiting, town, scene.words, scene.catalogue, allowed=scene.may_acknowledge, marks=told
        )
    }
    fragments["overview-marks"] = {"children": marks(scene)}
    return Drawing(fragments)
