"""Plane geometry of the drawing board: streets that fill a district, points along a line."""

from __future__ import annotations

import math
from collections.abc import Sequence

Point = tuple[float, float]
Line = tuple[Point, Point]


def turned(point: Point, degrees: float) -> Point:
    """A point turned about the origin, counter-clockwise."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return point[0] * c - point[1] * s, point[0] * s + point[1] * c


def inside(point: Point, outline: Sequence[Point]) -> bool:
    """Whether a point lies within an outline (even-odd rule).

    Examples
    --------
    >>> inside((0.5, 0.5), [(0, 0), (1, 0), (1, 1), (0, 1)])
    True
    """
    found = False
    for (x1, y1), (x2, y2) in zip(outline, [*outline[1:], outline[0]], strict=True):
        if (y1 > point[1]) != (y2 > point[1]) and point[0] < (x2 - x1) * (point[1] - y1) / (y2 - y1) + x1:
            found = not found
    return found


def hatch(outline: Sequence[Point], *, bearing: float, spacing: float, shortest: float) -> list[Line]:
    """Parallel lines that fill an outline, longest pieces kept.

    Parameters
    ----------
    bearing : float
        Their direction [deg].
    spacing : float
        Their distance.
    shortest : float
        Pieces below this length are left out.
    """
    flat = [turned(point, -bearing) for point in outline]
    low, high = min(y for _, y in flat), max(y for _, y in flat)
    lines: list[Line] = []
    y = low + spacing * 0.5
    while y < high:
        cuts = sorted(
            (x2 - x1) * (y - y1) / (y2 - y1) + x1
            for (x1, y1), (x2, y2) in zip(flat, [*flat[1:], flat[0]], strict=True)
            if (y1 > y) != (y2 > y)
        )
        for left, right in zip(cuts[::2], cuts[1::2], strict=True):
            if right - left >= shortest:
                gap = 0.12  # streets end before the border of their district
                lines.append((turned((left + gap, y), bearing), turned((right - gap, y), bearing)))
        y += spacing
    return lines


def along(line: Line, share: float) -> Point:
    """The point at a share of a line's length."""
    (x1, y1), (x2, y2) = line
    return x1 + (x2 - x1) * share, y1 + (y2 - y1) * share


def length(line: Line) -> float:
    """Length of a line."""
    return math.dist(*line)


def centroid(outline: Sequence[Point]) -> Point:
    """Centre of gravity of an outline's area."""
    area = x = y = 0.0
    for (x1, y1), (x2, y2) in zip(outline, [*outline[1:], outline[0]], strict=True):
        cross = x1 * y2 - x2 * y1
        area += cross
        x += (x1 + x2) * cross
        y += (y1 + y2) * cross
    return x / (3.0 * area), y / (3.0 * area)
