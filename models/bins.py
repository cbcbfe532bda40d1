"""Medians of equal intervals: what a detector sees, however often a meter reports."""

from __future__ import annotations

import numpy as np

from hypervision.batch import Float64, Int64


def medians(times_us: Int64, values: Float64, width_us: int) -> tuple[Int64, Float64]:
    """Median of the readings in each interval that has any.

    Parameters
    ----------
    times_us : ndarray of int64, shape (n,)
        Instants [us].
    values : ndarray of float64, shape (n,)
        Finite results.
    width_us : int
        Width of the intervals, which begin at its multiples [us].

    Returns
    -------
    starts_us : ndarray of int64, shape (m,)
        Where the intervals begin, rising [us].
    median : ndarray of float64, shape (m,)

    Examples
    --------
    >>> starts, median = medians(np.array([0, 3, 9, 12]), np.array([1.0, 2.0, 9.0, 5.0]), 10)
    >>> starts.tolist(), median.tolist()
    ([0, 10], [2.0, 5.0])
    """
    index = np.floor_divide(times_us, width_us)
    order = np.lexsort((values, index))
    index, values = index[order], values[order]
    first = np.flatnonzero(np.append(True, np.diff(index) > 0)) if len(index) else np.empty(0, np.int64)
    counts = np.diff(np.append(first, len(index)))
    middle: Float64 = (values[first + (counts - 1) // 2] + values[first + counts // 2]) / 2
    return index[first] * width_us, middle
