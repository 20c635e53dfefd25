"""What trainings of other runs tell of networks: the prior mean of a surrogate model.

``prior_mean.json`` is fitted to searches on MNIST by ``experiments/prior_mean.py``. It ranks networks of runs that it
was not fitted to better than a model that has seen eight results of the run itself, see docs/surrogate.md.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinysearch.search.strategies.features import FEATURES
from tinysearch.search.strategies.surrogate import Array

# By how much results change with the prior mean: what is taken for likely before there are any, and how sure that is.
SLOPE, DOUBT = 0.7, 0.4
# How far results are from the prior mean, as the logarithm of an error rate.
APART = 0.2
# After so many results the prior mean counts half.
ENOUGH = 20
FILE = Path(__file__).with_name("prior_mean.json")
# Beyond so many standard deviations of what it was fitted to, a feature says no more: data may be of any size.
WITHIN = 4.0


@dataclass(frozen=True, slots=True)
class PriorMean:
    """A prior mean: a weight for each feature, and for its square.

    Attributes:
        centre, scale: Mean and standard deviation of each feature, shape ``(features,)``.
        weights: Shape ``(2, features)``.
    """

    centre: Array
    scale: Array
    weights: Array

    def __call__(self, x: Array) -> Array:
        """Return what is expected of networks: the logarithm of one over their error rate, up to a constant.

        Args:
            x: One number for each of ``FEATURES``, shape ``(n, features)``; what follows them is not looked at.

        Returns:
            Shape ``(n,)``.
        """
        found: Array = np.einsum("ijk,jk->i", self.terms(x), self.weights)
        return found

    def terms(self, x: Array) -> Array:
        """Return what the weights are of, shape ``(n, 2, features)``."""
        away = np.clip((x[:, : len(self.centre)] - self.centre) / self.scale, -WITHIN, WITHIN)
        return np.stack([away, away**2], axis=1)


def slope(expected: Array, results: Array, errors: Array) -> float:
    """Return by how much a model takes results to change with what was expected of them: at least 0.

    It is the mean of what is known of it after the results, if they lie about a line (Bayesian linear regression), and
    less the more results there are: then these tell more than those of other data.

    Args:
        expected: Shape ``(n,)``.
        results: Logarithms of one over error rates, shape ``(n,)``.
        errors: Covariance of their errors, shape ``(n, n)``.
    """
    away = expected - expected.mean()
    precision = 1 / (np.diag(errors) + APART**2)
    known = SLOPE / DOUBT**2 + float(np.sum(away * (results - results.mean()) * precision))
    found = max(0.0, known / (1 / DOUBT**2 + float(np.sum(away**2 * precision))))
    return found * ENOUGH / (ENOUGH + len(results))


@functools.cache
def prior_mean() -> PriorMean:
    """Return what comes with tinysearch."""
    rows = json.loads(FILE.read_text(encoding="utf-8"))["features"]
    centre, scale, *weights = np.array([rows[name] for name in FEATURES]).T
    return PriorMean(centre, scale, np.array(weights))
