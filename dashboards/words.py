"""Texts, numbers and dates in the operator's language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cache
from importlib import resources
from typing import Final, Literal

from babel.core import Locale
from babel.dates import format_datetime
from babel.numbers import format_decimal, format_scientific

from hypervision.explaining import explained

Language = Literal["fr", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("fr", "en")
_LOCALES: Final[Mapping[str, str]] = {"fr": "fr_FR", "en": "en_GB"}

HUGE: Final = 1e15
"""From here on a number is written with its power of ten: float64 has no more digits, and nobody reads them."""

# How people write what UCUM codes.
_UNITS: Final[Mapping[str, str]] = {
    "1": "", "m3/h": "m³/h", "m3": "m³", "Cel": "°C", "{NTU}": "NTU", "uS/cm": "µS/cm", "kW.h": "kWh",
    "deg": "°", "ug/m3": "µg/m³",
}  # fmt: skip


def language_of(text: str | None, default: str = "fr") -> Language:
    """A language we have; `default` for any other."""
    known = {str(language): language for language in LANGUAGES}
    return known.get(text or "", known.get(default, "fr"))


@cache
def catalogue(language: Language) -> Mapping[str, str]:
    """Every text of a language by its dotted key."""
    text = (resources.files("dashboards") / "locales" / f"{language}.toml").read_text("utf-8")
    return {f"{section}.{key}": value for section, keys in tomllib.loads(text).items() for key, value in keys.items()}


@dataclass(frozen=True, slots=True)
class Words:
    r"""One language and one time zone.

    Examples
    --------
    >>> from zoneinfo import ZoneInfo
    >>> Words("fr", ZoneInfo("Europe/Paris")).quantity(1234.5, "m3/h", 1)
    '1\u202f234,5\xa0m³/h'
    """

    language: Language
    zone: tzinfo

    def t(self, key: str, **values: object) -> str:
        """The text of a key, with its values filled in.

        Raises
        ------
        KeyError
            No such text: a test finds this before a person does.
        """
        text = catalogue(self.language)[key]
        return text.format(**values) if values else text

    def n(self, key: str, n: int, **values: object) -> str:
        """The text of a key that counts, in the number that the language asks for: `key` or `key_one`.

        Examples
        --------
        >>> from zoneinfo import ZoneInfo
        >>> [Words("fr", ZoneInfo("UTC")).n("banner.more", n) for n in (1, 2)]
        ['+ 1 autre', '+ 2 autres']
        """
        one = Locale.parse(_LOCALES[self.language]).plural_form(n) == "one"
        return self.t(f"{key}_one" if one else key, n=self.number(n), **values)

    def known(self, family: str, code: str) -> str:
        """The words for a code that another program gave; the code itself where there are none."""
        return catalogue(self.language).get(f"{family}.{code}", code)

    def refusal(self, detail: str) -> tuple[str, str]:
        """Why something was refused, and in which language that is; what has no words in ours is told as it is kept."""
        told = explained(detail, self.language)
        return told, "en" if told == detail else str(self.language)

    def pick(self, fr: str, en: str) -> str:
        """One of two texts that come from the database."""
        return fr if self.language == "fr" else en

    def number(self, value: float, decimals: int = 0) -> str:
        """A number with its separators; a huge one with its power of ten."""
        if abs(value) >= HUGE:
            return format_scientific(value, "0.##E0", locale=_LOCALES[self.language])
        pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
        return format_decimal(value, pattern, locale=_LOCALES[self.language])

    def unit(self, code: str) -> str:
        """A unit as people write it."""
        if code == "{place}":
            return self.t("unit.places")
        return _UNITS.get(code, code)

    def quantity(self, value: float, unit: str, decimals: int = 0) -> str:
        """A number with its unit, not broken apart at a line's end."""
        shown = self.unit(unit)
        return self.number(value, decimals) + (f"\u00a0{shown}" if shown else "")

    def moment(self, at: datetime) -> tuple[str, str]:
        """A local date with its year, and the time to the second."""
        day, time = (
            format_datetime(at, pattern, tzinfo=self.zone, locale=_LOCALES[self.language])
            for pattern in ("d MMM y", "HH:mm:ss")
        )
        return day, time

    def clock(self, at: datetime) -> str:
        """A local time of day with its date."""
        pattern = "d MMM HH:mm"
        return format_datetime(at, pattern, tzinfo=self.zone, locale=_LOCALES[self.language])
