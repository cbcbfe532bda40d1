from __future__ import annotations

import numpy as np

from hypervision.rollups import Touched
from hypervision.store.rollups import HOUR_US


def pairs(touched: Touched, epoch: int, *readings: tuple[int, float], commit: bool = True) -> list[tuple[int, int]]:
    slots = np.array([r[0] for r in readings], np.int32)
    times = np.array([r[1] * HOUR_US for r in readings], np.int64)
    found = touched.note(slots, times, epoch)
    if commit:
        touched.noted(found)
    return list(zip(found.slot.tolist(), found.hour.tolist(), strict=True))


def test_hour_is_noted_once_in_an_epoch_and_again_in_the_next() -> None:
    touched = Touched()
    assert pairs(touched, 1, (3, 7.1), (3, 7.9), (4, 7.0)) == [(3, 7), (4, 7)]
    assert pairs(touched, 1, (3, 7.5), (4, 8.0)) == [(4, 8)]
    assert pairs(touched, 2, (3, 7.5)) == [(3, 7)]


def test_hour_of_a_batch_that_was_not_committed_is_noted_again() -> None:
    touched = Touched()
    assert pairs(touched, 1, (0, 5.0), commit=False) == [(0, 5)]
    assert pairs(touched, 1, (0, 5.0)) == [(0, 5)]
    assert pairs(touched, 1, (0, 5.0)) == []
    touched.forget()
    assert pairs(touched, 1, (0, 5.0)) == [(0, 5)]


def test_many_hours_and_new_datastreams_are_all_noted() -> None:
    touched = Touched()
    assert pairs(touched, 1, (0, 1.0), (0, 2.0), (5000, 1.0)) == [(0, 1), (0, 2), (5000, 1)]
    assert pairs(touched, 1) == []
    assert (0, 1) in pairs(touched, 1, (0, 1.0), (0, -3.0))
