"""Readings of old days: what looking them up costs, and several collectors that have some at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from hypervision.clock import to_us
from hypervision.store.columns import Columns
from hypervision.store.connection import connect
from hypervision.store.writer import Writer
from tests.contract.test_store_years import DAY, NOW, flow, pack, town

pytestmark = pytest.mark.integration

READ = (
    "SELECT relname FROM pg_stat_xact_user_tables WHERE relname LIKE 'observation\\_2%%'"
    " AND coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) > 0 ORDER BY 1"
)

STREAM = "SELECT d.datastream_id FROM hv.datastream d JOIN hv.thing t USING (thing_id) WHERE t.code = 'p1'"
WAITING = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted"


def readings(*given: tuple[int, Any, float]) -> Columns:
    """Good readings (datastream, time, result)."""
    ordered = sorted(given)
    return Columns(
        np.array([row[0] for row in ordered], np.int32),
        np.array([to_us(row[1]) for row in ordered], np.int64),
        np.array([row[2] for row in ordered]),
        np.full(len(given), 5, np.int8),
        np.ones(len(given), np.bool_),
        np.full(len(given), to_us(NOW), np.int64),
    )


@pytest.mark.usefixtures("several", "days_apart")
def test_looking_up_reads_nothing_of_the_time_between(world: Any) -> None:
    oldest, between, newest = (NOW.replace(hour=0) - ago * DAY for ago in (130, 60, 20))
    for since in (oldest, between, newest):
        town(world, days=1, since=since)
    streams = [row[0] for row in world.rows("SELECT datastream_id FROM hv.datastream ORDER BY 1")]
    columns = readings((streams[0], oldest, 1.0), (streams[0], newest, 1.0), (streams[1], newest, 2.0))
    for packed in (0, 3):
        with connect(world.url, application="test") as connection:
            writer = Writer(connection, "test")
            writer.ensure_days(columns.time_us, now=NOW)
            new, existing = writer.write(columns)
            assert (new.any(), existing.tolist()) == (False, [1.0, 1.0, 2.0])
            read = [row[0] for row in connection.execute(READ).fetchall()]
            assert read == [f"observation_{day:%Y%m%d}" for day in (oldest, newest)]
        assert len(pack(world)) == 3 - packed


@pytest.mark.usefixtures("several")
def test_collectors_with_late_readings_go_on_side_by_side(world: Any) -> None:
    packed, open_ = NOW - 50 * DAY, NOW - 3 * DAY
    town(world, days=1, since=packed)
    town(world, days=1, since=packed + 30 * DAY)
    pack(world)
    minute = timedelta(minutes=1)
    with connect(world.url, application="other") as connection:
        writer = Writer(connection, "other")
        columns = readings((1, packed + minute, 1.0), (1, open_ + minute, 1.0))
        writer.ensure_days(columns.time_us, now=NOW)
        assert writer.write(columns)[0].all()
        # Not committed yet. Another packed month, the same open day:
        intake = world.intake()
        intake.connection.execute("SET lock_timeout = '500ms'")
        receipt = world.send(intake, flow(packed + 30 * DAY + 2 * minute, 2.0), flow(open_ + 2 * minute, 2.0))
        assert receipt.stored == 2
        writer.count_late()
        connection.commit()
    assert world.rows("SELECT day, rows FROM hv.late_day ORDER BY day") == [
        (packed.date(), 1),
        ((packed + 30 * DAY).date(), 1),
        (open_.date(), 2),
    ]


@pytest.mark.usefixtures("several")
def test_reading_that_two_bring_to_a_packed_day_at_once_is_stored_once(
    world: Any, wait_until: Callable[..., None]
) -> None:
    town(world, days=1, since=NOW - 50 * DAY)
    pack(world)
    fresh = NOW - 50 * DAY + timedelta(minutes=1)
    receipts: list[Any] = []
    with connect(world.url, application="other") as connection:
        writer = Writer(connection, "other")
        stream = world.rows(STREAM)[0][0]
        columns = readings((stream, fresh, 50.0))
        writer.ensure_days(columns.time_us, now=NOW)
        # As in a batch, whose transaction has begun before its readings are written.
        connection.execute("SELECT 1")
        assert writer.write(columns)[0].all()
        intake = world.intake()
        thread = threading.Thread(target=lambda: receipts.append(world.send(intake, flow(fresh, 50.0))))
        thread.start()
        wait_until(lambda: world.rows(WAITING) == [(True,)])
        writer.count_late()
        connection.commit()
        thread.join(20)
    assert [(one.stored, one.duplicate) for one in receipts] == [(0, 1)]
    assert world.rows("SELECT count(*) FROM observations WHERE result = 50") == [(1,)]
