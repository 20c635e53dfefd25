"""Parameters of networks of stages: a search space for samplers that do not handle architectures."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tinysearch.space.architecture import Architecture, Conv, Layer, Pool, Residual, SeparableConv

Parameters = Mapping[str, int]


@dataclass(frozen=True)
class Range:
    """Range of a parameter: integers on a linear or logarithmic scale, or the choices 0 and 1."""

    low: int
    high: int
    scale: Literal["linear", "log", "choice"]

    def share(self, value: float) -> float:
        """Return the position of a value between the lowest and the highest one, from 0 to 1."""
        if self.low == self.high:
            return 0.0
        if self.scale == "log":
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def parameters(network: Architecture) -> dict[str, int]:
    """Return the parameters of a network of stages with at least one pooling.

    ``before`` and ``after`` are the numbers of layers before and after the first pooling; widths are those of the first
    and the last layer on each side of it.
    """
    layers = list(_single(network.layers))
    first_pool = next(place for place, layer in enumerate(layers) if isinstance(layer, Pool))
    pools = [layer for layer in layers if isinstance(layer, Pool)]
    before, after = ([one for one in part if _is_unit(one)] for part in (layers[:first_pool], layers[first_pool:]))
    return {
        "before": len(before),
        "after": len(after),
        "first_width": before[0].filters,
        "width_before": before[-1].filters,
        "width_after": after[0].filters,
        "last_width": after[-1].filters,
        "separable_before": int(isinstance(before[-1], SeparableConv)),
        "separable_after": int(isinstance(after[0], SeparableConv)),
        "same_padding": int(any(one.padding == "same" for one in after)),
        "shortcuts": int(any(isinstance(layer, Residual) for layer in network.layers)),
        "wide_kernels": sum(max(one.kernel) > 3 for one in after),
        "overlapping_pool": int(pools[0].window != pools[0].strides),
        "pools": len(pools),
    }


def ranges(networks: Sequence[Parameters]) -> dict[str, Range]:
    """Return the range of each parameter over networks."""
    found = {}
    for name in networks[0]:
        low, high = min(one[name] for one in networks), max(one[name] for one in networks)
        scale: Literal["linear", "log", "choice"] = "log" if "width" in name else "linear"
        found[name] = Range(low, high, "choice" if (low, high) == (0, 1) else scale)
    return found


def is_plain(network: Architecture) -> bool:
    """Return whether the rule of ``plain_stages.py`` could draw a network, whatever its widths."""
    one = parameters(network)
    unusual = ("same_padding", "shortcuts", "wide_kernels", "overlapping_pool")
    return (
        one["before"] in (2, 3)
        and one["after"] >= 2
        and one["separable_after"] == 1
        and one["pools"] == 1
        and isinstance(network.layers[-1], SeparableConv)
        and not any(one[name] for name in unusual)
    )


def _single(layers: Sequence[Layer]) -> Iterator[Layer]:
    """Yield layers one by one: those inside shortcuts, and repeated ones as often as they are repeated."""
    for layer in layers:
        if isinstance(layer, Residual):
            yield from _single(layer.body)
        else:
            yield from itertools.repeat(layer, getattr(layer, "repeat", 1))


def _is_unit(layer: Layer) -> bool:
    return isinstance(layer, (Conv, SeparableConv))
