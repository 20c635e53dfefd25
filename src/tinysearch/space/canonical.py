"""One form for all architectures that build the same network."""

from __future__ import annotations

import dataclasses
import json

from tinysearch.space.architecture import Architecture, Convolution, Dropout, Inception, Layer, Pool, Residual


def canonical(architecture: Architecture) -> Architecture:
    """Return the form that all architectures share that build the same network, up to the names of layers.

    Dropout of nothing and pooling of single pixels disappear, the branches of an inception block are sorted, a block
    of one branch is that branch, padding of a 1x1 kernel is ``"same"``, and normalization without an activation
    stands ``"before"`` it.

    >>> from tinysearch.space.architecture import Conv
    >>> canonical(Architecture((Conv(4, kernel=1, padding="valid"), Dropout(0.0)))).layers == (Conv(4, kernel=1),)
    True
    """
    layers = _canonical_layers(architecture.layers)
    return Architecture(layers, architecture.head) if layers else architecture


def _canonical_layers(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    return tuple(new for layer in layers for new in _canonical_layer(layer))


def _canonical_layer(layer: Layer) -> tuple[Layer, ...]:
    match layer:
        case Dropout(rate):
            return (layer,) if rate else ()
        case Pool():
            if layer.size == 1:
                layer = dataclasses.replace(layer, mode="max", padding="same")
                return () if layer.step == 1 else (layer,)
            return (layer,)
        case Residual(body):
            inner = _canonical_layers(body)
            return (Residual(inner),) if inner else (layer,)
        case Inception(branches):
            new = [_canonical_layers(branch) or branch for branch in branches]
            if len(new) == 1:
                return _canonical_layers(branches[0])
            return (Inception(tuple(sorted(new, key=_order))),)
        case _:
            return (_canonical_convolution(layer),)


def _canonical_convolution(layer: Convolution) -> Convolution:
    if layer.kernel == (1, 1) and layer.padding != "same":
        layer = dataclasses.replace(layer, padding="same")
    if layer.activation == "linear" and layer.norm == "after":
        layer = dataclasses.replace(layer, norm="before")
    return layer


def _order(branch: tuple[Layer, ...]) -> str:
    return json.dumps([layer.to_dict() for layer in branch], sort_keys=True)
