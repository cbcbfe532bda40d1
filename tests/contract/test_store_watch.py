"""Timers: what must happen when no reading follows, and what must not while readings are held up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hypervision.clock import to_us
from hypervision.errors import TemporaryStoreError
from hypervision.store import watch as watch_store
from hypervision.watch import Watch
from tests.contract.world import STOPPED

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def pressure(seconds: float, result: float) -> tuple[str, str, str, datetime, float]:
    """`water.pressure.low`: below 1.5, deadband 0.2, on-delay and off-delay 120 s."""
    return ("water", "p1", "pressure", NOW + seconds * SECOND, result)


def heat(seconds: float, result: float) -> tuple[str, str, str, datetime, float]:
    """`waste.temperature.high`: above 65, deadband 10, no delays."""
    return ("waste", "bin", "temperature", NOW + seconds * SECOND, result)


def send(world: Any, *readings: tuple[str, str, str, datetime, float]) -> None:
    """Readings through a collector that is opened for them, received as they were made."""
    intake = world.intake()
    for reading in readings:
        world.send(intake, reading, received=reading[3])
    world.close(intake)


def look(world: Any, watch: Watch, seconds: float, *, beats: bool = True) -> int:
    """Let every timer look once at one instant."""
    world.now = NOW + seconds * SECOND
    if beats:
        world.beat()
    return sum(watch.tick(world.now) for _ in range(10))


def settled(world: Any, seconds: float) -> Watch:
    """A watch that has seen readings flow for a minute before an instant."""
    watch: Watch = world.watch()
    look(world, watch, seconds - 61)
    return watch


def test_on_delay_ends_without_a_reading(world: Any) -> None:
    send(world, pressure(0, 1.0))
    watch = settled(world, 100)
    look(world, watch, 122.9)  # three seconds of grace for readings under way
    assert world.alarms() == []
    look(world, watch, 123)
    assert world.rows("SELECT rule, state, raised_at, detected_at, value FROM alarms") == [
        ("water.pressure.low", "UNACK", NOW + 120 * SECOND, NOW + 123 * SECOND, 1.0)
    ]
    look(world, watch, 500)
    assert len(world.journal()) == 1


def test_off_delay_ends_without_a_reading(world: Any) -> None:
    send(world, pressure(0, 1.4), pressure(130, 1.4), pressure(140, 1.75))
    watch = settled(world, 262)
    look(world, watch, 262)
    assert [row[1] for row in world.journal()] == ["UNACK"]
    look(world, watch, 263)
    assert world.rows("SELECT state, returned_at FROM alarms") == [("RTNUN", NOW + 260 * SECOND)]


def test_delays_wait_while_collectors_are_down(world: Any) -> None:
    send(world, pressure(0, 1.0))
    watch = world.watch()
    look(world, watch, 200, beats=False)
    assert world.alarms() == []
    world.beat(link="disconnected")
    look(world, watch, 201, beats=False)
    world.beat(in_flight=5001)
    look(world, watch, 202, beats=False)
    assert world.alarms() == []
    look(world, watch, 203)
    look(world, watch, 220)  # what a collector had in hand comes again within the broker's patience
    assert world.alarms() == []
    look(world, watch, 221)
    assert world.alarms() == [("water.pressure.low", "p1", "UNACK")]


def test_silent_thing_is_overdue_then_stale_then_back(world: Any) -> None:
    send(world, pressure(0, 3.0))
    watch = settled(world, 600)
    look(world, watch, 600)
    assert world.alarms() == []
    look(world, watch, 601)
    assert world.rows("SELECT rule, source_kind, source, priority, state, raised_at, message FROM alarms") == [
        ("water.silence", "thing", "p1", "medium", "UNACK", NOW + 600 * SECOND, "No readings: for 10 min")
    ]
    look(world, watch, 1200)
    assert world.rows("SELECT priority FROM alarms") == [("medium",)]
    look(world, watch, 1201)
    look(world, watch, 1300)
    assert world.rows("SELECT priority, state, message FROM alarms") == [
        ("high", "UNACK", "No readings: stale values, more than 20 min without a reading")
    ]
    assert world.journal() == [("NORM", "UNACK", "limit"), ("UNACK", "UNACK", "stale")]
    world.close()
    send(world, pressure(1310, 3.0))
    watch = settled(world, 1320)
    look(world, watch, 1320)
    assert world.journal()[2:] == [("UNACK", "RTNUN", "return to normal")]


def test_silence_of_several_things_rings_once_each(world: Any) -> None:
    send(world, pressure(0, 3.0), ("water", "p1", "flow", NOW, 1.0), ("water", "p2", "flow", NOW, 1.0))
    watch = settled(world, 700)
    look(world, watch, 700)
    look(world, watch, 705)
    assert sorted(world.alarms()) == [("water.silence", "p1", "UNACK"), ("water.silence", "p2", "UNACK")]


def test_silence_counts_by_the_shortest_period_of_the_thing(world: Any) -> None:
    send(world, ("waste", "bin", "battery", NOW, 80.0), heat(0, 20.0))  # a day, an hour
    watch = settled(world, 7100)
    look(world, watch, 7100)
    assert world.alarms() == []
    look(world, watch, 7201)
    assert world.alarms() == [("waste.silence", "bin", "UNACK")]


def test_no_silence_while_collectors_are_down_and_a_minute_after(world: Any) -> None:
    send(world, pressure(0, 3.0))
    watch = settled(world, 500)
    world.beat(age=STOPPED)
    look(world, watch, 900, beats=False)
    look(world, watch, 960)
    look(world, watch, 1015)
    assert world.alarms() == []
    look(world, watch, 1020)
    assert world.alarms() == [("water.silence", "p1", "UNACK")]


def test_no_timer_runs_where_no_collector_ever_was(world: Any) -> None:
    send(world, pressure(0, 1.0))
    watch = world.watch()
    look(world, watch, 200, beats=False)
    look(world, watch, 2000, beats=False)
    assert world.alarms() == []


def test_restart_of_the_timers_neither_forgets_nor_raises_again(world: Any) -> None:
    send(world, pressure(0, 3.0), heat(0, 70.0))
    for seconds in (700, 1300, 1400):
        watch = settled(world, seconds)
        look(world, watch, seconds)
        world.close()
    assert [step[2] for step in world.journal()] == ["limit", "escalated", "limit", "stale"]


def test_thing_that_sends_on_change_only_is_never_silent(world: Any) -> None:
    send(world, ("waste", "bin", "emptied", NOW, 1.0))
    watch = settled(world, 10**6)
    look(world, watch, 10**6)
    assert world.alarms() == []


def test_tightened_rule_rings_at_once_on_the_newest_value(world: Any) -> None:
    send(world, heat(0, 60.0), ("waste", "bin", "battery", NOW - timedelta(hours=5), 30.0))
    watch = world.watch()
    look(world, watch, 10)
    world.edit("waste.temperature.high", "limit_value = 50")
    look(world, watch, 12)
    assert world.rows("SELECT rule, rule_version, value, limit_value, detected_at FROM alarms") == [
        ("waste.temperature.high", 2, 60.0, 50.0, NOW + 12 * SECOND)
    ]


def test_tightened_rule_rings_on_a_newest_value_that_was_fresh_when_it_came(world: Any) -> None:
    send(world, ("waste", "bin", "battery", NOW, 30.0))
    watch = world.watch()
    look(world, watch, 5 * 3600)
    world.edit("waste.battery.low", "limit_value = 40")
    look(world, watch, 5 * 3600 + 2)
    assert world.alarms() == [("waste.battery.low", "bin", "UNACK")]


@pytest.mark.parametrize("change", ["limit_value = 90", "enabled = false"])
def test_loosened_or_removed_rule_returns_its_alarm(world: Any, change: str) -> None:
    send(world, heat(0, 70.0))
    watch = world.watch()
    look(world, watch, 1)
    world.edit("waste.temperature.high", change)
    look(world, watch, 3)
    assert world.journal() == [("NORM", "UNACK", "limit"), ("UNACK", "RTNUN", "rule changed")]
    assert world.rows("SELECT returned_at FROM alarms") == [(NOW + 3 * SECOND,)]
    world.edit("waste.temperature.high", "limit_value = 65, enabled = true")
    look(world, watch, 5)
    assert world.journal()[2:] == [("RTNUN", "UNACK", "limit")]


def test_rule_loosened_while_the_timers_were_down_returns_its_alarm(world: Any) -> None:
    send(world, heat(0, 70.0))
    world.edit("waste.temperature.high", "limit_value = 90")
    watch = world.watch()
    look(world, watch, 3)
    assert world.journal()[1:] == [("UNACK", "RTNUN", "rule changed")]


def test_override_that_switches_off_returns_the_alarm_of_its_thing(world: Any) -> None:
    send(world, heat(0, 70.0))
    watch = world.watch()
    look(world, watch, 1)
    world.execute(
        "INSERT INTO hv.rule_override (rule_id, thing_id, enabled)"
        " SELECT r.rule_id, t.thing_id, false FROM hv.rule r, hv.thing t WHERE r.code = 'waste.temperature.high'"
    )
    world.execute("UPDATE hv.rule_set SET version = version + 1")
    look(world, watch, 2)
    assert world.journal()[1:] == [("UNACK", "RTNUN", "rule changed")]


def test_edit_of_another_rule_leaves_an_alarm_in_its_deadband_alone(world: Any) -> None:
    send(world, heat(0, 70.0), heat(1, 60.0))  # 60 neither violates nor clears
    watch = world.watch()
    look(world, watch, 2)
    world.edit("waste.fill.high", "limit_value = 80")
    look(world, watch, 4)
    world.close()
    watch = world.watch()
    look(world, watch, 6)
    assert world.journal() == [("NORM", "UNACK", "limit")]


def test_edit_of_another_rule_does_not_cut_an_off_delay_short(world: Any) -> None:
    send(world, pressure(0, 1.4), pressure(130, 1.4), pressure(140, 1.75))
    watch = world.watch()
    look(world, watch, 150)
    world.edit("waste.fill.high", "limit_value = 80")
    look(world, watch, 152)
    assert [row[1] for row in world.journal()] == ["UNACK"]


def test_loosened_rule_forgets_a_delay_under_way(world: Any) -> None:
    send(world, pressure(0, 1.0))
    watch = world.watch()
    look(world, watch, 60)
    world.edit("water.pressure.low", "limit_value = 0.5")
    look(world, watch, 100)
    look(world, watch, 200)
    assert world.alarms() == []


def test_loosened_silence_returns_with_its_cause(world: Any) -> None:
    send(world, pressure(0, 3.0))
    watch = settled(world, 700)
    look(world, watch, 700)
    world.edit("water.silence", "limit_value = 20")
    look(world, watch, 702)
    assert world.journal() == [("NORM", "UNACK", "limit"), ("UNACK", "RTNUN", "rule changed")]


def test_removed_silence_returns_with_its_cause(world: Any) -> None:
    send(world, pressure(0, 3.0))
    watch = settled(world, 700)
    look(world, watch, 700)
    world.edit("water.silence", "enabled = false")
    look(world, watch, 702)
    assert world.journal()[1:] == [("UNACK", "RTNUN", "rule changed")]


def test_alarm_on_a_rate_returns_although_the_timers_look_in_between(world: Any) -> None:
    """`water.pressure.surge`: above 240 bar/h, off-delay 300 s."""
    send(world, pressure(0, 3.0), pressure(10, 9.0), pressure(310, 9.1))
    watch = world.watch()
    for seconds in (320, 400, 500):
        look(world, watch, seconds)
    assert [row[1] for row in world.journal()] == ["UNACK"]
    look(world, watch, 614)
    assert world.journal()[1:] == [("UNACK", "RTNUN", "return to normal")]


def test_delay_begun_by_a_changed_rule_is_ended_by_a_collectors_reading(world: Any, several: None) -> None:
    intake = world.intake()
    world.send(intake, pressure(0, 3.0))
    watch = world.watch()
    look(world, watch, 1)
    world.edit("water.pressure.low", "limit_value = 4")
    look(world, watch, 3)
    assert world.rows("SELECT phase FROM hv.alarm_condition") == [("pending",)]
    world.send(intake, pressure(60, 4.5), received=NOW + 60 * SECOND)
    look(world, watch, 200)
    assert world.alarms() == []


def test_timers_prepare_the_days_ahead_and_forget_old_identities(world: Any) -> None:
    intake = world.intake()
    intake.commit(world.with_seq(intake, pressure(0, 3.0), seq=1), now=NOW)
    world.execute("UPDATE hv.message_identity SET received_time = %(now)s", {"now": NOW})
    # The clock of watch alone makes none old: it might be wrong.
    look(world, world.watch(), 86_401)
    assert world.rows("SELECT count(*) FROM hv.message_identity") == [(1,)]
    world.close()
    world.send(world.intake(), pressure(86_402, 3.0), received=NOW + 86_402 * SECOND)
    look(world, world.watch(), 86_403)
    assert world.rows("SELECT count(*) FROM hv.message_identity") == [(0,)]
    if world.server.name != "timescaledb":
        found = world.rows(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'hv.observation'::regclass"
        )
        assert {name.removeprefix("hv.") for (name,) in found} == {
            f"observation_202611{day}" for day in (22, 23, 24, 25)
        }


def test_timers_go_on_after_the_database_was_away(world: Any, several: None) -> None:
    send(world, pressure(0, 1.0))
    watch = world.watch()
    look(world, watch, 1)
    watch.beat()
    world.server.kick(world.url)
    failures = 0
    for seconds in (200, 201, 202, 203):  # each of its two connections finds out by itself
        try:
            look(world, watch, seconds)
            watch.beat()
        except TemporaryStoreError:
            failures += 1
    assert failures == 2
    assert world.alarms() == [("water.pressure.low", "p1", "UNACK")]


def test_timers_go_on_after_a_statement_that_failed(world: Any, several: None, monkeypatch: pytest.MonkeyPatch) -> None:
    send(world, pressure(0, 1.0))
    watch = world.watch()

    def fail(connection: Any, **_: object) -> None:
        connection.execute("SELECT 1 FROM pg_sleep(0), no_such_table")

    with monkeypatch.context() as broken:
        broken.setattr(watch_store, "flow", fail)
        with pytest.raises(Exception, match="no_such_table"):
            watch.tick(NOW)
    look(world, watch, 180)
    look(world, watch, 200)
    assert world.alarms() == [("water.pressure.low", "p1", "UNACK")]


def test_timers_publish_that_they_run(world: Any) -> None:
    watch = world.watch()
    look(world, watch, 7)
    watch.beat()
    assert world.rows(
        "SELECT clock_timestamp() - s.beat_at < interval '1 min', s.detail - 'metrics' FROM hv.writer_snapshot s JOIN hv.writer w USING (writer_id) WHERE w.name = 'watch'"
    ) == [(True, {"flowing": True})]


def door(seconds: float, result: float) -> tuple[str, str, str, datetime, float]:
    """`lighting.door.open`: open for its on-delay."""
    return ("lighting", "c1", "door", NOW + seconds * SECOND, result)


def test_reading_under_way_when_its_delay_ended_still_ends_the_alarm(world: Any, several: None) -> None:
    """The door is closed at 55 s, the word of it comes after the delay ended by the clock."""
    watch = settled(world, 0)
    send(world, door(0, 1.0))
    [(delay,)] = world.rows(
        "SELECT extract(epoch FROM on_delay)::float8 FROM hv.rule WHERE code = 'lighting.door.open'"
    )
    look(world, watch, delay + 10)
    assert world.alarms() == [("lighting.door.open", "c1", "UNACK")]
    intake = world.intake()
    world.send(intake, door(delay - 5, 0.0), received=NOW + (delay + 20) * SECOND)
    world.close(intake)
    assert world.alarms() == [("lighting.door.open", "c1", "RTNUN")]


def test_delay_waits_for_what_a_dead_collector_had_in_hand(world: Any, several: None) -> None:
    """It comes again when the broker's patience ends; the pressure had long been back."""
    watch = settled(world, 0)
    send(world, pressure(0, 1.0))
    world.ticks(watch, until=NOW + 200 * SECOND, beats=False)
    world.ticks(watch, until=NOW + 203 * SECOND)
    assert world.alarms() == []
    intake = world.intake()
    world.send(intake, [pressure(30, 3.0)], [pressure(60, 3.0)], received=NOW + 204 * SECOND)
    world.close(intake)
    world.ticks(watch, until=NOW + 300 * SECOND)
    assert world.alarms() == []


def test_thing_ahead_of_its_time_is_not_heard_for_longer(world: Any) -> None:
    intake = world.intake()
    world.send(intake, ("waste", "bin", "temperature", NOW + 590 * SECOND, 20.0), received=NOW)
    world.close(intake)
    [(heard,)] = world.rows("SELECT max(least(phenomenon_time, received_time)) FROM hv.latest")
    [silence] = watch_store.silences(world.intake().connection, [], now=NOW)
    assert silence.last_us == to_us(heard) == to_us(NOW)
