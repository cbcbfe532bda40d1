"""The town in small: streets and water in grey, a symbol where something is wrong."""

from __future__ import annotations

from dash.development.base_component import Component

from dashboards import geo
from dashboards.components.alarms import describe, symbol
from dashboards.components.ground import ground
from dashboards.components.spark import mask
from dashboards.geo import Extent, TownMap
from dashboards.kept import kept
from dashboards.town import RANK
from dashboards.ui import div, drawn, link
from dashboards.views import Scene, of_view

_STROKES = {"street": 1.0, "pipe": 0.8}


def thumbnail(scene: Scene, ident: str) -> Component:
    """The ground, which does not change, with room for the marks in the element `ident`."""
    town_map, extent = ground(scene)
    if extent is None:
        return div(scene.words.t("map.empty"), cls="empty")
    width, height = extent.size
    return div(
        div(
            *[div(cls=f"thumb-layer thumb-{name}", style=style) for name, style in _layers(town_map, extent)],
            drawn(ident, cls="thumb-marks"),
            cls="thumb-plane",
            style={"aspectRatio": f"{width:.6f} / {height:.6f}"},
        ),
        cls="thumb",
    )


def marks(scene: Scene) -> Component:
    """A symbol on every Thing with an open alarm, the worst on top."""
    _town_map, extent = ground(scene)
    if extent is None:
        return div()
    town = scene.town
    made_of = (town.alarms, town.things, town.streams, scene.catalogue)
    return kept(("thumbnail", extent, *of_view(scene)), made_of, lambda: _marks(scene, extent))


def _marks(scene: Scene, extent: Extent) -> Component:
    width, height = extent.size
    found = []
    seen: set[int] = set()
    alarms = scene.town.visible_alarms(scene.scope)
    for alarm in sorted(alarms, key=lambda a: (RANK.get(a.priority, 9), a.alarm_id)):
        thing = scene.town.thing_of(alarm)
        if thing is None or thing.longitude is None or thing.latitude is None or thing.thing_id in seen:
            continue
        seen.add(thing.thing_id)
        x, y = extent.project(thing.longitude, thing.latitude)
        line = describe(alarm, scene.town, scene.words, scene.catalogue)
        found.append(
            div(
                link(
                    symbol(alarm.priority, scene.words, state=alarm.state),
                    href=f"/asset/{thing.code}",
                    title=f"{line.label} · {line.name}",
                ),
                cls="thumb-mark",
                style={"left": f"{100 * x / width:.2f}%", "top": f"{100 - 100 * y / height:.2f}%"},
            )
        )
    return div(*reversed(found))


# The map drawn last: every screen shows the same one.
_last: list[tuple[TownMap, Extent, list[tuple[str, dict[str, str]]]]] = []


def _layers(town_map: TownMap, extent: Extent) -> list[tuple[str, dict[str, str]]]:
    if not (_last and _last[0][0] is town_map and _last[0][1] == extent):
        _last[:] = [(town_map, extent, _draw(town_map, extent))]
    return _last[0][2]


def _draw(town_map: TownMap, extent: Extent) -> list[tuple[str, dict[str, str]]]:
    width, height = extent.size
    scale = 300 / max(width, height)
    found = []
    for layer in geo.LAYERS:
        shapes = [_path(line, extent, scale) + "Z" for line in town_map.areas.get(layer, ())]
        strokes = [_path(line, extent, scale) for line in town_map.lines.get(layer, ())]
        if layer == "district" or not (shapes or strokes):
            continue
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width * scale:.1f} {height * scale:.1f}" '
            f'preserveAspectRatio="none"><path d="{"".join(shapes)}" fill="#000"/>'
            f'<path d="{"".join(strokes)}" fill="none" stroke="#000" stroke-width="{_STROKES.get(layer, 3.0)}"/></svg>'
        )
        found.append((layer, mask(svg)))
    return found


def _path(line: geo.Line, extent: Extent, scale: float) -> str:
    height = extent.size[1]
    points = [extent.project(x, y) for x, y in line]
    return "M" + "L".join(f"{x * scale:.1f} {(height - y) * scale:.1f}" for x, y in points)
