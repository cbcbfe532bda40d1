"""What is no longer kept, in the database: whole partitions of readings, roll-ups by level, gaps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from typing import Final, NamedTuple

import psycopg
from psycopg import Connection
from psycopg.types.json import Jsonb

from hypervision.errors import TemporaryStoreError
from hypervision.store import audit
from hypervision.store.connection import mapped
from hypervision.store.engines import engine_of
from hypervision.store.partitions import Partition
from hypervision.store.rollups import DAY, HOUR
from hypervision.store.sql import query

# Datastreams and rows of one statement: it takes a moment, however much there is to drop.
_STREAMS: Final = 200
_ROWS: Final = 20_000
_LEVELS: Final = {"hours": HOUR, "days": DAY}
BY_AGE: Final = "watch"
"""Who answers for what goes because of its age alone: the settings, and no person."""
_GAPS: Final = ("drop_old_holes", "drop_old_sequence_gaps", "drop_old_outages")


class Dropped(NamedTuple):
    """What one rule of retention takes: of what, from before which instant, how many rows (of readings about), bytes.

    `failure` says why it could not.
    """

    what: str
    before: datetime
    rows: int
    bytes: int = 0
    parts: tuple[str, ...] = ()
    failure: str = ""


def due(connection: Connection, before: dict[str, datetime]) -> list[Dropped]:
    """What is older than is kept, counted, which may take a while.

    Parameters
    ----------
    before : dict
        By `readings`, `hours`, `days` and `gaps`: what is older than this is not kept.
    """
    found: list[Dropped] = []
    with mapped():
        connection.execute(query("patience_of_packing"))
        for what, at in before.items():
            if what == "readings":
                if old := _old(connection, at):
                    found.append(_summed(old))
                continue
            name = "count_old_gaps" if what == "gaps" else "count_old_rollups"
            row = connection.execute(query(name), {"before": at, "level": _LEVELS.get(what)}).fetchone()
            assert row is not None
            found.append(Dropped(what, at, row[0]))
        connection.rollback()
    return [each for each in found if each.rows or each.parts]


def drop(connection: Connection, what: str, before: datetime | None, *, actor: str, now: datetime) -> Dropped | None:
    """Drop it, in steps of a moment each; what was dropped, which the journal says too. Commits.

    From when on something is kept is noted first: roll-ups whose readings go are not computed any more.

    Parameters
    ----------
    before : datetime, optional
        What is older is not kept; None for readings: only what was begun is finished.

    Raises
    ------
    TemporaryStoreError
        It was not possible, or not all of it; the next time it goes on.
    """
    with mapped():
        if what == "readings":
            return _drop_readings(connection, before, actor=actor, now=now)
        assert before is not None
        found, failure = Dropped(what, before, 0), None
        try:
            for number in _steps(connection, what, before):
                connection.commit()
                found = found._replace(rows=found.rows + number)
        except psycopg.Error as error:
            connection.rollback()
            failure = error
        _journal(connection, found, actor=actor, now=now)
        if failure is not None:
            raise failure
        return found if found.rows else None


def _old(connection: Connection, before: datetime) -> list[Partition]:
    day = before.astimezone(UTC).date()
    return [p for p in engine_of(connection).partitions(connection) if p.last <= day]


def _summed(parts: Sequence[Partition]) -> Dropped:
    """What some partitions hold; a month that is not past as a whole stays as a whole."""
    end = datetime.combine(max(p.last for p in parts), time(), UTC)
    size = sum(p.heap + p.indexes for p in parts)
    return Dropped("readings", end, sum(p.rows for p in parts), size, tuple(p.name for p in parts))


def _drop_readings(connection: Connection, before: datetime | None, *, actor: str, now: datetime) -> Dropped | None:
    gone: list[Partition] = []
    row = connection.execute(query("kept_from_noted")).fetchone()
    if row is not None:
        # However long readings are kept today: what was begun is not read any more.
        noted = datetime.fromisoformat(row[0]).astimezone(UTC).date()
        gone += _drop_parts(connection, noted, begun=True, actor=actor, now=now)
    if before is not None and (old := _old(connection, before)):
        end = _summed(old).before
        _note(connection, "observations", end)
        gone += _drop_parts(connection, end.date(), begun=False, actor=actor, now=now)
    found = _summed(gone) if gone else None
    if found is not None:
        for _ in _some(connection, "drop_old_values", {"before": found.before}):
            connection.commit()
    _require_gone(connection, before)
    return found


def _drop_parts(connection: Connection, before: date, *, begun: bool, actor: str, now: datetime) -> list[Partition]:
    gone = engine_of(connection).drop(connection, before=before, begun=begun)
    if gone:
        _journal(connection, _summed(gone), actor=actor, now=now)
    return gone


def _require_gone(connection: Connection, before: datetime | None) -> None:
    left = [] if before is None else _old(connection, before)
    connection.rollback()
    if left:
        raise TemporaryStoreError(
            f"{len(left)} partition{'' if len(left) == 1 else 's'} of readings from {left[0].name} on could not be"
            " dropped: somebody still reads them"
        )


def _steps(connection: Connection, what: str, before: datetime) -> Iterator[int]:
    """Drop some; how many rows that were, for the caller to commit."""
    if what == "gaps":
        for name in _GAPS:
            yield from _some(connection, name, {"before": before})
        return
    row = connection.execute(query("rollup_streams")).fetchone()
    assert row is not None
    values = {"level": _LEVELS[what], "before": before, "streams": row[0]}
    if connection.execute(query("any_old_rollups"), values).fetchone() != (True,):
        return
    if what == "hours":
        _note(connection, "hours", before)
    for low in range(0, row[0] + 1, _STREAMS):
        yield from _some(connection, "drop_old_rollups", values | {"low": low, "high": low + _STREAMS})


def _some(connection: Connection, name: str, values: dict[str, object]) -> Iterator[int]:
    number = _ROWS
    while number >= _ROWS:
        number = connection.execute(query(name), values | {"rows": _ROWS}).rowcount
        yield number


def _note(connection: Connection, key: str, at: datetime) -> None:
    """Note from when on something is kept, unless it is from later on already. Commits."""
    connection.execute(query("lock_kept"))
    if connection.execute(query("kept_from_before"), {"what": key, "at": at}).fetchone() == (True,):
        values = {"key": f"kept from {key}", "value": at.astimezone(UTC).isoformat()}
        connection.execute(query("note_installation"), values)
    connection.commit()


def _journal(connection: Connection, found: Dropped, *, actor: str, now: datetime) -> None:
    """Say what is gone, in the transaction in which the last of it goes. Commits."""
    if found.rows or found.parts:
        detail = {
            "what": found.what, "before": found.before.isoformat(), "rows": found.rows, "bytes": found.bytes,
            "partitions": list(found.parts),
        }  # fmt: skip
        connection.execute(query("journal_storage"), {"now": now, "actor": actor, "detail": Jsonb(detail)})
        if actor != BY_AGE:
            # What goes because of its age is the settings' doing; what somebody asks for is that person's.
            told = {name: value for name, value in detail.items() if name != "what"}
            audit.note(connection, "storage.drop", kind="storage", ident=found.what, after=told)
    connection.commit()
