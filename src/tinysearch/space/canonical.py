"""Canonical form of architectures: one form for all that build the same network."""

from __future__ import annotations

import dataclasses
import json

from tinysearch.space.architecture import (
    Architecture,
    Conv,
    Convolution,
    Dropout,
    Inception,
    Layer,
    Pool,
    Residual,
    SeparableConv,
)


def canonical(architecture: Architecture) -> Architecture:
    """Return the canonical form of an architecture, identical for all that build the same network up to layer names.

    Dropout with rate 0 and 1x1 pooling with stride 1 are removed. The branches of an inception block are sorted, and a
    block of one branch is replaced by that branch. Padding of a 1x1 kernel is ``"same"``, and so is the padding of 1x1
    pooling, whose mode is ``"max"``. Normalization of a layer without an activation is ``"before"`` it.

    Branches keep their order where it decides which channels a residual block adds.

    >>> from tinysearch.space.architecture import Conv
    >>> canonical(Architecture((Conv(4, kernel=1, padding="valid"), Dropout(0.0)))).layers == (Conv(4, kernel=1),)
    True
    """
    layers = _canonical_layers(architecture.layers, ordered=False)
    return Architecture(layers, architecture.head) if layers else architecture


def _canonical_layers(layers: tuple[Layer, ...], *, ordered: bool) -> tuple[Layer, ...]:
    """Return the canonical form of a sequence; ``ordered`` is True if the order of its output channels matters."""
    new: list[Layer] = []
    for layer in reversed(layers):
        new[:0] = _canonical_layer(layer, ordered=ordered)
        ordered = _orders_input(layer, ordered=ordered)
    return tuple(new)


def _canonical_layer(layer: Layer, *, ordered: bool) -> tuple[Layer, ...]:
    match layer:
        case Dropout(rate):
            return (layer,) if rate else ()
        case Pool():
            if layer.size == 1:
                layer = dataclasses.replace(layer, mode="max", padding="same")
                return () if layer.step == 1 else (layer,)
            return (layer,)
        case Residual(body):
            inner = _canonical_layers(body, ordered=True)
            return (Residual(inner),) if inner else (layer,)
        case Inception(branches):
            if len(branches) == 1:
                return _canonical_layers(branches[0], ordered=ordered)
            new = [_canonical_layers(branch, ordered=ordered) or branch for branch in branches]
            return (Inception(tuple(new if ordered else sorted(new, key=_order))),)
        case _:
            return (_canonical_convolution(layer),)


def _orders_input(layer: Layer, *, ordered: bool) -> bool:
    """Return whether the order of a layer's input channels matters; ``ordered`` is True if that of its outputs does."""
    match layer:
        case Conv() | SeparableConv() if layer.repeat == 1:
            # Each filter reads all channels: permuted channels only permute the weights of the same network.
            return False
        case Residual(body):
            return ordered or _arranges(body)
        case Inception(branches):
            return any(_sequence_orders_input(branch, ordered=ordered) for branch in branches)
        case _:
            return ordered


def _sequence_orders_input(layers: tuple[Layer, ...], *, ordered: bool) -> bool:
    for layer in reversed(layers):
        ordered = _orders_input(layer, ordered=ordered)
    return ordered


def _arranges(layers: tuple[Layer, ...]) -> bool:
    """Return whether the output channels of a sequence are the concatenated channels of branches."""
    for layer in reversed(layers):
        match layer:
            case Conv() | SeparableConv() if layer.repeat == 1:
                return False
            case Inception():
                return True
            case Residual(body):
                if _arranges(body):
                    return True
            case _:
                pass
    return False


def _canonical_convolution(layer: Convolution) -> Convolution:
    if layer.kernel == (1, 1) and layer.padding != "same":
        layer = dataclasses.replace(layer, padding="same")
    if layer.activation == "linear" and layer.norm == "after":
        layer = dataclasses.replace(layer, norm="before")
    return layer


def _order(branch: tuple[Layer, ...]) -> str:
    return json.dumps([layer.to_dict() for layer in branch], sort_keys=True)
