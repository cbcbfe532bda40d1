"""Faults of sensors: pure functions from a column of results to a column of results.

They compose: each takes the instants and results of one datastream and gives new results; what is outside of
the fault stays as it was. What is wrong with the city itself (a leak, a failed lamp) is physics and lives in
the domains; what is wrong with the way of a message is in `simulators.deliveries`.
"""

from __future__ import annotations

import numpy as np

from simulators.noise import Float64, Int64, uniform
from simulators.readings import Bool

SPIKE_SHARE = 0.05
"""Share of readings that a spiking sensor throws off."""

_DIGITS = 4


def during(time_us: Int64, start_us: int, end_us: int) -> Bool:
    """Which instants lie within [start, end), shape (n,)."""
    inside: Bool = (time_us >= start_us) & (time_us < end_us)
    return inside


def drift(time_us: Int64, result: Float64, *, start_us: int, end_us: int, size: float) -> Float64:
    """Add an error that grows linearly from nothing to `size`; at the end the sensor is calibrated.

    Parameters
    ----------
    time_us, result : ndarray, shape (n,)
        One datastream.
    start_us, end_us : int
        From the first error to the calibration [us].
    size : float
        Error at the end [unit of the datastream].

    Examples
    --------
    >>> drift(np.array([0, 5, 10]), np.ones(3), start_us=0, end_us=10, size=2.0)
    array([1., 2., 1.])
    """
    grown = size * (time_us - start_us) / (end_us - start_us)
    changed: Float64 = np.where(during(time_us, start_us, end_us), np.round(result + grown, _DIGITS), result)
    return changed


def spike(time_us: Int64, result: Float64, *, start_us: int, end_us: int, size: float, key: int) -> Float64:
    """Throw single readings off by `size`, about one in twenty.

    Parameters
    ----------
    key : int
        Source of chance; see `spiking`.
    """
    hit = during(time_us, start_us, end_us) & spiking(time_us, key)
    changed: Float64 = np.where(hit, np.round(result + size, _DIGITS), result)
    return changed


def spiking(time_us: Int64, key: int) -> Bool:
    """Which readings a spiking sensor throws off, shape (n,)."""
    hit: Bool = uniform(key, time_us // 1_000) < SPIKE_SHARE
    return hit


def stuck(time_us: Int64, result: Float64, *, start_us: int, end_us: int, held: float) -> Float64:
    """Show the same value whatever happens.

    Parameters
    ----------
    held : float
        The last result before the fault.
    """
    changed: Float64 = np.where(during(time_us, start_us, end_us), held, result)
    return changed
