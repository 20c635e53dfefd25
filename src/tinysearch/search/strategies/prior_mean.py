"""The prior mean of a surrogate model: results expected of networks according to trainings of other runs.

``prior_mean.json`` is fitted to searches on MNIST by ``experiments/prior_mean.py``. On runs that it was not fitted to,
it ranks networks better than a model that has seen eight results of the run itself, see docs/surrogate.md.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinysearch.search.strategies.features import FEATURES
from tinysearch.search.strategies.surrogate import Array

# Prior mean and standard deviation of the slope: the change of the results with the prior mean.
SLOPE, DOUBT = 0.7, 0.4
# Standard deviation of results around the prior mean, as the logarithm of an error rate.
APART = 0.2
# Number of results after which the prior mean counts half.
ENOUGH = 20
FILE = Path(__file__).with_name("prior_mean.json")
# A feature counts only up to this number of standard deviations of the fitted data, because data may be of any size.
WITHIN = 4.0


@dataclass(frozen=True, slots=True)
class PriorMean:
    """A prior mean: a weight for each feature and for its square.

    Attributes:
        centre, scale: Mean and standard deviation of each feature, shape ``(features,)``.
        weights: Weights of the terms, shape ``(2, features)``.
    """

    centre: Array
    scale: Array
    weights: Array

    def __call__(self, x: Array) -> Array:
        """Return the expected results of networks: negative logarithms of their error rates, up to a constant.

        Args:
            x: The ``FEATURES`` in the first columns, shape ``(n, features)``; further columns are ignored.

        Returns:
            Shape ``(n,)``.
        """
        found: Array = np.einsum("ijk,jk->i", self.terms(x), self.weights)
        return found

    def terms(self, x: Array) -> Array:
        """Return the terms that the weights multiply, shape ``(n, 2, features)``."""
        away = np.clip((x[:, : len(self.centre)] - self.centre) / self.scale, -WITHIN, WITHIN)
        return np.stack([away, away**2], axis=1)


def slope(expected: Array, results: Array, errors: Array) -> float:
    """Return the change of the results per unit of the expectation that a model assumes: at least 0.

    It is the posterior mean of the slope of a line through the results (Bayesian linear regression), reduced as the
    number of results grows, because these then say more than trainings on other data.

    Args:
        expected: Prior means, shape ``(n,)``.
        results: Negative logarithms of error rates, shape ``(n,)``.
        errors: Covariance of their errors, shape ``(n, n)``.
    """
    away = expected - expected.mean()
    precision = 1 / (np.diag(errors) + APART**2)
    known = SLOPE / DOUBT**2 + float(np.sum(away * (results - results.mean()) * precision))
    found = max(0.0, known / (1 / DOUBT**2 + float(np.sum(away**2 * precision))))
    return found * ENOUGH / (ENOUGH + len(results))


@functools.cache
def prior_mean() -> PriorMean:
    """Return the prior mean that is part of tinysearch."""
    rows = json.loads(FILE.read_text(encoding="utf-8"))["features"]
    centre, scale, *weights = np.array([rows[name] for name in FEATURES]).T
    return PriorMean(centre, scale, np.array(weights))
