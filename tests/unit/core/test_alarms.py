"""The alarm state machine by its table and by properties that hold for every sequence of events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervision.alarms import (
    Acknowledgement,
    Alarm,
    Delays,
    Event,
    Expiry,
    Reading,
    Reminder,
    RuleChange,
    State,
    Transition,
    apply,
    apply_all,
)
from hypervision.errors import TransitionError

SECOND = 1_000_000
# What the module's table promises, and nothing else.
TABLE = {
    ("NORM", "UNACK"), ("UNACK", "ACKED"), ("UNACK", "RTNUN"), ("ACKED", "NORM"), ("RTNUN", "NORM"),
    ("RTNUN", "UNACK"), ("ACKED", "UNACK"), ("ACKED", "RTNUN"),
}  # fmt: skip
QUIET = ("normal", "pending")
LOUD = ("active", "returning")

seconds = st.integers(0, 5).map(lambda n: n * SECOND)
delays = st.builds(Delays, seconds, seconds, st.booleans())
# Above the limit, inside the deadband, clear of it.
grades = st.sampled_from([(True, False), (False, False), (False, True)])


@st.composite
def readings(draw: st.DrawFn, *, most: int = 30) -> list[Reading]:
    at, found = 0, []
    for gap in draw(st.lists(st.integers(1, 4), min_size=1, max_size=most)):
        at += gap * SECOND
        violates, clears = draw(grades)
        found.append(Reading(at, violates, clears, float(draw(st.integers(0, 9)))))
    return found


@st.composite
def events(draw: st.DrawFn) -> list[Event]:
    """Any events at any times, older ones and impossible acknowledgements among them."""
    found: list[Event] = []
    for at in draw(st.lists(st.integers(0, 40), max_size=40)):
        at_us = at * SECOND
        kind = draw(st.sampled_from("rrrreacm"))
        if kind == "r":
            violates, clears = draw(grades)
            found.append(Reading(at_us, violates, clears, 1.0))
        elif kind == "e":
            found.append(Expiry(at_us))
        elif kind == "a":
            found.append(Acknowledgement(at_us, "operator"))
        elif kind == "m":
            found.append(Reminder(at_us))
        else:
            found.append(RuleChange(at_us))
    return found


def walk(found: Iterable[Event], timing: Delays, alarm: Alarm | None = None) -> tuple[Alarm, list[Transition]]:
    alarm = Alarm() if alarm is None else alarm
    steps: list[Transition] = []
    for event in found:
        try:
            alarm, more = apply(alarm, event, timing)
        except TransitionError:
            assert isinstance(event, Acknowledgement)
            assert alarm.state == "NORM"
            continue
        steps += more
    return alarm, steps


@given(events(), delays)
def test_alarm_in_any_sequence_stays_in_the_table(found: list[Event], timing: Delays) -> None:
    alarm, state = Alarm(), "NORM"
    for event in found:
        try:
            alarm, steps = apply(alarm, event, timing)
        except TransitionError:
            continue
        for step in steps:
            assert step.from_state == state
            assert (step.from_state, step.to_state) in TABLE
            state = step.to_state
        assert alarm.state == state
        assert alarm.state in (("NORM", "RTNUN") if alarm.phase in QUIET else ("UNACK", "ACKED"))


@given(events(), readings(), delays, st.integers(0, 40))
def test_readings_together_are_readings_one_by_one(
    before: list[Event], found: list[Reading], timing: Delays, earlier: int
) -> None:
    alarm, _ = walk(before, timing)
    shifted = [reading._replace(at_us=reading.at_us + (20 - earlier) * SECOND) for reading in found]
    assert apply_all(alarm, shifted, timing) == walk(shifted, timing, alarm)


@given(events(), delays)
def test_acknowledgement_twice_is_once(found: list[Event], timing: Delays) -> None:
    alarm, _ = walk(found, timing)
    if alarm.state == "NORM":
        with pytest.raises(TransitionError):
            apply(alarm, Acknowledgement(99, "operator"), timing)
        return
    once, steps = apply(alarm, Acknowledgement(99, "operator"), timing)
    assert len(steps) == (0 if alarm.state == "ACKED" else 1)
    if once.state == "ACKED":
        assert apply(once, Acknowledgement(100, "another"), timing) == (once, [])


@given(events(), delays, st.integers(0, 40))
def test_replay_of_a_prefix_and_the_rest_equals_the_whole(found: list[Event], timing: Delays, cut: int) -> None:
    whole, steps = walk(found, timing)
    first, before = walk(found[:cut], timing)
    # As the store keeps it: nothing but these five fields comes back after a restart.
    kept = Alarm(first.phase, first.state, first.since_us, first.last_us, first.value)
    rest, after = walk(found[cut:], timing, kept)
    assert (rest, before + after) == (whole, steps)


@given(readings(), delays)
def test_reading_twice_is_once(found: list[Reading], timing: Delays) -> None:
    doubled = [event for reading in found for event in (reading, reading)]
    assert walk(doubled, timing) == walk(found, timing)


@given(events(), delays, grades, st.integers(1, 1000))
def test_older_reading_changes_nothing(
    found: list[Event], timing: Delays, grade: tuple[bool, bool], before: int
) -> None:
    alarm, _ = walk(found, timing)
    older = Reading(alarm.last_us - before, *grade, 9.0)
    assert apply(alarm, older, timing) == (alarm, [])


@given(readings(), delays, st.data())
def test_expiry_by_time_equals_expiry_by_the_next_reading(
    found: list[Reading], timing: Delays, data: st.DataObject
) -> None:
    mixed: list[Event] = []
    for reading, following in zip(found, [*found[1:], None], strict=True):
        mixed.append(reading)
        end = reading.at_us + 20 * SECOND if following is None else following.at_us
        mixed += [Expiry(at) for at in sorted(data.draw(st.lists(st.integers(reading.at_us, end), max_size=3)))]
    last = found[-1].at_us + 20 * SECOND
    assert walk([*mixed, Expiry(last)], timing) == walk([*found, Expiry(last)], timing)


@given(readings(), delays)
def test_alarm_raised_only_after_a_violation_that_lasted_the_on_delay(found: list[Reading], timing: Delays) -> None:
    _, steps = walk(found, timing)
    for step in steps:
        if step.to_state != "UNACK":
            continue
        since = step.at_us - timing.on_us
        during = [reading for reading in found if since <= reading.at_us < step.at_us or reading.at_us == since]
        assert during[0].at_us == since
        assert all(reading.violates for reading in during)
        assert step.value == during[0].value


@given(readings(), delays)
def test_alarm_returned_only_after_the_off_delay_without_an_unclear_reading(
    found: list[Reading], timing: Delays
) -> None:
    _, steps = walk(found, timing)
    for step in steps:
        if step.cause != "return to normal":
            continue
        since = step.at_us - timing.off_us
        during = [reading for reading in found if since <= reading.at_us < step.at_us or reading.at_us == since]
        assert during[0].at_us == since
        assert all(reading.clears for reading in during)


@given(readings(), delays)
def test_transitions_stand_in_order_of_time(found: list[Reading], timing: Delays) -> None:
    _, steps = walk(found, timing)
    assert [step.at_us for step in steps] == sorted(step.at_us for step in steps)


def test_acknowledgement_of_a_normal_alarm_raises_with_its_state() -> None:
    with pytest.raises(TransitionError, match="NORM cannot be acknowledged"):
        apply(Alarm(), Acknowledgement(0, "operator"), Delays())


def test_acknowledgement_keeps_actor_and_comment() -> None:
    alarm, _ = apply(Alarm(), Reading(0, True, False, 7.0), Delays())
    alarm, steps = apply(alarm, Acknowledgement(5, "operator", "crew on its way"), Delays())
    assert steps == [Transition(5, "UNACK", "ACKED", "acknowledge", "operator", "crew on its way")]
    assert alarm.phase == "active"


@pytest.mark.parametrize(("acknowledged", "to"), [(False, "RTNUN"), (True, "NORM")])
def test_rule_change_returns_what_stands(acknowledged: bool, to: State) -> None:
    alarm, _ = apply(Alarm(), Reading(0, True, False, 7.0), Delays())
    if acknowledged:
        alarm, _ = apply(alarm, Acknowledgement(1, "operator"), Delays())
    alarm, steps = apply(alarm, RuleChange(9), Delays())
    assert [(step.to_state, step.cause) for step in steps] == [(to, "rule changed")]
    assert alarm.phase == "normal"


def test_rule_change_forgets_a_delay_under_way() -> None:
    alarm, _ = apply(Alarm(), Reading(0, True, False, 7.0), Delays(on_us=60))
    alarm, steps = apply(alarm, RuleChange(9), Delays(on_us=60))
    assert (alarm.phase, steps) == ("normal", [])
    assert apply(alarm, Expiry(1000), Delays(on_us=60)) == (alarm, [])


def test_reading_before_a_rule_change_still_counts_under_the_new_rule() -> None:
    # A rule is loosened and tightened again while no reading follows: the newest value is judged anew.
    alarm, _ = apply(Alarm(), Reading(10, True, False, 7.0), Delays())
    alarm, _ = apply(alarm, RuleChange(20), Delays())
    alarm, steps = apply(alarm, Reading(10, True, False, 7.0), Delays())
    assert alarm.state == "UNACK"
    assert [step.from_state for step in steps] == ["RTNUN"]


def test_reminder_rings_an_acknowledged_alarm_again_and_nothing_else() -> None:
    alarm, _ = apply(Alarm(), Reading(0, True, False, 7.0), Delays())
    assert apply(alarm, Reminder(1), Delays()) == (alarm, [])
    alarm, _ = apply(alarm, Acknowledgement(2, "operator"), Delays())
    again, steps = apply(alarm, Reminder(3), Delays())
    assert steps == [Transition(3, "ACKED", "UNACK", "re-alarm")]
    assert (again.phase, again.since_us, again.last_us) == (alarm.phase, alarm.since_us, alarm.last_us)
    assert apply(Alarm(), Reminder(4), Delays()) == (Alarm(), [])


@given(events(), delays)
def test_latched_alarm_ends_by_a_person_or_with_its_rule_only(found: list[Event], timing: Delays) -> None:
    _, steps = walk(found, replace(timing, latched=True))
    assert {step.cause for step in steps if step.to_state == "NORM"} <= {"acknowledge", "rule changed"}


def test_latched_alarm_that_was_acknowledged_waits_after_its_return() -> None:
    timing = Delays(latched=True)
    alarm, _ = apply(Alarm(), Reading(0, True, False, 7.0), timing)
    alarm, _ = apply(alarm, Acknowledgement(1, "operator"), timing)
    alarm, steps = apply(alarm, Reading(2, False, True, 1.0), timing)
    assert [(step.from_state, step.to_state, step.cause) for step in steps] == [("ACKED", "RTNUN", "return to normal")]
    alarm, steps = apply(alarm, Acknowledgement(3, "operator"), timing)
    assert alarm.state == "NORM"
