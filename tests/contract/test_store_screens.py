"""What the screens read is what is in force."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hypervision import rollups
from hypervision.scope import EVERYTHING
from hypervision.store import screens
from hypervision.store.pool import ScreenPool
from hypervision.store.rollups import DAY, HOUR

pytestmark = pytest.mark.integration


def test_limits_hold_the_silence_rules_with_their_overrides(world: Any) -> None:
    intake = world.intake()
    world.send(intake, ("water", "p1", "flow", world.now, 1.0))
    world.edit("water.silence", "limit_value = 5")
    world.execute(
        "INSERT INTO hv.rule_override (rule_id, thing_id, limit_value)"
        " SELECT rule_id, thing_id, 9 FROM hv.rule, hv.thing WHERE hv.rule.code = 'water.silence'"
    )
    with intake.between() as connection:
        found = [row for row in screens.read_limits(connection) if row.kind == "silence" and row.domain == "water"]
        (thing,) = screens.read_things(connection)
    assert [(row.property, row.limit, row.thing_id, row.enabled) for row in found] == [
        ("", 5.0, None, True),
        ("", 9.0, thing.thing_id, True),
    ]


@pytest.mark.parametrize("huge", [1e308, -1e30, 1e26])
def test_huge_readings_stay_off_a_tiles_line_and_out_of_the_roll_ups(world: Any, huge: float) -> None:
    intake = world.intake()
    world.send(
        intake, *(("water", "p1", "level", world.now - timedelta(minutes=m), v) for m, v in ((3, 2.0), (2, huge), (1, huge)))
    )  # fmt: skip
    (stream,) = [number for (number,) in world.rows("SELECT datastream_id FROM hv.datastream")]
    span = {"since": world.now - timedelta(days=1), "until": world.now, "width": 86_400.0}
    with intake.between() as connection:
        assert [mean for _bucket, mean in screens.read_course(connection, [stream], **span)] == [2.0]
        connection.commit()
        rollups.bring_up_to_date(connection, zone="UTC")
    rows = world.rows("SELECT n, minimum, maximum FROM observations_hourly WHERE n > 0")
    assert rows == [(1, 2.0, 2.0)]


def test_first_readings_of_many_are_those_of_one_question(world: Any, several: None) -> None:
    intake = world.intake()
    world.history(
        intake,
        *(
            ("water", f"p{n}", "flow", world.now - timedelta(minutes=m * m), float(m))
            for m in range(1, 40)
            for n in range(3)
        ),
    )
    pool = ScreenPool(world.url, size=1)
    pool.open()
    asked = {**dict.fromkeys(("domain", "thing", "property")), **EVERYTHING.values()}
    try:
        for days, limit in ((2, 1), (2, 7), (2, 50), (2, 1000), (0.02, 1000), (0, 5)):
            values = {**asked, "since": world.now - timedelta(days=days), "until": world.now, "limit": limit}
            found = pool.first_rows("api_observations", values)
            assert found == pool.rows("api_observations", values)
            assert len(found) == min(limit, sum(3 for m in range(1, 40) if m * m <= days * 1440))
    finally:
        pool.close()


def test_hours_and_days_of_the_api_are_those_of_the_views(world: Any, several: None) -> None:
    intake = world.intake()
    readings = [("water", "p1", "flow", world.now - timedelta(minutes=10 * m), float(m)) for m in range(300)]
    world.history(intake, *readings, ("water", "p2", "flow", world.now, 1.0))
    with intake.between() as connection:
        connection.commit()
        rollups.bring_up_to_date(connection, zone="Europe/Paris")
    pool = ScreenPool(world.url, size=1)
    pool.open()
    asked = {"domain": None, "thing": "p1", "property": None, "limit": 1000, **EVERYTHING.values()}
    span = {"since": world.now - timedelta(days=30), "until": world.now + timedelta(days=1)}
    try:
        for level, view in ((HOUR, "observations_hourly"), (DAY, "observations_daily")):
            found = pool.rows("api_rollups", {**asked, **span, "level": level})
            told = world.rows(
                f"SELECT bucket, n, minimum, maximum, mean FROM {view} WHERE thing = 'p1' ORDER BY bucket"
            )
            assert [(r["bucket"], r["n"], r["minimum"], r["maximum"], r["mean"]) for r in found] == told
            assert len(told) > 2
        assert {r["unit"] for r in found} == {"m3/h"}
    finally:
        pool.close()
