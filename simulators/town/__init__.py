"""The demo town: a fictional place with districts, streets, a river, pipes, and what stands along them."""

from __future__ import annotations

from simulators.town.assets import Asset, Town, build_town
from simulators.town.map import map_geojson

__all__ = ["Asset", "Town", "build_town", "map_geojson"]
