"""The few points of a chart say what all its readings say."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hypervision.clock import to_us
from hypervision.store.trends import Part, Readings, held, points, sliced

MINUTE_US = 60_000_000
HOLE_US = 20 * MINUTE_US
WIDTH_US = 720 * MINUTE_US


@pytest.mark.parametrize("seed", range(6))
def test_points_hold_first_lowest_and_highest_of_each_bucket_and_every_hole(seed: int) -> None:
    chance = np.random.default_rng(seed)
    minute = np.flatnonzero(chance.random(40_000) < 0.15) + 26_000_000
    minute = minute[~np.isin(minute // 500, chance.integers(52_000, 52_080, 9))]
    result = np.round(chance.normal(10, 1, len(minute)), 1)
    result[chance.integers(0, len(minute), 5)] *= 9
    found = Readings(minute * MINUTE_US, result, np.where(result > 50, 3, 5))
    drawn = {to_us(p.at) // MINUTE_US: p for p in points(found, width_us=WIDTH_US, hole_us=HOLE_US)}

    # By definition, one bucket and one pair of readings at a time.
    expected = {int(minute[0]), int(minute[-1])}
    for bucket in np.unique(minute // 720):
        own = minute // 720 == bucket
        expected |= {int(minute[own][np.argmin(result[own])]), int(minute[own][np.argmax(result[own])])}
    holes = [(int(a), int(b)) for a, b in itertools.pairwise(minute.tolist()) if b - a > 20]
    expected |= {edge for hole in holes for edge in hole}
    assert set(drawn) == expected
    values = dict(zip(minute.tolist(), result.tolist(), strict=True))
    assert all(p.result == values[at] and p.quality == (3 if p.result > 50 else 5) for at, p in drawn.items())
    assert {at for at, p in drawn.items() if p.after_hole} == {after for _before, after in holes}
    assert len(holes) > 3
    assert max(p.result for p in drawn.values()) == result.max() > 50


def test_points_keep_a_spike_and_both_edges_of_a_hole() -> None:
    time_us = np.array([0, 1, 2, 3, 50, 51, 52]) * MINUTE_US
    result = np.array([1.0, 1.0, 9.0, 1.0, 2.0, 2.0, 2.0])
    found = points(Readings(time_us, result, np.full(7, 5)), width_us=60 * MINUTE_US, hole_us=10 * MINUTE_US)
    assert [(to_us(p.at) // MINUTE_US, p.result, p.after_hole) for p in found] == [
        (0, 1.0, False),
        (2, 9.0, False),
        (3, 1.0, False),
        (50, 2.0, True),
        (52, 2.0, False),
    ]


def test_points_of_nothing_are_none() -> None:
    empty = np.empty(0, np.int64)
    assert points(Readings(empty, empty.astype(np.float64), empty), width_us=1, hole_us=1) == []


def part(found: Readings, *, until_us: int) -> Part:
    """Readings of which each stands for 20 us at most."""
    return Part(found, held(found, until_us, hold_us=20), HOLE_US)


def test_slice_is_weighted_by_time_holds_no_longer_than_it_may_and_leaves_out_what_is_out_of_range() -> None:
    found = Readings(
        np.array([0, 30, 40, 45, 200, 260]), np.array([1.0, 4.0, 10.0, 99.0, 2.0, 5.0]), np.array([5, 5, 5, 3, 5, 5])
    )
    edges = np.array([0, 50, 100, 150, 200, 250, 300])
    # 1 for 30, 4 for 10, 10 for 20 of which 10 in the first slice; nothing is known from 60 on; 5 stands until the end.
    assert sliced([part(found, until_us=300)], edges) == [
        (1.0, (1 * 20 + 4 * 10 + 10 * 10) / 40, 99.0),
        None,
        None,
        None,
        (2.0, 2.0, 2.0),
        (5.0, 5.0, 5.0),
    ]
    assert sliced([part(Readings(np.array([7]), np.array([3.0]), np.array([3])), until_us=50)], edges[:2]) == [
        (3.0, None, 3.0)
    ]
    assert sliced([part(Readings(np.array([60]), np.array([3.0]), np.array([5])), until_us=100)], edges[:3])[0] is None
