"""Public holidays: of a country, as data, and those of a town, as a setting."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, timedelta, tzinfo
from functools import lru_cache
from importlib import resources
from typing import Final

from hypervision.settings import Settings

COUNTRIES: Final = ("be", "de", "es", "fr", "lu")


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher).

    Examples
    --------
    >>> easter(2026).isoformat(), easter(2038).isoformat()
    ('2026-04-05', '2038-04-25')
    """
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


@lru_cache(maxsize=64)
def of_country(country: str, year: int) -> frozenset[date]:
    """The public holidays of a country in a year.

    Examples
    --------
    >>> len(of_country("fr", 2026)), date(2026, 5, 14) in of_country("fr", 2026)
    (11, True)
    """
    text = (resources.files("hypervision") / "calendars" / f"{country}.toml").read_text("utf-8")
    told = tomllib.loads(text)
    fixed = {date.fromisoformat(f"{year:04d}-{day}") for day in told["fixed"]}
    return frozenset(fixed | {easter(year) + timedelta(days=after) for after in told["easter"]})


@dataclass(frozen=True, slots=True)
class Calendar:
    """Local days of an installation.

    Attributes
    ----------
    country : str
        One of `COUNTRIES`, or empty: no holidays but those of `more`.
    more : frozenset of str
        Further holidays, as `2026-12-26` or, each year, `12-26`.
    """

    zone: tzinfo = UTC
    country: str = ""
    more: frozenset[str] = frozenset()

    @classmethod
    def of(cls, zone: tzinfo, country: str, more: Iterable[str]) -> Calendar:
        """The calendar of some settings."""
        return cls(zone, country, frozenset(day.strip() for day in more if day.strip()))

    def is_holiday(self, day: date) -> bool:
        """Whether a day is a public holiday.

        Examples
        --------
        >>> Calendar(UTC, "fr").is_holiday(date(2026, 7, 14)), Calendar(UTC).is_holiday(date(2026, 7, 14))
        (True, False)
        """
        if self.country and day in of_country(self.country, day.year):
            return True
        return bool(self.more) and bool({day.isoformat(), f"{day:%m-%d}"} & self.more)


def calendar_of(settings: Settings) -> Calendar:
    """The local days of an installation."""
    return Calendar.of(settings.zone, settings.rules.country, settings.rules.holidays.split(","))
