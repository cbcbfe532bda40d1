from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypervision.rates import MINUTE_US, Rates, of_series

SECOND = 1_000_000


def of(rates: Rates, *rows: tuple[int, float, float], commit: bool = True) -> list[float]:
    """Rates per minute of (slot, seconds, result)."""
    columns = (
        np.array([r[0] for r in rows], np.int32),
        np.array([round(r[1] * SECOND) for r in rows], np.int64),
        np.array([r[2] for r in rows], np.float64),
    )
    found = rates.of(*columns)
    if commit:
        rates.remember(*columns)
    return [round(x / 60, 9) for x in found.tolist()]


def test_noise_of_a_fast_sensor_is_no_rise() -> None:
    rates = Rates()
    found = [x for s in range(180) for x in of(rates, (0, s, 4.0 + 0.1 * (s % 2)))]
    assert np.nanmax(found) <= 0.1


def test_change_between_readings_of_one_packet_counts_as_if_it_had_taken_a_minute() -> None:
    assert of(Rates(), (0, 10.0, 4.0), (0, 10.000001, 4.01))[1] == pytest.approx(0.01)


def test_step_in_the_first_minute_that_is_known_is_seen() -> None:
    rates = Rates()
    of(rates, (0, 0, 3.0))
    assert of(rates, (0, 20, 9.0)) == [6.0]
    assert of(rates, (0, 40, 9.0)) == [6.0]


def test_step_within_a_minute_is_seen_whole_however_fast_the_sensor() -> None:
    rates = Rates()
    for s in range(0, 90, 5):
        of(rates, (0, s, 3.0))
    assert of(rates, (0, 90, 9.0)) == [6.0]


def test_slow_sensor_is_compared_with_its_reading_before() -> None:
    rates = Rates()
    of(rates, (0, 0, 3.0))
    assert of(rates, (0, 300, 8.0), (0, 600, 8.0)) == [1.0, 0.0]


def test_older_reading_than_the_newest_changes_nothing() -> None:
    rates = Rates()
    of(rates, (0, 300, 5.0))
    of(rates, (0, 100, 99.0))
    assert of(rates, (0, 360, 6.0)) == [1.0]


def test_slots_far_apart_are_covered() -> None:
    rates = Rates()
    of(rates, (5_000, 0, 1.0))
    assert of(rates, (5_000, 60, 3.0)) == [2.0]
    rates.forget()
    assert np.isnan(of(rates, (5_000, 120, 3.0))).all()


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 400)), min_size=1, max_size=40, unique=True),
    st.integers(0, 39),
)
def test_rates_do_not_depend_on_where_batches_are_cut(rows: list[tuple[int, int]], cut: int) -> None:
    """Each slot's readings in order of time, in one batch or in two."""
    readings = sorted((slot, second, float((slot * 7 + second * 13) % 50)) for slot, second in rows)
    whole = dict(zip([r[:2] for r in readings], of(Rates(), *readings), strict=True))
    by_time = sorted(readings, key=lambda r: r[1])
    rates = Rates()
    parts = {}
    for part in (by_time[:cut], by_time[cut:]):
        part.sort()
        if part:
            parts |= dict(zip([r[:2] for r in part], of(rates, *part), strict=True))
    assert parts == pytest.approx(whole, nan_ok=True)
    for slot in range(3):
        mine = [r for r in readings if r[0] == slot]
        if mine:
            series = of_series(
                np.array([r[1] * SECOND for r in mine], np.int64), np.array([r[2] for r in mine]),
                np.ones(len(mine), np.bool_),
            )  # fmt: skip
            assert series / 60 == pytest.approx([whole[r[:2]] for r in mine], nan_ok=True, abs=1e-8)


def test_minute_is_what_a_change_takes_at_least() -> None:
    assert (
        of_series(np.array([59 * SECOND, MINUTE_US + SECOND], np.int64), np.array([1.0, 3.0]), np.array([True, True]))[
            1
        ]
        == 120.0
    )
