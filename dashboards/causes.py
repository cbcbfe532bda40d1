"""What alarms hang on each other, which came first, and what to look at in a flood: pure functions over the town."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dashboards.hidden import consequences, hidden_alarms
from dashboards.town import RANK, Town, waits
from hypervision.events import Began, events_of
from hypervision.flood import Flood, flood_of
from hypervision.scope import Scope
from hypervision.store.screens import AlarmRow

LOOKED_AT: Final = 3
"""So many alarms are named in a flood: more would be a list again."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What is told of one alarm besides itself.

    Attributes
    ----------
    event : int
        The alarm by which its event is known: the cause of it all, else the first to come; its own where it has none.
    size : int
        How many alarms its event has, hidden ones too; 1: it stands alone.
    first : int
        Which of them came first.
    explains : int
        How many hidden alarms are its consequences.
    rings : int
        How often it rang within ten minutes, where that is chattering; else 0.
    """

    event: int
    size: int = 1
    first: int = 0
    explains: int = 0
    rings: int = 0


def marks_of(town: Town, scope: Scope) -> dict[int, Mark]:
    """What is told of every open alarm that an account may see."""
    shown, unseen = town.visible_alarms(scope), hidden_alarms(town, scope)
    counted = consequences(unseen)
    marks = {
        alarm.alarm_id: Mark(
            alarm.alarm_id,
            explains=counted[alarm.alarm_id],
            rings=town.chattering.get(alarm.alarm_id, 0),
        )
        for alarm in (*shown, *unseen)
    }
    for event in events_of(_began((*shown, *unseen)), _parents(town, (*shown, *unseen))):
        # Of several causes the one that explains most, of none the first.
        cause = max(event.alarms, key=lambda one: counted[one])
        for one in event.alarms:
            alone = marks[one]
            marks[one] = Mark(cause, len(event.alarms), event.first, alone.explains, alone.rings)
    return marks


def _began(alarms: Iterable[AlarmRow]) -> list[Began]:
    return [Began(one.alarm_id, one.raised_at, one.thing_id, one.explained_by) for one in alarms]


def _parents(town: Town, alarms: Iterable[AlarmRow]) -> dict[int, int]:
    found = {}
    for alarm in alarms:
        thing = town.thing_of(alarm)
        if thing is not None and thing.parent is not None and thing.parent in town.codes:
            found[thing.thing_id] = town.codes[thing.parent]
    return found


def explained_by(alarms: Mapping[int, AlarmRow], cause: int) -> list[AlarmRow]:
    """The alarms that one explains, directly or by another consequence of it; the first to begin first."""
    below: dict[int, list[AlarmRow]] = {}
    for alarm in alarms.values():
        if alarm.explained_by is not None:
            below.setdefault(alarm.explained_by, []).append(alarm)
    found: dict[int, AlarmRow] = {}
    waiting = [cause]
    while waiting:
        for alarm in below.get(waiting.pop(), ()):
            if alarm.alarm_id not in found:
                found[alarm.alarm_id] = alarm
                waiting.append(alarm.alarm_id)
    return sorted(found.values(), key=lambda one: (one.raised_at, one.alarm_id))


def flood(town: Town, *, now: datetime, operators: int) -> Flood:
    """How fast alarms come to who sees this part of the town."""
    return flood_of((each.at for each in town.activations), now=now, operators=operators)


def look_first(shown: Sequence[AlarmRow], marks: Mapping[int, Mark], *, most: int = LOOKED_AT) -> list[AlarmRow]:
    """What to look at first of the alarms that wait: one of each event; the worst, what explains most, what came first.

    Parameters
    ----------
    shown : sequence of AlarmRow
        No hidden ones.
    """

    def order(alarm: AlarmRow) -> tuple[int, int, int, datetime, int]:
        mark = marks[alarm.alarm_id]
        came_first = mark.size > 1 and mark.first == alarm.alarm_id
        return RANK.get(alarm.priority, 9), -mark.explains, int(not came_first), alarm.raised_at, alarm.alarm_id

    found: dict[int, AlarmRow] = {}
    for alarm in sorted((one for one in shown if waits(one.state)), key=order):
        found.setdefault(marks[alarm.alarm_id].event, alarm)
    return list(found.values())[:most]
