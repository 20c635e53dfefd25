"""The surrogate model: a Gaussian process from features to the mean and spread of a result with a known error."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Predict = Callable[[Array], tuple[Array, Array]]

LENGTHS = (3.0, 5.0, 8.0, 12.0, 18.0)
# Variance of what the features do not explain of a network, as a multiple of the variance of what they explain.
RESTS = (0.01, 0.3)
# Variance of what the features explain, as a multiple of that of the results.
SCALES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)


def fit(x: Array, y: Array, errors: Array | None = None, pending: Array | None = None) -> Predict:
    """Fit a Gaussian process with a Matérn kernel (Rasmussen and Williams, 2006).

    A result is the sum of a function of the features, a rest that belongs to the network, and an error of known
    covariance. Features and results are standardized. The length scale, scale and rest are those with the highest
    likelihood on a small fixed grid, because the number of steps of an optimizer would be unbounded.

    A pending candidate has no result yet. The model assumes that the result will equal its expectation (Desautels et
    al., 2014): this changes no expectation but reduces the uncertainty near pending candidates.

    Args:
        x: Features, shape ``(n, features)``.
        y: Results, shape ``(n,)``.
        errors: Covariance of their errors, shape ``(n, n)``; by default there are none.
        pending: Features of pending candidates, shape ``(p, features)``; their error variance is the median of the
            others.

    Returns:
        A function from features, shape ``(m, features)``, to mean and standard deviation of the result without rest and
        error, each of shape ``(m,)``.
    """
    number = len(x)
    centre, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale < 1e-9] = 1.0
    inputs = ((x if pending is None else np.concatenate([x, pending])) - centre) / scale
    apart = distances(inputs, inputs)
    model = likeliest([matern(apart[:number, :number] / length) for length in LENGTHS], y, errors)
    length = LENGTHS[model.kernel]
    if len(inputs) > number:
        noise = np.zeros(apart.shape)
        if errors is not None:
            noise[:number, :number] = errors
            more = np.arange(number, len(inputs))
            noise[more, more] = float(np.median(np.diag(errors)))
        model = model.surer(matern(apart / length), noise)

    def predict(features: Array) -> tuple[Array, Array]:
        return model.predict(matern(distances((features - centre) / scale, inputs) / length), np.ones(len(features)))

    return predict


@dataclass(frozen=True, slots=True)
class Process:
    """A Gaussian process conditioned on some results.

    Attributes:
        kernel: Index of the kernel.
        evidence: Logarithm of the likelihood of the results, up to a constant.
        scale, rest: Variances of what the kernel explains and of the rest that belongs to a network, of results divided
            by ``unit``.
        level, unit: Mean of the results, and the value that they were divided by.
        factor: Lower Cholesky factor of the covariance of the results, shape ``(n, n)``.
        weights: Inverse covariance times the standardized results, shape ``(n,)``; 0 where the result is as expected.
    """

    kernel: int
    evidence: float
    scale: float
    rest: float
    level: float
    unit: float
    factor: Array
    weights: Array

    def surer(self, kernel: Array, errors: Array) -> Process:
        """Return the process conditioned on further results, each equal to the expectation of this process.

        Args:
            kernel: Kernel between all points, those with results of this process first, shape ``(m, m)``.
            errors: Covariance of all errors, shape ``(m, m)``.
        """
        from scipy.linalg import cholesky

        covariance = self.scale * kernel + errors / self.unit**2
        covariance[np.diag_indices(len(kernel))] += self.rest
        factor = cholesky(covariance, lower=True, overwrite_a=True, check_finite=False)
        return replace(self, factor=factor, weights=np.append(self.weights, np.zeros(len(kernel) - len(self.weights))))

    def predict(self, cross: Array, own: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation, each of shape ``(m,)``.

        Args:
            cross: Kernel between the predicted points and the points with results, shape ``(m, n)``.
            own: Kernel of each predicted point with itself, shape ``(m,)``.
        """
        from scipy.linalg import solve_triangular

        mean = self.level + self.unit * self.scale * (cross @ self.weights)
        explained = solve_triangular(self.factor, self.scale * cross.T, lower=True, check_finite=False)
        left = self.scale * own - np.einsum("ij,ij->j", explained, explained)
        return mean, self.unit * np.sqrt(np.maximum(left, 1e-12))


def likeliest(kernels: Sequence[Array], y: Array, errors: Array | None = None) -> Process:
    """Return the process with the highest likelihood of some results among all kernels, ``SCALES`` and ``RESTS``.

    Args:
        kernels: Each of shape ``(n, n)``, with ones on the diagonal.
        y: Results, shape ``(n,)``.
        errors: Covariance of their errors, shape ``(n, n)``; by default there are none.
    """
    from scipy.linalg import LinAlgError, cho_solve, cholesky

    noise = np.zeros((len(y), len(y))) if errors is None else errors
    level = float(y.mean())
    # The unit is at least half of the error, so that differences well within the error are not magnified.
    unit = max(float(y.std()), math.sqrt(float(np.mean(np.diag(noise)))) / 2, 1e-9)
    targets, noise = (y - level) / unit, noise / unit**2
    diagonal = np.diag_indices(len(y))
    best: Process | None = None
    for (number, kernel), scale, rest in itertools.product(enumerate(kernels), SCALES, RESTS):
        covariance = scale * kernel + noise
        covariance[diagonal] += scale * rest
        try:
            factor = cholesky(covariance, lower=True, overwrite_a=True, check_finite=False)
        except LinAlgError:
            continue
        weights = cho_solve((factor, True), targets, check_finite=False)
        evidence = -0.5 * float(targets @ weights) - float(np.log(factor[diagonal]).sum())
        if best is None or evidence > best.evidence:
            best = Process(number, evidence, scale, scale * rest, level, unit, factor, weights)
    if best is None:
        raise AssertionError("no covariance is positive definite")
    return best


def distances(left: Array, right: Array) -> Array:
    """Return Euclidean distances, shape ``(m, n)``, of points of shapes ``(m, features)`` and ``(n, features)``."""
    from scipy.spatial.distance import cdist

    found: Array = cdist(left, right)
    return found


def matern(distance: Array) -> Array:
    """Return the Matérn kernel with smoothness 5/2 of distances given in length scales, of the same shape.

    >>> matern(np.array([0.0, 1.0])).round(3).tolist()
    [1.0, 0.524]
    """
    scaled = math.sqrt(5) * distance
    found: Array = (1 + scaled + scaled**2 / 3) * np.exp(-scaled)
    return found


def expected_improvement(mean: Array, spread: Array, best: float) -> Array:
    """Return the expected excess of normal variables over ``best``, all shapes ``(n,)`` (Jones et al., 1998)."""
    from scipy.special import ndtr

    gain = mean - best
    z = gain / np.maximum(spread, 1e-9)
    return np.asarray(gain * ndtr(z) + spread * np.exp(-z * z / 2) / math.sqrt(2 * math.pi))
