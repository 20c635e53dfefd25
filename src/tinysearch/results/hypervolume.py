"""The hypervolume: the quality of a Pareto front as one number."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from tinysearch.errors import InputError

Point = tuple[float, float]
# Cost of the reference point as a multiple of the largest budget, so that the largest networks also count.
BEYOND = 2
LEAST_ERROR = 1e-4


def hypervolume(points: Iterable[Point], reference: Point) -> float:
    """Return the area that is dominated by at least one of the points and dominates the reference point.

    It is the S-metric of Zitzler and Thiele (1998): of two sets of points, the one that is nowhere worse and somewhere
    better has the larger area. In two dimensions it is exact: a sum of rectangles under the steps of the front.

    Args:
        points: Pairs of costs, the smaller the better. Points that do not dominate the reference point add nothing.
        reference: The worst value of both costs.

    Raises:
        InputError: if a cost or the reference point is not finite.

    >>> hypervolume([(1.0, 3.0), (2.0, 1.0), (3.0, 2.0)], (4.0, 4.0))
    7.0
    """
    known = list(points)
    for point in (*known, reference):
        if not all(map(math.isfinite, point)):
            raise InputError(f"a hypervolume needs finite costs, got {point}; leave out points that were not measured")
    area, height = 0.0, reference[1]
    for x, y in sorted(known):
        if x < reference[0] and y < height:
            area += (reference[0] - x) * (height - y)
            height = y
    return area


def of_networks(networks: Iterable[tuple[int, float]], budgets: Sequence[int]) -> float:
    """Return the hypervolume of networks by error rate and parameters, on logarithmic scales, in powers of ten.

    The reference point is an error rate of 100 % and ``BEYOND`` times the largest budget. A network below the smallest
    budget counts as one of that size, and an error rate below ``LEAST_ERROR`` as ``LEAST_ERROR``, so that neither tiny
    nor lucky networks gain an advantage.

    Args:
        networks: Parameters and accuracy of each network; instead of accuracy, any fraction to maximize.
        budgets: Upper bounds on parameters.

    >>> round(of_networks([(900, 0.9), (9_000, 0.99)], [1_000, 10_000]), 3)
    1.648
    """
    smallest, reference = math.log10(min(budgets)), math.log10(BEYOND * max(budgets))
    points = [
        (max(smallest, math.log10(params)), math.log10(max(LEAST_ERROR, 1 - accuracy))) for params, accuracy in networks
    ]
    return hypervolume(points, (reference, 0.0))
