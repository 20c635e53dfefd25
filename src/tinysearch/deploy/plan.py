"""The planning interpreter: an architecture as a short sequence of steps for a device.

Batch normalization directly after a convolution becomes part of it, dropout and flatten disappear, and a relu becomes
the end of the step before it. Nine kinds of steps remain, the same for C code and for LiteRT.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from tinysearch.space.architecture import Architecture, Conv, Convolution, DepthwiseConv, Pool, SeparableConv
from tinysearch.space.arena import place
from tinysearch.space.convolution import Activation
from tinysearch.space.lowering import lower
from tinysearch.space.task import Task

Kind = Literal[
    "convolution", "depthwise", "dense", "max_pool", "average_pool", "average", "add", "concatenate", "leaky_relu"
]
Pair = tuple[int, int]
Shape = tuple[int, int, int]
SLOPE = 0.2


class Tensor(NamedTuple):
    """A tensor between steps: its number, its shape ``(height, width, channels)``, and the buffer that holds it."""

    number: int
    shape: Shape
    buffer: int

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Step:
    """One operation.

    Args:
        kind: Kind of operation.
        name: Unique name within the network.
        inputs, output: Tensors; a ``leaky_relu`` and a depthwise 1x1 convolution for a normalization work in place.
        kernel, strides, padding: Heights before widths; padding is added above and left of the image.
        same: Whether the padding is ``"same"``; if not, it is ``"valid"``.
        weights: Name of its weights, which several steps may share; empty for none.
        layer: Name of the Keras layer with the weights.
        norm: Name of the Keras layer of a batch normalization that is part of the step; empty for none.
        relu: Whether negative results become 0.
    """

    kind: Kind
    name: str
    inputs: tuple[Tensor, ...]
    output: Tensor
    kernel: Pair = (1, 1)
    strides: Pair = (1, 1)
    padding: Pair = (0, 0)
    same: bool = False
    weights: str = ""
    layer: str = ""
    norm: str = ""
    relu: bool = False

    @property
    def input(self) -> Tensor:
        """The first or only input."""
        return self.inputs[0]


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of a network on one task.

    Args:
        steps: Steps in the order of execution.
        input: Tensor of the input image.
        offsets: Offset of each buffer within the arena, in values.
        arena: Size of the arena, in values.
    """

    steps: tuple[Step, ...]
    input: Tensor
    offsets: tuple[int, ...]
    arena: int

    @property
    def output(self) -> Tensor:
        """The logits, one per class."""
        return self.steps[-1].output

    def offset(self, tensor: Tensor) -> int:
        """Return the offset of a tensor within the arena, in values."""
        return self.offsets[tensor.buffer]


def plan(architecture: Architecture, task: Task) -> Plan:
    """Plan the steps of an architecture.

    Raises:
        ShapeError: if it does not fit the task.

    >>> from tinysearch.space.architecture import Conv
    >>> [step.kind for step in plan(Architecture((Conv(4, norm="before"),)), Task()).steps]
    ['convolution', 'dense']
    """
    ops = _PlanOps(task.input_shape)
    lower(architecture, task, ops, ops.image)
    offsets, arena = place(tuple(ops.sizes), tuple(ops.last_uses))
    return Plan(tuple(ops.steps), ops.image, offsets, arena)


class _PlanOps:
    """The planning interpreter. Its buffers live exactly as long as the cost counts them."""

    def __init__(self, shape: Shape) -> None:
        self.steps: list[Step] = []
        self.sizes = [math.prod(shape)]
        self.last_uses = [0]
        self._tensors = 1
        self.image = Tensor(0, shape, 0)

    def convolution(self, x: Tensor, name: str, *, layer: Convolution, folds: bool) -> Tensor:
        fields: dict[str, Any] = {**_window(x.shape, layer.kernel, layer.strides, layer.padding), "layer": name}
        match layer:
            case Conv():
                return self._windowed("convolution", name, x, layer.filters, weights=name, **fields)
            case DepthwiseConv():
                return self._windowed("depthwise", name, x, x.shape[2] * layer.multiplier, weights=name, **fields)
            case SeparableConv():
                depth = f"{name}_depthwise"
                x = self._windowed("depthwise", depth, x, x.shape[2], weights=depth, **fields)
                return self._windowed("convolution", name, x, layer.filters, weights=name, layer=name)

    def batch_normalization(self, x: Tensor, name: str, *, folds: bool) -> Tensor:
        last = self.steps[-1]
        if last.output == x and not (last.relu or last.norm) and last.kind in ("convolution", "depthwise"):
            self.steps[-1] = dataclasses.replace(last, norm=name)
            return x
        return self._in_place("depthwise", name, x, norm=name)

    def activation(self, x: Tensor, name: str, *, kind: Activation) -> Tensor:
        if kind == "leaky_relu":
            return self._in_place("leaky_relu", name, x)
        return self._end_with_relu(x)

    def pool(self, x: Tensor, name: str, *, layer: Pool) -> Tensor:
        fields = _window(x.shape, layer.window, layer.strides, layer.padding)
        return self._windowed("max_pool" if layer.mode == "max" else "average_pool", name, x, x.shape[2], **fields)

    def dropout(self, x: Tensor, name: str, *, rate: float) -> Tensor:
        return x

    def concatenate(self, xs: Sequence[Tensor], name: str) -> Tensor:
        shape = (*xs[0].shape[:2], sum(x.shape[2] for x in xs))
        return self._step("concatenate", name, tuple(xs), shape)

    def add(self, x: Tensor, y: Tensor, name: str) -> Tensor:
        return self._step("add", name, (x, y), x.shape)

    def flatten(self, x: Tensor, name: str) -> Tensor:
        return x

    def global_pool(self, x: Tensor, name: str, *, average: bool) -> Tensor:
        height, width, channels = x.shape
        if average:
            return self._step("average", name, (x,), (1, 1, channels))
        return self._windowed("max_pool", name, x, channels, **_window(x.shape, (height, width), 1, "valid"))

    def dense(self, x: Tensor, name: str, *, units: int, activation: str) -> Tensor:
        x = self._step("dense", name, (x,), (1, 1, units), weights=name, layer=name)
        return self._end_with_relu(x) if activation == "relu" else x

    def _end_with_relu(self, x: Tensor) -> Tensor:
        self.steps[-1] = dataclasses.replace(self.steps[-1], relu=True)
        return x

    def _windowed(self, kind: Kind, name: str, x: Tensor, channels: int, **fields: Any) -> Tensor:
        height, width, _ = x.shape
        kernel, strides = fields.get("kernel", (1, 1)), fields.get("strides", (1, 1))
        if fields.get("same"):
            rows, columns = -(-height // strides[0]), -(-width // strides[1])
        else:
            rows, columns = (height - kernel[0]) // strides[0] + 1, (width - kernel[1]) // strides[1] + 1
        return self._step(kind, name, (x,), (rows, columns, channels), **fields)

    def _step(self, kind: Kind, name: str, inputs: tuple[Tensor, ...], shape: Shape, **fields: Any) -> Tensor:
        buffer = len(self.sizes)
        for x in inputs:
            self.last_uses[x.buffer] = buffer
        self.sizes.append(math.prod(shape))
        self.last_uses.append(buffer)
        return self._append(kind, name, inputs, shape, buffer, **fields)

    def _in_place(self, kind: Kind, name: str, x: Tensor, **fields: Any) -> Tensor:
        return self._append(kind, name, (x,), x.shape, x.buffer, **fields)

    def _append(
        self, kind: Kind, name: str, inputs: tuple[Tensor, ...], shape: Shape, buffer: int, **fields: Any
    ) -> Tensor:
        output = Tensor(self._tensors, shape, buffer)
        self._tensors += 1
        self.steps.append(Step(kind, f"{name}_{len(self.steps)}", inputs, output, **fields))
        return output


def _pair(value: int | Pair) -> Pair:
    return (value, value) if isinstance(value, int) else value


def _window(shape: Shape, kernel: int | Pair, strides: int | Pair, padding: str) -> dict[str, Any]:
    kernel, strides = _pair(kernel), _pair(strides)
    before = (0, 0)
    if padding == "same":
        # Like TensorFlow: of an odd amount of padding, the larger half goes below and to the right.
        needed = [
            max(0, (-(-side // step) - 1) * step + size - side)
            for side, size, step in zip(shape, kernel, strides, strict=False)
        ]
        before = (needed[0] // 2, needed[1] // 2)
    return {"kernel": kernel, "strides": strides, "padding": before, "same": padding == "same"}
