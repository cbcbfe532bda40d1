"""Groups of Things that are no parent and child: made, listed, counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from psycopg import Connection

from hypervision.errors import ConflictError, UsageError
from hypervision.scope import EVERYTHING, Scope
from hypervision.store import audit
from hypervision.store.connection import mapped
from hypervision.store.sql import query


@dataclass(frozen=True, slots=True)
class Group:
    """A group: `shown_at` is the Thing in whose place its alarms stand; `version` counts its changes."""

    code: str
    name: str
    shown_at: str
    things: tuple[str, ...]
    version: int = field(default=0, compare=False)


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
    return [Group(row[0], row[1], row[2], tuple(row[3] or ()), row[4]) for row in rows]


def put(
    connection: Connection,
    wanted: Group,
    *,
    actor: str | None = None,
    scope: Scope = EVERYTHING,
    version: int | None = None,
) -> bool:
    """Make a group, or change it to what is wanted; whether anything changed. Commits.

    Parameters
    ----------
    scope : Scope
        Of who does it: all Things of the group, before and after, must be in it.
    version : int, optional
        Of the group as it was looked at, 0: there was none; None: whatever it is.

    Raises
    ------
    UsageError
        One of its Things is not registered, or not in the scope; nothing was changed.
    ConflictError
        Somebody changed it since.
    """
    wanted = replace(wanted, things=tuple(sorted(set(wanted.things))))
    with mapped(), connection.transaction():
        _hold(connection, wanted.code, version)
        before = _known(connection, wanted.code, scope)
        if before == wanted:
            return False
        given = {"code": wanted.code, "name": wanted.name, "shown_at": wanted.shown_at, "changed_by": actor or ""}
        row = connection.execute(query("put_group"), {**given, "new": version == 0}).fetchone()
        if row is None:
            _hold(connection, wanted.code, version)
            raise _missing([wanted.shown_at])
        values = {"group_id": row[0], "things": list(wanted.things)}
        connection.execute(query("drop_group_members"), values)
        connection.execute(query("put_group_members"), values)
        there = listed(connection, code=wanted.code, scope=scope)
        if there != [wanted]:
            put_in = set(there[0].things) if there else set()
            raise _missing([code for code in wanted.things if code not in put_in] if there else [wanted.shown_at])
        was = None if before is None else _told(before)
        audit.note(
            connection, "group.put", kind="group", ident=wanted.code, actor=actor, before=was, after=_told(wanted)
        )
    return True


def remove(
    connection: Connection,
    code: str,
    *,
    actor: str | None = None,
    scope: Scope = EVERYTHING,
    version: int | None = None,
    now: datetime,
) -> bool:
    """Let a group be no more; whether there was one. Its alarms return. Commits.

    Raises
    ------
    UsageError
        It has Things outside of the scope of who does it.
    ConflictError
        Somebody changed it since it was looked at.
    """
    with mapped(), connection.transaction():
        _hold(connection, code, version)
        before = _known(connection, code, scope)
        values = {"code": code, "now": now, "changed_by": actor or ""}
        row = None if before is None else connection.execute(query("remove_group"), values).fetchone()
        if before is None or row is None:
            return False
        connection.execute(query("drop_group_members"), {"group_id": row[0]})
        audit.note(connection, "group.remove", kind="group", ident=code, actor=actor, before=_told(before))
    return True


def _hold(connection: Connection, code: str, version: int | None) -> None:
    found = connection.execute(query("hold_group"), {"code": code}).fetchone()
    now_is, by = found or (0, "")
    if version is not None and version != now_is:
        raise ConflictError(
            f"group {code} was changed meanwhile by {by or 'somebody'}",
            remedy="look at it again, then change it anew",
            by=by or None,
        )


def _known(connection: Connection, code: str, scope: Scope) -> Group | None:
    """A group, all of which must be in a scope."""
    whole = listed(connection, code=code)
    if whole and listed(connection, code=code, scope=scope) != whole:
        raise UsageError(f"group {code} has Things outside of your scope", remedy="ask somebody who sees all of them")
    return whole[0] if whole else None


def _told(group: Group) -> dict[str, object]:
    told = asdict(group)
    del told["version"]
    return told


def _missing(codes: Sequence[str]) -> UsageError:
    return UsageError(
        f"there is no Thing {', '.join(code[:64] for code in codes)}",
        remedy="nothing was changed; let it in with `things admit`",
    )
