"""The Things of the town: what is measured, where it stands, whom it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from simulators.noise import key_of, uniform
from simulators.town.geometry import Line, along, centroid
from simulators.town.plan import DISTRICTS, Point, to_wgs84
from simulators.town.streets import named
from simulators.water import network
from simulators.water.drawing import NODES

ORGANISATIONS: Final = {
    "eau": "Régie des eaux",
    "lumiere": "Service de l’éclairage public",
    "stationnement": "Service du stationnement",
    "proprete": "Service de la propreté",
}

MEASURED: Final[dict[str, tuple[str, ...]]] = {
    "district": ("flow", "pressure", "volume"),
    "tank": ("level", "temperature"),
    "station": (),
    "pump": ("pump_state", "pump_power", "flow"),
    "valve": ("valve_position",),
    "quality": ("chlorine", "turbidity", "conductivity", "temperature"),
    "logger": ("pressure", "battery"),
    "cabinet": ("power", "energy", "voltage", "current", "door"),
    "lamp": ("lamp_state", "dimming", "burning_hours"),
    "car_park": ("free_places",),
    "bay": ("occupied", "battery"),
    "bin": ("fill", "temperature", "tilt", "emptied", "battery"),
    "glass_bin": ("fill", "temperature", "tilt", "emptied", "battery"),
}
"""What each kind of Thing measures."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A Thing of the town.

    Attributes
    ----------
    code, name, domain, kind : str
        As registered.
    parent : str or None
        Code of the Thing it belongs to.
    point : (float, float)
        On the drawing board.
    place : str
        Street and quarter.
    organisation : str
        Code of `ORGANISATIONS`.
    node : str
        Junction or tank of the water network, where it has one.
    size : float
        Lamps on a cabinet's circuit, places of a car park, volume of a bin [L].
    """

    code: str
    name: str
    domain: str
    kind: str
    parent: str | None
    point: Point
    place: str
    organisation: str
    node: str = ""
    size: float = 0.0

    @property
    def longitude(self) -> float:
        """WGS 84 [deg]."""
        return to_wgs84(self.point)[0]

    @property
    def latitude(self) -> float:
        """WGS 84 [deg]."""
        return to_wgs84(self.point)[1]

    @property
    def district(self) -> str:
        """The quarter it stands in; empty outside of all, as the tanks are."""
        quarter = self.place.rsplit(", ", 1)[-1]
        return quarter if quarter in _QUARTER.values() else ""


@dataclass(frozen=True, slots=True)
class Town:
    """All Things, by code.

    Attributes
    ----------
    assets : tuple of Asset
        Parents before children.
    """

    assets: tuple[Asset, ...]

    def of_kind(self, *kinds: str) -> tuple[Asset, ...]:
        """The Things of some kinds, in order."""
        return tuple(asset for asset in self.assets if asset.kind in kinds)

    def only(self, patterns: tuple[str, ...]) -> Town:
        """The Things whose code fits one of some patterns, and their parents."""
        chosen = {a.code for a in self.assets if any(fnmatchcase(a.code, p) for p in patterns)}
        for asset in reversed(self.assets):
            if asset.code in chosen and asset.parent:
                chosen.add(asset.parent)
        return Town(tuple(asset for asset in self.assets if asset.code in chosen))


_QUARTER = {district.code: district.name for district in DISTRICTS}
_WATER_THINGS, _CABINETS, _CAR_PARKS = 43, 12, 5


def build_town(things: int = 300) -> Town:
    """The town with about so many Things.

    Parameters
    ----------
    things : int
        Water, cabinets and car parks are the same in every size; lamps, bays and bins follow the number.

    Examples
    --------
    >>> len(build_town(300).assets)
    300
    """
    rest = max(things - _WATER_THINGS - _CABINETS - _CAR_PARKS, 3)
    lamps = max(round(rest * 0.45), 1)
    bays = max(round(rest * 0.33), 1)
    bins = max(rest - lamps - bays, 1)
    assets = [*_water(), *_lighting(lamps), *_parking(bays), *_waste(bins)]
    return Town(tuple(assets))


def _water() -> Iterator[Asset]:
    eau = "eau"
    for district in network.DISTRICTS:
        short = district.code.removeprefix("dma-")
        outline = next(d.outline for d in DISTRICTS if d.code == short)
        yield Asset(
            district.code, f"Secteur {_QUARTER[short]}", "water", "district", None, centroid(outline),
            _QUARTER[short], eau, district.pressure,
        )  # fmt: skip
    for code, name, node in (
        ("tank-colline", "Réservoir de la Colline", "1"),
        ("tank-chateau", "Château d’eau des Étangs", "2"),
        ("tank-plateau", "Réservoir du Plateau", "3"),
    ):
        yield Asset(code, name, "water", "tank", None, NODES[node], name.split(" d", 1)[-1], eau, node)
    yield Asset("station-haras", "Station du Haras", "water", "station", None, NODES["60"], "Le Haras", eau)
    yield Asset("station-etang", "Station de l’Étang", "water", "station", None, NODES["10"], "Les Vergers", eau)
    yield Asset("pump-haras-1", "Pompe 1 du Haras", "water", "pump", "station-haras", NODES["61"], "Le Haras", eau)
    yield Asset("pump-etang-1", "Pompe 1 de l’Étang", "water", "pump", "station-etang", NODES["10"], "Les Vergers", eau)
    for code, name, dma, node in (
        ("valve-nord", "Vanne de régulation nord", "dma-nord", "125"),
        ("valve-sud", "Vanne de régulation sud", "dma-sud", "211"),
        ("valve-est", "Vanne de régulation est", "dma-est", "127"),
    ):
        yield Asset(code, name, "water", "valve", dma, NODES[node], _QUARTER[dma.removeprefix("dma-")], eau, node)
    for code, name, node, place in (
        ("quality-haras", "Qualité, sortie de station", "123", "Le Haras"),
        ("quality-centre", "Qualité, Vieille Ville", "189", "Vieille Ville"),
        ("quality-sud", "Qualité, bout de réseau", "247", "Les Étangs"),
    ):
        yield Asset(code, name, "water", "quality", None, NODES[node], place, eau, node)
    for number, node in enumerate(network.PRESSURES, 1):
        dma = network.district_of(node).code
        place = _QUARTER[dma.removeprefix("dma-")]
        yield Asset(
            f"pressure-{number:03d}", f"Pression {number:03d}, {place}", "water", "logger", dma, NODES[node],
            place, eau, node,
        )  # fmt: skip


def _lighting(lamps: int) -> Iterator[Asset]:
    lines: list[tuple[str, str, Line]] = []
    for cabinet in range(1, _CABINETS + 1):
        district = DISTRICTS[(cabinet - 1) % len(DISTRICTS)]
        street = named(district.code)[(cabinet - 1) // len(DISTRICTS)]
        place = f"{street.name}, {district.name}"
        circuit = 30 + 2 * (key_of(0, "circuit", str(cabinet)) % 16)
        lines.append((f"cab-{cabinet:02d}", place, street.line))
        yield Asset(
            f"cab-{cabinet:02d}", f"Armoire {cabinet:02d}, {street.name}", "lighting", "cabinet", None,
            along(street.line, 0.03), place, "lumiere", size=float(circuit),
        )  # fmt: skip
    for i in range(lamps):
        code, place, line = lines[i % _CABINETS]
        number = i // _CABINETS + 1
        count = -(-lamps // _CABINETS)
        yield Asset(
            f"lamp-{code[4:]}-{number:02d}", f"Lampadaire {code[4:]}-{number:02d}", "lighting", "lamp", code,
            along(line, (number + 0.2) / (count + 1)), place, "lumiere",
        )  # fmt: skip


_PARKS: Final = (
    ("park-centre", "Parking de la Vieille Ville", "centre", "Grande Rue", 180),
    ("park-halles", "Parking des Halles", "centre", "rue des Halles", 95),
    ("park-gare", "Parking de la Gare", "gare", "avenue de la Gare", 240),
    ("park-hopital", "Parking de l’Hôpital", "centre", "rue de l’Hôpital", 150),
    ("park-haras", "Parking du Haras", "nord", "avenue du Haras", 70),
)


def _parking(bays: int) -> Iterator[Asset]:
    lines: dict[str, tuple[str, Line]] = {}
    for code, name, district, street_name, places in _PARKS:
        street = next(s for s in named(district) if s.name == street_name)
        place = f"{street_name}, {_QUARTER[district]}"
        lines[code] = (place, street.line)
        yield Asset(
            code, name, "parking", "car_park", None, along(street.line, 0.5), place, "stationnement",
            size=float(places),
        )  # fmt: skip
    shares = {"park-centre": 0.30, "park-halles": 0.15, "park-gare": 0.38, "park-haras": 0.17}
    left = bays
    for i, (park, share) in enumerate(shares.items()):
        count = left if i == len(shares) - 1 else min(left, round(bays * share))
        left -= count
        place, line = lines[park]
        short = park.removeprefix("park-")
        for number in range(1, count + 1):
            yield Asset(
                f"bay-{short}-{number:03d}", f"Place {number:03d}, {place.split(',', 1)[0]}", "parking", "bay", park,
                along(line, 0.52 + 0.45 * (number - 0.5) / count), place, "stationnement",
            )  # fmt: skip


def _waste(bins: int) -> Iterator[Asset]:
    for i in range(bins):
        code = f"bin-{101 + i}"
        district = DISTRICTS[i % len(DISTRICTS)]
        streets = named(district.code)
        street = streets[(i // len(DISTRICTS)) % len(streets)]
        share = 0.1 + 0.8 * float(uniform(key_of(0, code, "where"), 0)[0])
        glass = i % 5 == 4
        yield Asset(
            code, f"{'Colonne à verre' if glass else 'Conteneur'} {101 + i}, {street.name}", "waste",
            "glass_bin" if glass else "bin", None, along(street.line, share),
            f"{street.name}, {district.name}", "proprete", size=3000.0 if glass else 1100.0,
        )  # fmt: skip
