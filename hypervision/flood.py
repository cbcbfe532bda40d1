"""Whether alarms come faster than operators can take them, after EEMUA 191 and ISA-18.2: pure functions, no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from hypervision.alarm_quality import FLOOD

WINDOW: Final = timedelta(minutes=10)
CALM: Final = 5
"""A flood is over when fewer activations than this, per operator, stand in a window (ISA-18.2)."""
LOOKED_BACK: Final = timedelta(hours=1)
"""How much of the past is asked: what has rung on without ever being a flood again in this time is none any more."""


class Activation(NamedTuple):
    """An alarm that rang for an operator.

    Attributes
    ----------
    at : datetime
        When the platform told.
    thing_id : int or None
        None: an alarm of the platform itself.
    """

    at: datetime
    alarm_id: int
    thing_id: int | None


@dataclass(frozen=True, slots=True)
class Flood:
    """How fast alarms come.

    Attributes
    ----------
    rang : int
        Activations of the last ten minutes.
    limit : int
        More than this is a flood.
    since : datetime or None
        Since when one lasts; None: there is none.
    """

    rang: int
    limit: int
    since: datetime | None


def flood_of(at: Iterable[datetime], *, now: datetime, operators: int = 1) -> Flood:
    """Judge the activations of the last hour.

    Parameters
    ----------
    at : iterable of datetime
        When alarms rang, in any order; what is older than `LOOKED_BACK`, or ahead of `now`, does not count.
    operators : int
        How many people share the alarms.

    Notes
    -----
    It begins with the activation that makes more than ten of any ten minutes (EEMUA 191) and lasts until fewer than
    five are left of them (ISA-18.2), so that the sign does not flicker around ten.

    Examples
    --------
    >>> from datetime import UTC
    >>> now = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
    >>> flood_of([now - timedelta(seconds=n) for n in range(11)], now=now).since == now
    True
    >>> flood_of([now] * 10, now=now)
    Flood(rang=10, limit=10, since=None)
    """
    limit, calm = FLOOD * operators, CALM * operators
    rang = sorted(each for each in at if now - LOOKED_BACK < each <= now)
    # Each stands in the window for ten minutes; what leaves at an instant has left when another comes.
    steps = sorted([(each, 1) for each in rang] + [(each + WINDOW, -1) for each in rang if each + WINDOW <= now])
    standing = 0
    since: datetime | None = None
    for moment, change in steps:
        standing += change
        if standing > limit:
            since = since or moment
        elif standing < calm:
            since = None
    return Flood(standing, limit, since)
