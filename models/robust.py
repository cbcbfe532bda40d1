"""Level and spread of a few values, some of which may be odd."""

from __future__ import annotations

from typing import Final

import numpy as np

from hypervision.batch import Float64

# Small-sample factors of Qn for n = 2 to 9 (Croux and Rousseeuw, "Time-efficient algorithms for two highly robust
# estimators of scale", COMPSTAT 1992), and its consistency with the normal distribution.
_QN_SMALL: Final = (0.399, 0.994, 0.512, 0.844, 0.611, 0.857, 0.669, 0.872)
_QN_NORMAL: Final = 2.2219

# 1 / (0.75 quantile of the standard normal): makes the median absolute deviation (MAD) a standard deviation.
_MAD_NORMAL: Final = 1.4826


def mad(values: Float64) -> float:
    """Standard deviation by the median absolute deviation: half of the values may be odd.

    Examples
    --------
    >>> round(mad(np.array([9.0, 10.0, 11.0, 12.0, 99.0])), 4)
    1.4826
    """
    return _MAD_NORMAL * float(np.median(np.abs(values - np.median(values))))


def qn(values: Float64) -> float:
    """Standard deviation by Qn, the lower quartile of all distances between two values.

    As robust as the MAD and far more exact on few values: 82 % efficient on normal noise, the MAD 37 %.

    Examples
    --------
    >>> round(qn(np.array([9.0, 10.0, 11.0, 12.0, 99.0])), 4)
    1.8753
    """
    n = len(values)
    if n < 2:
        return 0.0
    i, j = np.triu_indices(n, 1)
    half = n // 2 + 1
    rank = half * (half - 1) // 2 - 1
    distance = float(np.partition(np.abs(values[i] - values[j]), rank)[rank])
    small = _QN_SMALL[n - 2] if n <= 9 else n / (n + 1.4) if n % 2 else n / (n + 3.8)
    return _QN_NORMAL * small * distance
