"""The timers of the alarm desk: shelves and windows that end, alarms that ring again, alarms told to others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from hypervision.clock import EPOCH
from hypervision.sections import AlarmSettings
from hypervision.stepping import Stepper
from hypervision.store import attending as store
from hypervision.store.alarms import Case
from hypervision.store.connection import Connection
from hypervision.store.writer import Writer

Work: TypeAlias = Callable[[Writer, Stepper], tuple[list[Case], int]]
"""Locks conditions, writes their steps; gives both back."""

# Causes that come and go, reminders and escalations are looked for so often; a shelf that ends, at once [s].
_LOOK: Final = timedelta(seconds=5)
_PRIORITIES: Final = ("critical", "high", "medium", "low")


class Attending:
    """What an installation asks of its desk, and when it was last looked at.

    Parameters
    ----------
    settings : AlarmSettings
        After how long alarms ring again and are told to others, by priority.
    """

    def __init__(self, settings: AlarmSettings) -> None:
        self._again = by_priority(settings, "realarm")
        self._told = by_priority(settings, "escalate")
        self._role = settings.escalate_to
        self._looked = EPOCH

    def due(self, connection: Connection, *, now: datetime) -> list[Work]:
        """What is to be done at an instant, each in a transaction of its own: locks are taken in one order only."""
        # A clock that was set back is no reason to wait for the time it told before.
        whole = not timedelta(0) <= now - self._looked < _LOOK
        if not whole:
            ended = store.begins_or_ends(connection, since=self._looked, now=now)
            return [lambda writer, _: store.settle(writer.connection, now=now)] if ended else []
        self._looked = now
        return [
            lambda writer, _: store.settle(writer.connection, now=now),
            lambda writer, _: store.remind(writer.connection, self._again, now=now),
            lambda writer, _: store.escalate(writer.connection, self._told, role=self._role, now=now),
        ]


def by_priority(settings: AlarmSettings, what: str) -> dict[str, float]:
    """The times of a setting that has one for each priority [s].

    Examples
    --------
    >>> by_priority(AlarmSettings(), "shelve")["critical"]
    3600.0
    """
    return {priority: float(getattr(settings, f"{what}_{priority}")) for priority in _PRIORITIES}
