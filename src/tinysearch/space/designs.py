"""Plain networks: hand-drawn designs of plain stages, scaled to a budget, which a search can begin with.

A design is a convolution on the image, one or two more, a pooling, a stage of layers of one width, and the mean of each
channel at the end. Among 100 networks of random stages on MNIST, the best pool once, after the second convolution, and
continue with two to six separable convolutions without padding or shortcuts; ``docs/ablations.md`` has the figures.
Larger images are halved more often, first by a stride, which saves the most memory.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Literal

import numpy as np

from tinysearch.space.architecture import Architecture, Conv, Head, Layer, Pool, SeparableConv
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.task import Task

# Layers before and after the pooling.
Plan = tuple[str, str]
# "c" is a convolution, "s" a separable one; widths are relative to each other. The plans are trained in this order. The
# first three did well at every budget; the next two differ from them in depth and in the kind of the second layer.
_PLANS = (
    ("c5 s8", "s10 s10 s10"),
    ("c6 s10", "s12 s14 s16 s18"),
    ("c5 s8 s8", "s10 s10 s10"),
    ("c5 s9", "s9 s9 s9 s9 s9"),
    ("c4 c6", "s9 s9 s9 s9"),
    ("c5 s8 s8", "s10 s10 s10 s10 s10"),
    ("c8 c8 c8", "c16 c16 c16"),
    ("c8 c8 c8", "c16 c16 c16 c16 c16"),
)
# Channels of the first layer of a random design before scaling to the budget.
_FIRST = 8
# Designs that use less than this fraction of the budget are yielded only if the plan has none that uses more, because
# other bounds are tighter or the widths of the space are too small.
_LEAST = 0.8
# Approximate side of the images after all halvings, without the loss in unpadded convolutions.
_SIDE = 12
_SMALLER = (1.0, 0.7, 0.5, 0.35, 0.25, 0.17, 0.12, 0.08, 0.05)


def designs(space: SearchSpace, params: int, fits: Callable[[Architecture], bool]) -> Iterator[Architecture]:
    """Yield networks of plain stages in a space, each as large as the bounds allow.

    Args:
        space: The space that the networks are members of. If it has no separable convolutions, standard ones are used.
        params: Exclusive bound on the parameters.
        fits: Returns whether a network is within all bounds. If bounds other than that on parameters are too tight, the
            networks begin with a stride, and then have fewer parameters.

    >>> space = SearchSpace()
    >>> from tinysearch.space.notation import notation
    >>> [notation(found) for found in itertools.islice(designs(space, 1_000, lambda one: True), 2)]
    ['c5 s8 M s11 s10 s11', 'c4 s6 M s7 s9 s10 s11']
    """
    seen: set[Architecture] = set()
    for plan in _PLANS:
        found = largest_design(space, plan, params, fits)
        if found is not None and found not in seen:
            seen.add(found)
            yield found


def random_plan(rng: np.random.Generator) -> Plan:
    """Return a random plan of plain stages, not yet scaled to a budget.

    One or two layers follow the first convolution; they are separable in four of five cases. Two to six separable
    layers of equal or growing width follow the pooling.
    """
    early, kind = int(rng.integers(1, 3)), "s" if rng.random() < 0.8 else "c"
    late, growth = int(rng.integers(2, 8 - early)), float(rng.choice([1.0, 1.15]))
    width = round(_FIRST * float(rng.uniform(1.2, 2.2)))
    wider = round(width * float(rng.uniform(1.0, 1.3)))
    before = [f"c{_FIRST}", *(f"{kind}{width}" for _ in range(early))]
    after = [f"s{round(wider * growth**index)}" for index in range(late)]
    return " ".join(before), " ".join(after)


def largest_design(
    space: SearchSpace, plan: Plan, params: int, fits: Callable[[Architecture], bool]
) -> Architecture | None:
    """Return the largest network of a plan, or None if none fits.

    A network that leaves much of the budget unused is returned only if no other one fits.

    Args:
        space, params, fits: See ``designs``.
        plan: Layers before and after the pooling, with widths relative to each other.
    """
    rest: Architecture | None = None
    for separable in (True, False):
        found = _first_that_fits(space, plan, params, fits, separable=separable)
        if found is not None and not _below(space, found, round(_LEAST * params)):
            return found
        rest = rest or found
    return rest


def _first_that_fits(
    space: SearchSpace, plan: Plan, params: int, fits: Callable[[Architecture], bool], *, separable: bool
) -> Architecture | None:
    for share, strided in itertools.product(_SMALLER, (False, True)):
        drawn = _drawn(plan, space.task, strided=strided, separable=separable)
        if drawn not in space or space.params(drawn) is None:
            continue
        scaled = space.scaled_below(drawn, round(share * params))
        if _below(space, scaled, params) and fits(scaled):
            return _filled(space, scaled, params, fits)
    return None


def _below(space: SearchSpace, architecture: Architecture, params: int) -> bool:
    found = space.params(architecture)
    return found is not None and found < params


def _drawn(plan: Plan, task: Task, *, strided: bool, separable: bool) -> Architecture:
    """Return the network of a plan for the inputs of a task, with the widths of the plan."""
    height, width, _ = task.input_shape
    halvings = max(0, round(math.log2((height if task.is_series else min(height, width)) / _SIDE)))
    strides = 1 if strided or halvings > 2 else 0
    pools = max(halvings - strides, 0)
    kernel, window = ((5, 1), (2, 1)) if task.is_series else ((3, 3), (2, 2))
    early, late = (words.split() for words in plan)
    layers: list[Layer] = []
    for index, word in enumerate([*early, *late]):
        stride = 2 if index < strides else 1
        valid = _fits_in(kernel, height, stride) and (task.is_series or _fits_in(kernel, width, stride))
        kind = SeparableConv if word[0] == "s" and separable else Conv
        padding: Literal["valid", "same"] = "valid" if valid else "same"
        layers.append(kind(int(word[1:]), kernel=kernel, stride=stride, padding=padding, norm="before", bias=False))
        lost = (kernel[0] - 1, kernel[1] - 1) if valid else (0, 0)
        height, width = -(-(height - lost[0]) // stride), -(-(width - lost[1]) // stride)
        if index + 1 >= len(early) and pools and max(height, width) >= 4:
            layers.append(Pool("max", 2 if window == (2, 2) else window))
            height, width = max(1, height // window[0]), max(1, width // window[1])
            pools -= 1
    return Architecture(tuple(layers), Head("average"))


def _fits_in(kernel: tuple[int, int], side: int, stride: int) -> bool:
    """Return whether a convolution without padding leaves enough of a side of the images."""
    return side - max(kernel) >= 2 * stride


def _filled(
    space: SearchSpace, architecture: Architecture, params: int, fits: Callable[[Architecture], bool]
) -> Architecture:
    """Widen single layers, last layer first, as long as the network stays within all bounds."""
    widened = True
    while widened:
        widened = False
        for index in reversed(range(len(architecture.layers))):
            layer = architecture.layers[index]
            if not isinstance(layer, (Conv, SeparableConv)):
                continue
            wider = replace(layer, filters=layer.filters + 1)
            layers = (*architecture.layers[:index], wider, *architecture.layers[index + 1 :])
            candidate = replace(architecture, layers=layers)
            if _below(space, candidate, params) and candidate in space and fits(candidate):
                architecture, widened = candidate, True
    return architecture
