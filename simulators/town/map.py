"""The town's background map as GeoJSON."""

from __future__ import annotations

from typing import Any

from simulators.town.plan import DISTRICTS, PARKS, RIVER, TOWN_NAME, Point, to_wgs84
from simulators.town.streets import streets
from simulators.water.drawing import NODES, PIPES


def map_geojson() -> dict[str, Any]:
    """Districts, parks, river, streets and water pipes (RFC 7946).

    Returns
    -------
    dict
        A FeatureCollection; each feature has `layer` (`district`, `park`, `river`, `street`, `pipe`) and `name`.
    """
    features = [
        *(_polygon("district", d.name, d.outline) for d in DISTRICTS),
        *(_polygon("park", name, outline) for name, outline in PARKS),
        _line("river", "L’Ouzelle", RIVER),
        *(_line("street", street.name, street.line) for street in streets()),
        *(_line("pipe", name, (NODES[a], NODES[b])) for name, a, b in PIPES),
    ]
    return {"type": "FeatureCollection", "name": TOWN_NAME, "features": features}


def _feature(layer: str, name: str, kind: str, coordinates: list[Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"layer": layer, "name": name},
        "geometry": {"type": kind, "coordinates": coordinates},
    }


def _line(layer: str, name: str, points: tuple[Point, ...]) -> dict[str, Any]:
    return _feature(layer, name, "LineString", [list(to_wgs84(point)) for point in points])


def _polygon(layer: str, name: str, outline: tuple[Point, ...]) -> dict[str, Any]:
    ring = [list(to_wgs84(point)) for point in outline]
    # RFC 7946 asks for counter-clockwise rings.
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, [*ring[1:], ring[0]], strict=True))
    if area < 0:
        ring.reverse()
    return _feature(layer, name, "Polygon", [[*ring, ring[0]]])
