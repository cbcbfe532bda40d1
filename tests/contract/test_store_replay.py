"""Messages that are sent again, beside the timers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hypervision.batch import Batch, Draft, Receipt
from hypervision.clock import to_us
from hypervision.replay import Replayed, resend
from hypervision.scope import Scope
from hypervision.store.rejected import Chosen

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def pressure(thing: str, seconds: float, result: float) -> tuple[str, str, str, datetime, float]:
    """`water.pressure.low`: below 1.5, deadband 0.2, on-delay and off-delay 120 s."""
    return ("water", thing, "pressure", NOW + seconds * SECOND, result)


def refuse(world: Any, thing: str, payload: bytes = b'{"time": "2026-11-22T10:00:30Z", "pressure": 3.0}') -> None:
    """A message waits in the quarantine for a second try: the pressure was well again after 30 s."""
    intake, draft = world.intake(), Draft()
    message = draft.message_of(f"urban/v1/water/{thing}/up", payload, received_us=to_us(NOW + 31 * SECOND))
    draft.refuse(message, "malformed", "the decoder was wrong")
    intake.commit(draft.close(), now=NOW)


def test_replay_at_work_holds_the_delays_of_its_own_things_alone(world: Any, newest_only: None) -> None:
    refuse(world, "p1")
    world.send(world.intake("http"), pressure("p1", 0, 1.0), pressure("p2", 0, 1.0), received=NOW)
    watch, replaying = world.watch(), world.intake("replay")
    world.ticks(watch, until=NOW + SECOND)
    world.now = NOW + 200 * SECOND
    commit = replaying.commit

    def watched(batch: Batch, *, now: datetime) -> Receipt:
        world.beat()
        watch.tick(world.now)
        assert world.alarms() == [("water.pressure.low", "p2", "UNACK")]
        return commit(batch, now=now)

    replaying.commit = watched
    assert resend(replaying, Chosen(), clock=lambda: world.now) == Replayed(1, 1)
    world.ticks(watch, until=NOW + 210 * SECOND)
    # The reading that was sent again ended the delay; had it waited longer, an alarm would have rung for nothing.
    assert world.alarms() == [("water.pressure.low", "p2", "UNACK")]


def test_delay_of_a_replayed_thing_ends_when_the_replay_does(world: Any, newest_only: None) -> None:
    refuse(world, "p2")
    world.send(world.intake("http"), pressure("p1", 0, 1.0), received=NOW)
    watch, replaying = world.watch(), world.intake("replay")
    world.ticks(watch, until=NOW + SECOND)
    assert resend(replaying, Chosen(thing="p2"), clock=lambda: NOW + 199 * SECOND).messages == 1
    world.now = NOW + 199 * SECOND
    world.ticks(watch, until=NOW + 200 * SECOND)
    assert world.alarms() == [("water.pressure.low", "p1", "UNACK")]


def test_replay_that_finds_nothing_leaves_no_trace_and_no_replay_stops_silence(world: Any, newest_only: None) -> None:
    world.send(world.intake("http"), pressure("p1", 0, 3.0), received=NOW)
    refuse(world, "p2", b'{"xyz": 2}')
    watch, replaying = world.watch(), world.intake("replay")
    world.ticks(watch, until=NOW + SECOND)
    assert resend(replaying, Chosen(scope=Scope(4711)), clock=lambda: NOW) == Replayed(0, 0)
    name = "SELECT w.name FROM hv.writer_snapshot s JOIN hv.writer w USING (writer_id) WHERE w.name = 'replay'"
    assert world.rows(name) == []
    # Somebody asks again and again; each time there is something that is refused once more.
    for second in range(600, 612):
        world.now = NOW + second * SECOND
        assert resend(replaying, Chosen(), clock=lambda: world.now).messages == 1
        world.ticks(watch, until=world.now + SECOND)
    assert world.alarms() == [("water.silence", "p1", "UNACK")]
