"""A wide chart, for which the roll-ups are asked, is drawn as from all readings, on every engine."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from hypervision import rollups
from hypervision.clock import to_us
from hypervision.store import trends
from hypervision.store.trends import read_trend

pytestmark = pytest.mark.integration
HOLE = timedelta(minutes=10)


def test_wide_chart_equals_all_readings_before_and_after_the_roll_ups(world: Any, monkeypatch: Any) -> None:
    intake = world.intake()
    start = world.now - timedelta(days=12)
    minutes = [m for m in range(0, 12 * 1440 - 60, 5) if not 4000 < m < 4300 and m % 700]
    world.history(
        intake,
        *(
            ("water", "p1", "flow", start + timedelta(minutes=m), 90.0 if m == 8005 else m * 7 % 40 / 10)
            for m in minutes
        ),
    )
    world.execute("UPDATE hv.observation SET quality = 3, result = 777 WHERE result = 90")
    asked: list[str] = []
    arrays = trends.arrays
    monkeypatch.setattr(trends, "arrays", lambda c, name, values: asked.append(name) or arrays(c, name, values))

    def drawn() -> list[Any]:
        since = world.now - timedelta(days=11, minutes=13)
        with intake.between() as connection:
            return read_trend(connection, 1, since=since, until=world.now, buckets=22, hole=HOLE)

    def expected() -> list[Any]:
        since_us, until_us = to_us(world.now - timedelta(days=11, minutes=13)), to_us(world.now) + 1
        with intake.between() as connection:
            found = trends._read_stretch(connection, 1, since_us, until_us)
        # 22 buckets of the window, rounded up to whole hours.
        width_us = 13 * trends.HOUR_US
        return trends.points(found, np.diff(found.time_us) > HOLE // timedelta(microseconds=1), width_us=width_us)

    # Every hour waits to be computed: all readings are read.
    assert drawn() == expected()
    with intake.between() as connection:
        connection.commit()
        rollups.bring_up_to_date(connection, zone="Europe/Paris")
    assert world.rows("SELECT count(*) FROM hv.outside") == [(1,)]
    found = drawn()
    assert found == expected()
    assert asked[-3:-1] == ["trend_hours", "trend_readings"]
    assert 777.0 in [point.result for point in found]
    assert sum(point.after_hole for point in found) == 1
    # A late reading in the middle of the silence, not rolled up yet.
    world.history(intake, ("water", "p1", "flow", start + timedelta(minutes=4100), -5.0))
    assert drawn() == expected()
    assert -5.0 in [point.result for point in drawn()]
