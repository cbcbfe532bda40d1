"""After an outage: the backlog is worked off without a storm, and the alarms end as a replay of the data says."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hypervision.alarms import Alarm, Expiry, Reading, apply
from hypervision.clock import to_us
from hypervision.evaluation import delays
from hypervision.rules import Rule
from ingest.outages import Outages

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
THINGS = 12
# Property, and the two values between which it moves: both sides of the limit of its rule, and inside its deadband.
MOVING = {
    ("water", "pressure"): (1.2, 1.8),
    ("water", "turbidity"): (1.3, 2.4),
    ("waste", "temperature"): (50.0, 70.0),
    ("lighting", "voltage"): (190.0, 270.0),
}
BEGAN, ENDED, LAST = 12, 31, 55
# When the timers look for the last time: readings have flowed for longer than they wait after an outage.
SEEN = NOW + LAST * MINUTE + timedelta(seconds=75)


def readings() -> list[list[tuple[str, str, str, datetime, float]]]:
    """A list of readings for each minute; what each property is goes up and down, slowly enough for its delays."""
    chance = random.Random(5)
    at: dict[tuple[str, str], float] = defaultdict(chance.random)
    minutes = []
    for minute in range(LAST):
        given = []
        for (domain, name), (low, high) in MOVING.items():
            for number in range(THINGS):
                thing = f"{domain}-{number}"
                at[thing, name] = min(1.0, max(0.0, at[thing, name] + chance.uniform(-0.35, 0.35)))
                value = low + (high - low) * at[thing, name]
                given.append((domain, thing, name, NOW + minute * MINUTE + timedelta(seconds=number), value))
        minutes.append(given)
    return minutes


def replayed(rules: tuple[Rule, ...], minutes: list[list[tuple[str, str, str, datetime, float]]]) -> dict[Any, Any]:
    """State and number of occurrences of each (rule, Thing), from nothing but the readings in their order."""
    series = defaultdict(list)
    for given in minutes:
        for domain, thing, name, at, value in given:
            series[domain, name, thing].append((at, value))
    ended: dict[Any, Any] = {}
    for rule in rules:
        for (domain, name, thing), values in series.items():
            if (rule.domain, rule.property) != (domain, name) or rule.kind not in ("high", "low"):
                continue
            sign = 1 if rule.kind == "high" else -1
            alarm, raised = Alarm(), 0
            for at, value in values:
                over = (value - rule.limit) * sign
                event = Reading(to_us(at), over > 0, over <= -rule.deadband, value)
                alarm, steps = apply(alarm, event, delays(rule))
                raised += sum(step.from_state == "NORM" for step in steps)
            alarm, steps = apply(alarm, Expiry(to_us(SEEN) - 3_000_000), delays(rule))  # alarms.grace
            raised += sum(step.from_state == "NORM" for step in steps)
            if raised:
                ended[rule.code, thing] = (alarm.state, raised)
    return ended


def test_alarms_after_an_outage_are_those_of_a_replay_and_nothing_rings_for_the_outage(world: Any) -> None:
    minutes = readings()
    collector = world.intake()
    rules = collector.evaluator.rules.rules
    for minute, given in enumerate(minutes):
        if not BEGAN <= minute < ENDED:
            world.send(collector, *given, received=NOW + (minute + 0.5) * MINUTE)
        if minute == ENDED - 1:
            # The broker gives what it kept in its order, and first once more what was not acknowledged.
            kept = [one for part in minutes[BEGAN - 1 : ENDED] for one in part]
            for first in range(0, len(kept), 150):
                world.send(collector, *kept[first : first + 150], received=NOW + ENDED * MINUTE)
    world.close(collector)

    assert world.rows("SELECT count(*) FROM observations") == [(sum(map(len, minutes)),)]
    watch = world.watch()
    for second in (75, 5, 0):
        world.now = SEEN - timedelta(seconds=second)
        world.beat()
        for _ in range(10):
            watch.tick(world.now)
    expected = replayed(rules, minutes)
    found = {(rule, thing): (state, n) for rule, thing, state, n in world.rows(
        "SELECT rule, thing, (array_agg(state ORDER BY id DESC))[1], count(*)::int FROM alarms GROUP BY rule, thing"
    )}  # fmt: skip
    assert len(expected) >= 20
    assert {state for state, _ in expected.values()} == {"UNACK", "RTNUN"}
    assert found == expected


def test_no_timer_rings_while_a_backlog_is_worked_off(world: Any) -> None:
    """The outage made everything silent and every delay run out; none of it is the devices' doing."""
    minutes = readings()
    collector = world.intake()
    for given in minutes[:BEGAN]:
        world.send(collector, *given, received=given[-1][3])
    world.close(collector)
    known = world.alarms()
    watch = world.watch()
    # Ten hours later the database is back; the collector is connected and holds a backlog.
    world.now = NOW + timedelta(hours=10)
    for _ in range(22):
        world.now += timedelta(seconds=6)
        world.beat(in_flight=30_000)
        watch.tick(world.now)
    assert world.alarms() == known


def lamp(at: datetime, state: float) -> tuple[str, str, str, datetime, float]:
    """`lighting.lamp.fault`, told once: the lamp says nothing more until it is mended."""
    return ("lighting", "lamp-1", "lamp_state", at, state)


def test_what_was_told_once_during_a_long_outage_rings_afterwards(world: Any) -> None:
    """An hour makes a reading history; not where the platform itself held it up."""
    intake = world.intake()
    outages = Outages(intake)
    world.send(intake, lamp(NOW - 400 * MINUTE, 2.0), received=NOW)
    assert world.alarms() == []
    outages.note("database", NOW - 300 * MINUTE, NOW - MINUTE)
    outages.write()
    world.send(intake, lamp(NOW - 290 * MINUTE, 2.0), received=NOW)
    assert world.alarms() == [("lighting.lamp.fault", "lamp-1", "UNACK")]
    world.send(intake, lamp(NOW - 280 * MINUTE, 1.0), received=NOW)
    assert world.alarms() == [("lighting.lamp.fault", "lamp-1", "RTNUN")]
    world.close(intake)


def test_backlog_of_a_device_that_comes_weeks_after_an_outage_is_history(world: Any) -> None:
    """A collector that ran on knows the outage still; one that was started anew would not."""
    intake = world.intake()
    outages = Outages(intake)
    outages.note("database", NOW - 300 * MINUTE, NOW)
    world.send(intake, lamp(NOW - 290 * MINUTE, 2.0), received=NOW + timedelta(days=29))
    assert world.alarms() == []
    world.send(intake, lamp(NOW - 280 * MINUTE, 2.0), received=NOW + timedelta(hours=23))
    assert world.alarms() == [("lighting.lamp.fault", "lamp-1", "UNACK")]
    world.close(intake)


def test_collector_started_anew_in_the_midst_of_a_backlog_knows_the_outage(world: Any) -> None:
    ended = datetime.now(UTC)
    first = world.intake()
    outages = Outages(first)
    outages.note("broker", ended - 300 * MINUTE, ended)
    outages.write()
    world.close(first)
    second = world.intake()
    Outages(second).note_own()
    world.send(second, lamp(ended - 200 * MINUTE, 2.0), received=ended)
    assert world.alarms() == [("lighting.lamp.fault", "lamp-1", "UNACK")]
