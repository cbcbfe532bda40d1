"""Schedules of a rule: windows of local time, each with limits of its own; the first that holds is chosen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hypervision.batch import Int64
from hypervision.clock import EPOCH
from hypervision.errors import RuleError
from hypervision.holidays import Calendar

MINUTE_US: Final = 60_000_000
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAYS: Final = ("as_usual", "too", "never", "only")
"""A holiday counts as its weekday does; is meant too; is not meant; holidays alone are meant."""
MOST: Final = 12
_KEYS: Final = frozenset(("name", "days", "from", "to", "season", "holidays", "limit", "deadband", "enabled"))
# As many minutes as a process meets within days.
_REMEMBERED: Final = 20_000


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the week, of the season.

    Attributes
    ----------
    days : frozenset of int
        Weekdays on which it begins, 0 is Monday.
    start, end : int
        Minutes of the local day; an end that is not after the start is on the next day.
    season : tuple of str or None
        First and last day, as `11-01`; may go over the new year.
    holidays : str
        Of `HOLIDAYS`.
    limit, deadband : float or None
        Instead of the rule's; None keeps them.
    """

    name: str
    days: frozenset[int]
    start: int
    end: int
    season: tuple[str, str] | None = None
    holidays: str = "as_usual"
    limit: float | None = None
    deadband: float | None = None
    enabled: bool = True

    def holds(self, at: datetime, calendar: Calendar) -> bool:
        """Whether a local time lies in it."""
        minute = at.hour * 60 + at.minute
        if self.start < self.end:
            return self.start <= minute < self.end and self._begins_on(at.date(), calendar)
        if minute >= self.start:
            return self._begins_on(at.date(), calendar)
        return minute < self.end and self._begins_on(at.date() - timedelta(days=1), calendar)

    def _begins_on(self, day: date, calendar: Calendar) -> bool:
        if self.season is not None:
            first, last = self.season
            here = f"{day:%m-%d}"
            if not (first <= here <= last if first <= last else here >= first or here <= last):
                return False
        holiday = self.holidays != "as_usual" and calendar.is_holiday(day)
        if self.holidays == "only":
            return holiday
        if self.holidays == "too" and holiday:
            return True
        return day.weekday() in self.days and not (self.holidays == "never" and holiday)

    def document(self) -> dict[str, Any]:
        """As it stands in the rule's document."""
        told: dict[str, Any] = {
            "name": self.name,
            "days": [DAYS[day] for day in sorted(self.days)],
            "from": _clock(self.start),
            "to": _clock(self.end),
            "holidays": self.holidays,
            "enabled": self.enabled,
        }
        given = {"season": None if self.season is None else list(self.season), "limit": self.limit,
                 "deadband": self.deadband}  # fmt: skip
        return told | {key: value for key, value in given.items() if value is not None}


class Schedule:
    """The windows of one rule by the calendar of an installation."""

    def __init__(self, windows: Sequence[Window], calendar: Calendar) -> None:
        self.windows = tuple(windows)
        self._calendar = calendar
        self._known: dict[int, int] = {}

    def choose(self, time_us: Int64) -> NDArray[np.int64]:
        """Which window holds at each instant, shape (n,): 0 none, else its number from 1.

        Parameters
        ----------
        time_us : ndarray of int64, shape (n,)
            Phenomenon times; local time is told by the minute.
        """
        minutes, place = np.unique(time_us // MINUTE_US, return_inverse=True)
        chosen = np.array([self._at(minute) for minute in minutes.tolist()], np.int64)
        found: NDArray[np.int64] = chosen[place.reshape(-1)]
        return found

    def at(self, time_us: int) -> Window | None:
        """The window that holds at an instant."""
        chosen = self._at(time_us // MINUTE_US)
        return self.windows[chosen - 1] if chosen else None

    def _at(self, minute: int) -> int:
        found = self._known.get(minute)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            local = (EPOCH + timedelta(minutes=minute)).astimezone(self._calendar.zone)
            found = next((n for n, one in enumerate(self.windows, 1) if one.holds(local, self._calendar)), 0)
            self._known[minute] = found
        return found


def read_windows(given: object) -> tuple[Window, ...]:
    """The windows of a rule's document.

    Raises
    ------
    RuleError
        One is wrong; the error names the field.
    """
    if not isinstance(given, list) or len(given) > MOST:
        raise RuleError("schedule", given, f"give a list of at most {MOST} windows, such as the one of the guide")
    return tuple(_window(f"schedule.{number}", one) for number, one in enumerate(given))


def _window(where: str, given: object) -> Window:
    if not isinstance(given, Mapping):
        raise RuleError(where, given, 'give an object such as {"from": "22:00", "to": "06:00", "limit": 2}')
    for key in given:
        if key not in _KEYS:
            raise RuleError(f"{where}.{key}", given[key], f"use {', '.join(sorted(_KEYS))}")
    days = given.get("days", list(DAYS))
    if not isinstance(days, list) or not days or not all(day in DAYS for day in days):
        raise RuleError(f"{where}.days", days, f"give a list of {', '.join(DAYS)}")
    holidays = given.get("holidays", "as_usual")
    if holidays not in HOLIDAYS:
        raise RuleError(f"{where}.holidays", holidays, f"write one of {', '.join(HOLIDAYS)}")
    name = given.get("name", "")
    if not isinstance(name, str) or len(name) > 60 or not name.isprintable():
        raise RuleError(f"{where}.name", name, "give a text of at most 60 letters")
    enabled = given.get("enabled", True)
    if not isinstance(enabled, bool):
        raise RuleError(f"{where}.enabled", enabled, "write true or false")
    return Window(
        name=name,
        days=frozenset(DAYS.index(day) for day in days),
        start=_minute(f"{where}.from", given.get("from", "00:00"), most=1439),
        end=_minute(f"{where}.to", given.get("to", "24:00"), most=1440),
        season=_season(f"{where}.season", given.get("season")),
        holidays=str(holidays),
        limit=_number(f"{where}.limit", given.get("limit")),
        deadband=_number(f"{where}.deadband", given.get("deadband"), low=0.0),
        enabled=enabled,
    )


def _minute(where: str, given: object, *, most: int) -> int:
    found = re.fullmatch(r"(\d{2}):(\d{2})", given) if isinstance(given, str) and given.isascii() else None
    minute = 60 * int(found[1]) + int(found[2]) if found is not None and int(found[2]) < 60 else most + 1
    if minute > most:
        raise RuleError(where, given, "write a local time such as 22:00")
    return minute


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _season(where: str, given: object) -> tuple[str, str] | None:
    if given is None:
        return None
    if not isinstance(given, list) or len(given) != 2 or not all(_is_day(day) for day in given):
        raise RuleError(where, given, 'give its first and its last day, such as ["11-01", "03-31"]')
    return given[0], given[1]


def _is_day(given: object) -> bool:
    if not isinstance(given, str) or re.fullmatch(r"\d{2}-\d{2}", given, re.ASCII) is None:
        return False
    try:
        # A leap year: 02-29 is a day.
        datetime.strptime(f"2024-{given}", "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return False
    return True


def _number(where: str, given: object, *, low: float = -1e30) -> float | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not low <= given <= 1e30:
        raise RuleError(where, given, "give a number" + (" from 0" if low == 0 else ""))
    return float(given)
