"""The audit log in the database: lines appended with what they tell of, read, proved, and let go under a seal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import Connection
from psycopg.pq import TransactionStatus
from psycopg.types.json import Jsonb

from hypervision.auditing import ORIGIN, Chain, Head, Line, Verdict, text_of, without_secrets
from hypervision.store.connection import mapped
from hypervision.store.sql import query

# Lines that are read at once.
_PORTION: Final = 5_000
# Lines that one seal lets go: its transaction holds the end of the chain.
_SEALED_AT_ONCE: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which lines; None chooses nothing. `action` may be the part before its point."""

    actor: str | None = None
    action: str | None = None
    object_kind: str | None = None
    object_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def note(
    connection: Connection,
    action: str,
    *,
    kind: str,
    ident: object,
    actor: str | None = None,
    reason: str = "",
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """Tell what somebody does, in the transaction that does it: both are committed, or neither. Does not commit.

    Parameters
    ----------
    action : str
        Two words with a point, such as `alarm.acknowledge`.
    kind, ident
        On what, such as `alarm` and its number.
    actor : str, optional
        Who answers for it; without it who asks (`auditing.ORIGIN`). From where is always told by that.
    before, after : mapping, optional
        What changed, for JSON; fields with the name of a secret are left out.

    Notes
    -----
    Wherever it stands in a transaction, it takes its place in the chain with the commit: nobody waits for whom.
    """
    origin = ORIGIN.get()
    values = {
        "actor": text_of(origin.actor if actor is None else actor) or "unknown",
        "action": action,
        "object_kind": kind,
        "object_id": text_of(ident),
        "address": text_of(origin.address),
        "reason": text_of(reason),
        "before": None if before is None else Jsonb(without_secrets(before)),
        "after": None if after is None else Jsonb(without_secrets(after)),
    }
    with mapped():
        connection.execute(query("audit_note"), values)


def page(connection: Connection, wanted: Wanted, *, before: int | None = None, limit: int) -> list[Line]:
    """Lines, newest first.

    Parameters
    ----------
    before : int, optional
        Only lines with a lower number.
    """
    values = _values(wanted) | {"before": before, "limit": limit}
    with mapped():
        # Planned for what is chosen: a plan for any choice would read everything.
        return [_line(row) for row in connection.execute(query("audit_page"), values, prepare=False).fetchall()]


def lines(connection: Connection, wanted: Wanted) -> Iterator[Line]:
    """Lines in the order of the chain, a portion at a time; as of one moment."""
    with mapped(), connection.cursor(name="audit") as cursor:
        cursor.execute(query("audit_chosen"), _values(wanted))
        while rows := cursor.fetchmany(_PORTION):
            yield from map(_line, rows)


def described(wanted: Wanted) -> dict[str, object]:
    """What was chosen, for the line of who takes it away."""
    return {name: value for name, value in _values(wanted).items() if value is not None}


def _values(wanted: Wanted) -> dict[str, Any]:
    return {name: getattr(wanted, name) for name in Wanted.__slots__}


def actions(connection: Connection) -> list[str]:
    """Which actions the newest lines tell of."""
    with mapped():
        return [row[0] for row in connection.execute(query("audit_actions")).fetchall()]


def head(connection: Connection) -> Head:
    """The end of the chain, as the database keeps it."""
    with mapped():
        row = connection.execute(query("audit_head")).fetchone()
    assert row is not None
    return Head(row[0], bytes(row[1]))


def has_audit(connection: Connection) -> bool:
    """Whether the database has an audit log; one of an older version has none."""
    with mapped():
        return connection.execute(query("has_audit")).fetchone() == (True,)


def verify(connection: Connection, *, heads: Sequence[Head] = ()) -> Verdict:
    """Prove the whole chain; what is appended meanwhile is no fault.

    Parameters
    ----------
    heads : sequence of Head
        Kept elsewhere: without one, somebody who owns the database could have written the whole chain anew.
    """
    idle = connection.info.transaction_status == TransactionStatus.IDLE
    with mapped(), connection.transaction() if idle else nullcontext():
        # Read first: lines that come later stand behind it.
        chain = Chain([*heads, head(connection)])
        with connection.cursor(name="audit") as cursor:
            cursor.execute(query("audit_lines"))
            while rows := cursor.fetchmany(_PORTION):
                chain.feed(map(_line, rows))
    return chain.verdict()


def seal(connection: Connection, *, until: datetime, actor: str, address: str, reason: str) -> int:
    """Let lines older than an instant go, the newest excepted; how many. For the owner of the database. Commits.

    A seal in the chain says up to which line and with which hash, so that what stays can be proved as before.
    """
    values = {
        "until": until, "most": _SEALED_AT_ONCE, "actor": text_of(actor), "address": text_of(address),
        "reason": text_of(reason),
    }  # fmt: skip
    gone = 0
    with mapped():
        while True:
            row = connection.execute(query("audit_seal"), values).fetchone()
            connection.commit()
            assert row is not None
            gone += int(row[0])
            # The seals themselves stay, however soon `until` is.
            if row[0] < _SEALED_AT_ONCE:
                return gone


def _line(row: tuple[Any, ...]) -> Line:
    values: tuple[Any, ...] = (*row[:11], bytes(row[11]), bytes(row[12]))
    return Line(*values)
