"""A chart keeps every extreme and every hole of the readings, on every engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hypervision.store import trends
from hypervision.store.arrays import arrays
from hypervision.store.growth import read_growth
from hypervision.store.trends import Drawn, read_trend
from tests.contract.test_store_rollups import bring_up_to_date

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


def test_chart_goes_on_with_hours_and_days_where_readings_are_no_longer_kept(world: Any) -> None:
    """Dropped: the first ten days as readings, of these the first five as hours too."""
    intake = world.intake()
    start = (world.now - timedelta(days=12)).replace(hour=0)
    minutes = [m for m in range(0, 12 * 1440, 5) if not 8640 + 180 <= m < 8640 + 420]
    values = {m: (90.0 if m == 2885 else 30.0 if m == 8640 + 65 else m % 7) for m in minutes}
    world.history(intake, *[("water", "p1", "flow", start + timedelta(minutes=m), v) for m, v in values.items()])
    world.close()
    bring_up_to_date(world, zone="UTC")
    world.close()
    intake = world.intake()

    def drawn() -> Drawn:
        with intake.between() as connection:
            return read_trend(
                connection, 1, since=start, until=start + timedelta(days=12), buckets=24, slices=12,
                hole=timedelta(minutes=10, seconds=1), hold=timedelta(minutes=10),
            )  # fmt: skip

    before = drawn().slices
    world.execute(
        "INSERT INTO hv.installation (key, value) VALUES ('kept from observations', %(readings)s),"
        " ('kept from hours', %(hours)s) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        {"readings": (start + timedelta(days=10)).isoformat(), "hours": (start + timedelta(days=5)).isoformat()},
    )
    world.execute("DELETE FROM hv.observation WHERE phenomenon_time < %(at)s", {"at": start + timedelta(days=10)})
    world.execute("DELETE FROM hv.rollup WHERE level = 0 AND bucket < %(at)s", {"at": start + timedelta(days=5)})
    course = drawn()
    assert [p.at for p in course.points] == sorted(p.at for p in course.points)
    spikes = {p.result: p.at - start for p in course.points if p.result in (90.0, 30.0)}
    assert timedelta(days=2) <= spikes[90.0] < timedelta(days=3)
    assert timedelta(days=6, hours=1) <= spikes[30.0] < timedelta(days=6, hours=2)
    # The only hole: four hours of the seventh day.
    (hole,) = [p.at - start for p in course.points if p.after_hole]
    assert timedelta(days=6, hours=7) <= hole < timedelta(days=6, hours=8)
    for now, was in zip(course.slices, before, strict=True):
        assert now is not None
        assert was is not None
        assert (now.low, now.high) == (was.low, was.high)
        assert now.mean == pytest.approx(was.mean, rel=1e-3)


@pytest.mark.parametrize("zone", ["Europe/Paris", "Asia/Kolkata"])
def test_days_hours_and_readings_are_drawn_one_after_the_other_whatever_the_zone(world: Any, zone: str) -> None:
    """What rises in truth rises on the chart: readings go from a midnight of UTC on, and days end elsewhere.

    Over the night in March when clocks go forward in Paris. Hours without a reading are no hole in what comes so rarely.
    """
    intake = world.intake()
    start = datetime(2026, 3, 26, tzinfo=UTC)
    minutes = [90 * n + beside for n in range(8 * 16) for beside in (0, 10)]
    readings = [("water", "p1", "flow", start + timedelta(minutes=m), float(n)) for n, m in enumerate(minutes)]
    world.history(intake, *readings)
    world.close()
    bring_up_to_date(world, zone=zone)
    world.execute(
        "INSERT INTO hv.installation (key, value) VALUES ('rollup zone', %(zone)s), ('kept from observations', %(at)s),"
        " ('kept from hours', %(hours)s) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        {"zone": zone, "at": (start + timedelta(days=6)).isoformat(), "hours": (start + timedelta(days=4)).isoformat()},
    )

    def drawn() -> Drawn:
        with world.intake().between() as connection:
            return read_trend(
                connection, 1, since=start - timedelta(days=1), until=start + timedelta(days=8), buckets=2000,
                slices=18, hole=timedelta(hours=3), hold=timedelta(hours=3),
            )  # fmt: skip

    for kept in ("hours", "observations"):
        course = drawn()
        world.close()
        at = [p.at for p in course.points]
        values = [p.result for p in course.points]
        assert at == sorted(set(at)), kept
        assert values == sorted(set(values)), kept
        assert (values[0], values[-1]) == (0.0, readings[-1][-1])
        assert not any(p.after_hole for p in course.points)
        means = [one.mean for one in course.slices if one is not None and one.mean is not None]
        assert means == sorted(means), kept
        # Then as if hours were kept no longer than readings: days and readings meet.
        world.execute("UPDATE hv.installation SET value = %(at)s WHERE key = 'kept from hours'",
                      {"at": (start + timedelta(days=6)).isoformat()})  # fmt: skip


def test_older_part_of_what_is_too_much_is_drawn_from_hours(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every extreme and hole is kept, the newest readings are drawn themselves, and no more are loaded than may be."""
    intake = world.intake()
    start = datetime(2026, 3, 26, tzinfo=UTC)
    minutes = [m for m in range(0, 3 * 1440, 5) if not 700 < m < 1000]
    values = {m: {615: 90.0, 2000: -40.0, 4000: 60.0}.get(m, m % 7) for m in minutes}
    world.history(intake, *[("water", "p1", "flow", start + timedelta(minutes=m), v) for m, v in values.items()])
    world.close()
    bring_up_to_date(world)
    loaded: list[int] = []

    def counting(connection: Any, name: str, asked: Any) -> Any:
        columns = arrays(connection, name, asked)
        loaded.append(len(columns[0]) if name == "trend_readings" else 0)
        return columns

    monkeypatch.setattr(trends, "arrays", counting)

    def drawn(most: int) -> Drawn:
        monkeypatch.setattr(trends, "_MOST", most)
        with world.intake().between() as connection:
            found = read_trend(
                connection, 1, since=start, until=start + timedelta(days=3), buckets=300, slices=9,
                hole=timedelta(minutes=10, seconds=1), hold=timedelta(minutes=10),
            )  # fmt: skip
        world.close()
        return found

    whole, course = drawn(len(minutes)), drawn(288)
    assert whole.readings_from is None
    assert course.readings_from == start + timedelta(days=2)
    assert [n for n in loaded if n] == [len(minutes), 288]
    at = [p.at for p in course.points]
    assert at == sorted(set(at))
    assert [p for p in course.points if p.at >= course.readings_from][-1] == whole.points[-1]
    spikes = {p.result: p.at - start for p in course.points if not 0 <= p.result < 7}
    assert timedelta(hours=10) <= spikes[90.0] < timedelta(hours=11)
    assert timedelta(hours=33) <= spikes[-40.0] < timedelta(hours=34)
    assert spikes[60.0] == timedelta(minutes=4000)
    (hole,) = [p.at - start for p in course.points if p.after_hole]
    assert timedelta(minutes=960) <= hole < timedelta(minutes=1020)
    for now, was in zip(course.slices, whole.slices, strict=True):
        assert now is not None
        assert was is not None
        assert (now.low, now.high) == (was.low, was.high)
        assert now.mean == pytest.approx(was.mean, rel=1e-3)


def test_growth_of_a_counter_is_that_of_the_roll_ups_over_a_reset_and_a_hole(world: Any) -> None:
    intake = world.intake()
    start = datetime(2026, 3, 27, 23, tzinfo=UTC)
    # An hour without a reading, in which it grew evenly, and a meter that began anew.
    shown = {0: 100.0, 1: 130.0, 3: 150.0, 4: 2.0, 5: 5.0}
    readings = [("water", "m1", "volume", start + timedelta(hours=n), value) for n, value in shown.items()]
    world.history(intake, *readings)
    world.close()
    bring_up_to_date(world)
    with world.intake().between() as connection:
        hours = read_growth(connection, 1, since=start, until=start + timedelta(hours=5), step="hour")
        days = read_growth(connection, 1, since=start, until=start + timedelta(days=1), step="day")
        assert read_growth(connection, 1, since=start + timedelta(days=9), until=world.now, step="day") == []
    assert [(one.at - start) // timedelta(hours=1) for one in hours] == [0, 1, 2, 3, 4]
    assert [one.total for one in hours] == pytest.approx([30.0, 10.0, 10.0, 2.0, 3.0])
    assert [one.register for one in hours] == [100.0, 130.0, None, 150.0, 2.0]
    # The local day of Paris.
    assert days == [(start, pytest.approx(55.0), 150.0)]
