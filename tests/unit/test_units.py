from __future__ import annotations

import time

import pytest

from hypervision.units import conversion, convert


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (310, "kPa", "bar", 3.1),
        (1, "[psi]", "bar", 0.06894757293168),
        (300, "K", "Cel", 26.85),
        (86, "[degF]", "Cel", 30.0),
        (1, "L/s", "m3/h", 3.6),
        (500, "W.h", "kW.h", 0.5),
        (1, "mS/cm", "uS/cm", 1000.0),
        (500, "ug/L", "mg/L", 0.5),
        (3.141592653589793, "rad", "deg", 180.0),
        (90, "min", "h", 1.5),
        (0.5, "1", "%", 50.0),
        (7, "{NTU}", "{NTU}", 7),
        (7, "1", "{place}", 7),
    ],
)
def test_value_is_converted(value: float, source: str, target: str, expected: float) -> None:
    assert convert(value, source, target) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("source", "target", "problem"),
    [
        ("bar", "Cel", "incompatible_unit"),
        ("{NTU}", "{place}", "incompatible_unit"),
        ("{NTU}", "%", "incompatible_unit"),
        ("dB", "1", "incompatible_unit"),
        ("", "1", "unknown_unit"),
        ("((((", "1", "unknown_unit"),
        ("°C", "Cel", "unknown_unit"),
        ("m" * 33, "m", "unknown_unit"),
        ("10*99999", "1", "unknown_unit"),
        ("\0", "1", "unknown_unit"),
    ],
)
def test_unit_that_does_not_convert_is_told_apart(source: str, target: str, problem: str) -> None:
    assert conversion(source, target).problem == problem
    with pytest.raises(ValueError, match=problem):
        convert(1.0, source, target)


def test_hostile_units_end_soon() -> None:
    conversion("K", "Cel")
    started = time.process_time()
    for unit in ("m" + ".m" * 15, "(" * 31, "10*999.10*999.10*999", "{" * 32, "/" * 32, "m-999.m999"):
        conversion(unit, "m")
    assert time.process_time() - started < 3.0
