"""Lowering of architectures to primitive operations.

``lower`` walks an architecture and calls an interpreter, the ``LayerOps``, for each of its primitive operations in
order. The cost and the Keras model are two interpreters of this one walk, so they cannot disagree about the meaning of
an architecture (the design of uNAS, Liberis et al., 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

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
from tinysearch.space.convolution import Activation
from tinysearch.space.task import Task

X = TypeVar("X")


class LayerOps(Protocol[X]):
    """Interpreter of primitive operations; ``x`` is the value that it passes from one operation to the next.

    Operations of the same ``name`` share their weights. ``layer`` has the sizes of a convolution or pooling; activation
    and normalization are separate operations. ``folds`` is True if a batch normalization directly follows the
    convolution and a converter can fold it into the convolution's weights and bias.
    """

    def convolution(self, x: X, name: str, *, layer: Convolution, folds: bool) -> X: ...

    def batch_normalization(self, x: X, name: str, *, folds: bool) -> X: ...

    def activation(self, x: X, name: str, *, kind: Activation) -> X: ...

    def pool(self, x: X, name: str, *, layer: Pool) -> X: ...

    def dropout(self, x: X, name: str, *, rate: float) -> X: ...

    def concatenate(self, xs: Sequence[X], name: str) -> X: ...

    def add(self, x: X, y: X, name: str) -> X: ...

    def flatten(self, x: X, name: str) -> X: ...

    def global_pool(self, x: X, name: str, *, average: bool) -> X: ...

    def dense(self, x: X, name: str, *, units: int, activation: str) -> X: ...


def lower(architecture: Architecture, task: Task, ops: LayerOps[X], x: X) -> X:
    """Lower an architecture to primitive operations.

    Args:
        architecture: The architecture to lower.
        task: The task, for the number of classes of the last layer.
        ops: The interpreter.
        x: The interpreter's value for the input image, shape ``(height, width, channels)``.

    Returns:
        The interpreter's value for the class probabilities, shape ``(classes,)``.
    """
    x = _sequence(architecture.layers, ops, x, "")
    head = architecture.head
    if head.pooling == "flatten":
        x = ops.flatten(x, "flatten")
    else:
        x = ops.global_pool(x, f"global_{head.pooling}", average=head.pooling == "average")
    if head.hidden:
        x = ops.dense(x, "hidden", units=head.hidden, activation="relu")
    return ops.dense(x, "classes", units=task.classes, activation="softmax")


def _sequence(layers: Sequence[Layer], ops: LayerOps[X], x: X, prefix: str) -> X:
    for index, layer in enumerate(layers, start=1):
        x = _layer(layer, ops, x, f"{prefix}{layer.kind}{index}")
    return x


def _layer(layer: Layer, ops: LayerOps[X], x: X, name: str) -> X:
    match layer:
        case Conv() | SeparableConv() | DepthwiseConv():
            for time in range(1, layer.repeat + 1):
                x = _convolution(layer, ops, x, name, "" if layer.repeat == 1 else f"_{time}")
            return x
        case Pool():
            return ops.pool(x, name, layer=layer)
        case Dropout():
            return ops.dropout(x, name, rate=layer.rate)
        case Inception():
            ends = [
                _sequence(branch, ops, x, f"{name}_branch{number}_")
                for number, branch in enumerate(layer.branches, start=1)
            ]
            return ops.concatenate(ends, name) if len(ends) > 1 else ends[0]
        case Residual():
            return ops.add(x, _sequence(layer.body, ops, x, f"{name}_"), name)


def _convolution(layer: Convolution, ops: LayerOps[X], x: X, name: str, time: str) -> X:
    first = layer.norm == "before" or (layer.norm == "after" and layer.activation == "linear")
    folds = first and layer.repeat == 1
    x = ops.convolution(x, name, layer=layer, folds=folds)
    if layer.norm == "before":
        x = ops.batch_normalization(x, f"{name}_norm{time}", folds=folds)
    if layer.activation != "linear":
        x = ops.activation(x, f"{name}_{layer.activation}{time}", kind=layer.activation)
    if layer.norm == "after":
        x = ops.batch_normalization(x, f"{name}_norm{time}", folds=folds)
    return x
