"""The town's own map: GeoJSON of the data directory, projected flat. No tile, no foreign host."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

log = logging.getLogger(__name__)

LAYERS: Final = ("district", "park", "river", "street", "pipe")
Line = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class TownMap:
    """Lines and areas by layer, in degrees.

    Attributes
    ----------
    lines : mapping of layer to lines
        Each a tuple of (longitude, latitude).
    areas : mapping of layer to rings
        Outer rings of polygons.
    names : mapping of layer to (name, longitude, latitude)
        Where a feature has a name.
    """

    lines: Mapping[str, tuple[Line, ...]] = field(default_factory=dict)
    areas: Mapping[str, tuple[Line, ...]] = field(default_factory=dict)
    names: Mapping[str, tuple[tuple[str, float, float], ...]] = field(default_factory=dict)


def load(path: Path) -> TownMap:
    """Read a map; an empty one when there is none or it cannot be read, which is logged."""
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        return TownMap()
    return _load(path, stamp)


@lru_cache(maxsize=4)
def _load(path: Path, _stamp: int) -> TownMap:
    try:
        document = json.loads(path.read_text("utf-8"))
        return parse(document.get("features", []))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        log.warning("the map %s cannot be read (%s): write it as GeoJSON", path, error)
        return TownMap()


def parse(features: Iterable[Mapping[str, Any]]) -> TownMap:
    """Sort GeoJSON features by layer; a feature that is broken is left out, the others are drawn."""
    lines: dict[str, list[Line]] = {}
    areas: dict[str, list[Line]] = {}
    names: dict[str, list[tuple[str, float, float]]] = {}
    for feature in features:
        properties = feature.get("properties") or {}
        layer = str(properties.get("layer", ""))
        geometry = feature.get("geometry") or {}
        if layer not in LAYERS:
            continue
        for kind, line in _rings(geometry):
            if len(line) < 2:
                continue
            (areas if kind == "area" else lines).setdefault(layer, []).append(line)
            name = properties.get("name")
            if name:
                middle = line[len(line) // 2] if kind == "line" else _centre(line)
                names.setdefault(layer, []).append((str(name), *middle))
    return TownMap(
        {k: tuple(v) for k, v in lines.items()},
        {k: tuple(v) for k, v in areas.items()},
        {k: tuple(v) for k, v in names.items()},
    )


def _rings(geometry: Mapping[str, Any]) -> Iterable[tuple[str, Line]]:
    kind, at = geometry.get("type"), geometry.get("coordinates") or []
    if kind == "LineString":
        yield "line", _line(at)
    elif kind == "MultiLineString":
        for part in at:
            yield "line", _line(part)
    elif kind == "Polygon" and at:
        yield "area", _line(at[0])
    elif kind == "MultiPolygon":
        for part in at:
            if part:
                yield "area", _line(part[0])


def _line(points: Iterable[Any]) -> Line:
    found = []
    for point in points:
        if isinstance(point, list | tuple) and len(point) >= 2:
            x, y = float(point[0]), float(point[1])
            if math.isfinite(x) and math.isfinite(y) and abs(x) <= 180 and abs(y) <= 90:
                found.append((x, y))
    return tuple(found)


def _centre(line: Line) -> tuple[float, float]:
    return (sum(x for x, _ in line) / len(line), sum(y for _, y in line) / len(line))


@dataclass(frozen=True, slots=True)
class Extent:
    """What a map must show, in degrees, and the flat projection of it."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def of(cls, points: Iterable[tuple[float, float]]) -> Extent | None:
        """Around all points, with a margin; None without points."""
        found = list(points)
        if not found:
            return None
        xs, ys = [x for x, _ in found], [y for _, y in found]
        margin = max(max(xs) - min(xs), max(ys) - min(ys), 1e-3) * 0.04
        return cls(min(xs) - margin, min(ys) - margin, max(xs) + margin, max(ys) + margin)

    @property
    def squeeze(self) -> float:
        """How much narrower a degree of longitude is than one of latitude here."""
        return max(math.cos(math.radians((self.south + self.north) / 2)), 0.05)

    def project(self, longitude: float, latitude: float) -> tuple[float, float]:
        """A point on a plane with equal scales: equirectangular around the middle latitude.

        Returns
        -------
        tuple of float
            (x, y) [degrees of latitude], from the south-west corner.
        """
        return ((longitude - self.west) * self.squeeze, latitude - self.south)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height [degrees of latitude]."""
        return self.project(self.east, self.north)


def extent_of(town_map: TownMap, places: Iterable[tuple[float, float]]) -> Extent | None:
    """The extent of the map, or of the Things where there is none."""
    drawn = [
        p for group in (town_map.lines, town_map.areas) for lines in group.values() for line in lines for p in line
    ]
    return Extent.of([*drawn, *places])
