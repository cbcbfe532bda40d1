"""The journal of alarms: one line for every step, whichever way it came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection

from hypervision.alarms import Transition
from hypervision.clock import from_us
from hypervision.store.sql import query

Row = dict[str, Any]


def execute(connection: Connection, name: str, rows: Sequence[Row]) -> None:
    """Run a query that takes its rows as one array per column: an alarm storm is a few statements."""
    if rows:
        connection.execute(query(name), {column: [row[column] for row in rows] for column in rows[0]})


def row_of(alarm_id: int, step: Transition, *, rule_version: int, now: datetime, hidden: tuple[str, str] | None = None
           ) -> Row:  # fmt: skip
    """One line of the journal.

    Parameters
    ----------
    hidden : tuple of (str, str), optional
        What hid the alarm before and after, where the step changes that.
    """
    return {
        "alarm_id": alarm_id,
        "at": from_us(step.at_us),
        "from_state": step.from_state,
        "to_state": step.to_state,
        "cause": step.cause,
        "actor": step.actor,
        "comment": step.comment,
        "rule_version": rule_version,
        "recorded_at": now,
        "from_suppression": None if hidden is None else hidden[0],
        "to_suppression": None if hidden is None else hidden[1],
    }


def put(connection: Connection, rows: Sequence[Row]) -> None:
    """Write lines of the journal, in their order."""
    execute(connection, "put_transitions", rows)


def note_step(connection: Connection, alarm_id: int, step: Transition, *, rule_version: int, now: datetime) -> None:
    """Write one line of an alarm's journal."""
    put(connection, [row_of(alarm_id, step, rule_version=rule_version, now=now)])
