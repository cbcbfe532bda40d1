"""What the time is for a process whose own clock is wrong."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from hypervision.timekeeping import Clock

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
DAY = 86_400.0


class Machine:
    """A wall clock, a steady one, and the database's."""

    def __init__(self) -> None:
        self.wall, self.running = NOW.timestamp(), 50.0
        self.clock = Clock(wall=lambda: self.wall, steady=lambda: self.running)

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.running += seconds

    def tell(self, at: datetime, *, took: float = 0.0) -> None:
        self.clock.told(at, began=self.running - took)


def test_clock_alone_and_one_that_agrees_tell_what_they_say() -> None:
    machine = Machine()
    assert machine.clock.now() == NOW
    machine.tell(NOW + timedelta(seconds=1.5))
    machine.passes(3)
    assert machine.clock.now() == NOW + timedelta(seconds=3)
    assert (machine.clock.ahead, machine.clock.jumps) == (0.0, 0)


@pytest.mark.parametrize("jump", [4 * DAY, -3 * 3600.0, 2.5, -2.5])
def test_clock_that_jumps_is_not_believed_from_its_first_moment_on(jump: float) -> None:
    machine = Machine()
    machine.tell(NOW)
    machine.passes(10)
    machine.wall += jump
    assert machine.clock.now() == NOW + timedelta(seconds=10)
    machine.passes(5)
    machine.tell(NOW + timedelta(seconds=15))
    assert machine.clock.ahead == pytest.approx(jump)
    assert machine.clock.now() == NOW + timedelta(seconds=15)
    machine.wall -= jump
    machine.tell(NOW + timedelta(seconds=15))
    assert (machine.clock.ahead, machine.clock.jumps) == (0.0, 0)


def test_clock_of_the_database_that_is_set_is_followed_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    machine = Machine()
    machine.tell(NOW)
    for _ in range(3):
        machine.tell(NOW + timedelta(days=3))
    assert machine.clock.now() == NOW + timedelta(days=3)
    assert (machine.clock.jumps, machine.clock.ahead) == (1, pytest.approx(-3 * DAY))
    machine.tell(NOW)
    assert machine.clock.jumps == 2
    assert [record.message.split(", which")[0] for record in caplog.records] == [
        "the database's clock was set by 3 days, 0:00:00",
        "the clock of this process is 3 days, 0:00:00 behind the database's",
        "the database's clock was set by -3 days, 0:00:00",
        "the clock of this process agrees with the database's again",
    ]


def test_answer_that_took_long_tells_no_time() -> None:
    machine = Machine()
    machine.tell(NOW)
    machine.tell(NOW + timedelta(hours=1), took=5.0)
    assert machine.clock.now() == NOW


def test_time_does_not_go_to_and_fro_where_a_clock_differs_by_just_so_much() -> None:
    machine = Machine()
    machine.tell(NOW)
    machine.wall += 2.0
    told = []
    for turn in range(20):
        machine.passes(1)
        machine.tell(NOW + timedelta(seconds=turn + 1 + (0.01 if turn % 2 else -0.01)))
        told.append(machine.clock.now())
    assert all(0.9 < (b - a).total_seconds() < 1.1 for a, b in pairwise(told))
    machine.wall -= 1.5
    machine.tell(NOW + timedelta(seconds=20))
    assert (machine.clock.ahead, machine.clock.now()) == (0.0, NOW + timedelta(seconds=20.5))
