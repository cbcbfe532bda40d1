"""Alarms in the database: conditions locked in one order, steps written together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from psycopg import Connection

from hypervision.alarms import LONG_AGO, Acknowledgement, Alarm, Delays, State, Transition, apply
from hypervision.clock import from_us, to_us
from hypervision.errors import TransitionError
from hypervision.store import audit, hiding, transitions
from hypervision.store.connection import mapped
from hypervision.store.sql import query


class Source(NamedTuple):
    """The identity of an alarm: what it is about, and by which rule."""

    kind: str
    source_id: int
    rule_id: int


@dataclass(slots=True)
class Case:
    """One locked condition while events are applied to it.

    Attributes
    ----------
    alarm_id : int or None
        The open occurrence, or the last one.
    was : str
        The phase when it was locked.
    steps : list of Transition
        What happened in this transaction.
    """

    source: Source
    alarm: Alarm
    alarm_id: int | None
    was: str = "normal"
    steps: list[Transition] = field(default_factory=list)

    @property
    def moved(self) -> bool:
        """Whether other writers must hear of it: a step, or another phase."""
        return bool(self.steps) or self.alarm.phase != self.was


@dataclass(frozen=True, slots=True)
class Occurrence:
    """What a new alarm row needs beyond its steps."""

    rule_version: int
    thing_id: int | None
    datastream_id: int | None
    priority: str
    limit: float | None


def busy(connection: Connection) -> dict[Source, str]:
    """Every condition that is not in its normal phase."""
    return {Source(r[0], r[1], r[2]): r[3] for r in connection.execute(query("busy_conditions")).fetchall()}


class Listed(NamedTuple):
    """An open alarm as a person reads it; `until` is when what hides it ends by itself."""

    alarm_id: int
    priority: str
    state: str
    suppression: str
    source: str
    raised_at: datetime
    message: str
    until: datetime | None


def listed(connection: Connection, *, hidden: bool | None = None, limit: int = 100) -> list[Listed]:
    """Open alarms, the newest first; only hidden ones (True), only shown ones (False), or all."""
    with mapped():
        rows = connection.execute(query("alarms_listed"), {"hidden": hidden, "limit": limit}).fetchall()
    return [Listed(*row) for row in rows]


class Standing(NamedTuple):
    """A condition that is not in its normal phase; `limit` is the one of its alarm, None without an alarm."""

    phase: str
    limit: float | None


def standing(connection: Connection) -> dict[Source, Standing]:
    """Every condition that is not in its normal phase, with the limit of its alarm."""
    rows = connection.execute(query("standing_conditions")).fetchall()
    return {Source(r[0], r[1], r[2]): Standing(r[3], r[4]) for r in rows}


def lock(connection: Connection, sources: Iterable[Source]) -> list[Case]:
    """Lock conditions in (source, rule) order, making the rows that are new."""
    wanted = sorted(set(sources))
    if not wanted:
        return []
    keys = {
        "kinds": [s.kind for s in wanted],
        "sources": [s.source_id for s in wanted],
        "rules": [s.rule_id for s in wanted],
    }
    connection.execute(query("make_conditions"), keys)
    rows = connection.execute(query("lock_conditions"), keys).fetchall()
    ids = [r[7] for r in rows if r[7] is not None]
    # Read after the lock, so that an acknowledgement that was waited for is seen.
    states: dict[int, State] = dict(connection.execute(query("alarm_states"), {"alarms": ids}).fetchall())
    return [
        Case(
            Source(r[0], r[1], r[2]),
            Alarm(
                phase=r[3],
                state=states.get(r[7], "NORM"),
                since_us=_us(r[4]),
                last_us=_us(r[5]),
                value=r[6],
            ),
            r[7],
            r[3],
        )
        for r in rows
    ]


def write(
    connection: Connection,
    cases: Sequence[Case],
    occurrences: Mapping[Source, Occurrence],
    messages: Mapping[tuple[Source, float | None], str],
    *,
    now: datetime,
) -> int:
    """Write what the events made of locked conditions.

    Parameters
    ----------
    occurrences : mapping
        For every source that raised an alarm.
    messages : mapping
        The message of each (source, value) that raised.

    Returns
    -------
    int
        How many transitions were written.
    """
    starts = sum(1 for case in cases for step in case.steps if step.from_state == "NORM")
    ids = iter([r[0] for r in connection.execute(query("new_alarm_ids"), {"n": starts}).fetchall()] if starts else [])
    new: dict[int, dict[str, Any]] = {}
    changed: dict[int, dict[str, Any]] = {}
    journal: list[dict[str, Any]] = []
    for case in cases:
        for step in case.steps:
            if step.from_state == "NORM":
                case.alarm_id = next(ids)
                new[case.alarm_id] = _new_row(case, step, occurrences[case.source], messages, now)
            assert case.alarm_id is not None
            row = new.get(case.alarm_id) or changed.setdefault(case.alarm_id, _changed_row(case.alarm_id))
            row["state"] = step.to_state
            row["returned_at"] = None if step.to_state == "UNACK" else row["returned_at"]
            if step.cause in ("return to normal", "rule changed", "reading corrected"):
                row["returned_at"] = from_us(step.at_us)
            version = occurrences[case.source].rule_version
            journal.append(transitions.row_of(case.alarm_id, step, rule_version=version, now=now))
    # An occurrence that ended here must be closed before the next one of its condition opens.
    transitions.execute(connection, "update_alarms", list(changed.values()))
    transitions.execute(connection, "put_alarms", list(new.values()))
    transitions.put(connection, journal)
    transitions.execute(connection, "put_conditions", [_condition_row(case) for case in cases])
    # Last, for one of them may explain another: what is born hidden never rings.
    returned = [number for number, row in changed.items() if row["state"] in ("RTNUN", "NORM")]
    return len(journal) + hiding.settle(connection, [*new, *returned], now=now)


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What an acknowledgement did: `found`, whether it `changed` anything, the `state` now, `by` whom it was given."""

    found: bool
    changed: bool
    state: str
    by: str = field(default="", compare=False)


def acknowledge(
    connection: Connection, alarm_id: int, *, actor: str, comment: str, now: datetime, writer_id: int | None = None
) -> Acknowledged:
    """Acknowledge one alarm; a second time changes nothing. Commits.

    Parameters
    ----------
    actor : str
        The account's name.
    writer_id : int, optional
        Whose `alarm_no` tells the screens.
    """
    with mapped(), connection.transaction():
        row = connection.execute(query("condition_of_alarm"), {"alarm_id": alarm_id}).fetchone()
        if row is None:
            return Acknowledged(found=False, changed=False, state="NORM")
        case = lock(connection, [Source(row[0], row[1], row[2])])[0]
        # Only now: whoever was faster has committed.
        seen = connection.execute(query("alarm_seen"), {"alarm_id": alarm_id}).fetchone()
        assert seen is not None
        before = Acknowledged(found=True, changed=False, state="NORM", by=seen[1] or "")
        if case.alarm_id != alarm_id or case.alarm.state == "NORM":
            return before
        try:
            case.alarm, steps = apply(case.alarm, Acknowledgement(to_us(now), actor, comment), Delays())
        except TransitionError:
            return before
        for step in steps:
            at = from_us(step.at_us)
            changed = _changed_row(alarm_id) | {
                "state": step.to_state,
                "acknowledged_at": at,
                "acknowledged_by": actor,
                "returned_at": seen[0],
            }
            transitions.execute(connection, "update_alarms", [changed])
            transitions.note_step(connection, alarm_id, step, rule_version=row[3], now=now)
            was, now_is = {"state": step.from_state}, {"state": step.to_state}
            audit.note(connection, "alarm.acknowledge", kind="alarm", ident=alarm_id, actor=actor, reason=comment,
                       before=was, after=now_is)  # fmt: skip
        if steps and writer_id is not None:
            connection.execute(query("advance_alarm_no"), {"writer_id": writer_id})
        by = actor if steps else before.by
        return Acknowledged(found=True, changed=bool(steps), state=case.alarm.state, by=by)


def _new_row(
    case: Case,
    step: Transition,
    occurrence: Occurrence,
    messages: Mapping[tuple[Source, float | None], str],
    now: datetime,
) -> dict[str, Any]:
    return {
        "alarm_id": case.alarm_id,
        "rule_id": case.source.rule_id,
        "rule_version": occurrence.rule_version,
        "source_kind": case.source.kind,
        "source_id": case.source.source_id,
        "thing_id": occurrence.thing_id,
        "datastream_id": occurrence.datastream_id,
        "priority": occurrence.priority,
        "state": step.to_state,
        "raised_at": from_us(step.at_us),
        "detected_at": now,
        "returned_at": None,
        "value": step.value,
        "limit_value": occurrence.limit,
        "message": messages[case.source, step.value],
    }


def _changed_row(alarm_id: int) -> dict[str, Any]:
    return {"alarm_id": alarm_id, "acknowledged_at": None, "acknowledged_by": None, "returned_at": None}


def _condition_row(case: Case) -> dict[str, Any]:
    return {
        "source_kind": case.source.kind,
        "source_id": case.source.source_id,
        "rule_id": case.source.rule_id,
        "phase": case.alarm.phase,
        "since": _time(case.alarm.since_us),
        "last_event": _time(case.alarm.last_us),
        "value": case.alarm.value,
        "alarm_id": case.alarm_id,
    }


# A condition that never was stands at this instant; psycopg has no datetime for -infinity.
_NEVER = datetime(1, 1, 2, tzinfo=UTC)


def _time(at_us: int) -> datetime:
    return _NEVER if at_us <= LONG_AGO else from_us(at_us)


def _us(at: datetime) -> int:
    return LONG_AGO if at.year == 1 else to_us(at)
