from __future__ import annotations

import numpy as np
import pytest

from models.regression import huber
from models.robust import mad, qn


@pytest.mark.parametrize("n", [4, 7, 9, 23, 24, 200])
def test_qn_on_normal_noise_is_its_standard_deviation(n: int) -> None:
    rng = np.random.default_rng(5)
    mean = np.mean([qn(rng.normal(3.0, 2.0, n)) for _ in range(800)])
    assert mean == pytest.approx(2.0, rel=0.06)


def test_spread_with_a_third_of_odd_values_stays() -> None:
    values = np.append(np.random.default_rng(1).normal(10, 1, 20), np.full(9, 500.0))
    assert qn(values) < 3
    assert mad(values) < 3


def test_qn_of_fewer_than_two_values_is_zero() -> None:
    assert qn(np.array([3.0])) == 0.0
    assert qn(np.empty(0)) == 0.0


def test_huber_with_outliers_finds_the_line() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(300, 2))
    y = 5 + x @ np.array([2.0, -1.0]) + 0.1 * rng.normal(size=300)
    y[:40] += 60
    line = huber(x, y, epsilon=1.35, ridge=1e-3)
    assert line.intercept == pytest.approx(5.0, abs=0.1)
    assert line.weights == pytest.approx([2.0, -1.0], abs=0.1)


def test_huber_on_a_constant_is_the_constant() -> None:
    line = huber(np.random.default_rng(0).normal(size=(50, 3)), np.full(50, 7.5), epsilon=1.35, ridge=1e-3)
    assert line.intercept == 7.5
    assert not line.weights.any()


def test_huber_where_most_values_are_equal_still_fits() -> None:
    x = np.zeros((100, 1))
    x[:20] = 1
    y = np.where(x[:, 0] > 0, 4.0, 1.0)
    line = huber(x, y, epsilon=1.35, ridge=1e-6)
    assert line.at(np.array([[0.0], [1.0]])) == pytest.approx([1.0, 4.0], abs=0.2)
