"""What time does to open alarms: they are hidden and shown, ring again, and are told to others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from psycopg import Connection

from hypervision.alarms import Delays, Reminder, Transition, apply
from hypervision.clock import to_us
from hypervision.store import hiding, transitions
from hypervision.store.alarms import Case, Source, lock
from hypervision.store.sql import query


class _Due(NamedTuple):
    alarm_id: int
    rule_version: int


def begins_or_ends(connection: Connection, *, since: datetime, now: datetime) -> bool:
    """Whether a shelf or a window begins or ends between two instants."""
    row = connection.execute(query("inhibition_begins_or_ends"), {"since": since, "now": now}).fetchone()
    return row is not None and bool(row[0])


def settle(connection: Connection, *, now: datetime) -> tuple[list[Case], int]:
    """Hide and show every open alarm as is right now.

    Returns
    -------
    cases : list of Case
        The conditions that were locked.
    steps : int
        Transitions written.
    """
    found = hiding.changes(connection, None, now=now)
    # Conditions before inhibitions, as everybody locks them.
    cases = lock(connection, [Source(*one.alarm.source) for one in found])
    steps = hiding.settle(connection, [one.alarm.alarm_id for one in found], now=now)
    connection.execute(query("end_one_shots"), {"alarms": None, "now": now})
    connection.execute(query("end_what_is_over"), {"now": now})
    return cases, steps


def remind(connection: Connection, after: Mapping[str, float], *, now: datetime) -> tuple[list[Case], int]:
    """Let acknowledged alarms that stay ring again.

    Parameters
    ----------
    after : mapping of str to float
        By priority, where the rule says nothing [s]; 0 never.
    """
    due = _due(connection, "reminders_due", after, now)
    cases = [case for case in lock(connection, due) if _same(case, due) and case.alarm.state == "ACKED"]
    for case in cases:
        case.alarm, case.steps = apply(case.alarm, Reminder(to_us(now)), Delays())
    if cases:
        connection.execute(query("put_reminders"), {"alarms": [case.alarm_id for case in cases], "now": now})
    return cases, _journal(connection, cases, due, now)


def escalate(connection: Connection, after: Mapping[str, float], *, role: str, now: datetime) -> tuple[list[Case], int]:
    """Tell alarms that nobody acknowledges in time to a role besides.

    Parameters
    ----------
    after : mapping of str to float
        By priority, where the rule says nothing [s]; 0 never.
    role : str
        To whom.
    """
    due = _due(connection, "escalations_due", after, now)
    cases = [case for case in lock(connection, due) if _same(case, due) and case.alarm.state == "UNACK"]
    for case in cases:
        case.steps = [Transition(to_us(now), "UNACK", "UNACK", "escalated", comment=role)]
    if cases:
        values = {"alarms": [case.alarm_id for case in cases], "role": role, "now": now}
        connection.execute(query("put_escalations"), values)
    return cases, _journal(connection, cases, due, now)


def _due(connection: Connection, name: str, after: Mapping[str, float], now: datetime) -> dict[Source, _Due]:
    values = {"priorities": list(after), "seconds": list(after.values()), "now": now}
    rows = connection.execute(query(name), values).fetchall()
    return {Source(r[1], r[2], r[3]): _Due(r[0], r[4]) for r in rows}


def _same(case: Case, due: Mapping[Source, _Due]) -> bool:
    """Whether the occurrence is still the one that was due: another writer may have closed it."""
    return case.alarm_id == due[case.source].alarm_id


def _journal(connection: Connection, cases: list[Case], due: Mapping[Source, _Due], now: datetime) -> int:
    rows = [
        transitions.row_of(due[case.source].alarm_id, step, rule_version=due[case.source].rule_version, now=now)
        for case in cases
        for step in case.steps
    ]
    transitions.put(connection, rows)
    return len(rows)
