"""Numerical features of an architecture for surrogate models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from tinysearch.space.architecture import (
    Architecture,
    Conv,
    Convolution,
    DepthwiseConv,
    Dropout,
    Inception,
    Layer,
    Pool,
    Residual,
    SeparableConv,
)
from tinysearch.space.canonical import canonical
from tinysearch.space.cost import Cost

FEATURES = (
    *("params", "macs", "largest_activation", "mean_params", "class_inputs", "depth"),
    *("first_width", "mean_width", "largest_width", "smallest_width", "last_width"),
    *("separable", "depthwise", "inception", "mean_area", "largest_area", "first_area", "pointwise", "same_padding"),
    *("strided", "max_pools", "average_pools", "overlapping_pools", "first_shrinking", "second_shrinking"),
    *("shrinking", "field", "norm_before", "norm_after", "bias", "leaky", "linear", "shared", "shortcuts"),
    *("dropout", "last_dropout", "head_average", "head_max", "hidden"),
)


def features(architecture: Architecture, cost: Cost) -> list[float]:
    """Return one number for each of ``FEATURES``, equal for architectures that build the same network.

    Sizes are logarithms, kinds and options are fractions of the convolutions, and positions are the number of
    convolutions before.

    Args:
        architecture: The architecture.
        cost: Its cost, with layers.

    Raises:
        ValueError: if the cost has no layers, like the costs in the records of a history.

    >>> from tinysearch.space.cost import cost
    >>> from tinysearch.space.task import Task
    >>> network = Architecture((Conv(8, kernel=5), Pool()))
    >>> dict(zip(FEATURES, features(network, cost(network, Task()))))["field"] == math.log(6)
    True
    """
    if not cost.layers:
        raise ValueError("features need a cost with layers, got one without layers")
    network = canonical(architecture)
    walk = _Walk()
    walk.over(network.layers)
    units = walk.units or [DepthwiseConv(1, kernel=(1, 1))]
    widths = [math.log(width) for width in walk.widths or [1]]
    areas = [math.log(unit.kernel[0] * unit.kernel[1]) for unit in units]
    weights = [math.log(layer.params) for layer in cost.layers if layer.macs and layer.params]
    pools = [layer for layer in network.layers if isinstance(layer, Pool)]
    drops = [layer.rate for layer in network.layers if isinstance(layer, Dropout)]
    places = [*walk.shrinking, walk.depth, walk.depth]

    def share(holds: Sequence[bool]) -> float:
        return sum(holds) / len(units)

    return [
        math.log(cost.params),
        math.log(1 + cost.macs),
        # Not the peak, which depends on the order of branches.
        math.log(max(math.prod(layer.output_shape) for layer in cost.layers)),
        # An exact sum, which does not depend on the order of branches.
        math.fsum(weights) / max(1, len(weights)),
        # One weight for each input and class: the cost of flattening an image.
        math.log(1 + cost.layers[-1].macs),
        walk.depth,
        widths[0],
        sum(widths) / len(widths),
        max(widths),
        min(widths),
        widths[-1],
        share([isinstance(unit, SeparableConv) for unit in units]),
        share([isinstance(unit, DepthwiseConv) for unit in units]),
        sum(isinstance(layer, Inception) for layer in network.layers),
        sum(areas) / len(areas),
        max(areas),
        areas[0],
        share([unit.kernel == (1, 1) for unit in units]),
        share([unit.padding == "same" for unit in units]),
        sum(max(unit.strides) > 1 for unit in units),
        sum(pool.mode == "max" for pool in pools),
        sum(pool.mode == "average" for pool in pools),
        sum(max(pool.strides) < max(pool.window) for pool in pools),
        places[0],
        places[1],
        math.log(walk.step),
        math.log(walk.reach),
        share([unit.norm == "before" for unit in units]),
        share([unit.norm == "after" for unit in units]),
        share([unit.bias for unit in units]),
        share([unit.activation == "leaky_relu" for unit in units]),
        share([unit.activation == "linear" for unit in units]),
        sum(unit.repeat - 1 for unit in units),
        sum(isinstance(layer, Residual) for layer in network.layers),
        sum(drops),
        network.layers[-1].rate if isinstance(network.layers[-1], Dropout) else 0.0,
        network.head.pooling == "average",
        network.head.pooling == "max",
        math.log(1 + network.head.hidden),
    ]


@dataclass(slots=True)
class _Walk:
    """Values collected layer by layer; step and reach are stride and receptive field of a pixel, in input pixels."""

    units: list[Convolution] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    shrinking: list[int] = field(default_factory=list)
    depth: int = 0
    step: int = 1
    reach: int = 1

    def over(self, layers: Sequence[Layer]) -> None:
        for layer in layers:
            match layer:
                case Conv() | SeparableConv() | DepthwiseConv():
                    self.units.append(layer)
                    if not isinstance(layer, DepthwiseConv):
                        self.widths.append(layer.filters)
                    for _ in range(layer.repeat):
                        self._window(max(layer.kernel), max(layer.strides))
                        self.depth += 1
                case Pool():
                    self._window(max(layer.window), max(layer.strides))
                case Residual(body):
                    self.over(body)
                case Inception(branches):
                    self._branches(branches)
                case _:
                    pass

    def _branches(self, branches: Sequence[Sequence[Layer]]) -> None:
        ends = []
        for branch in branches:
            inside = _Walk(step=self.step, reach=self.reach, depth=self.depth)
            inside.over(branch)
            self.units += inside.units
            ends.append(inside)
        self.widths.append(max(1, sum(end.widths[-1] for end in ends if end.widths)))
        self.depth = max(end.depth for end in ends)
        self.step = max(end.step for end in ends)
        self.reach = max(end.reach for end in ends)

    def _window(self, size: int, stride: int) -> None:
        self.reach += (size - 1) * self.step
        if stride > 1:
            self.shrinking.append(self.depth)
            self.step *= stride
