"""What hides open alarms, looked up and written where their conditions are locked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg import Connection

from hypervision.alarms import Transition
from hypervision.clock import to_us
from hypervision.inhibition import Hidden, Move, Standing, explanations, foremost, move
from hypervision.store import transitions
from hypervision.store.sql import query


class Open(NamedTuple):
    """An open alarm: the key of its condition, the version of its rule, and what hides it."""

    alarm_id: int
    source: tuple[str, int, int]
    rule_version: int
    standing: Standing


class Change(NamedTuple):
    """What becomes of an open alarm; `move` is None where only another alarm explains it now."""

    alarm: Open
    to: Hidden | None
    move: Move | None


def changes(connection: Connection, alarms: Sequence[int] | None, *, now: datetime) -> list[Change]:
    """Of some open alarms (None: of all) those that are hidden otherwise than they should be at an instant."""
    values = {"alarms": None if alarms is None else list(alarms), "now": now}
    found = [
        Open(r[0], (r[1], r[2], r[3]), r[4], Standing(r[5], r[6], r[7], r[8], r[9], r[10]))
        for r in connection.execute(query("hidden_standings"), values).fetchall()
    ]
    if not found:
        return []
    reasons = _reasons(connection, values)
    made = [(one, foremost(reasons.get(one.alarm_id, ()))) for one in found]
    moved = [Change(one, to, move(one.standing, to)) for one, to in made]
    return [one for one in moved if one.move is not None or _explained_otherwise(one)]


def settle(connection: Connection, alarms: Sequence[int], *, now: datetime) -> int:
    """Hide and show some alarms as is right at an instant; the caller holds their conditions.

    Returns
    -------
    int
        Transitions written.
    """
    if not alarms:
        return 0
    connection.execute(query("end_one_shots"), {"alarms": list(alarms), "now": now})
    return write(connection, changes(connection, alarms, now=now), now=now)


def write(connection: Connection, found: Sequence[Change], *, now: datetime) -> int:
    """Write changes of alarms whose conditions are locked, with their lines of the journal."""
    rows: list[transitions.Row] = []
    journal: list[transitions.Row] = []
    for one in found:
        standing, made, to = one.alarm.standing, one.move, one.to
        suppression = "none" if to is None else to.kind
        rows.append(
            {
                "alarm_id": one.alarm.alarm_id,
                "state": standing.state if made is None else made.state,
                "suppression": suppression,
                "inhibition_id": None if to is None else to.inhibition_id,
                "explained_by": None if to is None else to.explained_by,
                "rings": made is not None and made.rings,
                "seen_by": made.actor if made is not None and made.acknowledges else None,
                "at": now,
            }
        )
        if made is not None:
            step = Transition(to_us(now), standing.state, made.state, made.cause, made.actor, made.comment)
            journal.append(
                transitions.row_of(
                    one.alarm.alarm_id,
                    step,
                    rule_version=one.alarm.rule_version,
                    now=now,
                    hidden=(standing.suppression, suppression),
                )
            )
    transitions.execute(connection, "put_hidings", rows)
    transitions.put(connection, journal)
    return len(journal)


def _explained_otherwise(one: Change) -> bool:
    to, standing = one.to, one.alarm.standing
    return to is not None and to.kind == "by_design" and to.explained_by != standing.explained_by


def _reasons(connection: Connection, values: Mapping[str, object]) -> dict[int, list[Hidden]]:
    reasons: dict[int, list[Hidden]] = {}
    causes: dict[int, set[int]] = {}
    for number, kind, inhibition, cause, author, reason in connection.execute(query("hidings"), values).fetchall():
        if cause is None:
            reasons.setdefault(number, []).append(Hidden(kind, inhibition, None, author, reason))
        else:
            causes.setdefault(number, set()).add(cause)
    for number, cause in explanations(causes).items():
        reasons.setdefault(number, []).append(Hidden("by_design", None, cause))
    return reasons
