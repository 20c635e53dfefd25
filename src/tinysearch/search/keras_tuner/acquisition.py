"""Replacement of a proposal over the budget in KerasTuner's Bayesian optimization."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras_tuner
import numpy as np


def by_acquisition(
    oracle: keras_tuner.oracles.BayesianOptimizationOracle, draws: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Return draws in the order in which an oracle would try them, by the acquisition function that it maximizes.

    The optimum of the acquisition function is mostly among models over the budget, which tend to be better, and the
    Gaussian process learns nothing from models that are not trained: asked again, the oracle gives the same point. So
    the first of these draws that is within the budget replaces the optimum.

    Args:
        oracle: An oracle that has just made a proposal with its Gaussian process.
        draws: Values drawn at random.
    """
    if not draws:
        return []
    points = np.array([_vector(oracle, one) for one in draws])
    if getattr(oracle.gpr, "n_features_in_", points.shape[1]) != points.shape[1]:
        # Counting the parameters of a model has registered a hyperparameter since the process was fitted.
        oracle.gpr.fit(*oracle._vectorize_trials())
    mean, deviation = oracle.gpr.predict(points, return_std=True)
    # KerasTuner minimizes: the objective is negated if it is to be maximized.
    order = np.argsort(mean - oracle.beta * deviation, kind="stable")
    return [draws[index] for index in order]


def _vector(oracle: keras_tuner.oracles.BayesianOptimizationOracle, values: Mapping[str, Any]) -> list[float]:
    """Return values as a point in [0, 1], shape ``(hyperparameters,)``; an inactive hyperparameter has its default."""
    fixed = keras_tuner.engine.hyperparameters.Fixed
    free = [one for one in oracle.hyperparameters.space if not isinstance(one, fixed)]
    return [one.value_to_prob(_value_of(one, values)) for one in free]


def _value_of(one: keras_tuner.engine.hyperparameters.HyperParameter, values: Mapping[str, Any]) -> Any:
    # Several hyperparameters may share a name, under conditions of which only one holds.
    active = all(condition.is_active(values) for condition in one.conditions)
    return values.get(one.name, one.default) if active else one.default
