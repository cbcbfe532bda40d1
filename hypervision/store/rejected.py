"""Quarantined messages: choosing, listing and counting them, and taking them out for a replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from psycopg import Connection
from psycopg.types.json import Jsonb

from hypervision import topics
from hypervision.scope import EVERYTHING, Scope
from hypervision.store.connection import mapped
from hypervision.store.sql import query
from hypervision.store.writer import PAYLOAD_KEPT, storable

EXCERPT: Final = 400
"""So much of a payload is read for a list [bytes]."""
IN_HAND: Final = "replaying"
"""Where the beat of a replay at work tells what it may still send."""
# Of more rows than this it is not counted how many messages they are, nor are more payloads read for it [bytes].
_COUNTED: Final = 10_000
_READ: Final = 2**24
_ALL: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Rejected:
    """One quarantined message, or `count` refused values of a stored one (`partial`)."""

    rejected_id: int
    received_time: datetime
    thing: str
    topic: str
    payload: bytes
    payload_bytes: int
    reason: str
    detail: str
    count: int
    partial: bool
    replayed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which rejected messages; what is None chooses nothing.

    Attributes
    ----------
    domain : str or None
        Of the topic.
    topic : str or None
        How the topic begins.
    since, until : datetime or None
        Time of receipt; `until` itself is not included.
    replayed : bool or None
        Whether a second try took them.
    partial : bool or None
        Refused values of stored messages, or messages that were refused whole.
    scope : Scope
        Only the Things in it; the whole town's are those of no Thing besides.
    """

    thing: str | None = None
    reason: str | None = None
    domain: str | None = None
    topic: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    replayed: bool | None = None
    partial: bool | None = None
    ids: tuple[int, ...] | None = None
    scope: Scope = EVERYTHING

    def values(self) -> dict[str, Any]:
        """What the queries are given."""
        found = {name: getattr(self, name) for name in self.__slots__ if name != "scope"} | self.scope.values()
        found["domain"] = None if self.domain is None else f"{topics.PREFIX}/{self.domain}/"
        found["ids"] = None if self.ids is None else list(self.ids)
        return found


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows of one reason or Thing, and the messages or values that they stand for."""

    name: str
    rows: int
    count: int


def page(
    connection: Connection, chosen: Chosen, *, before: int | None = None, limit: int = 50, excerpt: int = EXCERPT
) -> list[Rejected]:
    """By time of receipt, newest first.

    Parameters
    ----------
    before : int, optional
        The last row of the page before; nothing follows one that was purged, for all older ones are gone too.
    excerpt : int
        So much of a payload is read [bytes].
    """
    with mapped():
        after = None
        if before is not None:
            after = connection.execute(query("rejected_place"), {**chosen.scope.values(), "id": before}).fetchone()
            if after is None:
                return []
        values = chosen.values() | {
            "before": before, "before_time": after and after[0], "limit": limit, "bytes": excerpt,
        }  # fmt: skip
        name = "rejected_page" if chosen.scope.is_whole else "rejected_page_of"
        return [Rejected(*row) for row in _rows(connection, name, values)]


def one(connection: Connection, rejected_id: int, *, scope: Scope = EVERYTHING) -> Rejected | None:
    """One message with all that was kept of its payload; None when there is none in the scope."""
    with mapped():
        found = _rows(connection, "rejected_one", {**scope.values(), "id": rejected_id})
        return Rejected(*found[0]) if found else None


def by_reason(connection: Connection, chosen: Chosen) -> list[Counted]:
    """The most frequent first."""
    with mapped():
        return [Counted(*row) for row in _rows(connection, "rejected_by_reason", chosen.values() | {"top": _ALL})]


def by_thing(connection: Connection, chosen: Chosen, *, top: int = 20) -> list[Counted]:
    """The most frequent first; what comes from no Thing has an empty name."""
    with mapped():
        return [Counted(*row) for row in _rows(connection, "rejected_by_thing", chosen.values() | {"top": top})]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Messages that wait for a replay.

    Attributes
    ----------
    ids : list of int
        One row of each message, in order of receipt.
    last : int or None
        The last row that was looked at, where there may be more behind it; it need not be one of `ids`.
    """

    ids: list[int]
    last: int | None = None


def newest(connection: Connection, *, scope: Scope = EVERYTHING) -> int:
    """The newest row of a scope, which tells nothing of how many others there are."""
    with mapped():
        return int(_rows(connection, "rejected_newest", scope.values())[0][0])


def waiting(
    connection: Connection,
    chosen: Chosen,
    *,
    newest: int,
    after: int | None = None,
    limit: int | None = None,
) -> Waiting:
    """Messages kept whole that were not replayed yet and that a second try may mend.

    Parameters
    ----------
    newest : int
        What came later is not meant.
    after : int, optional
        `last` of an earlier part of the same; it must still be there.
    limit : int, optional
        So many rows are looked at, which may be fewer messages; None: all.
    """
    with mapped():
        place = None
        if after is not None:
            place = connection.execute(query("rejected_place"), {**chosen.scope.values(), "id": after}).fetchone()
        values = chosen.values() | {
            "newest": newest, "after": None if place is None else after, "after_time": place and place[0],
            "limit": _ALL if limit is None else limit,
        }  # fmt: skip
        rows = _rows(connection, "rejected_waiting", values)
        connection.rollback()
        more = limit is not None and len(rows) >= limit
        return Waiting([number for number, first in rows if first], rows[-1][0] if more else None)


def count_waiting(connection: Connection, chosen: Chosen, *, newest: int) -> tuple[int, bool]:
    """How many messages wait, and whether that is all of them: of very many, or very large ones, it is not counted."""
    with mapped():
        values = chosen.values() | {"newest": newest, "limit": _COUNTED, "bytes": _READ}
        messages, rows, unread = _rows(connection, "rejected_waiting_count", values)[0]
        return int(messages), rows < _COUNTED and not unread


def read(connection: Connection, ids: Sequence[int]) -> list[Rejected]:
    """Messages by their numbers, in order of receipt."""
    with mapped():
        rows = connection.execute(query("rejected_read"), {"ids": list(ids)}).fetchall()
        connection.rollback()
        return [Rejected(*row) for row in rows]


def settle(connection: Connection, ids: Sequence[int], *, newest: int, now: datetime) -> dict[int, str]:
    """Note that messages were sent through again. Commits.

    Parameters
    ----------
    ids : sequence of int
        One row of each message, as `waiting` gave it.
    newest : int
        The newest row before the second try; what came later for the same message is what the second try refused.

    Returns
    -------
    dict of int to str
        Those that were refused again, whole or in part, each with a reason.

    Notes
    -----
    A message that was refused again keeps its row, which tells the newer reason, when it was tried, and waits on.
    """
    note = f" (refused again {now:%Y-%m-%d %H:%M} UTC)"
    with mapped():
        values = {"ids": list(ids), "newest": newest, "now": now, "note": note}
        rows = connection.execute(query("rejected_settle"), values).fetchall()
        connection.commit()
        return {row[0]: row[1] for row in rows if row[2]}


class Refused(NamedTuple):
    """A refused message as it came."""

    topic: str
    payload: bytes


class Window(NamedTuple):
    """Which rows are looked at.

    Attributes
    ----------
    since : datetime
        Time of receipt of the first.
    newest : int
        The last one.
    rows : int
        Of these the newest, so many.
    """

    since: datetime
    newest: int
    rows: int


def repeated(connection: Connection, refused: Sequence[Refused], window: Window) -> list[int]:
    """How often each of some messages stands in the quarantine.

    Returns
    -------
    list of int
        In the order of `refused`.
    """
    names = [storable(one.topic) for one in refused]
    values = {
        "numbers": list(range(len(refused))),
        "things": [topics.thing_of(name) for name in names],
        "topics": names,
        "payloads": [one.payload[:PAYLOAD_KEPT] for one in refused],
        "sizes": [len(one.payload) for one in refused],
        **window._asdict(),
    }
    found: dict[int, int] = dict(connection.execute(query("rejected_repeated"), values).fetchall())
    return [found.get(number, 0) for number in range(len(refused))]


def old(connection: Connection, *, before: datetime, reason: str | None = None) -> list[Counted]:
    """What a purge would take, by reason."""
    with mapped():
        return [Counted(*row) for row in _rows(connection, "rejected_old", {"before": before, "reason": reason})]


def purge(connection: Connection, *, before: datetime, reason: str | None = None, limit: int) -> tuple[int, int]:
    """Remove the oldest; rows that went and what they stood for. Does not commit."""
    with mapped():
        found = _rows(connection, "rejected_purge", {"before": before, "reason": reason, "limit": limit})[0]
        return int(found[0]), int(found[1])


def note(connection: Connection, kind: str, *, actor: str, detail: Mapping[str, object], now: datetime) -> int:
    """Write an audit line, and return its number. Does not commit."""
    with mapped():
        values = {"kind": kind, "actor": actor, "detail": Jsonb(dict(detail)), "now": now}
        return int(_rows(connection, "rejected_journal", values)[0][0])


def note_on(connection: Connection, journal_id: int, detail: Mapping[str, object]) -> None:
    """Bring an audit line up to date. Does not commit."""
    with mapped():
        connection.execute(query("rejected_journal_on"), {"journal_id": journal_id, "detail": Jsonb(dict(detail))})


def _rows(connection: Connection, name: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    # Planned for the filters that are given: a plan for any of them would read everything.
    return connection.execute(query(name), values, prepare=False).fetchall()
