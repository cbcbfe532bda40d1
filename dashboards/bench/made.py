"""A large town in numbers: some datastreams with a year at five minutes, many others with some days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from hypervision import quality
from hypervision.batch import Float64, Int64
from hypervision.clock import to_us
from hypervision.domains import Catalogue
from hypervision.store.filling import Made, Stretch

PERIOD: Final = timedelta(minutes=5)
YEAR: Final = 105_120
"""Readings of one datastream in 365 days."""
_PERIOD_US: Final = 300_000_000
# What a Thing of each domain observes: four of five kinds of datastreams, and about 5,000 Things for 20,000 of them.
_LONG: Final = ("flow", "volume", "pressure", "pump_state")
_KINDS: Final = {
    "water": ("flow", "volume", "pressure", "battery"),
    "lighting": ("power", "energy", "voltage", "lamp_state", "dimming"),
    "parking": ("occupied", "free_places", "battery"),
    "waste": ("fill", "temperature", "tilt", "battery"),
}
# Rows of one COPY.
_PART: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Size:
    """How large a town: `years` datastreams with `long` readings each, `others` with `steps`."""

    years: int
    others: int
    steps: int
    long: int = YEAR

    @classmethod
    def of(cls, rows: int) -> Size:
        """The town with about so many readings: of 20 million, 20 datastreams with a year and 20,000 others.

        Examples
        --------
        >>> Size.of(20_000_000)
        Size(years=20, others=20000, steps=894, long=105120)
        """
        years = max(1, 4 * (rows // 4_000_000))
        others = max(200, 16 * (rows // 16_000))
        return cls(years, others, max(1, (rows - years * YEAR) // others))

    @property
    def rows(self) -> int:
        """Readings in all, but for those that holes take away."""
        return self.years * self.long + self.others * self.steps


def streams(size: Size, catalogue: Catalogue) -> list[Made]:
    """The datastreams, those with a year first."""
    found: list[Made] = []
    thing = 0
    while len(found) < size.years:
        names = _LONG[: size.years - len(found)]
        found += [_made(catalogue, f"year-{thing:05d}", "water", name) for name in names]
        thing += 1
    end = size.years + size.others
    while len(found) < end:
        domain = tuple(_KINDS)[thing % len(_KINDS)]
        names = _KINDS[domain][: end - len(found)]
        found += [_made(catalogue, f"thing-{thing:05d}", domain, name) for name in names]
        thing += 1
    return found


def _made(catalogue: Catalogue, thing: str, domain: str, name: str) -> Made:
    prop = catalogue[domain].properties[name]
    return Made(thing, domain, name, prop.unit, prop.kind)


def year(size: Size, made: list[Made], *, now: datetime) -> Iterator[Stretch]:
    """A year, or what `size` says, of the first datastreams up to `now`: spikes, silences, doubtful readings."""
    chance = np.random.default_rng(20)
    first_us = to_us(now) - size.long * _PERIOD_US
    kinds = np.array([_KIND[one.kind] for one in made[: size.years]])
    steps = max(1, _PART // size.years)
    for start in range(0, size.long, steps):
        step = np.arange(start, min(start + steps, size.long))
        # About twelve silences of some hours in a year.
        silent = (step[:, None] + 997 * np.arange(size.years)[None, :]) % 8760 < 40
        yield _stretch(step, kinds, first_us=first_us, keep=~silent, chance=chance)


def days(size: Size, made: list[Made], *, now: datetime) -> Iterator[Stretch]:
    """The last readings of the other datastreams up to `now`."""
    chance = np.random.default_rng(21)
    first_us = to_us(now) - size.steps * _PERIOD_US
    kinds = np.array([_KIND[one.kind] for one in made[size.years :]])
    steps = max(1, _PART // size.others)
    for start in range(0, size.steps, steps):
        step = np.arange(start, min(start + steps, size.steps))
        keep = np.ones((len(step), size.others), np.bool_)
        found = _stretch(step, kinds, first_us=first_us, keep=keep, chance=chance)
        yield Stretch(found.slot + size.years, found.time_us, found.result, found.quality)


_KIND: Final = {"gauge": 0, "counter": 1, "state": 2, "event": 3}


def _stretch(
    step: Int64, kinds: Int64, *, first_us: int, keep: np.ndarray[tuple[int, int], np.dtype[np.bool_]],
    chance: np.random.Generator,
) -> Stretch:  # fmt: skip
    """One reading of every datastream a step, in the order of their times."""
    shape = (len(step), len(kinds))
    slot = np.broadcast_to(np.arange(len(kinds)), shape)
    # Devices do not all report at the same second.
    time_us = first_us + step[:, None] * _PERIOD_US + slot * 7_000_000 % _PERIOD_US
    daily: Float64 = np.sin(step / 288 * 2 * np.pi)[:, None] * 3 + 10 + slot % 17
    value = np.round(daily + chance.normal(0, 0.3, shape), 2)
    value = np.where(chance.random(shape) < 1e-4, value * 5, value)
    value = np.where(kinds == 1, np.round(step[:, None] * 0.5 + 3, 1), value)
    value = np.where(kinds == 2, (step[:, None] // 48 + slot) % 2, value)
    luck = chance.random(shape)
    doubt = np.where(luck < 1e-4, quality.BAD, np.where(luck < 2e-4, quality.OUT_OF_RANGE, quality.GOOD))
    return Stretch(slot[keep].ravel(), time_us[keep].ravel(), value[keep].ravel(), doubt[keep].ravel())
