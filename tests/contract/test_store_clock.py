"""The platform's own clock jumps: no reading is lost or doubled, none rings twice, and all is well when it is right again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


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
