"""The database over years: old partitions packed, late rows into them, retention, sizes."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from hypervision.store.connection import connect
from hypervision.store.engines import engine_of

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def flow(at: datetime, result: float, thing: str = "p1") -> tuple[str, str, str, datetime, float]:
    return ("water", thing, "flow", at, result)


def town(world: Any, *, days: int = 3, since: datetime = NOW - 20 * DAY) -> None:
    """Two Things with a reading every two hours, the older part of which is packed."""
    intake = world.intake()
    for number in range(days * 12):
        at = since + number * timedelta(hours=2)
        world.send(intake, flow(at, number + 1.0), flow(at, number + 2.0, "p2"), received=at)
    world.close()


def pack(world: Any, *, before: date = (NOW - 7 * DAY).date()) -> list[str]:
    with connect(world.url, application="test") as connection:
        return engine_of(connection).pack(connection, before=before, stop=threading.Event())


def parts(world: Any) -> list[Any]:
    with connect(world.url, application="test") as connection:
        return engine_of(connection).partitions(connection)


def stored(world: Any) -> list[tuple[Any, ...]]:
    return world.rows("SELECT thing, phenomenon_time, result, quality, late FROM observations ORDER BY 1, 2")


def test_packed_partitions_hold_what_they_held_and_take_late_rows_once(world: Any) -> None:
    town(world)
    before = stored(world)
    assert len(pack(world)) == 4
    assert stored(world) == before
    assert [p.packed for p in parts(world)] == [True] * 4
    # One reading that is there already, one of another value, one that is new.
    intake = world.intake()
    there, fresh = NOW - 20 * DAY, NOW - 20 * DAY + timedelta(minutes=7)
    receipt = world.send(intake, flow(there, 1.0), flow(there + timedelta(hours=2), 99.0), flow(fresh, 5.0))
    assert (receipt.stored, receipt.duplicate, receipt.rejected) == (1, 1, 1)
    again = world.send(intake, flow(fresh, 5.0), flow(NOW, 6.0))
    assert (again.stored, again.duplicate) == (1, 1)
    assert stored(world) == sorted(
        [*before, ("p1", fresh, 5.0, "good", True), ("p1", NOW, 6.0, "good", False)], key=lambda row: row[:2]
    )
