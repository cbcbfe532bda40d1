"""One table of a domain file, read key by key; what is wrong with a value is one sentence with its remedy."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from hypervision.errors import DomainError

_LONGEST: Final = 200
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Table:
    """A table of a domain file.

    Parameters
    ----------
    file : str
        The file's name, for messages.
    where : str
        Which table of it, such as `property 'flow'`.
    content : object
        What stands there; anything but a table is refused.
    known : str
        The keys that may stand in it.
    """

    def __init__(self, file: str, where: str, content: object, *, known: str) -> None:
        self.file, self.where = file, where
        if not isinstance(content, dict):
            raise DomainError(
                f"domain file {file}: {where} is {content!r}", remedy=f"give a table with {', '.join(known.split())}"
            )
        self._content = content
        unknown = sorted(set(content) - set(known.split()))
        if unknown:
            raise DomainError(
                f"domain file {file}: {where} has the unknown key {unknown[0]!r} (value {content[unknown[0]]!r})",
                remedy=f"use {', '.join(known.split())}",
            )

    def __contains__(self, key: str) -> bool:
        return key in self._content

    def refuse(self, key: str, remedy: str) -> DomainError:
        """The error for the value of a key; a key that is missing is named so."""
        if key not in self._content:
            return DomainError(f"domain file {self.file}: {self.where} lacks the key {key!r}", remedy=remedy)
        value = repr(self._content[key])
        shown = value if len(value) <= _LONGEST else value[:_LONGEST] + "…"
        return DomainError(f"domain file {self.file}: {self.where} has {key} = {shown}", remedy=remedy)

    def text(self, key: str, default: str | None = None, *, pattern: str = r".*\S.*", remedy: str = "") -> str:
        """A text of one line that matches a pattern."""
        value = self._get(key, default)
        fits = isinstance(value, str) and len(value) <= _LONGEST and not _CONTROL.search(value)
        if not fits or not re.fullmatch(pattern, value):
            raise self.refuse(key, remedy or f"give a text of one line, 1 to {_LONGEST} letters")
        return str(value)

    def choice(self, key: str, words: Sequence[str]) -> str:
        """One of some words."""
        value = self._get(key, None)
        if value not in words:
            raise self.refuse(key, f"write one of {', '.join(words)}")
        return str(value)

    def number(self, key: str, default: float | None = None, *, low: float = -1e300, high: float = 1e300) -> float:
        """A finite number from `low` to `high`."""
        value = self._get(key, default)
        if not _is_number(value) or not low <= value <= high:
            bounds = f" from {low:g} to {high:g}" if high < 1e300 else f" from {low:g}" if low > -1e300 else ""
            raise self.refuse(key, f"give a number{bounds}")
        return float(value)

    def whole(self, key: str, default: int, *, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.refuse(key, f"give a whole number from {low} to {high}")
        return value

    def flag(self, key: str) -> bool:
        """Whether something holds; it does not where the key is missing."""
        value = self._get(key, False)
        if not isinstance(value, bool):
            raise self.refuse(key, "write true or false")
        return value

    def range(self, key: str, default: tuple[float, float]) -> tuple[float, float]:
        """Lowest and highest."""
        if key not in self._content:
            return default
        value = self._content[key]
        if not isinstance(value, list) or len(value) != 2 or not all(_is_number(bound) for bound in value):
            raise self.refuse(key, "give two numbers, the lowest and the highest, such as [0, 100]")
        if value[0] > value[1]:
            raise self.refuse(key, "it is an empty range: put the lowest first")
        return float(value[0]), float(value[1])

    def languages(self, key: str, *, needed: bool = True) -> tuple[str, str]:
        """A text in French and in English."""
        if key not in self._content and not needed:
            return "", ""
        if not isinstance(self._content.get(key), dict):
            raise self.refuse(key, 'give both languages: { fr = "…", en = "…" }')
        both = Table(self.file, f"{key} of {self.where}", self._content[key], known="fr en")
        return both.text("fr"), both.text("en")

    def tables(self, key: str, *, known: str, name: str = "code") -> Iterator[Table]:
        """The tables under a key, each called by the value of one of its own keys."""
        value = self._content.get(key, [])
        if not isinstance(value, list):
            raise self.refuse(key, f"write each one under a line [[{key}]]")
        for number, entry in enumerate(value, 1):
            called = entry.get(name) if isinstance(entry, dict) else None
            of = f" of {self.where}" if self.where != "the file" else ""
            yield Table(self.file, f"{key} {number if called is None else repr(called)}{of}", entry, known=known)

    def _get(self, key: str, default: Any) -> Any:
        return self._content.get(key, default)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False
