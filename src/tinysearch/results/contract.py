"""Contract test for objectives."""

from __future__ import annotations

import math

import numpy as np

from tinysearch.results.objective import Objective, objective


def check_objective(given: Objective | type[Objective]) -> None:
    """Check that an objective keeps its contract, on random labels of 2, 3 and 12 classes.

    Args:
        given: An instance or a class.

    Raises:
        AssertionError: if a value is not finite, if equal predictions give different values, or if predictions that are
            all right score worse than others.
    """
    one = objective(given)
    sign = 1.0 if one.direction == "max" else -1.0
    for classes in (2, 3, 12):
        rng = np.random.default_rng(classes)
        for size in (1, 5, 200):
            labels = rng.integers(0, classes, size)
            predicted = rng.integers(0, classes, size)
            values = [one.value(labels.copy(), predicted.copy()) for _ in range(2)]
            what = f"for {size} images of {classes} classes"
            if not all(math.isfinite(value) for value in values):
                raise AssertionError(f"a value must be a finite number, got {values[0]!r} {what}")
            if values[0] != values[1]:
                raise AssertionError(f"equal predictions must give equal values, got {values} {what}")
            if sign * one.value(labels, labels) < sign * values[0]:
                raise AssertionError(f"predictions that are all right must not score worse than others {what}")
