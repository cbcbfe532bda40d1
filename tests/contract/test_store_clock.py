"""The platform's own clock jumps: no reading is lost or doubled, none rings twice, and all is well when it is right again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hypervision import flowing
from hypervision.purging import Daily
from hypervision.store import collectors, outages, screens, watch
from hypervision.watch import Watch

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
DAY = 86_400


def level(second: int, result: float) -> tuple[str, str, str, datetime, float]:
    return ("water", "p1", "flow", NOW + second * SECOND, result)


def lamp(name: str, second: int) -> tuple[str, str, str, datetime, float]:
    return ("lighting", name, "lamp_state", NOW + second * SECOND, 2.0)


@pytest.mark.parametrize("jump", [HOUR - 2 * SECOND, 5 * HOUR, 3650 * 24 * HOUR], ids=str)
def test_clock_that_jumps_ahead_and_back_stores_all_and_rings_once_when_right(world: Any, jump: timedelta) -> None:
    intake = world.intake()
    world.send(intake, level(0, 1.0), received=NOW)
    ahead = world.send(intake, level(1, 2.0), lamp("l1", 1), received=NOW + jump)
    assert (ahead.stored, ahead.rejected, ahead.duplicate) == (2, 0, 0)
    back = world.send(intake, level(2, 3.0), lamp("l1", 2), lamp("l2", 2), received=NOW + 2 * SECOND)
    assert (back.stored, back.rejected, back.duplicate) == (3, 0, 0)
    again = world.send(intake, level(1, 2.0), level(2, 3.0), received=NOW + 3 * SECOND)
    assert (again.stored, again.rejected, again.duplicate) == (0, 0, 2)
    assert world.rows("SELECT result FROM observations WHERE property = 'flow' ORDER BY phenomenon_time") == [
        (1.0,), (2.0,), (3.0,),
    ]  # fmt: skip
    newest = world.rows("SELECT result, phenomenon_time FROM latest_observations WHERE property = 'flow'")
    assert newest == [(3.0, NOW + 2 * SECOND)]
    assert sorted(world.alarms()) == [("lighting.lamp.fault", "l1", "UNACK"), ("lighting.lamp.fault", "l2", "UNACK")]


def test_clock_that_jumps_back_quarantines_what_seems_to_come_and_takes_it_when_right(world: Any) -> None:
    intake = world.intake()
    world.send(intake, level(0, 1.0), received=NOW)
    behind = world.send(intake, level(1, 2.0), lamp("l1", 1), received=NOW - HOUR)
    # An hour ahead of our clock: refused and kept, not lost; nothing else of the database moves.
    assert (behind.stored, behind.rejected, behind.duplicate) == (0, 2, 0)
    assert world.rows("SELECT count(*) FROM rejected_messages") == [(2,)]
    back = world.send(intake, level(1, 2.0), lamp("l1", 1), received=NOW + 2 * SECOND)
    assert (back.stored, back.rejected, back.duplicate) == (2, 0, 0)
    assert world.alarms() == [("lighting.lamp.fault", "l1", "UNACK")]
    assert intake.committed == (3, 0, 2)


def test_beat_is_by_the_clock_of_the_database_for_health_timers_and_retirement(world: Any, newest_only: None) -> None:
    """No process gives a time of its own, so that none is alive, or dead, for as long as its clock is wrong."""
    intake = world.intake("collector-1/1")

    def age() -> float:
        with intake.between() as connection:
            [row] = screens.read_writers(connection)
            [flow] = watch.flow(connection)
            told = collectors.collectors(connection)
        assert row.beat_age is not None
        assert abs(row.beat_age - flow.age) < 1.0
        assert told == {"collector-1/1": flow.age < flowing.PATIENCE}
        return flow.age

    intake.beat(link="connected")
    assert 0.0 <= age() < 30.0
    # It ends, or its work stands still: it is as old as that, at once.
    intake.beat(age=120.0, link="connected")
    assert 120.0 <= age() < 150.0


def test_beat_of_an_older_version_by_its_own_clock_is_read_as_before(world: Any, newest_only: None) -> None:
    """Processes of the version before go on beside this one; their clocks are near that of the database."""
    intake = world.intake("collector-1/1")
    for ahead, works in ((2, True), (-2, True), (-120, False)):
        world.beat("collector-1/1", age=-ahead)
        with intake.between() as connection:
            assert collectors.collectors(connection) == {"collector-1/1": works}
            assert (flowing.holding(watch.flow(connection), most=10) is None) is works


def test_absence_of_a_collector_is_measured_by_the_clock_of_the_database(world: Any, newest_only: None) -> None:
    intake = world.intake("collector-1/1")
    intake.beat(age=540.0)
    with intake.between() as connection:
        silence = outages.last_beat(connection, "collector-1/1")
    assert silence is not None
    assert 540 * SECOND <= silence[1] - silence[0] < 600 * SECOND


def look(world: Any, watch: Watch, *seconds: float) -> None:
    """Let every timer look at some instants."""
    for second in seconds:
        world.beat()
        for _ in range(10):
            watch.tick(NOW + second * SECOND)


def heard(world: Any, reading: tuple[str, str, str, datetime, float], *, received: datetime) -> Watch:
    """A reading, and timers that begin after it."""
    world.close()
    intake = world.intake()
    world.send(intake, reading, received=received)
    world.close(intake)
    watch: Watch = world.watch()
    return watch


def test_clock_that_was_set_back_holds_no_timer_for_as_long_as_it_was_ahead(world: Any, newest_only: None) -> None:
    # Too low for 120 s rings.
    watch = heard(world, ("water", "p1", "pressure", NOW, 1.0), received=NOW)
    look(world, watch, 3 * DAY, 100, 117)
    assert world.alarms() == []
    look(world, watch, 123)
    assert world.alarms() == [("water.pressure.low", "p1", "UNACK")]


def test_clock_that_jumps_ahead_lets_things_be_heard_before_it_calls_them_silent(world: Any, newest_only: None) -> None:
    watch = heard(world, level(0, 1.0), received=NOW)
    look(world, watch, 0, 65)
    watch.intake.clock.jumps += 1
    look(world, watch, 3 * DAY, 3 * DAY + 59)
    assert world.alarms() == []
    look(world, watch, 3 * DAY + 60)
    assert world.alarms() == [("water.silence", "p1", "UNACK")]


def test_silence_is_ended_by_a_reading_and_not_by_a_clock_that_is_set_back(world: Any, newest_only: None) -> None:
    watch = heard(world, level(0, 1.0), received=NOW)
    for _ in range(2):
        look(world, watch, 2 * 3600, 2 * 3600 + 61, 100, 161)
        assert world.alarms() == [("water.silence", "p1", "UNACK")]
        assert world.journal() == [("NORM", "UNACK", "limit"), ("UNACK", "UNACK", "stale")]
    watch = heard(world, level(200, 1.0), received=NOW + 200 * SECOND)
    look(world, watch, 205, 266)
    assert world.journal()[2:] == [("UNACK", "RTNUN", "return to normal")]


def test_thing_first_heard_while_the_clock_was_ahead_is_missed_when_it_is_silent(world: Any, newest_only: None) -> None:
    watch = heard(world, level(0, 1.0), received=NOW + 72 * HOUR)
    look(world, watch, 2 * 3600, 2 * 3600 + 61)
    assert world.alarms() == [("water.silence", "p1", "UNACK")]


def test_clock_that_is_ahead_purges_no_rejected_message(world: Any, newest_only: None) -> None:
    intake = world.intake()
    world.send(intake, level(0, 1.0), level(5 * 3600, 1.0), received=NOW)
    daily = Daily(90)
    with intake.between() as connection:
        daily.step(connection, now=NOW + 400 * DAY * SECOND)
    assert world.rows("SELECT reason FROM rejected_messages") == [("time_in_future",)]
    assert daily.due(NOW + SECOND)
