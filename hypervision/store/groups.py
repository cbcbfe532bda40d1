"""Groups of Things that are no parent and child: made, listed, counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import NamedTuple

from psycopg import Connection

from hypervision.errors import UsageError
from hypervision.scope import EVERYTHING, Scope
from hypervision.store import audit
from hypervision.store.connection import mapped
from hypervision.store.sql import query


@dataclass(frozen=True, slots=True)
class Group:
    """A group: `shown_at` is the Thing in whose place its alarms stand."""

    code: str
    name: str
    shown_at: str
    things: tuple[str, ...]


class Counted(NamedTuple):
    """How many members a group has, how many of them are in alarm, and how many are silent."""

    group_id: int
    thing_id: int
    members: int
    in_alarm: int
    silent: int


def counted(connection: Connection) -> list[Counted]:
    """Every group that has members."""
    return [Counted(*row) for row in connection.execute(query("groups_counted")).fetchall()]


def listed(connection: Connection, *, code: str | None = None, scope: Scope = EVERYTHING) -> list[Group]:
    """Groups that are shown at a Thing of a scope, with the members that are in it."""
    with mapped():
        rows = connection.execute(query("groups_listed"), {"code": code, **scope.values()}).fetchall()
    return [Group(row[0], row[1], row[2], tuple(row[3] or ())) for row in rows]


def put(connection: Connection, wanted: Group, *, actor: str | None = None) -> bool:
    """Make a group, or change it to what is wanted; whether anything changed. Commits.

    Raises
    ------
    UsageError
        One of its Things is not registered; nothing was changed.
    """
    wanted = replace(wanted, things=tuple(sorted(set(wanted.things))))
    with mapped(), connection.transaction():
        before = listed(connection, code=wanted.code)
        if before == [wanted]:
            return False
        row = connection.execute(
            query("put_group"), {"code": wanted.code, "name": wanted.name, "shown_at": wanted.shown_at}
        ).fetchone()
        if row is None:
            raise _missing([wanted.shown_at])
        values = {"group_id": row[0], "things": list(wanted.things)}
        connection.execute(query("drop_group_members"), values)
        put_in = connection.execute(query("put_group_members"), values).fetchall()
        if len(put_in) != len(wanted.things):
            there = {code for one in listed(connection, code=wanted.code) for code in one.things}
            raise _missing([code for code in wanted.things if code not in there])
        was = asdict(before[0]) if before else None
        now_is = asdict(wanted)
        audit.note(connection, "group.put", kind="group", ident=wanted.code, actor=actor, before=was, after=now_is)
    return True


def remove(connection: Connection, code: str, *, actor: str | None = None, now: datetime) -> bool:
    """Let a group be no more; whether there was one. Its alarms return. Commits."""
    with mapped(), connection.transaction():
        before = listed(connection, code=code)
        row = connection.execute(query("remove_group"), {"code": code, "now": now}).fetchone()
        if row is None:
            return False
        connection.execute(query("drop_group_members"), {"group_id": row[0]})
        was = asdict(before[0]) if before else None
        audit.note(connection, "group.remove", kind="group", ident=code, actor=actor, before=was)
    return True


def _missing(codes: Sequence[str]) -> UsageError:
    return UsageError(
        f"there is no Thing {', '.join(code[:64] for code in codes)}",
        remedy="nothing was changed; let it in with `things admit`",
    )
