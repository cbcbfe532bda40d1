"""What somebody asks for who corrects readings: its parts, and whether they go together."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from hypervision.clock import MICROSECOND
from hypervision.domains import ObservedProperty
from hypervision.errors import SettingError

MOST_RESULTS: Final = 1_000_000
_LONGEST_REASON: Final = 1000
_LONGEST_AUTHOR: Final = 64

Kind = Literal["invalidate", "correct", "restore"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What somebody wants done.

    Attributes
    ----------
    thing, property, domain : str
        The datastream; the domain only where Thing and property leave it open.
    since, until : datetime or None
        From the first instant to the second, which is not included.
    factor, add : float or None
        `correct`: result * factor + add.
    value : float or None
        `correct`: one result for all.
    results : sequence of (datetime, float), optional
        `correct`: a result for each time.
    correction_id : int or None
        `restore`: what this one changed; else everything in the range is as it was before any correction.
    """

    kind: Kind
    reason: str
    author: str
    thing: str = ""
    property: str = ""
    domain: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    factor: float | None = None
    add: float | None = None
    value: float | None = None
    results: Sequence[tuple[datetime, float]] | None = None
    correction_id: int | None = None


def check(wanted: Correction) -> None:
    """Whether a correction is well formed.

    Raises
    ------
    SettingError
        What is missing, or does not go together.
    """
    _check_text("reason", wanted.reason, _LONGEST_REASON, remedy="say why, for who asks in a year")
    _check_text("author", wanted.author, _LONGEST_AUTHOR, remedy="name who answers for it")
    if wanted.since is not None and wanted.until is not None and wanted.since >= wanted.until:
        raise SettingError(
            f"the range ends at {wanted.until.isoformat()}, not after its begin {wanted.since.isoformat()}",
            remedy="give an end after it; the end itself is not included",
        )
    if wanted.kind == "correct":
        line = wanted.add is not None or wanted.factor is not None
        if line + (wanted.value is not None) + (wanted.results is not None) != 1:
            raise SettingError(
                "a correction needs one way to put readings right",
                remedy="give factor or add or both, or one value, or a result for each time",
            )
        for name, number in (("add", wanted.add), ("factor", wanted.factor), ("value", wanted.value)):
            if number is not None and not (math.isfinite(number) and (name != "factor" or number != 0)):
                raise SettingError(f"{name} is {number!r}", remedy="give a finite number, and no factor of zero")
        if wanted.results is not None:
            _check_results(wanted.results)
    whole = wanted.since is not None and wanted.until is not None
    named = wanted.kind == "restore" and wanted.correction_id is not None
    if not named and not (wanted.thing and wanted.property):
        raise SettingError("the datastream is missing", remedy="name its Thing and its property")
    if not named and wanted.results is None and not whole:
        raise SettingError("the range of time is missing", remedy="give its begin and its end")


def _check_text(name: str, text: str, longest: int, *, remedy: str) -> None:
    if not text.strip():
        raise SettingError(f"the {name} is empty", remedy=remedy)
    if len(text) > longest or not text.isprintable():
        raise SettingError(f"the {name} has {len(text)} characters", remedy=f"use at most {longest} printable ones")


def _check_results(results: Sequence[tuple[datetime, float]]) -> None:
    if not 0 < len(results) <= MOST_RESULTS:
        raise SettingError(f"{len(results)} results are given", remedy=f"give 1 to {MOST_RESULTS} at a time")
    seen: set[datetime] = set()
    for at, result in results:
        if at in seen:
            raise SettingError(f"{at.isoformat()} is given twice", remedy="give one result for each time")
        if not math.isfinite(result):
            raise SettingError(f"the result at {at.isoformat()} is {result!r}", remedy="give a finite number")
        seen.add(at)


def range_of(wanted: Correction) -> tuple[datetime, datetime]:
    """Begin and end of a correction, of the results where nothing else is given.

    Raises
    ------
    SettingError
        A result is given for a time outside.
    """
    times = [at for at, _ in wanted.results or ()]
    since = wanted.since if wanted.since is not None else min(times)
    until = wanted.until if wanted.until is not None else max(times) + MICROSECOND
    if times and not since <= min(times) <= max(times) < until:
        stray = min(times) if min(times) < since else max(times)
        raise SettingError(
            f"a result is given for {stray.isoformat()}, outside the range",
            remedy="leave the range out, or the result",
        )
    return since.astimezone(UTC), until.astimezone(UTC)


def operation_of(wanted: Correction) -> dict[str, object]:
    """What identifies a correction beside its datastream and range, as the database keeps it."""
    if wanted.kind == "restore":
        return {} if wanted.correction_id is None else {"correction": wanted.correction_id}
    if wanted.results is not None:
        text = "\n".join(f"{at.astimezone(UTC).isoformat()} {result!r}" for at, result in sorted(wanted.results))
        return {"results": len(wanted.results), "sha256": hashlib.sha256(text.encode()).hexdigest()}
    given = (("factor", wanted.factor), ("add", wanted.add), ("value", wanted.value))
    return {name: number for name, number in given if number is not None}


def change_of(wanted: Correction) -> str:
    """What a correction does to a reading."""
    if wanted.kind != "correct":
        return wanted.kind
    return "given" if wanted.results is not None else "line" if wanted.value is None else "value"


def check_results_of(prop: ObservedProperty, wanted: Correction) -> None:
    """Whether new results are states of the property, or in its range.

    Raises
    ------
    SettingError
        The first that is not.
    """
    if prop.states and (wanted.add is not None or wanted.factor is not None):
        raise SettingError(f"{prop.name} is a state, not a quantity", remedy="give one value, or results by time")
    given = [("the value", wanted.value)] if wanted.value is not None else []
    given += [(f"the result of {at.isoformat()}", result) for at, result in wanted.results or ()]
    states = [state.value for state in prop.states]
    for name, result in given:
        if states and result not in states:
            raise SettingError(
                f"{name} is {result!r}, no state of {prop.name}",
                remedy=f"give one of {', '.join(f'{s:g}' for s in states)}",
            )
        if not states and not prop.valid[0] <= result <= prop.valid[1]:
            raise out_of_range(name, result, prop)


def out_of_range(name: str, result: float, prop: ObservedProperty) -> SettingError:
    """Why a result is not taken."""
    return SettingError(
        f"{name} is {result!r} [{prop.unit}], outside {prop.valid[0]:g} to {prop.valid[1]:g}",
        remedy="mend the numbers, or invalidate such a reading first",
    )
