"""Limits as arrays: every kind of rule, overrides of single Things, deadband, rate."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hypervision.datastreams import StreamTable
from hypervision.rules import LimitArrays, Override, Rule, RuleSet

Judge = Callable[..., str]


@pytest.fixture
def judge(streams: StreamTable, rule_set: Callable[..., RuleSet]) -> Judge:
    """What each result on a slot is: V violates, C clears, - neither."""

    def run(
        rule: Rule, *results: float, overrides: tuple[Override, ...] = (), slot: int = 0, rate: float = np.nan
    ) -> str:
        limits = LimitArrays(rule_set(rule, overrides=overrides), streams)
        slots = np.full(len(results), slot, np.int32)
        violates, clears = limits.judge(0, slots, np.array(results), np.full(len(results), rate))
        assert not (violates & clears).any()
        return "".join("V" if v else "C" if c else "-" for v, c in zip(violates, clears, strict=True))

    return run


@pytest.mark.parametrize(
    ("kind", "limit", "deadband", "results", "expected"),
    [
        ("high", 25.0, 0.0, (24.9, 25.0, 25.1), "CCV"),
        ("high", 25.0, 5.0, (19.9, 20.0, 20.1, 25.0, 25.1), "CC--V"),
        ("low", 10.0, 0.0, (9.9, 10.0, 10.1), "VCC"),
        ("low", 10.0, 2.0, (9.9, 10.0, 11.9, 12.0), "V--C"),
        ("state_equals", 2.0, 0.0, (0.0, 1.0, 2.0, 3.0), "CCVC"),
        ("high", -5.0, 1.0, (-6.0, -5.5, -4.0), "C-V"),
    ],
)
def test_judge_by_kind(  # noqa: PLR0917
    judge: Judge, make_rule: Callable[..., Rule], kind: str, limit: float, deadband: float,
    results: tuple[float, ...], expected: str,
) -> None:  # fmt: skip
    assert judge(make_rule(kind, limit, deadband=deadband), *results) == expected


def test_judge_nan_is_neither(judge: Judge, make_rule: Callable[..., Rule]) -> None:
    for kind in ("high", "low", "state_equals", "rate_of_change"):
        assert judge(make_rule(kind, 1.0), np.nan) == "-"


def test_judge_rate_looks_at_the_rate_and_not_at_the_result(judge: Judge, make_rule: Callable[..., Rule]) -> None:
    rule = make_rule("rate_of_change", 100.0, deadband=20.0)
    assert judge(rule, 9999.0, rate=50.0) == "C"
    assert judge(rule, 0.0, rate=90.0) == "-"
    assert judge(rule, 0.0, rate=101.0) == "V"
    assert judge(rule, 9999.0, rate=np.nan) == "-"


def test_override_moves_the_limit_of_one_thing_only(judge: Judge, make_rule: Callable[..., Rule]) -> None:
    override = (Override(1, 12, 40.0, None, enabled=True),)
    rule = make_rule("high", 25.0, deadband=5.0)
    assert judge(rule, 30.0, overrides=override, slot=0) == "V"
    assert judge(rule, 30.0, 36.0, 41.0, overrides=override, slot=1) == "C-V"
    assert judge(rule, 30.0, overrides=override, slot=2) == "V"


def test_override_of_the_deadband_alone_keeps_the_limit(judge: Judge, make_rule: Callable[..., Rule]) -> None:
    override = (Override(1, 12, None, 1.0, enabled=True),)
    assert judge(make_rule("high", 25.0, deadband=10.0), 24.0, 24.5, 25.1, overrides=override, slot=1) == "C-V"


def test_override_switches_a_rule_off_for_one_thing(judge: Judge, make_rule: Callable[..., Rule]) -> None:
    override = (Override(1, 12, 30.0, None, enabled=False),)
    assert judge(make_rule("high", 25.0), 99.0, overrides=override, slot=1) == "C"
    assert judge(make_rule("high", 25.0), 99.0, overrides=override, slot=0) == "V"


def test_override_cannot_switch_on_a_rule_that_is_off(judge: Judge, make_rule: Callable[..., Rule]) -> None:
    override = (Override(1, 12, 30.0, None, enabled=True),)
    assert judge(make_rule("high", 25.0, enabled=False), 99.0, overrides=override, slot=1) == "C"


def test_override_of_an_unknown_rule_is_ignored(judge: Judge, make_rule: Callable[..., Rule]) -> None:
    assert judge(make_rule("high", 25.0), 30.0, overrides=(Override(77, 11, 99.0, None, enabled=True),)) == "V"


def test_layers_hold_several_rules_of_one_property(
    streams: StreamTable, make_rule: Callable[..., Rule], rule_set: Callable[..., RuleSet]
) -> None:
    low, high = make_rule("low", 5.0, rule_id=7), make_rule("high", 25.0, rule_id=8)
    fault = make_rule("state_equals", 2.0, rule_id=9, property="fan")
    limits = LimitArrays(rule_set(low, high, fault), streams)
    slots = np.array([0, 3], np.int32)
    assert limits.layers == 2
    assert [limits.rule_ids(layer, slots).tolist() for layer in range(2)] == [[7, 9], [8, 0]]
    assert [limits.limit(0, 0), limits.limit(1, 0), limits.limit(0, 3)] == [5.0, 25.0, 2.0]
    violates, clears = limits.judge(1, slots, np.array([1.0, 2.0]), np.full(2, np.nan))
    assert violates.tolist() == [False, False]
    assert clears.tolist() == [True, True]


def test_limits_of_no_rules_have_no_layers(streams: StreamTable, rule_set: Callable[..., RuleSet]) -> None:
    limits = LimitArrays(rule_set(), streams)
    assert limits.layers == 0
    assert limits.asks_rate(np.arange(4, dtype=np.int32)).tolist() == [False] * 4


def test_silence_has_no_limit_on_readings(
    streams: StreamTable, make_rule: Callable[..., Rule], rule_set: Callable[..., RuleSet]
) -> None:
    assert LimitArrays(rule_set(make_rule("silence", 2.0)), streams).layers == 0


def test_rate_slots_are_those_with_a_rate_rule(
    streams: StreamTable, make_rule: Callable[..., Rule], rule_set: Callable[..., RuleSet]
) -> None:
    limits = LimitArrays(rule_set(make_rule("rate_of_change", 5.0)), streams)
    assert limits.asks_rate(np.arange(4, dtype=np.int32)).tolist() == [True, True, True, False]


def test_for_thing_merges_override_and_rule(make_rule: Callable[..., Rule], rule_set: Callable[..., RuleSet]) -> None:
    rule = make_rule("high", 25.0, deadband=5.0)
    rules = rule_set(
        rule, overrides=[Override(1, 12, 40.0, None, enabled=True), Override(1, 13, None, 1.0, enabled=False)]
    )
    assert rules.for_thing(rule, 11) == (25.0, 5.0, True)
    assert rules.for_thing(rule, 12) == (40.0, 5.0, True)
    assert rules.for_thing(rule, 13) == (25.0, 1.0, False)


def test_label_by_language(make_rule: Callable[..., Rule]) -> None:
    assert (make_rule().label("fr"), make_rule().label("en")) == ("Air pollué", "Polluted air")
