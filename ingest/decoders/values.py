"""One value of one observed property: number, state, event, or an object with value and unit."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from hypervision.domains import ObservedProperty
from hypervision.units import conversion, meant
from ingest.decoders.wording import shown


class RefusedError(ValueError):
    """A value that is not taken.

    Attributes
    ----------
    reason : str
        The short code of the refusal.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Meaning:
    """What the values of one property mean.

    Attributes
    ----------
    plain : bool
        Whether any finite number is a result as it stands (gauges and counters).
    numbers : frozenset of float
        The states; empty for a gauge or counter.
    """

    __slots__ = ("_labels", "numbers", "plain", "prop")

    def __init__(self, prop: ObservedProperty) -> None:
        self.prop = prop
        self.plain = prop.kind in ("gauge", "counter")
        self.numbers = frozenset(state.value for state in prop.states)
        self._labels = {name.casefold(): state.value for state in prop.states for name in (state.code, state.en)}

    def result(self, value: object) -> float:
        """The result that a value stands for [unit of the property].

        Raises
        ------
        RefusedError
            With the reason, and a sentence.
        """
        if isinstance(value, dict):
            return self._quantity(value)
        if self.plain:
            return self._number(value)
        return self._state(value)

    def _number(self, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise RefusedError("not_a_number", f"{self.prop.name} is {shown(value)}, not a number.")
        try:
            result = float(value)
        except OverflowError:
            result = math.inf
        if not math.isfinite(result):
            raise RefusedError("not_a_number", f"{self.prop.name} is {shown(value)}, not a finite number.")
        return result

    def _state(self, value: object) -> float:
        if isinstance(value, bool):
            result = 1.0 if value else 0.0
        elif isinstance(value, str):
            found = self._labels.get(value[:64].casefold())
            if found is None:
                raise RefusedError("unknown_state", self._no_state(value))
            return found
        else:
            result = self._number(value)
        if self.numbers and result not in self.numbers:
            raise RefusedError("unknown_state", self._no_state(value))
        return result

    def _no_state(self, value: object) -> str:
        known = ", ".join(f"{state.value:g} ({state.en})" for state in self.prop.states)
        return f"{self.prop.name} is {shown(value)}, not one of {known}."

    def _quantity(self, value: dict[object, object]) -> float:
        if "value" not in value:
            raise RefusedError("not_a_number", f"{self.prop.name} is an object without the key 'value'.")
        inner, unit = value["value"], value.get("unit")
        if isinstance(inner, dict):
            raise RefusedError("not_a_number", f"the value of {self.prop.name} is an object, not a number.")
        return self.in_unit(inner, unit)

    def in_unit(self, value: object, unit: object) -> float:
        """The result of a value given in a unit of its own; None means the unit of the table."""
        name, own = self.prop.name, self.prop.unit
        if unit is None or unit == own:
            return self.result(value)
        if not isinstance(unit, str):
            raise RefusedError("unknown_unit", f"the unit of {name} is {shown(unit)}, not a UCUM code.")
        way = conversion(unit, own)
        hint = f"; UCUM writes it {code}" if way.problem and (code := meant(unit, own)) else ""
        if way.problem == "unknown_unit":
            raise RefusedError(
                "unknown_unit", f"the unit {shown(unit)} of {name} is no UCUM code{hint}; its own unit is {own}."
            )
        if way.problem or not self.plain:
            raise RefusedError("incompatible_unit", f"{name} is in {own}; {shown(unit)} does not convert to it{hint}.")
        result = self._number(value) * way.factor + way.offset
        if not math.isfinite(result):
            raise RefusedError("not_a_number", f"{name} is {shown(value)} {unit}, too large for its unit {own}.")
        # No instrument has thirteen digits: 68 [degF] is 20 Cel and not 20.000000000000036.
        return float(f"{result:.13g}")


class Target(NamedTuple):
    """Where the values of one property of one Thing go."""

    meaning: Meaning
    slot: int


MOST_REFUSALS: Final = 16
"""Refusals that are written out for one message; the rest of them is one line with their number."""
