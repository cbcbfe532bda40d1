"""Which alarms belong to one event, and which of them came first: pure functions, no I/O.

Two alarms belong together when one explains the other (`hypervision.inhibition`), or when they are of one Thing, of a
Thing and its parent, or of two Things of the same parent, and began within `TOGETHER` of each other. *First-out*
(ISA-18.2) is a statement about time alone: which came first, not which is to blame.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

TOGETHER: Final = timedelta(minutes=5)
"""Neighbours of one event are often read five minutes apart: the shortest regular period of most domains."""


class Began(NamedTuple):
    """An open alarm, as far as its event goes.

    Attributes
    ----------
    at : datetime
        When it began, by the time of its reading.
    explained_by : int or None
        The alarm that explains it.
    """

    alarm_id: int
    at: datetime
    thing_id: int | None = None
    explained_by: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Alarms that belong together.

    Attributes
    ----------
    alarms : tuple of int
        The first to come first; among equals, the first to be told.
    """

    alarms: tuple[int, ...]

    @property
    def first(self) -> int:
        """Which came first."""
        return self.alarms[0]


def events_of(alarms: Iterable[Began], parents: Mapping[int, int]) -> list[Event]:
    """Put alarms together to events.

    Parameters
    ----------
    alarms : iterable of Began
        Hidden ones too: a lamp may be dark before its cabinet is known to be.
    parents : mapping of int to int
        By Thing, the one above it.

    Returns
    -------
    list of Event
        Of two alarms or more, the first to begin first.

    Examples
    --------
    >>> from datetime import UTC
    >>> at = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
    >>> events_of([Began(7, at, 1), Began(8, at - timedelta(seconds=3), 2), Began(9, at, 5)], {1: 4, 2: 4})
    [Event(alarms=(8, 7))]
    """
    found = sorted(alarms, key=lambda one: (one.at, one.alarm_id))
    above = {one.alarm_id: one.alarm_id for one in found}

    def head(alarm: int) -> int:
        while above[alarm] != alarm:
            above[alarm] = alarm = above[above[alarm]]
        return alarm

    # The last of each family that began: within it the next one joins if it is near enough in time.
    last: dict[int, Began] = {}
    for one in found:
        if one.explained_by is not None and one.explained_by in above:
            above[head(one.alarm_id)] = head(one.explained_by)
        if one.thing_id is None:
            continue
        for family in {one.thing_id, parents.get(one.thing_id, one.thing_id)}:
            before = last.get(family)
            if before is not None and one.at - before.at <= TOGETHER:
                above[head(one.alarm_id)] = head(before.alarm_id)
            last[family] = one
    groups: dict[int, list[int]] = {}
    for one in found:
        groups.setdefault(head(one.alarm_id), []).append(one.alarm_id)
    return [Event(tuple(members)) for members in groups.values() if len(members) > 1]
