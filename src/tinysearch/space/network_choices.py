"""The tree of choices for small convolutional networks; ``translation`` turns its values into architectures.

A network is a list of blocks and a head. A block is a convolution (standard, separable or depthwise, optionally
with a shortcut around it) or an inception block, then an optional pooling and an optional dropout. Every range and
every option is an argument of ``network_choices``, so that a custom space is the same tree with other numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tinysearch.errors import SpaceError
from tinysearch.space.choices import Group, Node, Repeated, Switch
from tinysearch.space.leaves import Choice, Integers, Size
from tinysearch.space.translation import BRANCH_POOLS, SERIES_BRANCH_POOLS

Weights = Mapping[Any, float]
Sizes = Size | tuple[int, int] | tuple[int, int, int]

# Widths. Random draws are narrow; the widest layers are for plain networks and larger budgets.
_WIDEST = 64
_USUALLY_WIDEST = 32
_LIKELY_WIDTH = 12
FILTERS = Integers(1, _WIDEST, _LIKELY_WIDTH, usual=_USUALLY_WIDEST)
# Prior weights. They favour what is known to work in small networks: narrow 3x3 convolutions without bias or padding,
# batch normalization before relu, an early max pooling and a global average at the end. Dropout is rare, because
# normalized layers after it see other statistics at inference than in training (Li et al., 2019).
KINDS: Weights = {"conv": 5, "separable": 4, "depthwise": 0.3, "inception": 0.3}
KERNELS: Weights = {"3x3": 40, "5x5": 2, "7x7": 0.5, "1x1": 1, "3x1": 0.5, "1x3": 0.5}
STRIDES: Weights = {1: 60, 2: 1}
PADDINGS: Weights = {"valid": 15, "same": 1}
ACTIVATIONS: Weights = {"relu": 40, "leaky_relu": 1, "linear": 0.5}
NORMS: Weights = {"before": 40, "after": 1, "none": 0.5}
BIASES: Weights = {False: 30, True: 1}
REPEATS: Weights = {1: 40, 2: 0.7, 3: 0.3}
SHORTCUTS: Weights = {False: 40, True: 1}
POOLINGS: Weights = {
    "none": 6,
    "max 2x2": 3,
    "max 2x2 stride 1": 0.05,
    "max 3x3 stride 2": 0.2,
    "average 2x2": 0.1,
}
DROPOUTS: Weights = {0.0: 200, 0.1: 2, 0.25: 0.5, 0.5: 0.5}
BRANCH_KINDS: Weights = {"conv": 4, "separable": 4, "pool": 1}
BRANCH_KERNELS: Weights = {"1x1": 2, "3x3": 3, "5x5": 1}
BRANCH_POOLINGS: Weights = dict.fromkeys(BRANCH_POOLS, 1.0)
HEAD_POOLINGS: Weights = {"average": 12, "flatten": 0.6, "max": 0.4}
HIDDEN: Weights = {0: 40, 8: 0.3, 16: 0.4, 32: 0.3}
# Arguments that differ for series. A step of a recording has fewer neighbours than a pixel, so kernels are long. Series
# often have hundreds of steps, so early poolings and strides shorten them.
SERIES: dict[str, Any] = {
    "kernels": {"3x1": 12, "5x1": 12, "7x1": 6, "9x1": 4, "11x1": 1, "1x1": 1},
    "strides": {1: 12, 2: 2, 3: 0.3, 4: 0.3},
    "paddings": {"valid": 5, "same": 3},
    "poolings": {
        "none": 5,
        "max 2x1": 3,
        "max 2x1 stride 1": 0.05,
        "max 3x1 stride 2": 0.5,
        "max 4x1": 0.5,
        "average 2x1": 0.3,
    },
    "branch_kernels": {"1x1": 2, "3x1": 3, "5x1": 2, "9x1": 1},
    "branch_poolings": dict.fromkeys(SERIES_BRANCH_POOLS, 1.0),
}
# Fraction of random networks with the same layer throughout a stage, see ``uniform``.
UNIFORM = 0.5


def network_choices(
    *,
    depth: Sizes = (1, 9, 7),
    filters: Sizes = FILTERS,
    kinds: Weights = KINDS,
    kernels: Weights = KERNELS,
    strides: Weights = STRIDES,
    paddings: Weights = PADDINGS,
    activations: Weights = ACTIVATIONS,
    norms: Weights = NORMS,
    biases: Weights = BIASES,
    repeats: Weights = REPEATS,
    shortcuts: Weights = SHORTCUTS,
    poolings: Weights = POOLINGS,
    dropouts: Weights = DROPOUTS,
    branches: Sizes = (2, 4),
    branch_steps: Sizes = (1, 3),
    branch_filters: Sizes = (1, 8),
    branch_kinds: Weights = BRANCH_KINDS,
    branch_kernels: Weights = BRANCH_KERNELS,
    branch_poolings: Weights = BRANCH_POOLINGS,
    head_poolings: Weights = HEAD_POOLINGS,
    hidden: Weights = HIDDEN,
) -> Group:
    """Return the tree of choices; each mapping is from option to prior weight.

    Sizes are ``Integers`` or ``Numbers``. The tuples ``(low, high)``, both included, and ``(low, high, mode)`` with the
    most likely number stand for ``Integers``.
    """
    unit: dict[str, Node] = {
        "activation": Choice(activations),
        "norm": Choice(norms),
        "bias": Choice(biases),
    }
    window: dict[str, Node] = {
        "kernel": Choice(kernels),
        "stride": Choice(strides),
        "padding": Choice(paddings),
        **unit,
        "repeat": Choice(repeats),
        "shortcut": Choice(shortcuts),
    }
    width = _size(filters)
    step: dict[str, Node] = {"filters": _size(branch_filters), "kernel": Choice(branch_kernels)}
    steps = {
        "conv": Group(step),
        "separable": Group(step),
        "pool": Group({"window": Choice(branch_poolings)}),
    }
    branch = Group({"steps": Repeated(_switch(steps, branch_kinds), _size(branch_steps)), "dropout": Choice(dropouts)})

    def block(kind_factors: Weights, pooling_factors: Weights) -> Switch:
        after: dict[str, Node] = {
            "pool": Choice(_leaning(poolings, pooling_factors)),
            "dropout": Choice(dropouts),
        }
        cases = {
            "conv": Group({"filters": width, **window, **after}),
            "separable": Group({"filters": width, **window, **after}),
            "depthwise": Group({"multiplier": Choice({1: 3, 2: 1}), **window, **after}),
            "inception": Group({"branches": Repeated(branch, _size(branches)), **unit, **after}),
        }
        return _switch(cases, _leaning(kinds, kind_factors))

    head = Group({"pooling": Choice(head_poolings), "hidden": Choice(hidden)})
    blocks = Repeated(
        block({}, {"none": 12}),
        _size(depth),
        # On a grey image, a separable or depthwise convolution has a single kernel. The first pooling comes early: it
        # makes all later layers four times cheaper. Few poolings follow: a network that shrinks its images twice early
        # has no room for depth.
        leading=(
            block({"conv": 16, "separable": 0.1}, {"none": 4}),
            block({}, {"none": 0.35}),
            block({}, {"none": 1.5}),
            block({}, {"none": 4}),
        ),
    )
    return Group({"blocks": blocks, "head": head})


def prior(params: int) -> dict[str, Any]:
    """Return the prior that depends on the budget of parameters, as arguments of ``network_choices``.

    The smaller a network, the more it gains from layers with few weights: below 8,000 parameters separable convolutions
    become more likely, and below 4,000 layers that are applied several times with the same weights. Above 10,000
    parameters, layers are drawn wider.

    >>> prior(8_000)["kinds"] == KINDS, prior(1_000)["kinds"]["separable"] / KINDS["separable"]
    (True, 8.0)
    >>> [prior(params)["filters"].usual for params in (1_000, 10_000, 20_000, 80_000)]
    [32, 32, 45, 64]
    """
    wider = min(2.0, max(1.0, math.sqrt(params / 10_000)))
    separable = min(8.0, max(1.0, 8_000 / params))
    shared = min(16.0, max(1.0, 4_000 / params) ** 2)
    return {
        "kinds": _leaning(KINDS, {"separable": separable}),
        "repeats": _leaning(REPEATS, {times: shared for times in REPEATS if times > 1}),
        "filters": Integers(1, _WIDEST, round(wider * _LIKELY_WIDTH), usual=round(wider * _USUALLY_WIDEST)),
    }


# Fields that may differ between the blocks of a stage.
_OWN = {"kernel", "stride", "repeat", "shortcut", "pool", "dropout"}


def uniform(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value whose stages are uniform: successive blocks without a pooling between them become equal.

    Blocks up to the first pooling stay as they are. After it, each block gets the fields of the first one of its stage,
    such as kind and width, but keeps its own kernel, stride, repeats, shortcut, pooling and dropout. Networks drawn by
    hand have such stages (Simonyan and Zisserman, 2015). They are a good start among the many networks that differ in
    each layer.

    Args:
        value: A value of the tree.
    """
    blocks: list[dict[str, Any]] = []
    first: dict[str, Any] | None = None
    pooled = False
    for block in value["blocks"]:
        if first is not None:
            block = {**first, **{name: block[name] for name in _OWN & block.keys() & first.keys()}}
        blocks.append(block)
        pooled = pooled or block["pool"] != "none"
        first = None if not pooled or block["pool"] != "none" else block
    return {**value, "blocks": blocks}


def tied(value: Mapping[str, Any], channels: int, *, plain_first: bool = True) -> dict[str, Any]:
    """Return a value that can be built where layers need as many output channels as input channels.

    A layer that is applied several times with the same weights, or has a shortcut around it, gets as many filters as
    input channels. With a shortcut it also keeps the size of the image.

    Args:
        value: A value of the tree.
        channels: Number of channels of the input image.
        plain_first: Whether a convolution in the first block is applied once, without a shortcut.
    """
    blocks: list[dict[str, Any]] = []
    for block in value["blocks"]:
        if block["kind"] == "inception":
            channels = sum(_branch_channels(branch, channels) for branch in block["branches"])
            blocks.append(block)
            continue
        if plain_first and not blocks:
            block = {**block, "repeat": 1, "shortcut": False}
        if block["shortcut"]:
            block = {**block, "padding": "same", "stride": 1}
        size = "multiplier" if block["kind"] == "depthwise" else "filters"
        if block["shortcut"] or block["repeat"] > 1:
            block = {**block, size: 1 if size == "multiplier" else channels}
        channels = channels * block[size] if size == "multiplier" else block[size]
        blocks.append(block)
    return {**value, "blocks": blocks}


def _branch_channels(branch: Mapping[str, Any], channels: int) -> int:
    return int(next((step["filters"] for step in reversed(branch["steps"]) if step["kind"] != "pool"), channels))


def _size(given: Sizes) -> Size:
    return given if isinstance(given, Size) else Integers(*given)


def _switch(cases: Mapping[str, Group], weights: Weights) -> Switch:
    unknown = sorted(set(weights) - set(cases))
    if unknown:
        raise SpaceError(f"the kinds are {', '.join(cases)}; got {unknown[0]!r}")
    return Switch({kind: cases[kind] for kind in weights}, weights)


def _leaning(weights: Weights, factors: Weights) -> Weights:
    return {option: weight * factors.get(option, 1.0) for option, weight in weights.items()}
