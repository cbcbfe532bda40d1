"""The partitions of the observations by their names: a UTC day or a UTC month each, open or packed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

RECENT: Final = timedelta(days=31)
"""Months that ended longer ago get one partition, where they have none of their days yet."""
WHOLE_MONTH: Final = 100_000_000
"""Rows of a month that are packed in one table; more stay in one for each day."""
# Late rows stand unsorted at the end of a packed partition: after so many, or this share, it is packed once more.
_LATE_ROWS: Final = 10_000
_LATE_SHARE: Final = 0.02


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition, or a chunk, of the observations.

    Attributes
    ----------
    first, last : date
        Its first UTC day, and the day after its last.
    packed : bool
        Sorted and without a unique key of its own (PostgreSQL), or compressed (TimescaleDB).
    rows : int
        About how many readings.
    heap, indexes : int
        Their size [byte].
    pending : bool
        Its detaching was begun: it is neither read nor written any more.
    """

    name: str
    first: date
    last: date
    packed: bool
    rows: int
    heap: int
    indexes: int
    pending: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """Partitions that are to become one packed partition."""

    sources: tuple[str, ...]
    target: str
    first: date
    last: date


def of_day(day: date) -> str:
    """The name of the partition of one day.

    Examples
    --------
    >>> of_day(date(2026, 11, 22))
    'observation_20261122'
    """
    return f"observation_{day:%Y%m%d}"


def of_month(day: date) -> str:
    """The name of the partition of one month.

    Examples
    --------
    >>> of_month(date(2026, 11, 22))
    'observation_202611'
    """
    return f"observation_{day:%Y%m}"


def month_of(day: date) -> tuple[date, date]:
    """The first day of a month and of the next one.

    Examples
    --------
    >>> month_of(date(2026, 12, 5))
    (datetime.date(2026, 12, 1), datetime.date(2027, 1, 1))
    """
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


def extent_of(name: str) -> tuple[date, date]:
    """First day, and day after the last, of a partition by its name.

    Examples
    --------
    >>> extent_of("observation_202602")
    (datetime.date(2026, 2, 1), datetime.date(2026, 3, 1))
    """
    digits = name.rsplit("_", 1)[1]
    year, month = int(digits[:4]), int(digits[4:6])
    if len(digits) == 6:
        return month_of(date(year, month, 1))
    day = date(year, month, int(digits[6:]))
    return day, day + timedelta(days=1)


def room_for(day: date, names: AbstractSet[str], *, today: date) -> tuple[str, date, date]:
    """Name, first day and day after the last of the partition that a day is to have."""
    first, last = month_of(day)
    if last > today - RECENT or any(name.startswith(of_month(day)) for name in names):
        return of_day(day), day, day + timedelta(days=1)
    return of_month(day), first, last


def jobs(partitions: Sequence[Partition], late: Mapping[date, int], *, before: date) -> list[Job]:
    """What is to be packed: old partitions as they are, and the days of a month that is over as one.

    Parameters
    ----------
    late : mapping
        Readings that came to each day since it was packed.
    before : date
        Only partitions that end by this day.

    Returns
    -------
    list of Job
        In order of time; each day at most once.
    """
    old = [p for p in partitions if p.last <= before]
    leaving = {p.first.replace(day=1) for p in old if p.pending}
    months: dict[date, list[Partition]] = {}
    for partition in (p for p in old if not p.pending):
        months.setdefault(partition.first.replace(day=1), []).append(partition)
    found: list[Job] = []
    for first, parts in sorted(months.items()):
        last = month_of(first)[1]
        if len(parts) > 1 and last <= before and first not in leaving and sum(p.rows for p in parts) <= WHOLE_MONTH:
            found.append(Job(tuple(p.name for p in parts), of_month(first), first, last))
            continue
        found += [Job((p.name,), p.name, p.first, p.last) for p in parts if not p.packed or _disturbed(p, late)]
    return found


def _disturbed(partition: Partition, late: Mapping[date, int]) -> bool:
    rows = sum(count for day, count in late.items() if partition.first <= day < partition.last)
    return rows > max(_LATE_ROWS, _LATE_SHARE * partition.rows)


def days_in(days: Iterable[date], names: Iterable[str]) -> set[date]:
    """Which of some days lie in the partitions of these names."""
    known = set(names)
    return {day for day in days if of_day(day) in known or of_month(day) in known}
