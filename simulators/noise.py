"""Chance without memory: every random number is a pure function of a key and an index.

So a value does not depend on which window was asked for before it, and a restarted run continues itself.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

# Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014 (SplitMix64).
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def key_of(seed: int, *names: str) -> int:
    """A 64-bit key for a named source of chance.

    Examples
    --------
    >>> key_of(1, "pressure-001", "noise") == key_of(1, "pressure-001", "noise")
    True
    >>> key_of(1, "pressure-001") == key_of(2, "pressure-001")
    False
    """
    digest = blake2b("\x1f".join((str(seed), *names)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def uniform(key: int, index: Int64 | int) -> Float64:
    """Uniform numbers in [0, 1), one per index.

    Parameters
    ----------
    key : int
        From `key_of`.
    index : array-like of int64, shape (n,)
        Any counter: the number of a sample, of a day, of an arrival.
    """
    x = np.atleast_1d(np.asarray(index, np.int64)).astype(np.uint64)
    x = (x + np.uint64(1)) * _GAMMA + np.uint64(key)
    x = (x ^ (x >> np.uint64(30))) * _MIX_1
    x = (x ^ (x >> np.uint64(27))) * _MIX_2
    x ^= x >> np.uint64(31)
    return (x >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(key: int, index: Int64 | int) -> Float64:
    """Standard normal numbers, one per index (Box and Muller 1958)."""
    twice = np.atleast_1d(np.asarray(index, np.int64)) * 2
    radius = np.sqrt(-2.0 * np.log1p(-uniform(key, twice)))
    result: Float64 = radius * np.cos(2.0 * np.pi * uniform(key, twice + 1))
    return result


def smooth(key: int, time_us: Int64, scale_us: int) -> Float64:
    """Slowly wandering noise of about unit size: normal numbers at knots `scale_us` apart, joined smoothly.

    Parameters
    ----------
    time_us : ndarray of int64, shape (n,)
        Instants [us].
    scale_us : int
        Distance of the knots [us].
    """
    knot = time_us // scale_us
    fraction = (time_us - knot * scale_us) / scale_us
    weight = fraction * fraction * (3.0 - 2.0 * fraction)
    result: Float64 = normal(key, knot) * (1.0 - weight) + normal(key, knot + 1) * weight
    return result
