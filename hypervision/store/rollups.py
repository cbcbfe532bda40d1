"""Roll-ups: which hours a batch touched, and their computation from the readings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from psycopg import Connection

from hypervision.batch import Int32, Int64
from hypervision.clock import HOUR_US
from hypervision.store import copy
from hypervision.store.connection import mapped
from hypervision.store.sql import query

HOUR, DAY = 0, 1
_COUNTED: Final = 100_001
# Marks that one statement takes over, and datastreams whose days are forgotten in one step: some seconds each at most.
_MARKS: Final = 500_000
_STREAMS: Final = 50


class Marked(NamedTuple):
    """An hour of a datastream that must be computed anew, and when it begins."""

    datastream_id: int
    hour: datetime


def mark(connection: Connection, datastream_id: Int32, hour: Int64) -> None:
    """Note that these hours must be computed anew, in the transaction that wrote the readings.

    Parameters
    ----------
    datastream_id, hour : ndarray, shape (n,)
        Pairs; the hour counted since the Unix epoch.
    """
    if len(datastream_id):
        data = copy.rollup_marks(datastream_id=datastream_id, time_us=hour * HOUR_US)
        with connection.cursor() as cursor, cursor.copy(query("copy_rollup_marks")) as target:
            target.write(data)


def collect(connection: Connection, *, newest: int) -> list[Marked]:
    """Take over the marks of all writers, of very many the first half million. Commits.

    Parameters
    ----------
    newest : int
        How many to tell, those of the newest hours; all are due.
    """
    with mapped():
        connection.execute(query("end_rollup_epoch"))
        rows = connection.execute(query("collect_rollup_marks"), {"newest": newest, "most": _MARKS}).fetchall()
        connection.commit()
    return [Marked(*row) for row in rows]


def work(connection: Connection, *, zone: str, first: Sequence[Marked], limit: int) -> int:
    """Compute some due hours and the local days they lie in. Commits.

    Parameters
    ----------
    zone : str
        Whose midnight begins a day.
    first : sequence
        Hours to compute in any case, as far as they are due.
    limit : int
        At most so many others.

    Returns
    -------
    int
        Hours that were due; fewer than the limit when no others are left.
    """
    values = {"ids": [m.datastream_id for m in first], "hours": [m.hour for m in first], "limit": limit}
    with mapped():
        connection.execute(query("lock_kept_shared"))
        open_pass(connection)
        row = connection.execute(query("take_rollup_spans"), values).fetchone()
        compute(connection, zone=zone)
        connection.commit()
    assert row is not None
    return int(row[0])


def leave_out(connection: Connection, *, first: Sequence[Marked], limit: int) -> str:
    """Let be what `work` would compute; tells what that is. Commits."""
    values = {"ids": [m.datastream_id for m in first], "hours": [m.hour for m in first], "limit": limit}
    with mapped():
        rows = connection.execute(query("leave_out_due"), values).fetchall()
        connection.commit()
    return ", ".join(f"datastream {number}, {hour.isoformat()}" for number, hour in rows)


def backlog(connection: Connection) -> int:
    """Hours due or marked, at most about a hundred thousand: of an import there are millions. Commits."""
    with mapped():
        row = connection.execute(query("rollup_backlog"), {"most": _COUNTED}).fetchone()
        connection.commit()
    assert row is not None
    return int(row[0])


def open_pass(connection: Connection) -> None:
    """Make the tables of this connection that a pass works on."""
    connection.execute(query("create_rollup_span"))
    connection.execute(query("create_rolled"))


def compute(connection: Connection, *, zone: str) -> None:
    """Compute silences, hours and local days of the stretches of a pass."""
    connection.execute(query("find_holes"))
    connection.execute(query("take_rollup_days"), {"zone": zone})
    for level, name in ((HOUR, "roll_hours"), (DAY, "roll_days")):
        connection.execute(query(name))
        connection.execute(query("measure_rolled"))
        connection.execute(query("put_rollups"), {"level": level})
        connection.execute(query("drop_empty_rollups"), {"level": level})


def use_zone(connection: Connection, zone: str) -> bool:
    """Make all days anew when they are those of another time zone; whether they were. Commits.

    In steps, for there may be millions of days; one that is interrupted begins anew the next time.
    """
    with mapped():
        row = connection.execute(query("rollup_zone")).fetchone()
        changed = row is not None and row != (zone, zone)
        if changed:
            connection.execute(query("note_installation"), {"key": "rollup zone begun", "value": zone})
            (last,) = connection.execute(query("rollup_streams")).fetchone() or (0,)
            connection.commit()
            for low in range(0, last + 1, _STREAMS):
                values = {"zone": zone, "low": low, "high": low + _STREAMS}
                connection.execute(query("forget_rollup_days"), values)
                connection.execute(query("all_days_due"), values)
                connection.commit()
        connection.execute(query("note_installation"), {"key": "rollup zone", "value": zone})
        connection.commit()
    return changed
