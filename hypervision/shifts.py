"""The shifts of a day: from which local times on somebody else is on duty."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import AfterValidator

USUAL: Final = "06:00,14:00,22:00"
_MOST: Final = 6


@dataclass(frozen=True, slots=True)
class Shifts:
    """When shifts begin.

    Attributes
    ----------
    starts : tuple of int
        Minutes after local midnight, rising; the last one goes on to the first of the next day.
    """

    starts: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> Self:
        """Read the times as somebody writes them, with commas.

        Full ten minutes: what is counted in windows of ten minutes is of the shift in which its window begins.

        Raises
        ------
        ValueError
            They are no times of full ten minutes, do not rise, or are too many.

        Examples
        --------
        >>> Shifts.of("06:00,14:00,22:00").starts
        (360, 840, 1320)
        """
        found = [re.fullmatch(r"([01]\d|2[0-3]):([0-5]0)", part.strip()) for part in text.split(",")]
        starts = [int(one[1]) * 60 + int(one[2]) for one in found if one is not None]
        if len(starts) != len(found) or starts != sorted(set(starts)) or len(starts) > _MOST:
            raise ValueError(f"write up to {_MOST} rising times of full ten minutes, such as {USUAL}")
        return cls(tuple(starts))

    def number(self, local: datetime) -> int:
        """The shift of a local time, from 0 on.

        Examples
        --------
        >>> shifts = Shifts.of("06:00,14:00,22:00")
        >>> [shifts.number(datetime(2026, 11, 22, hour)) for hour in (5, 6, 13, 14, 23)]
        [2, 0, 0, 1, 2]
        """
        return (bisect_right(self.starts, local.hour * 60 + local.minute) - 1) % len(self.starts)

    def label(self, number: int) -> str:
        """From when to when a shift is.

        Examples
        --------
        >>> Shifts.of("06:00,14:00,22:00").label(2), Shifts.of("00:00").label(0)
        ('22:00–06:00', '00:00–00:00')
        """
        ends = (self.starts[number], self.starts[(number + 1) % len(self.starts)])
        return "–".join(f"{minute // 60:02d}:{minute % 60:02d}" for minute in ends)


def _checked(text: str) -> str:
    Shifts.of(text)
    return text


ShiftTimes = Annotated[str, AfterValidator(_checked)]
