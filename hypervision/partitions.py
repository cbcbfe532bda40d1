"""Parts of the traffic: which collector takes what, and which of them is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from hypervision.errors import UsageError

# The control room and `watch` know collectors by this beginning.
WRITER: Final = "collector-"
_TEXT: Final = re.compile(r"([1-9]\d{0,3})/([1-9]\d{0,3})")


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """One of several equal parts.

    Attributes
    ----------
    of : int
        How many there are.
    number : int
        Which of them, from 1.

    Examples
    --------
    >>> str(Partition.parse("2/4"))
    '2/4'
    >>> [str(part) for part in Partition.parse("2/2").all]
    ['1/2', '2/2']
    """

    of: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `I/N`.

        Raises
        ------
        UsageError
            The text is no part of a whole.
        """
        found = _TEXT.fullmatch(text)
        if found is None or int(found[1]) > int(found[2]):
            raise UsageError(f"a partition cannot be {text!r}", remedy="write which part of how many, such as 2/4")
        return cls(int(found[2]), int(found[1]))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def whole(self) -> bool:
        """Whether it is everything."""
        return self.of == 1

    @property
    def all(self) -> list[Partition]:
        """Every part of the same whole."""
        return [Partition(self.of, number) for number in range(1, self.of + 1)]

    @property
    def writer(self) -> str:
        """The name under which its collector writes."""
        return f"{WRITER}{self}"


def of_writer(name: str) -> Partition | None:
    """The partition of a writer; None for one that is no collector.

    Examples
    --------
    >>> of_writer("collector-2/4")
    Partition(of=4, number=2)
    >>> of_writer("watch") is None
    True
    """
    found = _TEXT.fullmatch(name.removeprefix(WRITER)) if name.startswith(WRITER) else None
    return None if found is None or int(found[1]) > int(found[2]) else Partition(int(found[2]), int(found[1]))


def missing(at_work: Iterable[str], known: Iterable[str]) -> list[Partition]:
    """Parts that nobody takes: of every whole of which one part is at work, those that are not known.

    Parameters
    ----------
    at_work : iterable of str
        Names of the writers that collect now.
    known : iterable of str
        Names of the writers whose absence is noticed without this.

    Examples
    --------
    >>> [str(part) for part in missing(["collector-2/4", "collector-1/4"], ["collector-4/4"])]
    ['3/4']
    >>> missing(["collector-1/1", "watch"], [])
    []
    """
    working = {part for name in at_work if (part := of_writer(name)) is not None}
    there = working | {part for name in known if (part := of_writer(name)) is not None}
    wholes = {part.of: part for part in working}
    return sorted({part for one in wholes.values() for part in one.all} - there)
