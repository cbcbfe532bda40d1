"""What somebody asks for who corrects readings, and what the alarm state machine makes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from hypervision.alarms import Acknowledgement, Alarm, Corrected, Delays, Reading, apply
from hypervision.correction import Correction, check, operation_of, range_of
from hypervision.errors import SettingError

AT = datetime(2026, 11, 22, 10, tzinfo=UTC)


def asked(**given: Any) -> Correction:
    known: dict[str, Any] = {
        "reason": "why",
        "author": "Ana",
        "kind": "correct",
        "thing": "t",
        "property": "flow",
        "since": AT,
        "until": AT + timedelta(1),
    }
    return Correction(**(known | given))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"reason": "  ", "add": 1.0}, "reason is empty"),
        ({"reason": "a\0b", "add": 1.0}, "reason has 3 characters"),
        ({"author": "x" * 65, "add": 1.0}, "author has 65 characters"),
        ({"factor": 0.0}, "factor is 0.0"),
        ({"value": float("nan")}, "value is nan"),
        ({}, "one way"),
        ({"value": 1.0, "results": [(AT, 1.0)]}, "one way"),
        ({"results": []}, "0 results"),
        ({"results": [(AT, 1.0), (AT.astimezone(timezone(timedelta(hours=1))), 2.0)]}, "given twice"),
        ({"results": [(AT, float("inf"))]}, "is inf"),
        ({"add": 1.0, "until": AT}, "not after its begin"),
        ({"add": 1.0, "until": None}, "range of time is missing"),
        ({"add": 1.0, "property": ""}, "datastream is missing"),
    ],
)
def test_order_that_does_not_go_together_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        check(asked(**given))


def test_results_give_the_range_and_their_order_does_not_matter() -> None:
    later = AT + timedelta(hours=2)
    one, other = ([(AT, 1.0), (later, 2.0)], [(later, 2.0), (AT, 1.0)])
    orders = [asked(since=None, until=None, results=results) for results in (one, other)]
    assert {range_of(order) for order in orders} == {(AT, later + timedelta(microseconds=1))}
    assert operation_of(orders[0]) == operation_of(orders[1])
    assert operation_of(orders[0]) != operation_of(asked(results=[(AT, 1.0), (later, 2.5)]))
    with pytest.raises(SettingError, match="outside the range"):
        range_of(asked(until=later, results=one))


def test_alarm_without_ground_returns_whatever_the_operator_has_seen_of_it() -> None:
    raised, _ = apply(Alarm(), Reading(0, True, False, 9.0), Delays())
    seen, _ = apply(raised, Acknowledgement(1, "operator"), Delays())
    for alarm, state in ((raised, "RTNUN"), (seen, "NORM")):
        after, steps = apply(alarm, Corrected(5, stands=False), Delays(0, 60))
        assert (after.phase, after.state, [step.cause for step in steps]) == ("normal", state, ["reading corrected"])
        assert apply(alarm, Corrected(5, stands=True), Delays()) == (alarm, [])


def test_delay_that_runs_on_a_wrong_reading_ends_without_a_step() -> None:
    pending, _ = apply(Alarm(), Reading(0, True, False, 9.0), Delays(60))
    after, steps = apply(pending, Corrected(5, stands=False), Delays(60))
    assert (after.phase, steps) == ("normal", [])
