"""The hypervolume: how good a Pareto front is, as one number."""

from __future__ import annotations

import math
from collections.abc import Iterable

from tinysearch.errors import InputError

Point = tuple[float, float]


def hypervolume(points: Iterable[Point], reference: Point) -> float:
    """Return the area of all that is dominated by some points and dominates the reference point.

    It is the S-metric of Zitzler and Thiele (1998): of two sets of points, the one that is nowhere worse and somewhere
    better has the larger area. In two dimensions it is exact: rectangles under the steps of the front.

    Args:
        points: Pairs of costs, the smaller the better. Those that do not dominate the reference point count nothing.
        reference: The worst of both costs.

    Raises:
        InputError: if a cost or the reference point is not finite.

    >>> hypervolume([(1.0, 3.0), (2.0, 1.0), (3.0, 2.0)], (4.0, 4.0))
    7.0
    """
    known = list(points)
    for point in (*known, reference):
        if not all(map(math.isfinite, point)):
            raise InputError(f"a hypervolume is one of finite costs, got {point}; leave out what was not measured")
    area, height = 0.0, reference[1]
    for x, y in sorted(known):
        if x < reference[0] and y < height:
            area += (reference[0] - x) * (height - y)
            height = y
    return area
