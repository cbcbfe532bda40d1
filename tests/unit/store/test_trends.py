"""A wide chart read from a few hours is the chart of all readings, point by point."""

from __future__ import annotations

import numpy as np
import pytest

from hypervision.clock import to_us
from hypervision.store.rollups import HOUR_US
from hypervision.store.trends import Hours, Readings, _silences, choose, points

HOLE = 2 * 600_000_000
NOW_US = 495_000 * HOUR_US


def readings(seed: int, *, days: int = 40) -> tuple[Readings, np.ndarray]:
    """Readings each ten minutes with silences, ties and spikes; and which of them are out of range."""
    chance = np.random.default_rng(seed)
    time_us = NOW_US - np.arange(days * 144, 0, -1) * 600_000_000 + chance.integers(0, 3) * 7_000_000
    result = np.round(chance.normal(10, 1, len(time_us)), 1)
    result[chance.random(len(time_us)) < 0.002] *= 9
    outside = chance.random(len(time_us)) < 0.004
    result[outside] *= 20
    silent = np.isin(np.arange(len(time_us)) // 50, chance.integers(0, len(time_us) // 50, 9))
    keep = ~silent & (chance.random(len(time_us)) < 0.97)
    quality = np.where(outside, 3, 5)
    return Readings(time_us[keep], result[keep], quality[keep]), outside[keep]


def rolled(found: Readings, outside: np.ndarray, *, due_us: int | None, since_us: int, until_us: int) -> Hours:
    """What the roll-ups would hold; from `due_us` on it is all wrong."""
    full = -(-since_us // HOUR_US) * HOUR_US
    hour = found.time_us // HOUR_US * HOUR_US
    inside = ~outside & (hour >= full) & (found.time_us < until_us)
    hours = np.unique(hour[inside])
    low = np.array([found.result[inside & (hour == h)].min() for h in hours])
    high = np.array([found.result[inside & (hour == h)].max() for h in hours])
    if due_us is not None:
        low[hours >= due_us], high[hours >= due_us] = 99.0, -99.0
    long = np.flatnonzero(np.diff(found.time_us) > HOLE)
    if due_us is not None:
        long = long[found.time_us[long + 1] < due_us]
    far = np.unique(hour[outside & (hour >= full) & (found.time_us < until_us)])
    return Hours(hours, low, high, far, found.time_us[long], found.time_us[long + 1], due_us, HOLE)


@pytest.mark.parametrize("seed", range(8))
def test_chart_of_chosen_hours_equals_the_chart_of_all_readings(seed: int) -> None:
    whole, outside = readings(seed)
    chance = np.random.default_rng(1000 + seed)
    since_us = int(whole.time_us[0]) + int(chance.integers(-3, 5)) * 1_900_000_000
    until_us = NOW_US - int(chance.integers(0, 9)) * 1_700_000_000
    due_us = None if seed % 3 == 0 else NOW_US - int(chance.integers(1, 400)) * HOUR_US
    if seed % 3 == 1:
        # The first hour that is due ends a silence.
        ended = whole.time_us[1:][np.diff(whole.time_us) > 3 * HOUR_US][-2]
        due_us = int(ended) // HOUR_US * HOUR_US
    within = (whole.time_us >= since_us) & (whole.time_us < until_us)
    window = Readings(whole.time_us[within], whole.result[within], whole.quality[within])
    width_us = 12 * HOUR_US
    expected = points(window, np.diff(window.time_us) > HOLE, width_us=width_us)

    hours = rolled(whole, outside, due_us=due_us, since_us=since_us, until_us=until_us)
    choice = choose(hours, since_us=since_us, until_us=until_us, width_us=width_us)
    stretch = np.searchsorted(choice.starts_us, window.time_us, side="right") - 1
    read = (stretch >= 0) & (window.time_us < choice.ends_us[stretch])
    part = Readings(window.time_us[read], window.result[read], window.quality[read])
    assert points(part, _silences(part, choice, hours, HOLE), width_us=width_us) == expected
    assert any(point.after_hole for point in expected)
    assert any(point.quality == 3 for point in expected)
    if seed % 3 == 0:
        assert len(part) < len(window) / 2


def test_points_keep_a_spike_and_both_edges_of_a_silence() -> None:
    time_us = np.array([0, 1, 2, 3, 50, 51, 52]) * 60_000_000
    result = np.array([1.0, 1.0, 9.0, 1.0, 2.0, 2.0, 2.0])
    found = points(Readings(time_us, result, np.full(7, 5)), np.diff(time_us) > 600_000_000, width_us=3_600_000_000)
    assert [(to_us(p.at) // 60_000_000, p.result, p.after_hole) for p in found] == [
        (0, 1.0, False),
        (2, 9.0, False),
        (3, 1.0, False),
        (50, 2.0, True),
        (52, 2.0, False),
    ]


def test_points_of_nothing_are_none() -> None:
    empty = np.empty(0)
    assert points(Readings(empty.astype(np.int64), empty, empty.astype(np.int64)), np.diff(empty) > 0, width_us=1) == []
