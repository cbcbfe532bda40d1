"""Alarms told as stories: what the readings did, what the operator did, which state stood after each step.

One word is one step. A number is a reading, a minute after the one before; `_` is a minute without a reading; `ack`
is an acknowledgement; `<26` is a reading from half a minute before the newest, delivered late; `limit=30` changes the
rule. The expected states stand below, one for each step.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from hypervision.alarms import (
    Acknowledgement,
    Alarm,
    Delays,
    Event,
    Expiry,
    Reading,
    RuleChange,
    Transition,
    apply,
)
from hypervision.datastreams import StreamTable
from hypervision.domains import load
from hypervision.evaluation import Evaluator, delays
from hypervision.rules import Rule, RuleSet

MINUTE = 60_000_000


@dataclass
class Town:
    """One datastream under one rule."""

    rule: Rule
    alarm: Alarm = field(default_factory=Alarm)
    steps: list[Transition] = field(default_factory=list)
    now_us: int = 0
    newest: tuple[int, float] | None = None
    before: tuple[int, float] | None = None

    def __post_init__(self) -> None:
        self.streams = StreamTable(load())
        self.slot = self.streams.slot("water", "p1", "pressure")
        self.streams.extend()
        self.streams.datastream_id[self.slot] = self.streams.thing_id[self.slot] = 1
        self.use(self.rule)

    def use(self, rule: Rule) -> None:
        self.rule = rule
        self.evaluator = Evaluator(self.streams)
        self.evaluator.use_rules(RuleSet(rule.version, (rule,), ()))

    def tell(self, word: str) -> str:
        """Do one step; return the state after it."""
        if word == "ack":
            self.give(Acknowledgement(self.now_us, "operator"))
        elif word.startswith("limit="):
            self.use(replace(self.rule, limit=float(word[6:]), version=self.rule.version + 1))
            assert self.newest is not None
            if not self.read(*self.newest, self.before).violates:
                self.give(RuleChange(self.now_us))
            self.give(self.read(*self.newest, self.before))
        elif word.startswith("<"):
            self.give(self.read(self.now_us - MINUTE // 2, float(word[1:]), self.before))
        else:
            self.now_us += MINUTE
            if word == "_":
                self.give(Expiry(self.now_us))
            else:
                self.before, self.newest = self.newest, (self.now_us, float(word))
                self.give(self.read(*self.newest, self.before))
        return self.alarm.state

    def read(self, at_us: int, value: float, before: tuple[int, float] | None) -> Reading:
        if before is not None:
            self.evaluator.know(self.slot, *before)
        one, time, result = np.array([self.slot], np.int32), np.array([at_us], np.int64), np.array([value])
        violates, clears = self.evaluator.limits.judge(0, one, result, self.evaluator.rates(one, time, result))
        return Reading(at_us, bool(violates[0]), bool(clears[0]), value)

    def give(self, event: Event) -> None:
        self.alarm, steps = apply(self.alarm, event, delays(self.rule))
        self.steps += steps


def rule(kind: str, limit: float, *, deadband: float = 0, on: float = 0, off: float = 0) -> Rule:
    """A rule on pressure; delays in minutes."""
    return Rule(
        rule_id=1, code="story", version=1, domain="water", property="pressure", kind=kind, priority="high",
        limit=limit, deadband=deadband, on_delay_us=round(on * MINUTE), off_delay_us=round(off * MINUTE),
        fr="Histoire", en="Story",
    )  # fmt: skip


STORIES = {
    "a limit is crossed, acknowledged, and left": (
        rule("high", 25),
        "21   26    27    ack   27    20",
        "NORM UNACK UNACK ACKED ACKED NORM",
    ),
    "it returns before anybody looked": (
        rule("high", 25),
        "21   26    20    20    ack",
        "NORM UNACK RTNUN RTNUN NORM",
    ),
    "it comes again before anybody looked, and stays one occurrence": (
        rule("high", 25),
        "26    20    26    ack   20   26",
        "UNACK RTNUN UNACK ACKED NORM UNACK",
    ),
    "the limit itself is no violation": (
        rule("high", 25),
        "25   25   25.1",
        "NORM NORM UNACK",
    ),
    "chattering around the limit is held by the deadband": (
        rule("high", 25, deadband=5),
        "26    24    26    24    20    24    26",
        "UNACK UNACK UNACK UNACK RTNUN RTNUN UNACK",
    ),
    "a peak shorter than the on-delay rings nothing": (
        rule("high", 25, on=2.5),
        "26   21   26   26   21   26   26   26   26",
        "NORM NORM NORM NORM NORM NORM NORM NORM UNACK",
    ),
    "the on-delay ends although no reading follows": (
        rule("high", 25, on=2),
        "26   _    _     _",
        "NORM NORM UNACK UNACK",
    ),
    "the next reading proves that the delay ended before it": (
        rule("high", 25, on=0.5),
        "26   20    ack",
        "NORM RTNUN NORM",
    ),
    "a dip shorter than the off-delay does not return": (
        rule("high", 25, off=2),
        "26    20    26    20    20    20    ack",
        "UNACK UNACK UNACK UNACK UNACK RTNUN NORM",
    ),
    "the off-delay ends although no reading follows": (
        rule("high", 25, off=2),
        "26    ack   20    _     _",
        "UNACK ACKED ACKED ACKED NORM",
    ),
    "a low limit": (
        rule("low", 1.5, deadband=0.2),
        "3    1.5  1.4   1.6   1.7",
        "NORM NORM UNACK UNACK RTNUN",
    ),
    "a state equals": (
        rule("state_equals", 2),
        "0    1    2     2     1     2     ack   0",
        "NORM NORM UNACK UNACK RTNUN UNACK ACKED NORM",
    ),
    "a surge of four bar in a minute": (
        rule("rate_of_change", 240, deadband=60),
        "3    3.5  8     8     ack",
        "NORM NORM UNACK RTNUN NORM",
    ),
    "an older reading rings nothing and returns nothing": (
        rule("high", 25),
        "20   <30  20   26    <20   ack   <20",
        "NORM NORM NORM UNACK UNACK ACKED ACKED",
    ),
    "two acknowledgements are one": (
        rule("high", 25),
        "26    ack   ack   20",
        "UNACK ACKED ACKED NORM",
    ),
    "a loosened rule returns its alarm, a tightened one rings at once": (
        rule("high", 25),
        "28    limit=30 28    limit=25 ack   limit=30 ",
        "UNACK RTNUN    RTNUN UNACK    ACKED NORM",
    ),
    "a loosened rule forgets the delay under way": (
        rule("high", 25, on=2),
        "28   limit=30 _    _    _",
        "NORM NORM     NORM NORM NORM",
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_alarm_story(name: str) -> None:
    held_to, words, states = STORIES[name]
    town = Town(held_to)
    told = [town.tell(word) for word in words.split()]
    assert told == states.split()
    journal = [step.to_state for step in town.steps]
    assert [step.from_state for step in town.steps] == ["NORM", *journal][: len(journal)]
    assert ["NORM", *journal][-1] == told[-1]


def test_alarm_story_keeps_the_time_of_the_limit_and_the_first_value() -> None:
    town = Town(rule("high", 25, on=2))
    for word in ("26", "29", "31", "27"):
        town.tell(word)
    (step,) = town.steps
    assert (step.at_us, step.value, step.cause) == (3 * MINUTE, 26.0, "limit")


def test_alarm_story_of_a_return_names_its_cause() -> None:
    town = Town(rule("high", 25))
    for word in ("26", "20", "26", "limit=30", "ack"):
        town.tell(word)
    assert [step.cause for step in town.steps] == [
        "limit", "return to normal", "limit", "rule changed", "acknowledge",
    ]  # fmt: skip


def test_story_without_delays_equals_its_rule() -> None:
    assert delays(rule("high", 25, on=1, off=2)) == Delays(MINUTE, 2 * MINUTE)
