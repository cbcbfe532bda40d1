"""`watch` counts the members of groups that are in trouble, and steps the alarms of the groups."""

from __future__ import annotations

from datetime import datetime

from hypervision import weighing
from hypervision.domains.catalogue import GROUPS
from hypervision.stepping import Stepper
from hypervision.store import groups as store
from hypervision.store.alarms import Case
from hypervision.store.groups import Counted
from hypervision.store.writer import Writer
from hypervision.weighing import Weighed


def step(writer: Writer, stepper: Stepper, *, now: datetime) -> tuple[list[Case], int]:
    """Step the alarms of all groups.

    Returns
    -------
    cases : list of Case
        The conditions that were locked.
    steps : int
        Transitions written.
    """
    weighed = [each for one in store.counted(writer.connection) for each in measured(one)]
    return weighing.step(writer, stepper, weighed, kind="group", domain=GROUPS, now=now)


def measured(one: Counted) -> list[Weighed]:
    """What a group is judged by: numbers, and shares of its members [%].

    Examples
    --------
    >>> [(each.property, each.value) for each in measured(Counted(1, 7, 8, 4, 2))]
    [('in_alarm', 4.0), ('in_alarm_share', 50.0), ('silent', 2.0), ('silent_share', 25.0)]
    """
    told = {
        "in_alarm": float(one.in_alarm),
        "in_alarm_share": 100.0 * one.in_alarm / max(one.members, 1),
        "silent": float(one.silent),
        "silent_share": 100.0 * one.silent / max(one.members, 1),
    }
    return [Weighed(one.group_id, one.thing_id, name, value) for name, value in told.items()]
