"""What is no longer kept, in the database: whole partitions of readings, roll-ups by level, gaps."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Final, NamedTuple

from psycopg import Connection
from psycopg.types.json import Jsonb

from hypervision.store.connection import mapped
from hypervision.store.engines import engine_of
from hypervision.store.rollups import DAY, HOUR
from hypervision.store.sql import query

# Datastreams of one statement: a few years of their hours go within a second.
_STREAMS: Final = 200
_LEVELS: Final = {"hours": HOUR, "days": DAY}


class Dropped(NamedTuple):
    """What one rule of retention takes: of what, from before which instant, how many rows (about), how many bytes."""

    what: str
    before: datetime
    rows: int
    bytes: int = 0
    parts: tuple[str, ...] = ()


def due(connection: Connection, before: dict[str, datetime]) -> list[Dropped]:
    """What is older than is kept.

    Parameters
    ----------
    before : dict
        By `readings`, `hours`, `days` and `gaps`: what is older than this is not kept.
    """
    found: list[Dropped] = []
    with mapped():
        for what, at in before.items():
            if what == "readings":
                day = at.astimezone(UTC).date()
                old = [p for p in engine_of(connection).partitions(connection) if p.last <= day]
                if old:
                    # A month that is not past as a whole stays as a whole.
                    end = datetime.combine(max(p.last for p in old), time(), UTC)
                    size = sum(p.heap + p.indexes for p in old)
                    found.append(Dropped(what, end, sum(p.rows for p in old), size, tuple(p.name for p in old)))
                continue
            name = "count_old_gaps" if what == "gaps" else "count_old_rollups"
            row = connection.execute(query(name), {"before": at, "level": _LEVELS.get(what)}).fetchone()
            assert row is not None
            found.append(Dropped(what, at, row[0]))
        connection.rollback()
    return [each for each in found if each.rows or each.parts]


def drop(connection: Connection, found: Dropped, *, actor: str, now: datetime) -> None:
    """Drop it, with a line in the journal. Commits.

    From when on something is kept is noted first: roll-ups whose readings go are not computed any more.
    """
    with mapped():
        _note(connection, found, actor=actor, now=now)
        if found.what == "readings":
            engine_of(connection).drop(connection, before=found.before.astimezone(UTC).date())
            connection.execute(query("drop_old_values"), {"before": found.before})
        elif found.what == "gaps":
            for name in ("drop_old_holes", "drop_old_sequence_gaps", "drop_old_outages"):
                connection.execute(query(name), {"before": found.before})
        else:
            _drop_rollups(connection, found)
        connection.commit()


def _note(connection: Connection, found: Dropped, *, actor: str, now: datetime) -> None:
    key = {"readings": "observations", "hours": "hours"}.get(found.what)
    if key is not None:
        connection.execute(query("lock_kept"))
        row = connection.execute(query("kept_from_before"), {"what": key, "at": found.before}).fetchone()
        if row == (True,):
            values = {"key": f"kept from {key}", "value": found.before.astimezone(UTC).isoformat()}
            connection.execute(query("note_installation"), values)
    detail = {
        "what": found.what, "before": found.before.isoformat(), "rows": found.rows, "bytes": found.bytes,
        "partitions": list(found.parts),
    }  # fmt: skip
    connection.execute(query("journal_storage"), {"now": now, "actor": actor, "detail": Jsonb(detail)})
    connection.commit()


def _drop_rollups(connection: Connection, found: Dropped) -> None:
    row = connection.execute(query("rollup_streams")).fetchone()
    assert row is not None
    for low in range(0, row[0] + 1, _STREAMS):
        values = {"low": low, "high": low + _STREAMS, "level": _LEVELS[found.what], "before": found.before}
        connection.execute(query("drop_old_rollups"), values)
        connection.commit()
