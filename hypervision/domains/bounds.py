"""Whether a rule can ring and its alarm can return: limit and deadband against what the property may have."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from hypervision.domains.catalogue import ObservedProperty


class Wrong(NamedTuple):
    """What is wrong: which key of a rule, and what to write instead."""

    key: str
    remedy: str


def wrong_limit(
    kind: str,
    prop: ObservedProperty | None,
    limit: float,
    deadband: float,
    *,
    valid: tuple[float, float] | None = None,
) -> Wrong | None:
    """What is wrong with a limit and its deadband; None: nothing.

    Parameters
    ----------
    prop : ObservedProperty or None
        What is judged; None where the rule is of a whole Thing.
    valid : tuple of float, optional
        Instead of the property's valid range: what is judged is computed.
    """
    low, high = valid or ((-inf, inf) if prop is None else prop.valid)
    name = f"the valid range of {prop.name}" if prop is not None and valid is None else "its range"
    within = f"{name} is {low:g} to {high:g}"
    if kind == "high":
        if not low <= limit < high:
            return Wrong("limit", f"give one below its end, {within}")
        if limit - deadband < low:
            return Wrong("deadband", f"give a smaller one, or the alarm never returns: {within}")
    elif kind == "low":
        if not low < limit <= high:
            return Wrong("limit", f"give one above its beginning, {within}")
        if limit + deadband > high:
            return Wrong("deadband", f"give a smaller one, or the alarm never returns: {within}")
    elif kind == "rate_of_change":
        if limit <= 0:
            return Wrong("limit", "give a number above 0, per hour; a rise and a fall count alike")
        if deadband > limit:
            return Wrong("deadband", "give one no greater than the limit, or the alarm never returns")
    elif deadband:
        return Wrong("deadband", f"leave it out: {kind} has none")
    if kind == "state_equals" and prop is not None:
        if not prop.states:
            return Wrong("property", f"choose one that has states: {prop.name} has none")
        if limit not in {state.value for state in prop.states}:
            known = ", ".join(f"{state.value:g}" for state in prop.states)
            return Wrong("limit", f"give one of the states of {prop.name}: {known}")
    return None
