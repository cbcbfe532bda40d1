"""The streets of the town, drawn by rule from its plan."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from simulators.town.geometry import Line, hatch, length
from simulators.town.plan import DISTRICTS

_SPACING, _CROSS_SPACING, _SHORTEST = 1.15, 1.9, 1.2


class Street(NamedTuple):
    """A straight street.

    Attributes
    ----------
    name : str
        Empty for lanes that nothing stands on.
    district : str
        Code of its district.
    line : Line
        From end to end.
    """

    name: str
    district: str
    line: Line


@lru_cache(maxsize=1)
def streets() -> tuple[Street, ...]:
    """All streets: the longest of each district carry its names."""
    found: list[Street] = []
    for district in DISTRICTS:
        lines = hatch(district.outline, bearing=district.bearing, spacing=_SPACING, shortest=_SHORTEST) + hatch(
            district.outline, bearing=district.bearing + 90, spacing=_CROSS_SPACING, shortest=_SHORTEST
        )
        lines.sort(key=lambda line: -length(line))
        for i, line in enumerate(lines):
            found.append(Street(district.streets[i] if i < len(district.streets) else "", district.code, line))
    return tuple(found)


def named(district: str) -> list[Street]:
    """Named streets of a district, longest first."""
    return [street for street in streets() if street.district == district and street.name]
