"""Formulas of rules, as data: sums, products, the least and the greatest of readings, checked by their units.

A formula is a JSON value:

========================================== ==================================================================
`3.5`                                      a number without a unit
`{"value": 3, "unit": "m3/h"}`             a number with its UCUM unit
`{"of": "pressure"}`                       the newest reading of the Thing itself
`{"of": "pressure", "thing": "water-002"}` that of another Thing
`{"of": "flow", "neighbour": "parent"}`    that of the Thing it is a part of
`{"of": "flow", "neighbour": "siblings"}`  the median of the other parts of the same Thing
`{"op": "-", "args": [a, b]}`              `+ - * / min max` of two and more, `abs` of one
========================================== ==================================================================

Nothing is ever evaluated as code: whatever is not in this table is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final, NamedTuple

import numpy as np

from hypervision.batch import Float64, Int64
from hypervision.domains import Catalogue
from hypervision.errors import RuleError
from hypervision.units import conversion

OPERATIONS: Final = ("+", "-", "*", "/", "min", "max", "abs")
NEIGHBOURS: Final = ("parent", "siblings")
_DEEPEST: Final = 12
_MOST: Final = 60
_WORDS: Final[Mapping[str, Callable[[Float64, Float64], Float64]]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "min": np.minimum, "max": np.maximum,
}  # fmt: skip


class Leaf(NamedTuple):
    """A reading that a formula asks for.

    Attributes
    ----------
    whose : str
        `own`, `parent`, `siblings`, or `thing` with its `code`.
    """

    property: str
    whose: str
    code: str = ""


class Values(NamedTuple):
    """Newest readings for n Things, shape (n,) each; NaN where there is none.

    Attributes
    ----------
    time_us : ndarray of int64
        When they were true [us].
    """

    result: Float64
    time_us: Int64


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that was understood.

    Attributes
    ----------
    tree : object
        As it stands in the rule.
    unit : str
        UCUM unit of its results.
    """

    tree: Any
    unit: str
    domain: str
    _catalogue: Catalogue

    def leaves(self) -> list[Leaf]:
        """The readings that it asks for, each once."""
        return list(dict.fromkeys(_leaves(self.tree)))

    def evaluate(self, values: Mapping[Leaf, Values]) -> Values:
        """Its results for n Things, with the time of the newest reading that each is made of.

        Parameters
        ----------
        values : mapping of Leaf to Values
            For every one of `leaves`.

        Notes
        -----
        A result that is not finite (a division by zero) is NaN: it tells nothing.
        """
        with np.errstate(all="ignore"):
            result, unit = _result(self.tree, values, self)
            factor = conversion(unit, self.unit)
            result = result * factor.factor + factor.offset
        result = np.where(np.isfinite(result), result, np.nan)
        times = [values[leaf].time_us for leaf in self.leaves()]
        return Values(result, reduce(np.maximum, times))

    def unit_of(self, leaf: Leaf) -> str:
        """The unit of a reading."""
        prop = self._catalogue.find(self.domain, leaf.property)
        assert prop is not None
        return prop.unit


def read_formula(given: object, *, domain: str, catalogue: Catalogue) -> Formula:
    """Understand a formula of a rule of a domain.

    Parameters
    ----------
    given : object
        `{"expression": …, "unit": "bar"}`.

    Raises
    ------
    RuleError
        It is wrong; the error names the place.
    """
    if not isinstance(given, Mapping) or set(given) != {"expression", "unit"}:
        raise RuleError("formula", given, 'give {"expression": …, "unit": "bar"}')
    unit = given["unit"]
    if not isinstance(unit, str) or conversion(unit, unit if unit == "1" else "1").problem == "unknown_unit":
        raise RuleError("formula.unit", unit, "give a UCUM code such as bar, or 1")
    found = Formula(given["expression"], unit, domain, catalogue)
    left = [_MOST]
    of_tree = _unit(found, found.tree, "formula.expression", _DEEPEST, left)
    if not found.leaves():
        raise RuleError("formula.expression", found.tree, 'let it ask for a reading, such as {"of": "pressure"}')
    if conversion(of_tree, unit).problem:
        raise RuleError("formula.unit", unit, f"the expression is in {of_tree}: give a unit that it converts to")
    return found


def _unit(formula: Formula, node: Any, where: str, depth: int, left: list[int]) -> str:
    """The unit of a part of a formula, checked."""
    left[0] -= 1
    if depth <= 0 or left[0] < 0:
        raise RuleError(where, "…", f"write it shorter: {_MOST} parts, {_DEEPEST} deep at most")
    if isinstance(node, bool):
        raise RuleError(where, node, "give a number, a reading or an operation")
    if isinstance(node, int | float):
        if not abs(node) <= 1e30:
            raise RuleError(where, node, "give a number up to 1e30")
        return "1"
    if not isinstance(node, Mapping):
        raise RuleError(where, node, "give a number, a reading or an operation")
    keys = set(node)
    if keys == {"value", "unit"}:
        value = node["value"]
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e30:
            raise RuleError(f"{where}.value", value, "give a number up to 1e30")
        if not isinstance(node["unit"], str) or conversion(node["unit"], "1").problem == "unknown_unit":
            raise RuleError(f"{where}.unit", node["unit"], "give a UCUM code such as m3/h")
        return str(node["unit"])
    if "of" in keys and keys <= {"of", "thing", "neighbour"} and len(keys) < 3:
        return _unit_of_reading(formula, node, where)
    if keys == {"op", "args"}:
        return _unit_of_operation(formula, node, where, depth, left)
    raise RuleError(where, node, 'give {"of": …}, {"value": …, "unit": …} or {"op": …, "args": […]}')


def _unit_of_reading(formula: Formula, node: Mapping[str, Any], where: str) -> str:
    name = node["of"]
    prop = formula._catalogue.find(formula.domain, name) if isinstance(name, str) else None  # noqa: SLF001
    if prop is None:
        known = ", ".join(sorted(formula._catalogue[formula.domain].properties))  # noqa: SLF001
        raise RuleError(f"{where}.of", name, f"give a property of {formula.domain}: {known}")
    thing = node.get("thing", "-")
    if not isinstance(thing, str) or not 0 < len(thing) <= 64 or not thing.isprintable():
        raise RuleError(f"{where}.thing", thing, "give the code of a Thing")
    if node.get("neighbour", "parent") not in NEIGHBOURS:
        raise RuleError(f"{where}.neighbour", node["neighbour"], f"write one of {', '.join(NEIGHBOURS)}")
    return prop.unit


def _unit_of_operation(formula: Formula, node: Mapping[str, Any], where: str, depth: int, left: list[int]) -> str:
    operation, args = node["op"], node["args"]
    if operation not in OPERATIONS:
        raise RuleError(f"{where}.op", operation, f"write one of {' '.join(OPERATIONS)}")
    wanted = 1 if operation == "abs" else 2
    if not isinstance(args, list) or len(args) < wanted or (operation == "abs" and len(args) > 1):
        raise RuleError(f"{where}.args", args, "give one" if wanted == 1 else "give two or more")
    units = [_unit(formula, one, f"{where}.args.{n}", depth - 1, left) for n, one in enumerate(args)]
    for n, unit in enumerate(units[1:], 1):
        alike = not conversion(unit, units[0]).problem and (unit == "1") == (units[0] == "1")
        if operation in ("+", "-", "min", "max") and not alike:
            raise RuleError(f"{where}.args.{n}", args[n], f"it is in {unit}, and {units[0]} is wanted beside it")
    found = _combined(operation, units)
    if len(found) > 32 or (found not in units and conversion(found, "1").problem == "unknown_unit"):
        raise RuleError(where, node, f"its unit would be {found}: put units together that belong together")
    return found


def _combined(operation: str, units: list[str]) -> str:
    found = units[0]
    for unit in units[1:]:
        if operation == "*":
            found = unit if found == "1" else found if unit == "1" else f"({found}).({unit})"
        elif operation == "/" and unit != "1":
            found = "1" if not conversion(unit, found).problem else f"({found})/({unit})"
    return found


def _leaves(node: Any) -> Iterator[Leaf]:
    if isinstance(node, Mapping) and "of" in node:
        yield _leaf(node)
    elif isinstance(node, Mapping) and "args" in node:
        for one in node["args"]:
            yield from _leaves(one)


def _leaf(node: Mapping[str, Any]) -> Leaf:
    if "thing" in node:
        return Leaf(node["of"], "thing", node["thing"])
    return Leaf(node["of"], node.get("neighbour", "own"))


def _result(node: Any, values: Mapping[Leaf, Values], formula: Formula) -> tuple[Float64, str]:
    """Results and their unit; numbers have the shape (1,)."""
    if isinstance(node, int | float):
        return np.array([float(node)]), "1"
    if "of" in node:
        leaf = _leaf(node)
        return values[leaf].result, formula.unit_of(leaf)
    if "value" in node:
        return np.array([float(node["value"])]), str(node["unit"])
    operation, args = node["op"], [_result(one, values, formula) for one in node["args"]]
    if operation == "abs":
        return np.abs(args[0][0]), args[0][1]
    found, unit = args[0]
    for other, of_other in args[1:]:
        same = operation != "*" and of_other != unit and not conversion(of_other, unit).problem
        if same and not (operation == "/" and of_other == "1"):
            way = conversion(of_other, unit)
            other = other * way.factor + way.offset  # noqa: PLW2901
        found = _WORDS[operation](found, other)
        unit = _combined(operation, [unit, of_other])
    return found, unit


def told(node: Any) -> str:
    """A formula as people read it.

    Examples
    --------
    >>> told({"op": "abs", "args": [{"op": "-", "args": [{"of": "flow"}, {"of": "flow", "neighbour": "parent"}]}]})
    'abs(flow - parent.flow)'
    """
    if not isinstance(node, Mapping):
        return f"{node:g}" if isinstance(node, int | float) else "?"
    if "of" in node:
        leaf = _leaf(node)
        return leaf.property if leaf.whose == "own" else f"{leaf.code or leaf.whose}.{leaf.property}"
    if "value" in node:
        return f"{node['value']:g} {node['unit']}"
    inner = [told(one) for one in node["args"]]
    if node["op"] in ("min", "max", "abs"):
        return f"{node['op']}({', '.join(inner)})"
    parts = [f"({text})" if isinstance(one, Mapping) and one.get("op") in ("+", "-", "*", "/") else text
             for one, text in zip(node["args"], inner, strict=True)]  # fmt: skip
    return f" {node['op']} ".join(parts)
