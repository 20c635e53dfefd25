"""The surrogate model: from features to mean and spread of a result."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Predict = Callable[[Array], tuple[Array, Array]]

LENGTHS = (3.0, 5.0, 8.0, 12.0, 18.0)
NOISES = (0.05, 0.15, 0.4, 1.0)


def fit(x: Array, y: Array) -> Predict:
    """Fit a Gaussian process with a Matérn kernel (Rasmussen and Williams, 2006).

    Features and results are standardized. Of a few length scales and noises those are taken under which the results
    are the most likely, the scale of the kernel being the likeliest for each: twenty fits, and always the same ones,
    where an optimizer takes as many steps as it likes.

    Args:
        x: Features, shape ``(n, features)``.
        y: Results, shape ``(n,)``.

    Returns:
        A function from features, shape ``(m, features)``, to mean and standard deviation of the result without noise,
        each of shape ``(m,)``.
    """
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import Matern

    centre, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale < 1e-9] = 1.0
    level, unit = float(y.mean()), max(float(y.std()), 1e-9)
    inputs, targets = (x - centre) / scale, (y - level) / unit
    best: Any = None
    best_evidence, best_variance = -np.inf, 1.0
    for length, noise in itertools.product(LENGTHS, NOISES):
        model = GaussianProcessRegressor(Matern(length, nu=2.5), alpha=noise, optimizer=None).fit(inputs, targets)
        variance = max(float(targets @ model.alpha_) / len(targets), 1e-9)
        evidence = -0.5 * len(targets) * np.log(variance) - np.log(np.diag(model.L_)).sum()
        if best is None or evidence > best_evidence:
            best, best_evidence, best_variance = model, evidence, variance

    def predict(features: Array) -> tuple[Array, Array]:
        mean, spread = best.predict((features - centre) / scale, return_std=True)
        return level + unit * mean, unit * np.sqrt(best_variance) * spread

    return predict
