"""Translation between values of the tree of choices and architectures, see ``network_choices``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinysearch.errors import SpaceError
from tinysearch.space.architecture import (
    Architecture,
    Conv,
    Convolution,
    DepthwiseConv,
    Dropout,
    Head,
    Inception,
    Layer,
    Pool,
    Residual,
    SeparableConv,
)

POOLS: dict[str, Pool | None] = {
    "none": None,
    "max 2x2": Pool("max", 2),
    "max 2x2 stride 1": Pool("max", 2, 1),
    "max 3x3 stride 2": Pool("max", 3, 2, "same"),
    "average 2x2": Pool("average", 2),
}
BRANCH_POOLS: dict[str, Pool] = {
    "max 2x2": Pool("max", 2, 1, "same"),
    "max 3x3": Pool("max", 3, 1, "same"),
    "average 3x3": Pool("average", 3, 1, "same"),
}
# Poolings of series have windows along time, which is the height.
SERIES_POOLS: dict[str, Pool | None] = {
    "max 2x1": Pool("max", (2, 1)),
    "max 2x1 stride 1": Pool("max", (2, 1), 1),
    "max 3x1 stride 2": Pool("max", (3, 1), 2, "same"),
    "max 4x1": Pool("max", (4, 1)),
    "average 2x1": Pool("average", (2, 1)),
}
SERIES_BRANCH_POOLS: dict[str, Pool] = {
    "max 3x1": Pool("max", (3, 1), 1, "same"),
    "average 3x1": Pool("average", (3, 1), 1, "same"),
}
ALL_POOLS = {**POOLS, **SERIES_POOLS}
ALL_BRANCH_POOLS = {**BRANCH_POOLS, **SERIES_BRANCH_POOLS}


def to_architecture(value: Mapping[str, Any]) -> Architecture:
    """Return the architecture of a value of the tree."""
    layers: list[Layer] = []
    for block in value["blocks"]:
        layers.append(_block_to_layer(block))
        pool = ALL_POOLS[block["pool"]]
        if pool is not None:
            layers.append(pool)
        if block["dropout"]:
            layers.append(Dropout(block["dropout"]))
    return Architecture(tuple(layers), Head(**value["head"]))


def from_architecture(architecture: Architecture) -> dict[str, Any]:
    """Return the value of the tree for an architecture, the reverse of ``to_architecture``.

    Raises:
        SpaceError: if the architecture is not a list of blocks. Whether the options are legal is not checked.
    """
    blocks: list[dict[str, Any]] = []
    for layer in architecture.layers:
        if isinstance(layer, Pool) and blocks and blocks[-1]["pool"] == "none" and not blocks[-1]["dropout"]:
            blocks[-1]["pool"] = _name_of(layer, ALL_POOLS)
        elif isinstance(layer, Dropout) and blocks and not blocks[-1]["dropout"]:
            blocks[-1]["dropout"] = layer.rate
        else:
            blocks.append({**_layer_to_block(layer), "pool": "none", "dropout": 0.0})
    head = architecture.head
    return {"blocks": blocks, "head": {"pooling": head.pooling, "hidden": head.hidden}}


def _block_to_layer(block: Mapping[str, Any]) -> Layer:
    if block["kind"] == "inception":
        return Inception(tuple(_branch_to_layers(branch, block) for branch in block["branches"]))
    arguments: dict[str, Any] = {
        "kernel": _kernel(block["kernel"]),
        **{name: block[name] for name in ("stride", "padding", "activation", "norm", "bias", "repeat")},
    }
    layer: Convolution
    if block["kind"] == "depthwise":
        layer = DepthwiseConv(block["multiplier"], **arguments)
    else:
        layer = (Conv if block["kind"] == "conv" else SeparableConv)(block["filters"], **arguments)
    return Residual((layer,)) if block["shortcut"] else layer


def _layer_to_block(layer: Layer) -> dict[str, Any]:
    shortcut = isinstance(layer, Residual)
    if isinstance(layer, Residual) and len(layer.body) == 1:
        layer = layer.body[0]
    match layer:
        case Inception(branches):
            units = {
                (step.activation, step.norm, step.bias)
                for branch in branches
                for step in branch
                if isinstance(step, (Conv, SeparableConv))
            }
            if len(units) > 1 or shortcut:
                raise SpaceError("an inception block of the space has one activation, norm and bias, and no shortcut")
            activation, norm, bias = units.pop() if units else ("relu", "none", True)
            return {
                "kind": "inception",
                "branches": [_layers_to_branch(branch) for branch in branches],
                "activation": activation,
                "norm": norm,
                "bias": bias,
            }
        case Conv() | SeparableConv() | DepthwiseConv():
            names = ("stride", "padding", "activation", "norm", "bias", "repeat")
            size = {"multiplier": layer.multiplier} if isinstance(layer, DepthwiseConv) else {"filters": layer.filters}
            return {
                "kind": layer.kind,
                **size,
                "kernel": f"{layer.kernel[0]}x{layer.kernel[1]}",
                **{name: getattr(layer, name) for name in names},
                "shortcut": shortcut,
            }
        case _:
            raise SpaceError(f"no block of the space begins with {layer}")


def _branch_to_layers(branch: Mapping[str, Any], block: Mapping[str, Any]) -> tuple[Layer, ...]:
    unit = {name: block[name] for name in ("activation", "norm", "bias")}
    layers: list[Layer] = []
    for step in branch["steps"]:
        if step["kind"] == "pool":
            layers.append(ALL_BRANCH_POOLS[step["window"]])
        else:
            layer = Conv if step["kind"] == "conv" else SeparableConv
            layers.append(layer(step["filters"], kernel=_kernel(step["kernel"]), **unit))
    if branch["dropout"]:
        layers.append(Dropout(branch["dropout"]))
    return tuple(layers)


def _layers_to_branch(branch: tuple[Layer, ...]) -> dict[str, Any]:
    steps: list[dict[str, Any]] = []
    dropout = 0.0
    for layer in branch:
        if dropout:
            raise SpaceError("in a branch of the space, no layer may follow dropout")
        match layer:
            case Dropout(rate):
                dropout = rate
            case Pool():
                steps.append({"kind": "pool", "window": _name_of(layer, ALL_BRANCH_POOLS)})
            case Conv() | SeparableConv() if layer.stride == layer.repeat == 1 and layer.padding == "same":
                kernel = f"{layer.kernel[0]}x{layer.kernel[1]}"
                steps.append({"kind": layer.kind, "filters": layer.filters, "kernel": kernel})
            case _:
                raise SpaceError(f"no branch of the space has the step {layer}")
    return {"steps": steps, "dropout": dropout}


def _name_of(pool: Pool, pools: Mapping[str, Pool | None]) -> str:
    for name, known in pools.items():
        if known == pool:
            return name
    raise SpaceError(f"{pool} is not a pooling of the space; those are {', '.join(pools)}")


def _kernel(name: str) -> tuple[int, int]:
    height, width = name.split("x")
    return int(height), int(width)
