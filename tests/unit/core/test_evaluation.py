"""Which readings of a batch reach the alarm state machine; the phases are a cache that must follow."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hypervision.datastreams import StreamTable
from hypervision.evaluation import Evaluator, delays
from hypervision.rules import Rule, RuleSet

A, B, C, FAN = range(4)
HOUR = 3_600_000_000


@pytest.fixture
def evaluator(streams: StreamTable, make_rule: Callable[..., Rule], rule_set: Callable[..., RuleSet]) -> Evaluator:
    found = Evaluator(streams)
    found.use_rules(rule_set(make_rule("high", 25.0, deadband=5.0)))
    return found


def touched(
    evaluator: Evaluator, *rows: tuple[int, float], use: list[bool] | None = None
) -> list[tuple[int, int, int]]:
    slot = np.array([row[0] for row in rows], np.int32)
    result = np.array([row[1] for row in rows], np.float64)
    used = np.array([True] * len(rows) if use is None else use, np.bool_)
    found = evaluator.touched(slot, np.arange(len(rows)), result, np.full(len(rows), np.nan), used)
    return [(one.slot, one.first, one.last) for one in found]


def test_touched_leaves_out_what_is_normal(evaluator: Evaluator) -> None:
    assert touched(evaluator, (A, 1.0), (A, 25.0), (B, 19.0)) == []


def test_touched_begins_at_the_first_crossing_and_takes_the_rest(evaluator: Evaluator) -> None:
    assert touched(evaluator, (A, 1.0), (A, 30.0), (A, 1.0), (B, 1.0), (C, 26.0)) == [(A, 1, 3), (C, 4, 5)]


def test_touched_when_active_takes_only_what_clears(evaluator: Evaluator) -> None:
    evaluator.note(101, 1, "active")
    assert touched(evaluator, (A, 30.0), (A, 22.0)) == []
    assert touched(evaluator, (A, 30.0), (A, 20.0), (A, 30.0)) == [(A, 1, 3)]


@pytest.mark.parametrize("phase", ["pending", "returning"])
def test_touched_when_a_delay_runs_takes_everything(evaluator: Evaluator, phase: str) -> None:
    evaluator.note(101, 1, phase)
    assert touched(evaluator, (A, 1.0)) == [(A, 0, 1)]
    assert touched(evaluator, (A, 30.0)) == [(A, 0, 1)]


def test_touched_without_use_is_nothing(evaluator: Evaluator) -> None:
    assert touched(evaluator, (A, 30.0), (B, 30.0), use=[False, True]) == [(B, 1, 2)]


def test_note_back_to_normal_forgets(evaluator: Evaluator) -> None:
    evaluator.note(101, 1, "active")
    evaluator.note(101, 1, "normal")
    assert touched(evaluator, (A, 1.0)) == []
    assert touched(evaluator, (A, 30.0)) == [(A, 0, 1)]


def test_phases_survive_a_new_version_of_the_rules(
    evaluator: Evaluator, make_rule: Callable[..., Rule], rule_set: Callable[..., RuleSet]
) -> None:
    evaluator.note(102, 1, "active")
    evaluator.use_rules(rule_set(make_rule("low", -5.0, rule_id=9), make_rule("high", 25.0), version=2))
    assert touched(evaluator, (B, 1.0)) == [(B, 0, 1)]


def test_phases_survive_a_table_that_grew(evaluator: Evaluator, streams: StreamTable) -> None:
    evaluator.note(102, 1, "active")
    slot = streams.slot("air", "new", "pm25")
    streams.extend()
    streams.datastream_id[slot] = 104
    evaluator.refresh()
    assert touched(evaluator, (B, 1.0), (slot, 30.0)) == [(B, 0, 1), (slot, 1, 2)]


def test_busy_conditions_of_datastreams_not_seen_yet_wait_for_them(evaluator: Evaluator, streams: StreamTable) -> None:
    evaluator.use_busy({(104, 1): "active", (101, 1): "active"})
    slot = streams.slot("air", "new", "pm25")
    streams.extend()
    streams.datastream_id[slot] = 104
    evaluator.refresh()
    assert touched(evaluator, (A, 1.0), (slot, 1.0)) == [(A, 0, 1), (slot, 1, 2)]


def test_use_busy_replaces_what_was_known(evaluator: Evaluator) -> None:
    evaluator.note(101, 1, "active")
    evaluator.use_busy({(102, 1): "active"})
    assert touched(evaluator, (A, 1.0), (B, 1.0)) == [(B, 1, 2)]


def test_note_of_a_rule_that_is_gone_changes_nothing(evaluator: Evaluator) -> None:
    evaluator.note(101, 77, "active")
    assert touched(evaluator, (A, 1.0)) == []


@pytest.fixture
def by_rate(evaluator: Evaluator, make_rule: Callable[..., Rule], rule_set: Callable[..., RuleSet]) -> Evaluator:
    evaluator.use_rules(rule_set(make_rule("rate_of_change", 10.0)))
    return evaluator


def rates(evaluator: Evaluator, *rows: tuple[int, float, float]) -> list[float]:
    """Of (slot, hours, result)."""
    found: list[float] = evaluator.rates(
        np.array([row[0] for row in rows], np.int32),
        np.array([round(row[1] * HOUR) for row in rows], np.int64),
        np.array([row[2] for row in rows], np.float64),
    ).tolist()
    return found


def test_rates_against_the_reading_before_and_the_newest_known(by_rate: Evaluator) -> None:
    by_rate.know(A, 1 * HOUR, 10.0)
    found = rates(by_rate, (A, 2, 4.0), (A, 2.5, 5.0), (B, 3, 7.0), (B, 5, 1.0))
    assert found[:2] == [6.0, 2.0]
    assert np.isnan(found[2])
    assert found[3] == 3.0


def test_rates_of_an_older_reading_are_unknown(by_rate: Evaluator) -> None:
    by_rate.know(A, 3 * HOUR, 10.0)
    assert np.isnan(rates(by_rate, (A, 2, 4.0), (A, 3, 4.0))[0])


def test_rates_without_a_rate_rule_are_not_computed(evaluator: Evaluator) -> None:
    assert np.isnan(rates(evaluator, (A, 1, 1.0), (A, 2, 5.0))).all()


def test_readings_of_an_unknown_rate_tell_nothing(by_rate: Evaluator) -> None:
    def of(rate: float) -> int:
        one = np.array([A], np.int32)
        return len(
            by_rate.readings(
                0, slot=one, time_us=np.array([1], np.int64), result=np.array([5.0]), rate=np.array([rate]),
                use=np.ones(1, np.bool_),
            )
        )  # fmt: skip

    assert (of(3.0), of(np.nan)) == (1, 0)


def test_violating_names_row_and_rule(evaluator: Evaluator) -> None:
    slot = np.array([A, B, FAN], np.int32)
    found = evaluator.violating(slot, np.zeros(3, np.int64), np.full(3, 30.0), np.array([False, True, True]))
    assert [(row, rule.rule_id) for row, rule in found] == [(1, 1)]


def test_delays_are_the_rules(make_rule: Callable[..., Rule]) -> None:
    found = delays(make_rule(on_delay_us=5, off_delay_us=7))
    assert (found.on_us, found.off_us) == (5, 7)
