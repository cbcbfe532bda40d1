"""SenML packs (RFC 8428): base fields, relative times, units of the SenML registry."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ingest.decoders.wording import shown

_LABELS: Final = frozenset(("bver", "bn", "bt", "bu", "bv", "bs", "n", "u", "v", "vs", "vb", "vd", "s", "t", "ut"))
# RFC 8428, section 4.5.3: smaller numbers are relative to now, larger ones are Unix times.
_RELATIVE_BELOW: Final = 2**28
# RFC 8428, section 4.4: a receiver refuses versions it does not know; 10 is the version of that RFC.
_VERSION: Final = 10

UCUM: Final = {
    "l": "L", "l/s": "L/s", "/": "1", "count": "1", "%EL": "%", "%RH": "%", "EL": "s",
    "Wh": "W.h", "kWh": "kW.h", "VAh": "V.A.h", "kVA": "kV.A", "VA": "V.A", "Ah": "A.h", "mAh": "mA.h",
    "ppm": "[ppm]", "/100": "%", "beat/min": "/min",
}  # fmt: skip
"""Codes of the SenML registries (RFC 8428 section 12.1, RFC 8798) that UCUM writes another way."""


@dataclass(frozen=True, slots=True)
class Record:
    """One resolved record.

    Attributes
    ----------
    unit : str or None
        UCUM code; None means the unit of the table.
    time_us : int
        Phenomenon time [us].
    relative : bool
        Whether the time was counted from receipt.
    """

    name: str
    value: object
    unit: str | None
    time_us: int
    relative: bool


@dataclass(frozen=True, slots=True)
class BadRecord:
    """One record that is not taken."""

    reason: str
    detail: str


def is_pack(content: list[Any]) -> bool:
    """Whether an array is a SenML pack and not an array of the platform's own objects.

    Examples
    --------
    >>> is_pack([{"bn": "urn:dev:1:", "n": "flow", "v": 3}]), is_pack([{"flow": 3}]), is_pack([])
    (True, False, False)
    """
    first = content[0] if content else None
    if not isinstance(first, dict) or not ("n" in first or "bn" in first):
        return False
    return all(key in _LABELS or key.endswith("_") for key in first)


def property_name(name: str, thing: str) -> str:
    """The property in a resolved SenML name.

    Examples
    --------
    >>> property_name("urn:dev:mac:0024befffe804ff1:flow", "p1"), property_name("p1/level", "p1")
    ('flow', 'level')
    """
    for separator in ("/", ":"):
        if name.startswith(thing + separator):
            return name[len(thing) + 1 :]
    return name.replace("/", ":").rpartition(":")[2]


def records(pack: list[Any], *, received_us: int) -> Iterator[Record | BadRecord]:
    """Resolve the records of a pack (RFC 8428, section 4.6).

    Parameters
    ----------
    pack : list
        What `is_pack` said yes to.
    received_us : int
        Now [us], for relative times.
    """
    base: dict[str, Any] = {}
    for entry in pack:
        if not isinstance(entry, dict):
            yield BadRecord("bad_senml", f"the SenML pack holds {shown(entry)}, not a record.")
            continue
        base |= {key: entry[key] for key in ("bver", "bn", "bt", "bu", "bv") if key in entry}
        if "v" in entry or "vs" in entry or "vb" in entry or "vd" in entry or "s" in entry or "n" in entry:
            yield _record(entry, base, received_us)


def _record(entry: dict[str, Any], base: dict[str, Any], received_us: int) -> Record | BadRecord:
    must = next((key for key in entry if key.endswith("_")), None)
    if must is not None:
        return BadRecord("bad_senml", f"the SenML label {shown(must)} must be understood and is not known.")
    if base.get("bver", _VERSION) != _VERSION:
        return BadRecord("bad_senml", f"SenML version {shown(base['bver'])} is not known, only {_VERSION}.")
    names = [base.get("bn", ""), entry.get("n", "")]
    if not all(isinstance(name, str) for name in names) or not any(names):
        return BadRecord("bad_senml", "a SenML record has no name.")
    time = _sum(base.get("bt", 0), entry.get("t", 0))
    if time is None or abs(time) > 1e12:
        return BadRecord("bad_time", f"the SenML time {shown(entry.get('t', base.get('bt')))} is not a number.")
    relative = time < _RELATIVE_BELOW
    time_us = round(time * 1e6) + (received_us if relative else 0)
    value = _value(entry, base)
    if isinstance(value, BadRecord):
        return value
    unit = entry.get("u", base.get("bu"))
    if unit is not None and not isinstance(unit, str):
        return BadRecord("unknown_unit", f"the SenML unit is {shown(unit)}, not a text.")
    return Record("".join(names), value, UCUM.get(unit, unit) if unit else None, time_us, relative)


def _value(entry: dict[str, Any], base: dict[str, Any]) -> object:
    if "v" in entry:
        if "bv" not in base:
            return entry["v"]
        total = _sum(base["bv"], entry["v"])
        if total is None:
            return BadRecord("not_a_number", f"SenML value {shown(entry['v'])} and its base are not numbers.")
        return total
    for key in ("vb", "vs"):
        if key in entry:
            return entry[key]
    return BadRecord("not_a_number", "a SenML record has no value that can be a reading (v, vb or vs).")


def _sum(first: object, second: object) -> float | None:
    numbers = [x for x in (first, second) if isinstance(x, int | float) and not isinstance(x, bool)]
    if len(numbers) != 2:
        return None
    try:
        total = float(numbers[0]) + float(numbers[1])
    except OverflowError:
        return None
    return total if math.isfinite(total) else None
