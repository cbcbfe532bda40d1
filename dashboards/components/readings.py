"""A datastream and its results in words."""

from __future__ import annotations

from typing import Final

from dashboards.views import Scene
from hypervision.store.screens import LimitRow, StreamRow

SIGNS: Final = {"high": ">", "low": "<", "state_equals": "=", "rate_of_change": "Δ >"}
"""How a limit of a kind stands before its number."""


def property_label(scene: Scene, stream: StreamRow) -> str:
    """What is observed, in the operator's language."""
    prop = scene.catalogue.find(stream.domain, stream.property)
    return stream.property if prop is None else prop.label(scene.words.language)


def value_text(scene: Scene, stream: StreamRow, result: float) -> str:
    """A result with its unit, or the name of a state."""
    prop = scene.catalogue.find(stream.domain, stream.property)
    if prop is not None:
        for state in prop.states:
            if state.value == result:
                return scene.words.pick(state.fr, state.en)
    return scene.words.quantity(result, stream.unit, 2 if prop is None else prop.decimals)


def limits_text(scene: Scene, stream: StreamRow, limits: list[LimitRow]) -> str:
    """The limits of a datastream: `< 1,5 bar · > 12 bar`."""
    told = []
    for limit in sorted(limits, key=lambda row: (row.kind != "low", row.limit)):
        per_hour = "/h" if limit.kind == "rate_of_change" else ""
        told.append(f"{SIGNS.get(limit.kind, '')} {value_text(scene, stream, limit.limit)}{per_hour}")
    return " · ".join(told)
