"""A chart keeps every extreme and every hole of the readings, on every engine."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hypervision.store.trends import Drawn, read_trend

pytestmark = pytest.mark.integration


def test_chart_keeps_spikes_holes_and_late_readings_and_leaves_out_what_was_taken_out(world: Any) -> None:
    intake = world.intake()
    start = world.now - timedelta(days=12)
    minutes = [m for m in range(0, 12 * 1440, 5) if not 4000 < m < 4300]
    readings = [("water", "p1", "flow", start + timedelta(minutes=m), m * 7 % 40 / 10) for m in minutes]
    world.history(intake, *readings)
    world.execute(
        "UPDATE hv.observation SET quality = CASE WHEN phenomenon_time = %(far)s THEN 3 ELSE 0 END, result = 777"
        " WHERE phenomenon_time IN (%(far)s, %(bad)s)",
        {"far": start + timedelta(minutes=8005), "bad": start + timedelta(minutes=9005)},
    )

    def drawn() -> Drawn:
        with intake.between() as connection:
            return read_trend(
                connection, 1, since=start, until=world.now, buckets=24, slices=12,
                hole=timedelta(minutes=10, seconds=1), hold=timedelta(minutes=10),
            )  # fmt: skip

    course = drawn()
    found = course.points
    assert [p.at for p in found] == sorted(p.at for p in found)
    assert (found[0].at, found[-1].at) == (start, start + timedelta(minutes=minutes[-1]))
    assert [(p.at - start, p.quality) for p in found if p.result == 777] == [(timedelta(minutes=8005), 3)]
    assert [p.at - start for p in found if p.after_hole] == [timedelta(minutes=4300)]
    assert 24 * 2 <= len(found) <= 24 * 2 + 6
    # Days, as the roll-up function computes them; the first lacks what was held into it.
    edges = [start + timedelta(days=n) for n in range(13)]
    rolled = world.rows(
        "SELECT minimum, mean, maximum FROM hv.roll_up(1, 'gauge', '10 min', %(edges)s) ORDER BY bucket",
        {"edges": edges},
    )
    for one, (low, mean, high) in zip(course.slices, rolled, strict=True):
        assert one is not None
        assert (one.low, one.mean) == (low, pytest.approx(mean, rel=1e-4))
        assert one.high in (high, 777.0)
    # A late reading in the middle of the hole.
    world.history(intake, ("water", "p1", "flow", start + timedelta(minutes=4100), -5.0))
    assert [p.at - start for p in drawn().points if p.after_hole] == [timedelta(minutes=4100), timedelta(minutes=4300)]
