"""What every query of the screens and of the API may cost on 20 million readings, and the index it lives from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Budget:
    """What one question may cost.

    Parameters
    ----------
    must, aim : float
        The median at most, and where we want it to be [ms].
    indexes : tuple of str
        An index of each of these names, or of a partition by its pattern, must be in the plan.
    """

    what: str
    must: float
    aim: float
    indexes: tuple[str, ...] = ()


# The key of observations; a partition's has the partition's name.
_READINGS: Final = r"observation\w*_pkey"

BUDGETS: Final[Mapping[str, Budget]] = {
    "latest": Budget("newest reading of 20,000 datastreams", 60, 25),
    "latest_changed": Budget("the 500 of them that changed since the last look", 20, 10),
    "trend_day": Budget("one datastream over a day, lowest and highest of each bucket", 20, 5, (_READINGS,)),
    "trend_month": Budget("… over a month", 60, 30, (_READINGS,)),
    "trend_year": Budget("… over a year, 1,000 points", 150, 50, (_READINGS,)),
    "course": Budget("the last day of a domain's tile, 200 datastreams", 100, 60, (_READINGS,)),
    "hours": Budget("hourly roll-up of 1,000 datastreams over a day, 24,000 rows", 250, 150, ("rollup_pkey",)),
    "days": Budget("daily roll-up of one datastream over a year", 20, 5, ("rollup_pkey",)),
    "alarms_day": Budget("alarms of a day", 60, 30, ("alarm_raised",)),
    "alarms_flood": Budget("alarms of a day with a flood, 20,000 rows", 500, 300, ("alarm_raised",)),
    "alarms_newest": Budget("the 1,000 newest alarms", 60, 30, ("alarm_pkey",)),
    "alarm_history": Budget("a Thing's alarms of a day", 20, 5, ("alarm_thing",)),
    "journal": Budget("a Thing's journal", 30, 15, ("alarm_thing", "alarm_transition_alarm")),
    "gaps_newest": Budget("the newest gaps of the town", 60, 30),
    "gaps_thing": Budget("a Thing's gaps of a day", 30, 15),
    "datastreams": Budget("10,000 datastreams with their newest reading, for the API", 200, 120),
    "observations": Budget("a day of one datastream, for the API", 30, 10, (_READINGS,)),
    "observations_all": Budget("the first 10,000 readings of a day of the whole town, for the API", 1000, 400),
    "look_first": Budget("the server's first look at 5,000 Things", 1000, 600),
    "look_again": Budget("its look each second, 500 readings new", 60, 40),
    "overview": Budget("a refresh of the overview in Python", 250, 100),
    "map": Budget("a refresh of the map in Python", 250, 100),
    "alarm_list": Budget("a refresh of the alarm list in Python, 300 open", 250, 100),
}
