"""What stands beside the readings of a chart: people's notes, alarms, and corrections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from hypervision.scope import Scope
from hypervision.store import audit
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
    scope: Scope,
    things: Sequence[int] | None = None,
    limit: int = 200,
) -> list[Note]:
    """Notes of some time, oldest first.

    Parameters
    ----------
    scope : Scope
        Of its Things, and what others who see the same wrote of none; of the whole town all.
    things : sequence of int, optional
        Of these Things, and of none in particular.
    """
    values = {
        "since": since, "until": until, **scope.values(), "scope": Jsonb(scope.told()), "limit": limit,
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
    scope: Scope,
    thing: tuple[int, str] | None,
    now: datetime,
) -> Note:
    """Write a note.

    Parameters
    ----------
    scope : Scope
        The author's.
    thing : (int, str) or None
        Number and code of the Thing it is about.
    """
    number, code = thing if thing is not None else (None, None)
    values = {
        "at": at, "text": text, "author": author, "scope": Jsonb(scope.told()), "thing_id": number, "now": now,
    }  # fmt: skip
    with mapped(), connection.transaction():
        row = connection.execute(query("write_note"), values).fetchone()
        assert row is not None
        audit.note(
            connection, "note.write", kind="note", ident=row[0], actor=author, after={"thing": code, "text": text}
        )
    return Note(row[0], row[1], code, *row[3:])


def remove_note(
    connection: Connection, note_id: int, *, actor: str, author: str | None, scope: Scope, now: datetime
) -> bool:
    """Take a note away; whether there was one.

    Parameters
    ----------
    author : str or None
        Only a note of this author; None: of anybody.
    scope : Scope
        Only a note that may be read with it.
    """
    values = {
        "note_id": note_id,
        "actor": actor,
        "author": author,
        **scope.values(),
        "scope": Jsonb(scope.told()),
        "now": now,
    }
    with mapped(), connection.transaction():
        done = connection.execute(query("remove_note"), values).rowcount == 1
        if done:
            audit.note(connection, "note.remove", kind="note", ident=note_id, actor=actor)
        return done


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
