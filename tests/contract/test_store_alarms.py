"""Alarms in the database: raised with their reading, acknowledged by people, returned by readings, timers, rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hypervision.store import alarms as alarm_store
from hypervision.store.connection import connect
from hypervision.store.pool import Listener

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
RAISED = ("NORM", "UNACK", "limit")


def fault(thing: str = "p1", *, ago: float = 0, state: float = 2) -> tuple[str, str, str, datetime, float]:
    """`water.pump.fault` rings at 2, without delays."""
    return ("water", thing, "pump_state", NOW - ago * SECOND, state)


def heat(at: datetime, result: float, thing: str = "bin") -> tuple[str, str, str, datetime, float]:
    """`waste.temperature.high`: above 65, deadband 10, no delays."""
    return ("waste", thing, "temperature", at, result)


def pressure(at: datetime, result: float) -> tuple[str, str, str, datetime, float]:
    """`water.pressure.low`: below 1.5, deadband 0.2, on-delay and off-delay 120 s."""
    return ("water", "p1", "pressure", at, result)


def acknowledge(world: Any, alarm_id: int, *, at: datetime = NOW, actor: str = "operator") -> alarm_store.Acknowledged:
    world.close()
    with connect(world.url, application="serve", autocommit=True) as connection:
        return alarm_store.acknowledge(connection, alarm_id, actor=actor, comment="seen", now=at)


def alarm_id(world: Any) -> int:
    ((found,),) = world.rows("SELECT max(id) FROM alarms")
    return int(found)


def test_reading_and_alarm_appear_together_with_everything_the_view_promises(world: Any) -> None:
    intake = world.intake()
    receipt = world.send(intake, heat(NOW - 2 * SECOND, 70.0))
    assert receipt.transitions == 1
    assert world.rows(
        "SELECT domain, source_kind, source, thing, property, rule, rule_version, priority, state, suppression,"
        " raised_at, detected_at, acknowledged_at, acknowledged_by, returned_at, value, limit_value, message FROM alarms"
    ) == [
        ("waste", "datastream", "bin/temperature", "bin", "temperature", "waste.temperature.high", 1, "critical",
         "UNACK", "none", NOW - 2 * SECOND, NOW, None, None, None, 70.0, 65.0, "Bin fire: 70 °C > 65 °C"),
    ]  # fmt: skip
    assert world.rows("SELECT at, from_state, to_state, cause, actor, rule_version FROM alarm_transitions") == [
        (NOW - 2 * SECOND, "NORM", "UNACK", "limit", "", 1)
    ]


def test_alarm_returns_and_comes_again_as_one_occurrence_until_acknowledged(world: Any) -> None:
    intake = world.intake()
    for n, result in enumerate((70.0, 60.0, 50.0, 70.0)):
        world.send(intake, heat(NOW + n * SECOND, result))
    assert world.alarms() == [("waste.temperature.high", "bin", "UNACK")]
    assert [row[:2] for row in world.journal()] == [("NORM", "UNACK"), ("UNACK", "RTNUN"), ("RTNUN", "UNACK")]
    assert world.rows("SELECT returned_at FROM alarms") == [(None,)]


def test_alarm_returns_and_comes_again_within_one_batch(world: Any) -> None:
    intake = world.intake()
    world.send(intake, *[heat(NOW + n * SECOND, result) for n, result in enumerate((20.0, 70.0, 50.0, 70.0, 50.0))])
    assert world.alarms() == [("waste.temperature.high", "bin", "RTNUN")]
    assert world.rows("SELECT raised_at, returned_at FROM alarms") == [(NOW + SECOND, NOW + 4 * SECOND)]


def test_acknowledged_alarm_returns_and_comes_again_within_one_batch_as_a_new_occurrence(world: Any) -> None:
    world.send(world.intake(), heat(NOW, 70.0))
    assert acknowledge(world, alarm_id(world)) == alarm_store.Acknowledged(found=True, changed=True, state="ACKED")
    intake = world.intake()
    world.send(intake, heat(NOW + SECOND, 50.0), heat(NOW + 2 * SECOND, 80.0))
    assert world.rows("SELECT state, value, acknowledged_by, returned_at FROM alarms ORDER BY id") == [
        ("NORM", 70.0, "operator", NOW + SECOND),
        ("UNACK", 80.0, None, None),
    ]
    assert [row[:2] for row in world.journal()] == [
        RAISED[:2], ("UNACK", "ACKED"), ("ACKED", "NORM"), ("NORM", "UNACK"),
    ]  # fmt: skip


def test_acknowledgement_keeps_who_when_and_why(world: Any) -> None:
    world.send(world.intake(), fault())
    found = acknowledge(world, alarm_id(world), at=NOW + SECOND)
    assert found == alarm_store.Acknowledged(found=True, changed=True, state="ACKED")
    assert world.rows("SELECT state, acknowledged_at, acknowledged_by FROM alarms") == [
        ("ACKED", NOW + SECOND, "operator")
    ]
    assert world.rows("SELECT actor, comment, cause, at FROM alarm_transitions ORDER BY at DESC LIMIT 1") == [
        ("operator", "seen", "acknowledge", NOW + SECOND)
    ]


@pytest.mark.usefixtures("several")
def test_acknowledgement_hurries_the_screens_as_a_batch_does(world: Any) -> None:
    world.send(world.intake(), fault())
    number = alarm_id(world)
    ((writer,),) = world.rows("SELECT writer_id FROM hv.writer")
    world.close()
    with Listener(world.url) as listener, connect(world.url, application="serve", autocommit=True) as connection:
        alarm_store.acknowledge(connection, number, actor="operator", comment="", now=NOW, writer_id=writer)
        assert listener.wait(10.0)
        # Nothing changed, and nobody looks.
        alarm_store.acknowledge(connection, number, actor="operator", comment="", now=NOW, writer_id=writer)
        assert not listener.wait(0.1)


def test_acknowledgement_twice_changes_nothing(world: Any) -> None:
    world.send(world.intake(), fault())
    number = alarm_id(world)
    acknowledge(world, number)
    assert acknowledge(world, number, actor="otto") == alarm_store.Acknowledged(
        found=True, changed=False, state="ACKED"
    )
    assert world.rows("SELECT acknowledged_by FROM alarms") == [("operator",)]
    assert len(world.journal()) == 2


def test_acknowledgement_of_a_returned_alarm_closes_it_and_keeps_its_return(world: Any) -> None:
    intake = world.intake()
    world.send(intake, fault(ago=2))
    world.send(intake, fault(ago=1, state=1))
    number = alarm_id(world)
    assert acknowledge(world, number).state == "NORM"
    assert world.rows("SELECT state, returned_at, acknowledged_by FROM alarms") == [("NORM", NOW - SECOND, "operator")]
    assert not acknowledge(world, number).changed


def test_acknowledgement_of_nothing_finds_nothing(world: Any) -> None:
    assert acknowledge(world, 4711) == alarm_store.Acknowledged(found=False, changed=False, state="NORM")


def test_acknowledgement_of_an_old_occurrence_leaves_the_new_one_alone(world: Any) -> None:
    world.send(world.intake(), fault(ago=9))
    old = alarm_id(world)
    acknowledge(world, old)
    intake = world.intake()
    world.send(intake, fault(ago=8, state=0))
    world.send(intake, fault(ago=7))
    assert alarm_id(world) != old
    assert not acknowledge(world, old).changed
    assert world.rows("SELECT state FROM alarms ORDER BY id") == [("NORM",), ("UNACK",)]


def test_crossing_sent_again_rings_once(world: Any) -> None:
    intake = world.intake()
    world.send(intake, fault())
    world.send(intake, fault())
    world.close()
    world.send(world.intake(), fault())
    assert world.journal() == [RAISED]


def test_restart_neither_forgets_nor_raises_again(world: Any) -> None:
    world.send(world.intake(), heat(NOW, 70.0), fault())
    world.close()
    intake = world.intake()
    world.send(intake, heat(NOW + SECOND, 71.0), fault(ago=-1))
    assert len(world.journal()) == 2
    world.close()
    world.send(world.intake(), heat(NOW + 2 * SECOND, 50.0))
    assert world.alarms() == [("waste.temperature.high", "bin", "RTNUN"), ("water.pump.fault", "p1", "UNACK")]


def test_delay_under_way_survives_a_restart(world: Any) -> None:
    world.send(world.intake(), pressure(NOW, 1.0))
    world.close()
    world.send(world.intake(), pressure(NOW + 119 * SECOND, 1.0))
    assert world.alarms() == []
    world.close()
    world.send(world.intake(), pressure(NOW + 121 * SECOND, 1.0))
    assert world.rows("SELECT raised_at, value FROM alarms") == [(NOW + 120 * SECOND, 1.0)]


def test_crossing_delivered_after_newer_readings_still_rings_within_the_horizon(world: Any) -> None:
    intake = world.intake()
    world.send(intake, heat(NOW, 20.0))
    world.send(intake, heat(NOW - 30 * SECOND, 70.0))
    assert world.rows("SELECT state, raised_at, returned_at FROM alarms") == [("RTNUN", NOW - 30 * SECOND, NOW)]
    world.send(intake, heat(NOW - 30 * SECOND, 70.0))
    assert len(world.journal()) == 2


def test_delay_with_a_reading_delivered_after_newer_ones_runs_in_order(world: Any) -> None:
    intake = world.intake()

    def tell(seconds: float, result: float) -> list[tuple[datetime]]:
        world.send(intake, pressure(NOW + seconds * SECOND, result))
        found: list[tuple[datetime]] = world.rows("SELECT raised_at FROM alarms WHERE rule = 'water.pressure.low'")
        return found

    assert tell(0, 1.0) == []
    assert tell(50, 1.0) == []
    assert tell(40, 3.0) == []  # in between it was fine
    assert tell(125, 1.0) == []
    assert tell(171, 1.0) == [(NOW + 170 * SECOND,)]


def test_older_reading_does_not_return_an_alarm(world: Any) -> None:
    intake = world.intake()
    world.send(intake, heat(NOW, 70.0))
    world.send(intake, heat(NOW - 5 * SECOND, 20.0))
    assert world.alarms() == [("waste.temperature.high", "bin", "UNACK")]


def test_surge_delivered_after_newer_readings_still_rings(world: Any) -> None:
    intake = world.intake()
    world.send(intake, pressure(NOW, 3.0))
    world.send(intake, pressure(NOW + 50 * SECOND, 3.0))
    world.send(intake, pressure(NOW + 20 * SECOND, 9.0))
    assert world.rows("SELECT rule FROM alarms") == [("water.pressure.surge",)]


def test_late_crossing_is_a_line_in_the_journal_and_no_alarm(world: Any) -> None:
    intake = world.intake()
    world.send(intake, heat(NOW, 20.0))
    world.send(intake, heat(NOW - 61 * SECOND, 70.0))
    assert world.alarms() == []
    assert world.rows("SELECT kind, at, detail->>'rule', (detail->>'value')::float8 FROM hv.journal") == [
        ("late_crossing", NOW - 61 * SECOND, "waste.temperature.high", 70.0)
    ]


def test_reading_older_than_an_hour_at_receipt_never_rings(world: Any) -> None:
    intake = world.intake()
    world.send(intake, heat(NOW - timedelta(hours=1, seconds=1), 70.0))
    assert (world.alarms(), world.rows("SELECT * FROM hv.journal")) == ([], [])
    world.send(intake, heat(NOW - timedelta(hours=1), 70.0, "other"))
    assert world.alarms() == [("waste.temperature.high", "other", "UNACK")]


def test_history_never_rings_and_a_second_look_does_not_either(world: Any) -> None:
    intake = world.intake("import")
    world.history(intake, heat(NOW - timedelta(days=9), 70.0), heat(NOW - SECOND, 70.0))
    assert world.alarms() == []
    watch = world.watch()
    world.beat()
    watch.tick(NOW)
    assert world.alarms() == []
    intake = world.intake()
    world.send(intake, heat(NOW, 71.0))
    assert world.alarms() == [("waste.temperature.high", "bin", "UNACK")]


def test_doubtful_reading_does_not_ring(world: Any) -> None:
    intake = world.intake()
    batch = world.batch(intake, heat(NOW, 70.0))
    batch.quality[0] = 2
    intake.commit(batch, now=NOW)
    assert world.alarms() == []


def test_limit_of_one_thing_is_an_override(world: Any) -> None:
    intake = world.intake()
    world.send(intake, heat(NOW, 20.0), heat(NOW, 20.0, "oven"))
    world.execute(
        "INSERT INTO hv.rule_override (rule_id, thing_id, limit_value)"
        " SELECT r.rule_id, t.thing_id, 90 FROM hv.rule r, hv.thing t"
        " WHERE r.code = 'waste.temperature.high' AND t.code = 'oven'"
    )
    world.execute("UPDATE hv.rule_set SET version = version + 1")
    world.send(intake, heat(NOW + SECOND, 80.0), heat(NOW + SECOND, 80.0, "oven"))
    assert world.alarms() == [("waste.temperature.high", "bin", "UNACK")]
    world.send(intake, heat(NOW + 2 * SECOND, 95.0, "oven"))
    assert world.rows("SELECT limit_value, message FROM alarms WHERE thing = 'oven'") == [
        (90.0, "Bin fire: 95 °C > 90 °C")
    ]


def test_new_thing_with_an_override_known_before_its_first_reading(world: Any) -> None:
    world.execute("INSERT INTO hv.thing (code, name, domain, registered_at) VALUES ('oven', 'oven', 'waste', now())")
    world.execute(
        "INSERT INTO hv.rule_override (rule_id, thing_id, limit_value)"
        " SELECT r.rule_id, t.thing_id, 90 FROM hv.rule r, hv.thing t WHERE r.code = 'waste.temperature.high'"
    )
    world.send(world.intake(), heat(NOW, 80.0, "oven"))
    assert world.alarms() == []


def test_restarted_collector_knows_what_was_newest(world: Any) -> None:
    """It takes all datastreams before its first message; what is late stays late, and a step is seen over the restart."""
    intake = world.intake()
    world.send(intake, pressure(NOW, 3.0))
    world.send(intake, pressure(NOW + 600 * SECOND, 3.0), received=NOW + timedelta(seconds=600))
    world.close(intake)
    intake = world.intake()
    intake.know_all()
    world.send(intake, pressure(NOW + SECOND, 9.0), received=NOW + timedelta(seconds=605))
    assert world.rows("SELECT late FROM observations WHERE result = 9") == [(True,)]
    assert world.alarms() == []
    world.send(intake, pressure(NOW + 660 * SECOND, 9.0), received=NOW + timedelta(seconds=660))
    assert world.alarms() == [("water.pressure.surge", "p1", "UNACK")]
    value, limit, message = world.rows("SELECT value, limit_value, message FROM alarms")[0]
    assert (value, limit) == (360.0, 240.0)
    assert message == "Pressure surge: 6.00 bar/min > 4.00 bar/min"


def test_value_that_cannot_be_is_nothing_to_compare_with(world: Any) -> None:
    intake = world.intake()
    for second, value in ((0, 4.0), (60, 9999.0), (120, 4.0), (180, 4.0)):
        world.send(intake, pressure(NOW + second * SECOND, value), received=NOW + timedelta(seconds=second))
    assert world.alarms() == []


def test_one_reading_ahead_of_its_time_mutes_nothing(world: Any) -> None:
    intake = world.intake()
    at = [NOW + timedelta(seconds=s) for s in (500, 5, 60)]
    world.send(intake, ("waste", "w1", "temperature", at[0], 10.0), received=NOW)
    world.send(intake, ("waste", "w1", "temperature", at[1], 95.0), received=at[1])
    world.send(intake, ("waste", "w1", "temperature", at[2], 95.0), received=at[2])
    assert world.rows("SELECT late FROM observations") == [(False,)] * 3
    assert [row[:2] for row in world.alarms()] == [("waste.temperature.high", "w1")]
