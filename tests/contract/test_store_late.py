"""Readings of old days: what looking them up costs, and several collectors that have some at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hypervision.clock import to_us
from hypervision.store.columns import Columns
from hypervision.store.connection import connect
from hypervision.store.writer import Writer
from tests.contract.test_store_years import DAY, NOW, pack, town

pytestmark = pytest.mark.integration

READ = (
    "SELECT relname FROM pg_stat_xact_user_tables WHERE relname LIKE 'observation\\_2%%'"
    " AND coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) > 0 ORDER BY 1"
)


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


@pytest.mark.usefixtures("several")
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
