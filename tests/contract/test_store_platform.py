"""Alarms of the platform itself: judged by `watch`, on the desk as all others, and nobody's but the whole town's."""

from __future__ import annotations

import json
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from hypervision.attending import by_priority
from hypervision.domains import load
from hypervision.errors import UsageError
from hypervision.holidays import calendar_of
from hypervision.rehearsal import Stage
from hypervision.scope import EVERYTHING, Scope
from hypervision.sections import AlarmSettings
from hypervision.store import alarm_quality, attending, inhibitions, rehearsals, screens
from hypervision.store.alarms import acknowledge
from hypervision.store.connection import connect
from hypervision.watch import Watch
from tests.contract.test_store_rulebook import put_in_force
from tests.contract.world import STOPPED, World

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
STRIDE = 5 * SECOND
Disk = namedtuple("Disk", "total used free")  # noqa: PYI024  (as `shutil` gives it)


def told(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT rule, source, state FROM alarms ORDER BY id")


def pass_by(world: World, watch: Watch, seconds: int, **beat: Any) -> None:
    """Let time pass in the strides of `watch`, with a collector that beats as it is told; its other timers run once."""
    until = world.now + seconds * SECOND
    while world.now < until:
        world.now = min(world.now + STRIDE, until)
        world.beat(**beat)
        watch.intake.transact(partial(watch._minding.step, now=world.now))
    watch.tick(world.now)


def test_collector_that_stops_rings_after_a_minute_and_returns_by_itself(world: World) -> None:
    watch = world.watch()
    pass_by(world, watch, 10)
    pass_by(world, watch, 58, age=STOPPED)
    assert told(world) == []
    pass_by(world, watch, 12, age=STOPPED)
    assert told(world) == [("platform.collector.stopped", "platform/collector-1", "UNACK")]
    assert world.rows("SELECT domain, source_kind, thing, property, priority, message FROM alarms") == [
        ("platform", "system", None, "collector_state", "critical", "Collector stopped")
    ]
    pass_by(world, watch, 20)
    assert told(world) == [("platform.collector.stopped", "platform/collector-1", "RTNUN")]


def test_restart_of_some_seconds_never_rings(world: World) -> None:
    watch = world.watch()
    for _ in range(5):
        pass_by(world, watch, 30, age=STOPPED)
        pass_by(world, watch, 20, link="lost: connection refused")
        pass_by(world, watch, 10)
    assert told(world) == []
    assert world.rows("SELECT 1 FROM hv.alarm_condition WHERE source_kind = 'system' AND phase <> 'normal'") == []


def test_platform_that_was_away_as_a_whole_rings_not_when_it_is_back(world: World) -> None:
    pass_by(world, world.watch(), 20, age=STOPPED)  # collectors are ended first
    world.close()
    world.now += timedelta(hours=3)
    watch = world.watch()
    pass_by(world, watch, 20, age=STOPPED)  # and begin last
    pass_by(world, watch, 100)
    assert told(world) == []


def test_alarm_survives_a_restart_of_watch(world: World) -> None:
    pass_by(world, world.watch(), 75, age=STOPPED)
    world.close()
    world.now += timedelta(minutes=5)
    watch = world.watch()
    pass_by(world, watch, 15, age=STOPPED)
    assert told(world) == [("platform.collector.stopped", "platform/collector-1", "UNACK")]
    pass_by(world, watch, 20)
    assert told(world) == [("platform.collector.stopped", "platform/collector-1", "RTNUN")]
    assert [step[2] for step in world.journal()] == ["limit", "escalated", "return to normal"]


def test_collector_that_is_retired_returns_its_alarm(world: World) -> None:
    watch = world.watch()
    pass_by(world, watch, 75, age=STOPPED)
    world.execute("UPDATE hv.writer SET retired_at = now() WHERE name = 'collector-1'")
    pass_by(world, watch, 20, age=STOPPED)
    assert told(world) == [("platform.collector.stopped", "platform/collector-1", "RTNUN")]


def test_broker_that_nobody_reaches_is_one_alarm_whatever_the_collectors(world: World) -> None:
    watch = world.watch()
    for _ in range(15):
        world.beat("collector-2/2", link="lost: refused")
        pass_by(world, watch, 5, writer="collector-1/2", link="lost: refused")
    assert told(world) == [("platform.broker.away", "platform/broker", "UNACK")]


def test_collector_that_holds_messages_without_committing_rings(world: World) -> None:
    watch = world.watch()
    pass_by(world, watch, 50, in_flight=40)
    assert told(world) == []
    pass_by(world, watch, 20, in_flight=40)
    assert told(world) == [("platform.collector.stuck", "platform/collector-1", "UNACK")]
    pass_by(world, watch, 10)
    assert told(world) == [("platform.collector.stuck", "platform/collector-1", "RTNUN")]


def test_models_that_fail_or_finish_nothing_ring_one_by_one(world: World) -> None:
    watch = world.watch()
    for _ in range(15):
        world.beat("analyse")
        detail = json.dumps({"computed": 2400.0, "failing": 2})
        world.execute(
            "UPDATE hv.writer_snapshot SET detail = %(detail)s::jsonb WHERE writer_id ="
            " (SELECT writer_id FROM hv.writer WHERE name = 'analyse')",
            {"detail": detail},
        )
        pass_by(world, watch, 5)
    assert sorted(told(world)) == [
        ("platform.analysis.overdue", "platform/analyse", "UNACK"),
        ("platform.detectors.failing", "platform/analyse", "UNACK"),
    ]
    assert world.rows("SELECT message FROM alarms WHERE rule = 'platform.analysis.overdue'") == [
        ("Models overdue: 40 min > 30 min",)
    ]


def test_server_and_models_that_stop_ring_each_by_its_delay(world: World) -> None:
    watch = world.watch()
    for name in ("analyse", "http"):
        world.beat(name, age=STOPPED)
    pass_by(world, watch, 70)
    assert told(world) == [("platform.server.stopped", "platform/http", "UNACK")]
    pass_by(world, watch, 60)
    assert [row[0] for row in told(world)] == ["platform.server.stopped", "platform.analysis.stopped"]


def test_disk_that_fills_rings_and_returns_within_its_deadband_only(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    used = {"now": 91}
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: Disk(100, used["now"], 100 - used["now"]))
    watch = world.watch(data_dir=str(tmp_path))
    pass_by(world, watch, 75)
    assert told(world) == [("platform.disk.filling", "platform/disk", "UNACK")]
    assert world.rows("SELECT value, limit_value, message FROM alarms") == [
        (91.0, 90.0, "Disk nearly full: 91.0 % > 90.0 %")
    ]
    used["now"] = 89
    pass_by(world, watch, 20)
    assert told(world)[0][2] == "UNACK"
    used["now"] = 88
    pass_by(world, watch, 20)
    assert told(world) == [("platform.disk.filling", "platform/disk", "RTNUN")]


def test_backup_is_overdue_only_where_one_was_ever_taken(world: World) -> None:
    watch = world.watch()
    pass_by(world, watch, 10)
    assert told(world) == []
    noted = json.dumps({"at": (NOW - timedelta(hours=37)).isoformat(), "bytes": 1})
    world.execute("INSERT INTO hv.installation (key, value) VALUES ('backup', %(value)s)", {"value": noted})
    pass_by(world, watch, 10)
    assert told(world) == [("platform.backup.overdue", "platform/backup", "UNACK")]
    noted = json.dumps({"at": world.now.isoformat(), "bytes": 1})
    world.execute("UPDATE hv.installation SET value = %(value)s WHERE key = 'backup'", {"value": noted})
    pass_by(world, watch, 10)
    assert told(world) == [("platform.backup.overdue", "platform/backup", "RTNUN")]


def test_rule_of_the_platform_has_the_life_of_any_other(world: World) -> None:
    world.beat(age=STOPPED)
    put_in_force(world, "platform.collector.stopped", on_delay=10, priority="low")
    pass_by(world, world.watch(), 20, age=STOPPED)
    assert world.rows("SELECT rule, rule_version, priority, state FROM alarms") == [
        ("platform.collector.stopped", 2, "low", "UNACK")
    ]
    world.close()
    put_in_force(world, "platform.collector.stopped", enabled=False)
    assert world.rows("SELECT state FROM alarms") == [("RTNUN",)]
    assert world.journal()[-1][2] == "rule changed"
    pass_by(world, world.watch(), 20, age=STOPPED)
    assert world.rows("SELECT state FROM alarms") == [("RTNUN",)]
    if not world.server.many:
        world.close()
    stage = Stage("", "", load(), calendar_of(world.settings()))
    with connect(world.url, application="test") as connection, pytest.raises(UsageError, match="does not judge"):
        list(rehearsals.compare(connection, "platform.collector.stopped", stage, since=NOW, until=world.now))


def test_number_of_a_part_is_no_datastream_of_that_number(world: World) -> None:
    """The first part and the first datastream are both number one."""
    intake = world.intake()
    world.send(intake, ("waste", "bin", "temperature", NOW, 80.0))
    world.close(intake)
    watch = world.watch()
    pass_by(world, watch, 75, age=STOPPED)
    assert sorted(told(world)) == [
        ("platform.collector.stopped", "platform/collector-1", "UNACK"),
        ("waste.temperature.high", "bin/temperature", "UNACK"),
    ]
    world.edit("platform.collector.stopped", "enabled = false")
    pass_by(world, watch, 20, age=STOPPED)
    assert sorted(row[2] for row in told(world)) == ["RTNUN", "UNACK"]


def test_alarm_of_the_platform_is_acknowledged_shelved_told_to_others_and_counted(world: World) -> None:
    watch = world.watch()
    pass_by(world, watch, 75, age=STOPPED)
    world.close()
    ((alarm_id,),) = world.rows("SELECT id FROM alarms")
    now = world.now + timedelta(minutes=10)
    with connect(world.url, application="test") as connection:
        _, steps = attending.escalate(connection, by_priority(AlarmSettings(), "escalate"), role="engineer", now=now)
        connection.commit()
        assert steps == 1
        (row,) = screens.read_alarms(connection)
        assert (row.source_kind, row.part, row.thing_id, row.escalated_to) == (
            "system",
            "collector-1",
            None,
            "engineer",
        )
        assert acknowledge(connection, alarm_id, actor="anne", comment="", now=now).changed
        hour = now + timedelta(hours=1)
        shelved = inhibitions.shelve(
            connection, alarm_id, until=hour, once=False, reason="works", actor="anne", now=now
        )
        assert shelved.changed
        (listed,) = inhibitions.listed(connection)
        assert [(about.thing, about.name) for about in listed.about] == [(None, "collector-1")]
        assert listed.is_in(EVERYTHING)
        assert not any(
            listed.is_in(part) for part in (Scope.of(1), Scope.of(domains=["water"]), Scope.of(districts=[""]))
        )
        ((standing, named),) = alarm_quality.read_standing(connection, scope=EVERYTHING)
        assert standing.shelved
        assert (named.rule, named.thing, named.name) == ("platform.collector.stopped", None, "collector-1")
        assert alarm_quality.read_standing(connection, scope=Scope.of(domains=["platform"])) == []
