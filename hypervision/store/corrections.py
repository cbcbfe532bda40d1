"""Corrections in the database: the readings of one step, their old values, and everything that follows from them.

Nothing here commits but `prepare` and `release`; the order of the statements is the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from psycopg import Connection
from psycopg.types.json import Jsonb

from hypervision.clock import to_us
from hypervision.scope import EVERYTHING
from hypervision.store import audit
from hypervision.store.connection import mapped
from hypervision.store.series import USABLE
from hypervision.store.sql import query
from hypervision.store.writer import Writer

# Results that one statement takes.
_PART: Final = 50_000
# The change of a step by what it does; which columns each statement takes is said there.
_CHANGES: Final = {
    "invalidate": "change_invalidate",
    "line": "change_line",
    "value": "change_value",
    "given": "change_given",
    "restore": "change_restore",
}


class Stream(NamedTuple):
    """The datastream that is corrected."""

    datastream_id: int
    thing_id: int
    domain: str
    thing: str
    property: str


class Earlier(NamedTuple):
    """A correction that there is, with its datastream."""

    stream: Stream
    kind: str
    since: datetime
    until: datetime


class Interrupted(NamedTuple):
    """A correction that was begun and not finished."""

    correction_id: int
    kind: str
    since: datetime
    until: datetime
    operation: dict[str, Any]
    progress: datetime | None
    rows: int
    journal_id: int | None
    reason: str
    author: str


@dataclass(frozen=True, slots=True)
class Extent:
    """What a step changes: how many readings, from the first to the last."""

    rows: int
    first: datetime
    last: datetime


def streams_of(connection: Connection, *, thing: str, name: str, domain: str | None) -> list[Stream]:
    """The datastreams that Thing and property may mean, one per domain."""
    values = {"thing": thing, "property": name, "domain": domain}
    return [Stream(*row) for row in connection.execute(query("correction_streams"), values).fetchall()]


def earlier(connection: Connection, correction_id: int) -> Earlier | None:
    """A correction by its number."""
    row = connection.execute(query("correction_by_id"), {"correction_id": correction_id}).fetchone()
    return None if row is None else Earlier(Stream(*row[:5]), *row[5:])


def interrupted(connection: Connection, datastream_id: int) -> Interrupted | None:
    """What was begun on a datastream and not finished."""
    row = connection.execute(query("correction_interrupted"), {"datastream_id": datastream_id}).fetchone()
    return None if row is None else Interrupted(*row)


def done_already(
    connection: Connection, datastream_id: int, *, kind: str, since: datetime, until: datetime, operation: object
) -> tuple[int, datetime] | None:
    """Number and time of the same correction, where it is still in force."""
    values = {
        "datastream_id": datastream_id, "kind": kind, "since": since, "until": until, "operation": Jsonb(operation),
    }  # fmt: skip
    row = connection.execute(query("correction_same"), values).fetchone()
    return None if row is None else (row[0], row[1])


def covered(connection: Connection, correction_id: int, found: Earlier) -> tuple[int, datetime] | None:
    """The newest correction in force on top of another, and one reading that both changed."""
    values = {
        "datastream_id": found.stream.datastream_id, "correction_id": correction_id, "since": found.since,
        "until": found.until,
    }  # fmt: skip
    row = connection.execute(query("correction_covered"), values).fetchone()
    return None if row is None else (row[0], row[1])


def prepare(connection: Connection, given: Sequence[tuple[datetime, float]]) -> None:
    """Make the tables that the steps work with. Commits."""
    connection.execute(query("create_change"))
    connection.execute(query("create_given"))
    connection.execute(query("empty_given"))
    for first in range(0, len(given), _PART):
        part = given[first : first + _PART]
        connection.execute(query("put_given"), {"times": [at for at, _ in part], "results": [x for _, x in part]})
    connection.commit()


def release(connection: Connection) -> None:
    """Forget the results that were given. Commits."""
    connection.execute(query("empty_given"))
    connection.commit()


def given_nowhere(connection: Connection, datastream_id: int) -> datetime | None:
    """The first of the times given at which nothing is stored."""
    row = connection.execute(query("given_nowhere"), {"datastream_id": datastream_id}).fetchone()
    return None if row is None else row[0]


def outside(connection: Connection, values: Mapping[str, object]) -> tuple[datetime, float] | None:
    """The first sound reading that a line would lead out of its range, and where to."""
    row = connection.execute(query("change_line_outside"), values).fetchone()
    return None if row is None else (row[0], row[1])


def hold(writer: Writer) -> None:
    """Keep every partition from being packed until the transaction ends."""
    writer.engine.hold(writer.connection, [])


def choose(connection: Connection, name: str, values: Mapping[str, object]) -> Extent | None:
    """Find what the next step changes, and keep it as it will be; None when there is nothing left.

    Parameters
    ----------
    name : str
        `invalidate`, `line`, `value`, `given` or `restore`.
    values : mapping
        datastream_id, since, until, progress, limit, and what the change needs.
    """
    connection.execute(query(_CHANGES[name]), values)
    row = connection.execute(query("change_extent")).fetchone()
    assert row is not None
    return Extent(*row) if row[0] else None


def begin(
    connection: Connection,
    stream: Stream,
    *,
    kind: str,
    since: datetime,
    until: datetime,
    operation: dict[str, object],
    reason: str,
    author: str,
    now: datetime,
) -> tuple[int, int]:
    """Note a correction and its audit line; the numbers of both."""
    values = {
        "datastream_id": stream.datastream_id, "thing_id": stream.thing_id, "kind": kind, "since": since,
        "until": until, "operation": Jsonb(operation), "reason": reason, "author": author, "now": now,
    }  # fmt: skip
    row = connection.execute(query("put_correction"), values).fetchone()
    assert row is not None
    detail = {
        "correction": row[0], "kind": kind, "property": stream.property, "from": since.isoformat(),
        "to": until.isoformat(), "operation": operation, "reason": reason,
    }  # fmt: skip
    line = connection.execute(query("journal_correction"), values | {"detail": Jsonb(detail)}).fetchone()
    assert line is not None
    told = {name: value for name, value in detail.items() if name not in ("correction", "kind", "reason")}
    told |= {"thing": stream.thing, "domain": stream.domain}
    audit.note(
        connection, f"observation.{kind}", kind="correction", ident=row[0], actor=author, reason=reason, after=told
    )
    return row[0], line[0]


def abandon(connection: Connection, stream: Stream, correction_id: int, *, now: datetime) -> None:
    """A correction that is given back goes on no more, where it was interrupted."""
    values = {"datastream_id": stream.datastream_id, "correction_id": correction_id, "now": now}
    connection.execute(query("abandon_correction"), values)


def change(
    writer: Writer, stream: Stream, extent: Extent, *, correction_id: int, restores: bool, correction: int | None
) -> int:
    """Keep the old values of a step and write the new ones; how many readings changed.

    Parameters
    ----------
    restores : bool
        Whether the step gives back what corrections changed.
    correction : int, optional
        Only what this one changed.
    """
    values = {
        "datastream_id": stream.datastream_id, "first": extent.first, "last": extent.last,
        "correction_id": correction_id, "restored_by": correction_id if restores else None, "correction": correction,
    }  # fmt: skip
    if restores:
        writer.connection.execute(query("note_restored"), values)
    writer.connection.execute(query("keep_observations"), values)
    return writer.connection.execute(query("change_observations"), values).rowcount


def mark_alarms(writer: Writer, stream: Stream, extent: Extent, *, correction_id: int) -> None:
    """Mark the occurrences whose raising reading was changed; their conditions are locked before."""
    values = {
        "datastream_id": stream.datastream_id, "thing_id": stream.thing_id, "first": extent.first,
        "correction_id": correction_id,
    }  # fmt: skip
    writer.connection.execute(query("mark_alarms"), values)


def renew_latest(writer: Writer, stream: Stream, extent: Extent) -> None:
    """Bring the newest value up to date, and mark the hours for the roll-ups."""
    values = {
        "datastream_id": stream.datastream_id, "last": extent.last, "writer_id": writer.writer_id,
        "commit_no": writer.commit_no + 1,
    }  # fmt: skip
    writer.connection.execute(query("correct_latest"), values)
    writer.connection.execute(query("mark_changed_hours"), values)
    writer.connection.execute(query("note_changed"))


def advance(
    connection: Connection,
    stream: Stream,
    *,
    correction_id: int,
    journal_id: int | None,
    rows: int,
    progress: datetime | None,
    finished_at: datetime | None,
) -> None:
    """Note how far a correction has come."""
    connection.execute(
        query("advance_correction"),
        {
            "datastream_id": stream.datastream_id, "correction_id": correction_id, "journal_id": journal_id,
            "rows": rows, "progress": progress, "finished_at": finished_at,
        },
    )  # fmt: skip


def without_ground(connection: Connection, alarms: Sequence[int]) -> set[int]:
    """Those of some occurrences whose raising reading was taken away."""
    rows = connection.execute(query("alarms_without_ground"), {"alarms": list(alarms)}).fetchall()
    return {row[0] for row in rows}


def newest_usable(connection: Connection, datastream_id: int, *, since: datetime) -> int | None:
    """Time of the newest reading that nobody doubts [us]."""
    values = {"datastream_id": datastream_id, "qualities": list(USABLE), "since": since}
    row = connection.execute(query("newest_usable"), values).fetchone()
    return None if row is None else to_us(row[0])


def listed(
    connection: Connection, *, thing: str | None = None, name: str | None = None, domain: str | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:  # fmt: skip
    """Corrections, the newest first."""
    values = {
        "thing": thing, "property": name, "domain": domain, "before": None, "limit": limit,
        **EVERYTHING.values(),
    }  # fmt: skip
    with mapped():
        cursor = connection.execute(query("api_corrections"), values)
        assert cursor.description is not None
        names = [column.name for column in cursor.description]
        found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        connection.rollback()
    return found
