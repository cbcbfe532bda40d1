import numpy as np
import pytest

from simulators.localtime import HOUR_US
from simulators.noise import key_of, normal, smooth, uniform


def test_uniform_numbers_do_not_depend_on_what_was_asked_before():
    key = key_of(3, "pressure-001", "noise")
    whole = uniform(key, np.arange(1_000))
    assert np.array_equal(whole[400:], uniform(key, np.arange(400, 1_000)))


def test_uniform_numbers_fill_the_unit_interval_evenly():
    drawn = uniform(key_of(3, "a"), np.arange(100_000))
    counts, _ = np.histogram(drawn, bins=20, range=(0, 1))
    # 5,000 a bin with a standard deviation of about 69.
    assert np.abs(counts - 5_000).max() < 6 * 69


def test_normal_numbers_have_zero_mean_and_unit_spread():
    drawn = normal(key_of(3, "b"), np.arange(100_000))
    assert drawn.mean() == pytest.approx(0.0, abs=0.02)
    assert drawn.std() == pytest.approx(1.0, abs=0.02)


def test_other_seeds_and_names_give_other_numbers():
    index = np.arange(50)
    one = uniform(key_of(1, "a"), index)
    assert not np.array_equal(one, uniform(key_of(2, "a"), index))
    assert not np.array_equal(one, uniform(key_of(1, "b"), index))


def test_smooth_noise_moves_little_within_a_minute():
    times = np.arange(0, 48 * HOUR_US, HOUR_US // 60, dtype=np.int64)
    wander = smooth(key_of(1, "c"), times, 3 * HOUR_US)
    assert np.abs(np.diff(wander)).max() < 0.1
    assert wander.std() > 0.2
