"""The alarm state machine: a pure function of a condition and an event.

States and words are those of ISA-18.2: NORM, UNACK (active, unacknowledged), ACKED (active, acknowledged),
RTNUN (returned to normal, unacknowledged). The phase says what the process does now, the state what the
operator has seen of it. What hides an alarm is an axis of its own (`hypervision.inhibition`):

====== ============== ===========================================================
from   to             on
====== ============== ===========================================================
NORM   UNACK          the limit is violated for the on-delay
UNACK  ACKED          an operator acknowledges
UNACK  RTNUN          the reading is back inside the deadband for the off-delay
ACKED  NORM           the same, after the acknowledgement
ACKED  RTNUN          the same, where the rule is latched: only a person ends its alarm
ACKED  UNACK          it stays although it was acknowledged, and is called to mind
RTNUN  NORM           an operator acknowledges
RTNUN  UNACK          the limit is violated again
====== ============== ===========================================================

All times are microseconds since the Unix epoch; delays run on phenomenon time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

from hypervision.errors import TransitionError

State = Literal["NORM", "UNACK", "ACKED", "RTNUN"]
Phase = Literal["normal", "pending", "active", "returning"]
PHASES: Final[tuple[Phase, ...]] = ("normal", "pending", "active", "returning")
LONG_AGO: Final = -(2**62)


@dataclass(frozen=True, slots=True)
class Delays:
    """On-delay and off-delay of a rule [us], and whether its alarms end by a person's acknowledgement only."""

    on_us: int = 0
    off_us: int = 0
    latched: bool = False


@dataclass(frozen=True, slots=True)
class Alarm:
    """One (rule, source): what its reading does, and what the operator has seen.

    Attributes
    ----------
    since_us : int
        When the phase began [us].
    last_us : int
        Time of the last event applied [us]; older readings change nothing.
    value : float or None
        The reading that began the violation.
    """

    phase: Phase = "normal"
    state: State = "NORM"
    since_us: int = LONG_AGO
    last_us: int = LONG_AGO
    value: float | None = None


class Reading(NamedTuple):
    """A reading as a rule sees it; inside the deadband it neither violates nor clears."""

    at_us: int
    violates: bool
    clears: bool
    value: float


class Expiry(NamedTuple):
    """Time has passed and no reading followed."""

    at_us: int


class Acknowledgement(NamedTuple):
    """An operator has seen the alarm."""

    at_us: int
    actor: str
    comment: str = ""


class RuleChange(NamedTuple):
    """The rule was removed or loosened: what stands returns."""

    at_us: int


class Reminder(NamedTuple):
    """An acknowledged alarm stays for longer than it should: it rings again."""

    at_us: int


class Corrected(NamedTuple):
    """Past readings were corrected; `stands` tells whether what they say now still holds the alarm."""

    at_us: int
    stands: bool


Event = Reading | Expiry | Acknowledgement | RuleChange | Reminder | Corrected


class Transition(NamedTuple):
    """One step of an alarm, as the journal keeps it."""

    at_us: int
    from_state: State
    to_state: State
    cause: str
    actor: str = ""
    comment: str = ""
    value: float | None = None


def apply(alarm: Alarm, event: Event, delays: Delays) -> tuple[Alarm, list[Transition]]:
    """Apply one event.

    Returns
    -------
    alarm : Alarm
        The alarm afterwards.
    transitions : list of Transition
        What the journal keeps; empty when nothing changed for the operator.

    Raises
    ------
    TransitionError
        An acknowledgement of an alarm that is not there.

    Examples
    --------
    >>> alarm, steps = apply(Alarm(), Reading(0, True, False, 7.0), Delays())
    >>> alarm.state, steps[0].cause
    ('UNACK', 'limit')
    >>> alarm, steps = apply(alarm, Acknowledgement(1, "operator"), Delays())
    >>> alarm, steps = apply(alarm, Reading(2, False, True, 1.0), Delays())
    >>> alarm.state
    'NORM'
    """
    match event:
        case Reading():
            return _reading(alarm, event, delays)
        case Expiry():
            return _expire(alarm, event.at_us, delays)
        case Acknowledgement():
            return _acknowledge(alarm, event)
        case RuleChange():
            return _without_ground(alarm, event.at_us, "rule changed")
        case Reminder():
            return _remind(alarm, event.at_us)
        case Corrected():
            return (alarm, []) if event.stands else _without_ground(alarm, event.at_us, "reading corrected")


def apply_all(alarm: Alarm, readings: Iterable[Reading], delays: Delays) -> tuple[Alarm, list[Transition]]:
    """Apply readings in their order; in a storm nearly all of them only say that things are as they were."""
    steps: list[Transition] = []
    last_us = alarm.last_us
    for reading in readings:
        if reading.at_us < last_us:
            continue
        last_us = reading.at_us
        if not _holds(alarm, reading, delays):
            alarm, more = _reading(alarm, reading, delays)
            steps += more
            last_us = max(last_us, alarm.last_us)
    return (replace(alarm, last_us=last_us) if last_us > alarm.last_us else alarm), steps


def _holds(alarm: Alarm, reading: Reading, delays: Delays) -> bool:
    """Whether a reading moves nothing but the time of the last one."""
    if alarm.phase == "pending":
        return reading.violates and reading.at_us < alarm.since_us + delays.on_us
    if alarm.phase == "active":
        return not reading.clears
    if alarm.phase == "returning":
        return reading.clears and reading.at_us < alarm.since_us + delays.off_us
    return not reading.violates


def _reading(alarm: Alarm, reading: Reading, delays: Delays) -> tuple[Alarm, list[Transition]]:
    if reading.at_us < alarm.last_us:
        return alarm, []
    # A value holds until the next reading: a delay that ended before this one has ended by itself.
    alarm, steps = _expire(alarm, reading.at_us, delays)
    alarm = replace(alarm, last_us=reading.at_us)
    at = reading.at_us
    if alarm.phase == "normal" and reading.violates:
        alarm = replace(alarm, phase="pending", since_us=at, value=reading.value)
    elif alarm.phase == "pending" and not reading.violates:
        alarm = replace(alarm, phase="normal", since_us=at, value=None)
    elif alarm.phase == "active" and reading.clears:
        alarm = replace(alarm, phase="returning", since_us=at)
    elif alarm.phase == "returning" and not reading.clears:
        alarm = replace(alarm, phase="active", since_us=at)
    alarm, more = _expire(alarm, at, delays)
    return alarm, steps + more


def _expire(alarm: Alarm, now_us: int, delays: Delays) -> tuple[Alarm, list[Transition]]:
    if alarm.phase == "pending" and now_us >= alarm.since_us + delays.on_us:
        at = alarm.since_us + delays.on_us
        step = Transition(at, alarm.state, "UNACK", "limit", value=alarm.value)
        return replace(alarm, phase="active", state="UNACK", since_us=at, last_us=max(alarm.last_us, at)), [step]
    if alarm.phase == "returning" and now_us >= alarm.since_us + delays.off_us:
        at = alarm.since_us + delays.off_us
        return _returned(alarm, at, "return to normal", latched=delays.latched)
    return alarm, []


def _returned(alarm: Alarm, at: int, cause: str, *, latched: bool = False) -> tuple[Alarm, list[Transition]]:
    to: State = "NORM" if alarm.state == "ACKED" and not latched else "RTNUN"
    step = Transition(at, alarm.state, to, cause)
    after = replace(alarm, phase="normal", state=to, since_us=at, last_us=max(alarm.last_us, at), value=None)
    return after, [step]


def _acknowledge(alarm: Alarm, event: Acknowledgement) -> tuple[Alarm, list[Transition]]:
    if alarm.state == "NORM":
        raise TransitionError("an alarm in state NORM cannot be acknowledged", remedy="there is nothing to do")
    if alarm.state == "ACKED":
        return alarm, []
    to: State = "ACKED" if alarm.state == "UNACK" else "NORM"
    step = Transition(event.at_us, alarm.state, to, "acknowledge", event.actor, event.comment)
    return replace(alarm, state=to), [step]


def _remind(alarm: Alarm, at_us: int) -> tuple[Alarm, list[Transition]]:
    if alarm.state != "ACKED":
        return alarm, []
    return replace(alarm, state="UNACK"), [Transition(at_us, "ACKED", "UNACK", "re-alarm")]


def _without_ground(alarm: Alarm, at_us: int, cause: str) -> tuple[Alarm, list[Transition]]:
    # The newest reading stays in force: a rule that is tightened again judges it anew, so `last_us` stays.
    if alarm.phase in ("active", "returning"):
        after, steps = _returned(alarm, at_us, cause)
        return replace(after, last_us=alarm.last_us), steps
    return replace(alarm, phase="normal", since_us=at_us, value=None), []
