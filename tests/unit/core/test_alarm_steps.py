"""What every event makes of an alarm in every situation, to the last field."""

from __future__ import annotations

import pytest

from hypervision.alarms import (
    Acknowledgement,
    Alarm,
    Corrected,
    Delays,
    Event,
    Expiry,
    Reading,
    Reminder,
    RuleChange,
    Transition,
    apply,
    apply_all,
)
from hypervision.errors import TransitionError

S = 1_000_000
SLOW = Delays(10 * S, 20 * S)
LATCHED = Delays(0, 0, latched=True)
HIGH, BETWEEN, LOW = (True, False, 9.0), (False, False, 5.0), (False, True, 1.0)


def normal(at: int = 0, *, state: str = "NORM", last: int | None = None) -> Alarm:
    return Alarm("normal", state, at, at if last is None else last, None)  # type: ignore[arg-type]


# (before, event, delays, after, what the journal says)
STEPS: dict[str, tuple[Alarm, Event, Delays, Alarm, list[Transition]]] = {
    "the limit is passed, with a delay": (
        normal(), Reading(5 * S, *HIGH), SLOW, Alarm("pending", "NORM", 5 * S, 5 * S, 9.0), [],
    ),
    "the limit is passed, at once": (
        normal(), Reading(5 * S, *HIGH), Delays(), Alarm("active", "UNACK", 5 * S, 5 * S, 9.0),
        [Transition(5 * S, "NORM", "UNACK", "limit", value=9.0)],
    ),
    "inside the deadband nothing begins": (
        normal(), Reading(5 * S, *BETWEEN), Delays(), normal(0, last=5 * S), [],
    ),
    "the delay ends by itself, at its own time": (
        Alarm("pending", "NORM", 5 * S, 9 * S, 9.0), Expiry(15 * S), SLOW, Alarm("active", "UNACK", 15 * S, 15 * S, 9.0),
        [Transition(15 * S, "NORM", "UNACK", "limit", value=9.0)],
    ),
    "the delay has not ended": (
        Alarm("pending", "NORM", 5 * S, 9 * S, 9.0), Expiry(15 * S - 1), SLOW, Alarm("pending", "NORM", 5 * S, 9 * S, 9.0),
        [],
    ),
    "a later reading ends the delay first and returns then": (
        Alarm("pending", "NORM", 5 * S, 9 * S, 9.0), Reading(40 * S, *LOW), SLOW,
        Alarm("returning", "UNACK", 40 * S, 40 * S, 9.0), [Transition(15 * S, "NORM", "UNACK", "limit", value=9.0)],
    ),
    "below the limit again before the delay ends": (
        Alarm("pending", "NORM", 5 * S, 5 * S, 9.0), Reading(8 * S, *BETWEEN), SLOW, normal(8 * S), [],
    ),
    "the return begins": (
        Alarm("active", "UNACK", 5 * S, 5 * S, 9.0), Reading(8 * S, *LOW), SLOW,
        Alarm("returning", "UNACK", 8 * S, 8 * S, 9.0), [],
    ),
    "inside the deadband nothing returns": (
        Alarm("active", "UNACK", 5 * S, 5 * S, 9.0), Reading(8 * S, *BETWEEN), Delays(),
        Alarm("active", "UNACK", 5 * S, 8 * S, 9.0), [],
    ),
    "the return is broken off": (
        Alarm("returning", "ACKED", 8 * S, 8 * S, 9.0), Reading(9 * S, *BETWEEN), SLOW,
        Alarm("active", "ACKED", 9 * S, 9 * S, 9.0), [],
    ),
    "the return ends by itself": (
        Alarm("returning", "UNACK", 8 * S, 8 * S, 9.0), Expiry(28 * S), SLOW, Alarm("normal", "RTNUN", 28 * S, 28 * S, None),
        [Transition(28 * S, "UNACK", "RTNUN", "return to normal")],
    ),
    "acknowledged, it returns to normal": (
        Alarm("returning", "ACKED", 8 * S, 30 * S, 9.0), Expiry(29 * S), SLOW, Alarm("normal", "NORM", 28 * S, 30 * S, None),
        [Transition(28 * S, "ACKED", "NORM", "return to normal")],
    ),
    "a latched one stays to be acknowledged": (
        Alarm("active", "ACKED", 5 * S, 5 * S, 9.0), Reading(8 * S, *LOW), LATCHED, normal(8 * S, state="RTNUN"),
        [Transition(8 * S, "ACKED", "RTNUN", "return to normal")],
    ),
    "it rings again before it was acknowledged": (
        normal(8 * S, state="RTNUN"), Reading(9 * S, *HIGH), Delays(), Alarm("active", "UNACK", 9 * S, 9 * S, 9.0),
        [Transition(9 * S, "RTNUN", "UNACK", "limit", value=9.0)],
    ),
    "an older reading moves nothing": (
        Alarm("active", "UNACK", 5 * S, 9 * S, 9.0), Reading(8 * S, *LOW), Delays(),
        Alarm("active", "UNACK", 5 * S, 9 * S, 9.0), [],
    ),
    "acknowledged while active": (
        Alarm("active", "UNACK", 5 * S, 5 * S, 9.0), Acknowledgement(7 * S, "anne", "seen"), SLOW,
        Alarm("active", "ACKED", 5 * S, 5 * S, 9.0), [Transition(7 * S, "UNACK", "ACKED", "acknowledge", "anne", "seen")],
    ),
    "acknowledged after its return": (
        normal(8 * S, state="RTNUN"), Acknowledgement(9 * S, "anne"), SLOW, normal(8 * S),
        [Transition(9 * S, "RTNUN", "NORM", "acknowledge", "anne", "")],
    ),
    "acknowledged twice": (
        Alarm("active", "ACKED", 5 * S, 5 * S, 9.0), Acknowledgement(9 * S, "ben"), SLOW,
        Alarm("active", "ACKED", 5 * S, 5 * S, 9.0), [],
    ),
    "acknowledged and it stays: it rings again": (
        Alarm("active", "ACKED", 5 * S, 5 * S, 9.0), Reminder(99 * S), SLOW, Alarm("active", "UNACK", 5 * S, 5 * S, 9.0),
        [Transition(99 * S, "ACKED", "UNACK", "re-alarm")],
    ),
    "what rings already is not reminded of": (
        Alarm("active", "UNACK", 5 * S, 5 * S, 9.0), Reminder(99 * S), SLOW, Alarm("active", "UNACK", 5 * S, 5 * S, 9.0), [],
    ),
    "the rule is no more": (
        Alarm("active", "UNACK", 5 * S, 5 * S, 9.0), RuleChange(50 * S), SLOW, Alarm("normal", "RTNUN", 50 * S, 5 * S, None),
        [Transition(50 * S, "UNACK", "RTNUN", "rule changed")],
    ),
    "the rule is no more, while the delay ran": (
        Alarm("pending", "NORM", 5 * S, 5 * S, 9.0), RuleChange(50 * S), SLOW, Alarm("normal", "NORM", 50 * S, 5 * S, None), [],
    ),
    "the reading was wrong": (
        Alarm("active", "ACKED", 5 * S, 5 * S, 9.0), Corrected(50 * S, stands=False), LATCHED,
        Alarm("normal", "NORM", 50 * S, 5 * S, None), [Transition(50 * S, "ACKED", "NORM", "reading corrected")],
    ),
    "the reading was corrected and still is above": (
        Alarm("active", "ACKED", 5 * S, 5 * S, 9.0), Corrected(50 * S, stands=True), SLOW,
        Alarm("active", "ACKED", 5 * S, 5 * S, 9.0), [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", STEPS)
def test_event_makes_of_an_alarm_exactly_this(case: str) -> None:
    before, event, delays, after, journal = STEPS[case]
    assert apply(before, event, delays) == (after, journal)
    if isinstance(event, Reading):
        assert apply_all(before, [event], delays) == (after, journal)


def test_alarm_that_is_not_there_is_acknowledged_by_nobody_and_says_what_to_do() -> None:
    with pytest.raises(TransitionError) as refused:
        apply(Alarm(), Acknowledgement(1, "anne"), SLOW)
    assert str(refused.value) == "an alarm in state NORM cannot be acknowledged: there is nothing to do"
