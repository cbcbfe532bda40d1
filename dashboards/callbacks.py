"""Whether a call of a Dash callback is whole, before Dash takes it apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Fits = Callable[[Mapping[str, Any]], bool]


def fits_one_of(declared: Sequence[Mapping[str, Any]]) -> Fits:
    """Make the check from what Dash says of its callbacks.

    Parameters
    ----------
    declared : sequence of mapping
        Each with `output`, `inputs` and `state`, as in `/_dash-dependencies`.

    Examples
    --------
    >>> fits = fits_one_of([{"output": "a.b", "inputs": [{"id": "c", "property": "d"}], "state": []}])
    >>> fits({"output": "a.b", "outputs": {"id": "a", "property": "b"}, "changedPropIds": ["c.d"],
    ...       "inputs": [{"id": "c", "property": "d", "value": 1}]})
    True
    >>> fits({"output": "a.b", "inputs": []})
    False
    """
    known = {str(one["output"]): (_places(one["inputs"]), _places(one["state"])) for one in declared}

    def fits(asked: Mapping[str, Any]) -> bool:
        output = asked.get("output")
        if not isinstance(output, str) or output not in known:
            return False
        ident, _, name = output.rpartition(".")
        inputs, state = known[output]
        return (
            _places([asked.get("outputs")]) == [(ident, name)]
            and _places(asked.get("inputs")) == inputs
            and _places(asked.get("state", [])) == state
            and _are_texts(asked.get("changedPropIds", []))
        )

    return fits


def _places(entries: object) -> list[tuple[str, str]] | None:
    if not isinstance(entries, list):
        return None
    found = []
    for entry in entries:
        if not isinstance(entry, dict):
            return None
        place = (entry.get("id"), entry.get("property"))
        if not isinstance(place[0], str) or not isinstance(place[1], str):
            return None
        found.append((place[0], place[1]))
    return found


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
