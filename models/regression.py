"""Robust regression: the one typed door to scikit-learn."""

from __future__ import annotations

import warnings
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import HuberRegressor
from threadpoolctl import ThreadpoolController

from hypervision.batch import Float64
from models.robust import mad

Matrix = NDArray[np.float64]


@cache
def _threads() -> ThreadpoolController:
    """The linear algebra's threads: on matrices this small they wait for each other ten times as long as they work."""
    return ThreadpoolController()


class Line(NamedTuple):
    """A fitted linear form."""

    intercept: float
    weights: Float64

    def at(self, features: Matrix) -> Float64:
        """Its value for rows of features, shape (n,)."""
        # Not a matrix product: its last bits depend on how many rows are asked for at once.
        found: Float64 = self.intercept + (features * self.weights).sum(axis=1)
        return found


def huber(features: Matrix, values: Float64, *, epsilon: float, ridge: float) -> Line:
    """Fit a line that outliers pull only a little (Huber 1981; Owen 2007 for the joint scale).

    Parameters
    ----------
    features : ndarray of float64, shape (n, k)
        About unit size each.
    values : ndarray of float64, shape (n,)
        Any scale; they are centred and scaled robustly before the fit.
    epsilon : float
        Residuals beyond so many scales count linearly; 1.35 keeps 95 % efficiency on normal noise.
    ridge : float
        Penalty on the weights' squares.
    """
    centre = float(np.median(values))
    scale = mad(values)
    if scale <= 0:
        scale = float(np.std(values))
    if scale <= 1e-12 * max(1.0, abs(centre)):
        return Line(centre, np.zeros(features.shape[1]))
    model = HuberRegressor(epsilon=epsilon, alpha=ridge, max_iter=300, tol=1e-4)
    with warnings.catch_warnings(), _threads().limit(limits=1):
        # Stopping early leaves a usable line; the residuals' own scale then tells how good it is.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(features, (values - centre) / scale)
    weights: Float64 = np.asarray(model.coef_, np.float64) * scale
    return Line(centre + float(model.intercept_) * scale, weights)
