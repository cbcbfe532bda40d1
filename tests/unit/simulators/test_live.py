import threading
from dataclasses import replace

from simulators.live import Playback, ending_now, play
from simulators.localtime import MINUTE_US, SECOND_US
from simulators.scenario import load
from simulators.simulation import Simulation

BEGIN = 1_795_000_000 * SECOND_US


class Clock(threading.Event):
    """A clock that moves only while somebody waits: a `stop` event that never comes."""

    def __init__(self, now_us):
        super().__init__()
        self.now_us = now_us

    def wait(self, timeout=None):
        self.now_us += round((timeout or 0.0) * SECOND_US)
        return self.is_set()


class Recorder:
    def __init__(self, clock):
        self.clock = clock
        self.published = []

    def publish(self, topic, payload, _stop):
        self.published.append((self.clock.now_us, topic, payload))


def dry():
    """A few devices that need no hydraulics."""
    scenario = load("tiny", anchor_us=BEGIN)
    dry_things = replace(scenario, include=("bin-10*", "lamp-01-*", "bay-gare-00*"))
    return Simulation(dry_things, origin_us=BEGIN - 3_600 * SECOND_US, horizon_us=BEGIN + 3_600 * SECOND_US)


def test_messages_leave_when_they_are_due():
    clock = Clock(BEGIN)
    recorder = Recorder(clock)
    playback = Playback(BEGIN, BEGIN, 1.0, BEGIN + 3 * MINUTE_US)
    count = play(dry(), recorder, playback, dry().scenario.live, clock_us=lambda: clock.now_us, stop=clock)
    expected = sorted(dry().messages(BEGIN, BEGIN + 3 * MINUTE_US, dry().scenario.live))
    assert count == len(expected) == len(recorder.published)
    for (at_us, topic, _), message in zip(recorder.published, expected, strict=True):
        assert topic == message.topic
        assert abs(at_us - message.sent_us) < 10_000


def test_fast_run_starts_in_the_past_and_ends_at_the_clock():
    clock = Clock(BEGIN)
    recorder = Recorder(clock)
    playback = ending_now(BEGIN, duration_us=20 * MINUTE_US, speed=40.0)
    assert playback.start_us < BEGIN
    play(dry(), recorder, playback, dry().scenario.live, clock_us=lambda: clock.now_us, stop=clock)
    assert playback.end_us == BEGIN + 30 * SECOND_US
    assert abs(clock.now_us - playback.end_us) < 2 * SECOND_US
    assert len(recorder.published) > 200


def test_run_that_is_asked_to_stop_stops():
    clock = Clock(BEGIN)
    clock.set()
    recorder = Recorder(clock)
    playback = Playback(BEGIN, BEGIN, 1.0, None)
    assert play(dry(), recorder, playback, dry().scenario.live, clock_us=lambda: clock.now_us, stop=clock) == 0


def test_run_that_was_held_up_catches_up():
    clock = Clock(BEGIN + 2 * MINUTE_US)
    recorder = Recorder(clock)
    playback = Playback(BEGIN, BEGIN, 1.0, BEGIN + 3 * MINUTE_US)
    play(dry(), recorder, playback, dry().scenario.live, clock_us=lambda: clock.now_us, stop=clock)
    assert recorder.published[0][0] == BEGIN + 2 * MINUTE_US
    assert clock.now_us < BEGIN + 3 * MINUTE_US + 40 * SECOND_US
