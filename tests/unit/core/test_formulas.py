"""Formulas: what is understood, what is refused with its place, and results in columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hypervision.domains import load
from hypervision.errors import RuleError
from hypervision.formulas import Formula, Leaf, Values, read_formula, told

FLOW, PRESSURE, FILL = {"of": "flow"}, {"of": "pressure"}, {"of": "valve_position"}


def op(name: str, *args: Any) -> dict[str, Any]:
    return {"op": name, "args": list(args)}


def formula(expression: Any, unit: str = "bar") -> Formula:
    return read_formula({"expression": expression, "unit": unit}, domain="water", catalogue=load())


def values(*results: float) -> Values:
    return Values(np.array(results), np.arange(len(results), dtype=np.int64))


def test_deviation_from_a_neighbour_is_computed_for_all_things_at_once() -> None:
    whole = {"of": "pressure", "neighbour": "parent"}
    made = formula(op("abs", op("-", PRESSURE, whole)))
    assert made.leaves() == [Leaf("pressure", "own"), Leaf("pressure", "parent")]
    given = {Leaf("pressure", "own"): values(3.0, 4.0, np.nan),
             Leaf("pressure", "parent"): Values(np.array([5.0, np.nan, 1.0]), np.array([9, 0, 0]))}  # fmt: skip
    found = made.evaluate(given)
    assert found.result[0] == 2.0
    assert np.isnan(found.result[1:]).all()
    assert found.time_us.tolist() == [9, 1, 2]


@pytest.mark.parametrize(
    ("expression", "unit", "result"),
    [
        (op("+", PRESSURE, {"value": 50, "unit": "kPa"}), "bar", 3.5),
        (op("min", PRESSURE, {"value": 200, "unit": "kPa"}), "bar", 2.0),
        (op("max", PRESSURE, {"value": 200, "unit": "kPa"}, PRESSURE), "kPa", 300.0),
        (op("/", PRESSURE, {"value": 150, "unit": "kPa"}), "1", 2.0),
        (op("*", 2, PRESSURE), "bar", 6.0),
        (op("/", PRESSURE, 2), "bar", 1.5),
        (op("-", op("*", PRESSURE, 4), PRESSURE), "bar", 9.0),
        (op("/", FLOW, FLOW), "%", 100.0),
        (op("*", PRESSURE, {"value": 10, "unit": "m3/h"}), "kW", 0.8333333333333334),
    ],
)
def test_units_are_brought_together(expression: Any, unit: str, result: float) -> None:
    made = formula(expression, unit)
    found = made.evaluate({leaf: values(3.0) for leaf in made.leaves()})
    assert found.result.tolist() == pytest.approx([result])


def test_division_by_zero_tells_nothing() -> None:
    made = formula(op("/", FLOW, op("-", FLOW, FLOW)), "1")
    assert np.isnan(made.evaluate({Leaf("flow", "own"): values(3.0, 0.0)}).result).all()


def deep(n: int) -> Any:
    node: Any = PRESSURE
    for _ in range(n):
        node = op("abs", node)
    return node


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ("pressure > 3", "formula"),
        ({"expression": PRESSURE}, "formula"),
        ({"expression": PRESSURE, "unit": "parsnip"}, "formula.unit"),
        ({"expression": PRESSURE, "unit": "m3/h"}, "formula.unit"),
        ({"expression": 3, "unit": "1"}, "formula.expression"),
        ({"expression": "__import__('os')", "unit": "1"}, "formula.expression"),
        ({"expression": True, "unit": "1"}, "formula.expression"),
        ({"expression": {"of": "depth"}, "unit": "bar"}, "formula.expression.of"),
        ({"expression": {"of": ["flow"]}, "unit": "bar"}, "formula.expression.of"),
        ({"expression": {"of": "flow", "neighbour": "aunt"}, "unit": "bar"}, "formula.expression.neighbour"),
        ({"expression": {"of": "flow", "thing": 7}, "unit": "bar"}, "formula.expression.thing"),
        ({"expression": op("+", FLOW, PRESSURE), "unit": "bar"}, "formula.expression.args.1"),
        ({"expression": op("+", PRESSURE, 3), "unit": "bar"}, "formula.expression.args.1"),
        ({"expression": op("**", PRESSURE, PRESSURE), "unit": "bar"}, "formula.expression.op"),
        ({"expression": op("+", PRESSURE), "unit": "bar"}, "formula.expression.args"),
        ({"expression": op("abs", PRESSURE, PRESSURE), "unit": "bar"}, "formula.expression.args"),
        ({"expression": {"value": "3", "unit": "bar"}, "unit": "bar"}, "formula.expression.value"),
        ({"expression": {"value": 3, "unit": "parsnip"}, "unit": "bar"}, "formula.expression.unit"),
        ({"expression": op("*", *[PRESSURE] * 70), "unit": "bar"}, "formula.expression.args.59"),
        ({"expression": deep(20), "unit": "bar"}, f"formula.expression{'.args.0' * 12}"),
        ({"expression": 1e31, "unit": "1"}, "formula.expression"),
        ({"expression": float("nan"), "unit": "1"}, "formula.expression"),
    ],
)
def test_wrong_formula_is_refused_with_its_place(given: object, field: str) -> None:
    with pytest.raises(RuleError) as caught:
        read_formula(given, domain="water", catalogue=load())
    assert caught.value.field == field


def test_formula_is_told_as_people_write_it() -> None:
    assert told(op("*", 2, op("-", PRESSURE, {"of": "pressure", "thing": "p-2"}))) == "2 * (pressure - p-2.pressure)"
    assert told(op("max", FLOW, {"value": 3, "unit": "m3/h"})) == "max(flow, 3 m3/h)"
