"""Alarms that are hidden, and what they hang on: pure functions over the town."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from dashboards.town import Town, urgency
from hypervision.scope import Scope
from hypervision.store.inhibitions import Inhibition
from hypervision.store.screens import AlarmRow

CHATTERS_FROM: Final = 5
CHATTERS_WITHIN: Final = timedelta(minutes=10)
"""An alarm that rings so often within so long tells nothing any more: half a flood (EEMUA 191: ten) by itself."""
OUT: Final = ("out_of_service", "maintenance")
"""What is about Things and not about one alarm."""


def hidden_alarms(town: Town, scope: Scope) -> list[AlarmRow]:
    """The open alarms an account may see that something hides, worst first."""
    own = {thing.thing_id for thing in town.visible_things(scope)}
    found = [
        alarm
        for alarm in town.alarms.values()
        if alarm.suppression != "none" and (scope.is_whole or alarm.thing_id in own)
    ]
    return sorted(found, key=urgency)


def consequences(alarms: Iterable[AlarmRow]) -> Counter[int]:
    """How many alarms each cause explains, by the cause's id; those of a consequence count for its cause as well."""
    direct = {alarm.alarm_id: alarm.explained_by for alarm in alarms if alarm.explained_by is not None}
    found: Counter[int] = Counter()
    for cause in direct.values():
        at: int | None = cause
        seen: set[int] = set()
        while at is not None and at not in seen:
            seen.add(at)
            found[at] += 1
            at = direct.get(at)
    return found


def chattering(town: Town, scope: Scope) -> list[tuple[AlarmRow, int]]:
    """The shown alarms that ring again and again, each with how often, the worst first."""
    found = [(alarm, town.chattering[alarm.alarm_id]) for alarm in town.visible_alarms(scope)
             if alarm.alarm_id in town.chattering]  # fmt: skip
    return sorted(found, key=lambda each: (-each[1], urgency(each[0])))


def placed(town: Town) -> list[Inhibition]:
    """What is out of service or in a maintenance window, or will be, the newest first."""
    return [each for each in town.inhibitions if each.kind in OUT]


def quiet_shelves(town: Town) -> list[Inhibition]:
    """Shelves over alarms that do not stand now: one of them would be born hidden."""
    return [each for each in town.inhibitions if each.kind == "shelved" and not each.hidden]
