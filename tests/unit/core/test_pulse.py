"""A beat claims no more than the work did."""

from __future__ import annotations

import threading

import pytest

from hypervision.errors import TemporaryStoreError
from hypervision.pulse import EVERY, NAMED_WITHIN, PATIENCE, Heart, Pulse


class Clock:
    """Monotonic time that a test moves."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_beat_of_work_that_stands_still_grows_old_beyond_its_grace() -> None:
    clock = Clock()
    pulse = Pulse(clock=clock)
    clock.at += 4.0
    assert pulse.still() == 4.0
    assert pulse.still(grace=6.0) == 0.0
    clock.at += 5.0
    assert pulse.still(grace=6.0) == 3.0
    pulse.here()
    assert pulse.still() == 0.0


def test_rest_on_purpose_is_alive_all_the_time_and_ends_when_told() -> None:
    clock = Clock()
    pulse = Pulse(clock=clock)
    ages: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            clock.at += timeout or 0.0
            ages.append(pulse.age())
            return len(ages) > 70

    assert pulse.rest(Stop(), 60.0) is False
    assert clock.at == 160.0
    assert max(ages) <= EVERY
    assert pulse.rest(Stop(), 600.0) is True


def test_rest_of_nothing_returns_at_once() -> None:
    assert Pulse().rest(threading.Event(), 0.0) is False


def test_heart_tells_the_age_of_the_last_progress_and_outlives_a_database_that_is_away() -> None:
    clock = Clock()
    pulse = Pulse(clock=clock)
    told: list[float] = []
    twice = threading.Event()

    def beat(at: float) -> None:
        told.append(at)
        if len(told) > 1:
            twice.set()
        raise TemporaryStoreError("away")

    clock.at += 7.0
    with Heart(beat, pulse):
        assert twice.wait(5.0)
    assert told[:2] == [7.0] * 2


def test_patience_leaves_room_for_a_beat_a_look_and_the_answer() -> None:
    """A beat and a look come each second; a page on a busy machine may take three more to answer."""
    assert PATIENCE + EVERY + 1.0 + 3.0 <= NAMED_WITHIN


def test_what_ends_the_heart_is_raised_by_the_work_that_rests() -> None:
    pulse = Pulse()

    def beat(_age: float) -> None:
        raise TypeError("no JSON")

    with Heart(beat, pulse), pytest.raises(TypeError, match="no JSON"):
        assert pulse.rest(threading.Event(), 10.0) is False
