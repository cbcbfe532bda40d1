"""What the map and its small version stand on: the town's own map and where its Things are."""

from __future__ import annotations

from dashboards import geo
from dashboards.geo import Extent, TownMap
from dashboards.kept import kept
from dashboards.views import Scene
from hypervision.store.screens import ThingRow


def ground(scene: Scene) -> tuple[TownMap, Extent | None]:
    """The map and what it must show; None when nothing has a position."""
    town_map = geo.load(scene.data_dir / "map.geojson") if scene.data_dir else TownMap()
    extent = kept(
        ("extent", scene.scope, scene.data_dir),
        (town_map if scene.data_dir else None, scene.town.things),
        lambda: geo.extent_of(town_map, [(x, y) for _thing, x, y in placed(scene)]),
    )
    return town_map, extent


def placed(scene: Scene) -> list[tuple[ThingRow, float, float]]:
    """The Things that the account may see and that have a position [degrees]."""
    return [
        (t, t.longitude, t.latitude)
        for t in scene.town.visible_things(scene.scope)
        if t.longitude is not None and t.latitude is not None
    ]
