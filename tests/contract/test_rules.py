"""Every default rule of every domain rings for what it watches, returns, and says so in both languages."""

from __future__ import annotations

import numpy as np
import pytest

from hypervision.alarms import Acknowledgement, Alarm, Expiry, Reading, Transition, apply
from hypervision.datastreams import StreamTable
from hypervision.domains import RuleTemplate, load
from hypervision.domains.catalogue import OF_A_THING
from hypervision.evaluation import Evaluator, delays
from hypervision.rules import Rule, RuleSet
from hypervision.wording import alarm_message, stale_message

RULES = [rule for domain in load().values() for rule in domain.rules]
ON_READINGS = [rule for rule in RULES if rule.kind not in OF_A_THING]
# Longer than any default delay.
STEP = 7_200_000_000


def in_force(template: RuleTemplate) -> Rule:
    return Rule(
        rule_id=7, code=template.code, version=1, domain=template.domain, property=template.property,
        kind=template.kind, priority=template.priority, limit=template.limit, deadband=template.deadband,
        on_delay_us=round(template.on_delay * 1e6), off_delay_us=round(template.off_delay * 1e6), fr=template.fr,
        en=template.en,
    )  # fmt: skip


class Process:
    """One datastream under its rule; values are told two hours apart."""

    def __init__(self, template: RuleTemplate) -> None:
        assert template.property is not None
        self.rule = in_force(template)
        self.streams = StreamTable(load())
        self.slot = self.streams.slot(template.domain, "thing", template.property)
        self.streams.extend()
        self.prop = self.streams.property_of(self.slot)
        self.evaluator = Evaluator(self.streams)
        self.evaluator.use_rules(RuleSet(1, (self.rule,), ()))
        self.alarm = Alarm()
        self.now_us = 0

    def tell(self, quantity: float) -> list[Transition]:
        """A result, or for a rate the change per hour; then time enough for every delay."""
        self.now_us += STEP
        at, one = self.now_us, np.array([self.slot], np.int32)
        result = np.array([quantity])
        violates, clears = self.evaluator.limits.judge(0, one, result, result)
        self.alarm, steps = apply(
            self.alarm, Reading(at, bool(violates[0]), bool(clears[0]), quantity), delays(self.rule)
        )
        self.alarm, more = apply(self.alarm, Expiry(at + STEP - 1), delays(self.rule))
        return steps + more

    def values(self) -> tuple[float, float, float | None]:
        """A normal result, one beyond the limit, and one inside the deadband where there is one."""
        rule, step = self.rule, max(self.rule.deadband, 1e-3)
        if rule.kind == "state_equals":
            others = [state.value for state in self.prop.states if state.value != rule.limit]
            return others[0], rule.limit, None
        inward = -step if rule.kind in ("high", "rate_of_change") else step
        inside = rule.limit + inward / 2 if rule.deadband else None
        return rule.limit + 1.5 * inward, rule.limit - inward / 2, inside


@pytest.mark.parametrize("template", ON_READINGS, ids=lambda rule: rule.code)
def test_default_rule_rings_is_held_by_its_deadband_and_returns(template: RuleTemplate) -> None:
    process = Process(template)
    normal, beyond, inside = process.values()
    assert process.tell(normal) == []
    (raised,) = process.tell(beyond)
    assert (raised.from_state, raised.to_state, raised.value) == ("NORM", "UNACK", beyond)
    assert raised.at_us == 2 * STEP + process.rule.on_delay_us
    if inside is not None:
        assert process.tell(inside) == []
    (returned,) = process.tell(normal)
    assert (returned.from_state, returned.to_state) == ("UNACK", "RTNUN")
    process.alarm, (closed,) = apply(process.alarm, Acknowledgement(process.now_us, "operator"), delays(process.rule))
    assert closed.to_state == "NORM"


@pytest.mark.parametrize("template", ON_READINGS, ids=lambda rule: rule.code)
def test_value_beyond_the_limit_is_within_what_the_property_may_have(template: RuleTemplate) -> None:
    process = Process(template)
    normal, beyond, _ = process.values()
    if template.kind == "rate_of_change":
        return
    for value in (normal, beyond):
        assert process.streams.in_range(np.array([process.slot], np.int32), np.array([value])).all()


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("template", RULES, ids=lambda rule: rule.code)
def test_default_rule_speaks_both_languages(template: RuleTemplate, language: str) -> None:
    rule = in_force(template)
    prop = None if rule.property is None else load()[rule.domain].properties[rule.property]
    said = alarm_message(rule, prop, rule.limit, rule.limit, language)
    assert said.startswith(rule.label(language))
    assert "{" not in said
    if rule.kind in OF_A_THING:
        assert stale_message(rule, 12, language).startswith(rule.label(language))
