"""Alarms after a correction: what rang by a wrong reading returns, what holds stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.contract.test_store_corrections import correct, latest, wanted

pytestmark = pytest.mark.integration


def ringing(world: Any) -> datetime:
    """A bin that is hot once, by one wrong reading."""
    intake = world.intake()
    at: datetime = world.now - timedelta(minutes=10)
    for minute, value in ((0, 20.0), (5, 21.0), (10, 90.0)):
        then = at + timedelta(minutes=minute)
        world.send(intake, ("waste", "t1", "temperature", then, value), received=then)
    assert [row[2] for row in world.alarms()] == ["UNACK"]
    world.close()
    return at + timedelta(minutes=10)


def test_alarm_of_a_reading_that_was_wrong_returns_and_is_marked(world: Any) -> None:
    at = ringing(world)
    world.now = at + timedelta(minutes=1)
    order = wanted("invalidate", property="temperature", since=at, until=at + timedelta(seconds=1))
    done = correct(world, order)
    assert done.steps == 1
    assert world.journal() == [("NORM", "UNACK", "limit"), ("UNACK", "RTNUN", "reading corrected")]
    assert world.rows("SELECT state, correction, returned_at FROM alarms") == [("RTNUN", done.correction_id, world.now)]
    assert latest(world) == (at, 90.0, "bad")
    # Neither the second look of the timers nor its restore rings again; the next reading does.
    world.ticks(world.watch(), until=world.now + timedelta(seconds=12))
    world.close()
    correct(world, wanted("restore", correction_id=done.correction_id))
    assert latest(world) == (at, 90.0, "good")
    assert world.rows("SELECT state, correction FROM alarms") == [("RTNUN", None)]
    world.ticks(world.watch(), until=world.now + timedelta(seconds=12))
    assert len(world.journal()) == 2
    world.close()
    world.send(world.intake(), ("waste", "t1", "temperature", world.now, 91.0))
    assert world.journal()[-1] == ("RTNUN", "UNACK", "limit")


def test_alarm_stands_while_its_newest_reading_holds_it(world: Any) -> None:
    at = ringing(world)
    world.send(
        world.intake(),
        ("waste", "t1", "temperature", at + timedelta(minutes=1), 92.0),
        received=at + timedelta(minutes=1),
    )
    world.now = at + timedelta(minutes=2)
    done = correct(world, wanted("invalidate", property="temperature", since=at, until=at + timedelta(seconds=1)))
    assert world.rows("SELECT state, correction FROM alarms") == [("UNACK", done.correction_id)]
    correct(
        world,
        wanted(
            "correct",
            property="temperature",
            factor=0.2,
            since=at + timedelta(minutes=1),
            until=at + timedelta(hours=1),
        ),
    )
    assert [row[2] for row in world.alarms()] == ["RTNUN"]


def test_correction_of_the_far_past_leaves_alarms_alone(world: Any) -> None:
    at = ringing(world)
    old = at - timedelta(days=40)
    world.history(world.intake(), ("waste", "t1", "temperature", old, 95.0))
    world.now = at + timedelta(minutes=1)
    correct(world, wanted("correct", property="temperature", value=12.0, since=old, until=old + timedelta(seconds=1)))
    assert world.rows("SELECT state, correction FROM alarms") == [("UNACK", None)]
    correct(world, wanted("correct", property="temperature", value=99.0, since=at - timedelta(hours=1), until=at))
    assert world.rows("SELECT state, correction FROM alarms") == [("UNACK", None)]


def test_collector_forgets_what_it_compared_a_rate_with(world: Any, several: None) -> None:
    at = world.now - timedelta(minutes=3)
    intake = world.intake()
    world.send(intake, ("water", "t1", "level", at, 4.0), received=at)
    world.send(intake, ("water", "t1", "level", at + timedelta(minutes=1), 9.0), received=at + timedelta(minutes=1))
    rates = intake.evaluator._rates
    slot = intake.streams.slot("water", "t1", "level")
    correct(world, wanted("invalidate", property="level", since=at + timedelta(seconds=30), until=world.now))
    intake.transact(lambda _writer, _stepper: ([], 0))
    assert rates.last[slot] != 9.0
