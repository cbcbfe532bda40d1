"""A made-up town for the desk: cabinets with their lamps, and Things of every other domain on the same map."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hypervision.store.registry import NewThing

LAMPS: Final = 50
"""Lamps of a cabinet."""
# Of a message of each kind of Thing: property, usual value, and by how much it varies.
SENT: Final[Mapping[str, tuple[tuple[str, float, float], ...]]] = {
    "cabinet": (("voltage", 231.0, 2.0), ("power", 3.2, 0.2)),
    "lamp": (("dimming", 70.0, 8.0), ("power", 0.07, 0.01)),
    "water": (("pressure", 3.6, 0.02), ("flow", 42.0, 1.0)),
    "parking": (("free_places", 40.0, 9.0), ("battery", 80.0, 1.0)),
    "waste": (("fill", 45.0, 3.0), ("temperature", 16.0, 1.0)),
}
Key = tuple[str, str]
"""`(code of a Thing, property)`"""
# What stands from the beginning: share of all, kind of Thing, property, value. Of the shares 5 % are critical and
# 15 % high (EEMUA 191); none of the rules has a delay.
_STANDING: Final = (
    (0.05, "waste", "temperature", 88.0),
    (0.15, "water", "pump_state", 2.0),
    (0.40, "lamp", "lamp_state", 2.0),
    (0.20, "waste", "fill", 97.0),
    (0.20, "parking", "battery", 9.0),
)
_STREETS: Final = ("rue Monge", "rue des Lilas", "avenue Foch", "quai du Canal", "place du Marché", "rue Haute")
_WEST, _SOUTH, _WIDE, _HIGH = 4.98, 47.29, 0.11, 0.07


@dataclass(frozen=True, slots=True)
class MadeTown:
    """Things with their kinds.

    Attributes
    ----------
    kinds : mapping of str to str
        `cabinet`, `lamp`, `water`, `parking` or `waste`, by code.
    parent : mapping of str to str
        The cabinet of each lamp.
    """

    things: Sequence[NewThing]
    kinds: Mapping[str, str]
    parent: Mapping[str, str]

    def of(self, kind: str) -> list[str]:
        """Codes of the Things of a kind."""
        return [code for code, found in self.kinds.items() if found == kind]

    def domain(self, code: str) -> str:
        """The domain of a Thing."""
        kind = self.kinds[code]
        return "lighting" if kind in ("cabinet", "lamp") else kind


def make(things: int) -> MadeTown:
    """The town with so many Things: of 10,000, 40 cabinets with 50 lamps each."""
    cabinets = max(2, 40 * things // 10_000)
    kinds = {f"cabinet-{i:03d}": "cabinet" for i in range(cabinets)}
    parent = {f"lamp-{i:03d}-{j:02d}": f"cabinet-{i:03d}" for i in range(cabinets) for j in range(LAMPS)}
    kinds |= dict.fromkeys(parent, "lamp")
    others = ("water", "parking", "waste")
    kinds |= {f"{others[i % 3]}-{i // 3:04d}": others[i % 3] for i in range(things - len(kinds))}
    chance = random.Random(7)  # noqa: S311 -- the same town each time
    made = [_thing(code, kind, parent.get(code), chance, i) for i, (code, kind) in enumerate(kinds.items())]
    return MadeTown(made, kinds, parent)


def _thing(code: str, kind: str, parent: str | None, chance: random.Random, number: int) -> NewThing:
    names = {"cabinet": "Armoire", "lamp": "Candélabre", "water": "Capteur réseau", "parking": "Parc", "waste": "Bac"}
    return NewThing(
        code=code,
        name=f"{names[kind]} {code.partition('-')[2]}",
        domain="lighting" if kind in ("cabinet", "lamp") else kind,
        kind=kind,
        parent=parent,
        longitude=round(_WEST + _WIDE * chance.random(), 6),
        latitude=round(_SOUTH + _HIGH * chance.random(), 6),
        place=f"{number % 90 + 1} {_STREETS[number % len(_STREETS)]}",
        organisation="town",
        district=("Nord", "Sud", "Est", "Ouest")[number % 4],
    )


def standing(town: MadeTown, alarms: int) -> dict[Key, float]:
    """Readings by which so many alarms stand, one a Thing; the last Things of a kind, so that the first stay free."""
    free = {kind: town.of(kind) for kind in SENT}
    found: dict[Key, float] = {}
    for share, kind, name, value in _STANDING:
        for _ in range(min(round(share * alarms), len(free[kind]))):
            found[free[kind].pop(), name] = value
    return found


def spare(town: MadeTown, taken: Mapping[Key, float], kind: str, number: int) -> list[str]:
    """The first Things of a kind of which nothing is wrong, `number` at most."""
    wrong = {code for code, _ in taken}
    return [code for code in town.of(kind) if code not in wrong][:number]
