"""What stands beside the readings of a chart: people's notes, alarms, and corrections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hypervision.store.connection import Connection, mapped
from hypervision.store.screens import AlarmRow
from hypervision.store.sql import query


@dataclass(frozen=True, slots=True)
class Note:
    """A remark of a person; `thing` is a code, None: of no Thing in particular."""

    note_id: int
    at: datetime
    thing: str | None
    text: str
    author: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class DrawnCorrection:
    """A correction of one datastream, as a chart tells it."""

    datastream_id: int
    kind: str
    since: datetime
    until: datetime
    reason: str
    author: str
    at: datetime


def read_notes(
    connection: Connection,
    *,
    since: datetime,
    until: datetime,
    organisation: int | None,
    things: Sequence[int] | None = None,
    limit: int = 200,
) -> list[Note]:
    """Notes of some time, oldest first.

    Parameters
    ----------
    organisation : int or None
        Of its Things, and what its accounts wrote of none; None: all.
    things : sequence of int, optional
        Of these Things, and of none in particular.
    """
    values = {
        "since": since, "until": until, "organisation": organisation, "limit": limit,
        "things": None if things is None else list(things),
    }  # fmt: skip
    with mapped():
        return [Note(*row) for row in connection.execute(query("notes_seen"), values).fetchall()]


def write_note(
    connection: Connection,
    *,
    at: datetime,
    text: str,
    author: str,
    organisation: int | None,
    thing: tuple[int, str] | None,
    now: datetime,
) -> Note:
    """Write a note.

    Parameters
    ----------
    organisation : int or None
        The author's.
    thing : (int, str) or None
        Number and code of the Thing it is about.
    """
    number, code = thing if thing is not None else (None, None)
    values = {
        "at": at, "text": text, "author": author, "organisation": organisation, "thing_id": number, "now": now,
    }  # fmt: skip
    with mapped():
        row = connection.execute(query("write_note"), values).fetchone()
    assert row is not None
    return Note(row[0], row[1], code, *row[3:])


def remove_note(
    connection: Connection, note_id: int, *, actor: str, author: str | None, organisation: int | None, now: datetime
) -> bool:
    """Take a note away; whether there was one.

    Parameters
    ----------
    author : str or None
        Only a note of this author; None: of anybody.
    organisation : int or None
        Only a note that its accounts may read; None: any.
    """
    values = {"note_id": note_id, "actor": actor, "author": author, "organisation": organisation, "now": now}
    with mapped():
        return connection.execute(query("remove_note"), values).rowcount == 1


def read_alarms(
    connection: Connection, things: Sequence[int], *, since: datetime, until: datetime, limit: int = 500
) -> list[AlarmRow]:
    """Alarms of some Things that touch a stretch of time, newest first."""
    values = {"things": list(things), "since": since, "until": until, "limit": limit}
    with mapped():
        return [AlarmRow(*row) for row in connection.execute(query("alarms_drawn"), values).fetchall()]


def read_corrections(
    connection: Connection, streams: Sequence[int], *, since: datetime, until: datetime, limit: int = 200
) -> list[DrawnCorrection]:
    """Corrections that touch a stretch of time of some datastreams, oldest first."""
    values = {"streams": list(streams), "since": since, "until": until, "limit": limit}
    with mapped():
        return [DrawnCorrection(*row) for row in connection.execute(query("corrections_drawn"), values).fetchall()]
