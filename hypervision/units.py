"""Conversion between UCUM units: one facade over ucumvert and pint.

Units arrive from devices, so every text is hostile until it was understood once: the answer, good or bad, is
kept, and what could make the library compute for long is refused before it is asked.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final, Literal

Problem = Literal["", "unknown_unit", "incompatible_unit"]

_LONGEST: Final = 32
# An exponent of four digits (`10*9999`) leaves the range of a float whatever stands before it.
_HUGE: Final = re.compile(r"\d{4}")


@dataclass(frozen=True, slots=True)
class Conversion:
    """How a number in one unit becomes a number in another: `value * factor + offset`.

    Attributes
    ----------
    problem : str
        Empty, or why there is no such conversion.
    """

    factor: float = 1.0
    offset: float = 0.0
    problem: Problem = ""


_SAME: Final = Conversion()

# As people write them; UCUM reads some of them as something else (F is the farad, C the coulomb) or not at all.
_MEANT: Final = {
    "°c": "Cel", "c": "Cel", "f": "[degF]", "degc": "Cel", "celsius": "Cel", "°f": "[degF]",
    "degf": "[degF]", "fahrenheit": "[degF]", "kwh": "kW.h", "wh": "W.h", "mwh": "MW.h", "m³": "m3",
    "m³/h": "m3/h", "m³/s": "m3/s",
    "m^3": "m3", "m^3/h": "m3/h", "µg/m³": "ug/m3", "μg/m³": "ug/m3", "ug/m³": "ug/m3", "µg/m3": "ug/m3",
    "μg/m3": "ug/m3", "mg/m³": "mg/m3", "m²": "m2", "ppm": "[ppm]", "ppb": "[ppb]", "percent": "%",
    "lux": "lx", "psi": "[psi]", "mph": "[mi_i]/h", "gal": "[gal_us]", "ft": "[ft_i]", "in": "[in_i]", "°": "deg",
    "µs/cm": "uS/cm", "μs/cm": "uS/cm", "db(a)": "dB",
}  # fmt: skip


@lru_cache(maxsize=4096)
def conversion(source: str, target: str) -> Conversion:
    """Find the conversion between two UCUM units.

    Parameters
    ----------
    source, target : str
        UCUM codes, case-sensitive.

    Notes
    -----
    Annotations such as `{NTU}` or `{place}` count things of their own: they equal only themselves and the
    unit one. Logarithmic units (`dB`) convert to nothing but themselves.

    Examples
    --------
    >>> conversion("kPa", "bar").factor
    0.01
    >>> conversion("K", "Cel").offset
    -273.15
    >>> conversion("bar", "Cel").problem
    'incompatible_unit'
    >>> conversion("parsnip", "Cel").problem
    'unknown_unit'
    """
    if source == target:
        return _SAME
    given = _parse(source)
    if given is None:
        return Conversion(problem="unknown_unit")
    annotated = {unit for unit in (source, target) if "{" in unit}
    if annotated:
        return _SAME if {source, target} - annotated == {"1"} else Conversion(problem="incompatible_unit")
    wanted = _parse(target)
    if wanted is None:
        return Conversion(problem="unknown_unit")
    return _affine(given, wanted)


def convert(value: float, source: str, target: str) -> float:
    """Convert one number.

    Raises
    ------
    ValueError
        There is no such conversion.

    Examples
    --------
    >>> round(convert(86.0, "[degF]", "Cel"), 9)
    30.0
    """
    found = conversion(source, target)
    if found.problem:
        raise ValueError(f"no conversion from {source!r} to {target!r} ({found.problem})")
    return value * found.factor + found.offset


def meant(unit: str, target: str) -> str:
    """What UCUM calls a unit as people write it, where that converts to another; else nothing.

    Examples
    --------
    >>> meant("°F", "Cel"), meant("F", "Cel"), meant("kWh", "Cel"), meant("parsnip", "Cel")
    ('[degF]', '[degF]', '', '')
    """
    code = _MEANT.get(unit.strip().lower(), "")
    return "" if conversion(code, target).problem else code


def warm() -> None:
    """Load the unit definitions now (about a second), not with the first unit that a device sends."""
    conversion("K", "Cel")


@cache
def _registry() -> Any:
    from ucumvert import PintUcumRegistry

    return PintUcumRegistry()


@lru_cache(maxsize=4096)
def _parse(unit: str) -> Any:
    """The unit as the library's quantity, a true value for an annotation, None when it is no UCUM unit."""
    if not unit or len(unit) > _LONGEST or not unit.isascii() or _HUGE.search(unit):
        return None
    try:
        return _registry().from_ucum(unit)
    except Exception:  # noqa: BLE001  (pint, lark and ucumvert raise a dozen kinds for what is no unit)
        return None


def _affine(given: Any, wanted: Any) -> Conversion:
    try:
        at = [float(_shift(given, x).to(wanted.units).magnitude / wanted.magnitude) for x in (0.0, 1.0, 1000.0)]
    except Exception:  # noqa: BLE001  (dimensionality, logarithms, overflow: all mean that there is no way)
        return Conversion(problem="incompatible_unit")
    offset = at[0]
    # The far point carries more digits of the slope than the near one.
    factor = (at[2] - at[0]) / 1000.0
    straight = math.isclose(at[1] - at[0], factor, rel_tol=1e-6) and factor != 0.0
    if not (straight and math.isfinite(factor) and math.isfinite(offset)):
        return Conversion(problem="incompatible_unit")
    return Conversion(_tidy(factor), _tidy(offset))


def _shift(unit: Any, value: float) -> Any:
    return _registry().Quantity(value * unit.magnitude, unit.units)


def _tidy(value: float) -> float:
    """Drop the noise of the last digit, so that 1 kPa is 0.01 bar and not 0.010000000000000002."""
    short = float(f"{value:.13g}")
    return short if math.isclose(short, value, rel_tol=1e-14) else value
