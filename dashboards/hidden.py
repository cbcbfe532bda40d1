"""Alarms that are hidden, and what they hang on: pure functions over the town."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import parse_qs, urlencode

from dashboards.town import Town, urgency
from hypervision.scope import Scope
from hypervision.store.inhibitions import Inhibition
from hypervision.store.screens import AlarmRow

CHATTERS_FROM: Final = 5
CHATTERS_WITHIN: Final = timedelta(minutes=10)
"""An alarm that rings so often within so long tells nothing any more: half a flood (EEMUA 191: ten) by itself."""
OUT: Final = ("out_of_service", "maintenance")
"""What is about Things and not about one alarm."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which hidden alarms are asked for: the consequences of one alarm, or what is hidden in one way.

    Attributes
    ----------
    cause : int or None
        0: what a state explains, and no alarm.
    kind : str
        `shelved` or `out`.
    """

    cause: int | None = None
    kind: str = ""
    page: int = 1

    def query(self, page: int = 1) -> str:
        """What stands behind the question mark of an address."""
        asked: dict[str, str | int] = {"kind": self.kind} if self.cause is None else {"cause": self.cause}
        return urlencode(asked | ({"page": page} if page > 1 else {}))


def chosen_in(search: str) -> Chosen | None:
    """What an address asks for; None for nothing, and for what makes no sense.

    Examples
    --------
    >>> chosen_in("?cause=12&page=2")
    Chosen(cause=12, kind='', page=2)
    >>> chosen_in("?kind=out").query(3), chosen_in("?cause=x"), chosen_in("")
    ('kind=out&page=3', None, None)
    """
    asked = {key: values[0] for key, values in parse_qs(search.removeprefix("?")[:2_000]).items()}
    page, cause, kind = asked.get("page", "1"), asked.get("cause", ""), asked.get("kind", "")
    number = max(1, int(page)) if re.fullmatch("[0-9]{1,6}", page) else 1
    if re.fullmatch("[0-9]{1,18}", cause):
        return Chosen(cause=int(cause), page=number)
    return Chosen(kind=kind, page=number) if kind in ("shelved", "out") else None


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
