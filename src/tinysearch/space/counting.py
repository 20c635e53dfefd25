"""Interpreter that counts the cost of an architecture, operation by operation; ``cost`` has the rules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from tinysearch.space.architecture import Convolution, DepthwiseConv, Pool, SeparableConv
from tinysearch.space.arena import arena_size
from tinysearch.space.convolution import Activation
from tinysearch.space.footprint import Footprint
from tinysearch.space.shapes import Shape, added, concatenated, convolved, note_weights, pooled
from tinysearch.space.task import BYTES


class LayerCost(NamedTuple):
    """Cost of one operation. ``output_shape`` is per image; the parameters of a shared layer count at its first use."""

    name: str
    kind: str
    output_shape: Shape
    params: int
    non_trainable_params: int
    macs: int

    @property
    def trainable_params(self) -> int:
        """Parameters that the optimizer updates."""
        return self.params - self.non_trainable_params

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "name": self.name,
            "kind": self.kind,
            "output_shape": list(self.output_shape),
            "params": self.params,
            "trainable_params": self.trainable_params,
            "non_trainable_params": self.non_trainable_params,
            "macs": self.macs,
        }


class Tensor(NamedTuple):
    """A tensor of the network: the buffer that holds it, and its shape per image."""

    buffer: int
    shape: Shape


class CountingOps:
    """Interpreter of an architecture that counts its cost."""

    def __init__(self, input_shape: Shape, values: str = BYTES) -> None:
        self.layers: list[LayerCost] = []
        self.params = self.non_trainable_params = self.macs = self.int8_weight_bytes = 0
        # Size of each buffer, and the number of the last buffer that is created while it is in memory.
        self._sizes = [math.prod(input_shape)]
        self._last_uses = [0]
        self._weights: dict[str, int] = {}
        self.footprint = Footprint(input_shape[2], values)
        # Largest number of rows, columns or channels of the input, or of pixels where the C code counts pixels.
        self.largest = max(input_shape)
        # Output buffer of a convolution as long as no other operation has changed it, else -1.
        self._bare = -1

    def convolution(self, x: Tensor, name: str, *, layer: Convolution, folds: bool) -> Tensor:
        channels = x.shape[2]
        (rows, columns, units), weights = convolved(x.shape, name, layer)
        own = weights
        if isinstance(layer, SeparableConv):
            # The output of the depthwise half is a separate tensor.
            own = channels * units
            depth = 0 if name in self._weights else weights - own
            self.footprint.add("depthwise", weights=depth, outputs=channels)
            x = self._new((rows, columns, channels), x)
        function = "depthwise" if isinstance(layer, DepthwiseConv) else "convolution"
        self.footprint.add(function, weights=0 if name in self._weights else own, outputs=units)
        macs = rows * columns * weights
        x = self._weighted(x, name, layer.kind, (rows, columns, units), weights, layer.bias, macs, folds)
        self._bare = x.buffer
        return x

    def batch_normalization(self, x: Tensor, name: str, *, folds: bool) -> Tensor:
        channels = x.shape[-1]
        if not folds:
            self.int8_weight_bytes += 8 * channels
        if x.buffer != self._bare:
            # After an activation it is a depthwise 1x1 convolution.
            self.footprint.add("depthwise", weights=channels, outputs=channels)
        self._bare = -1
        return self._in_place(x, name, "batch_norm", x.shape, params=4 * channels, non_trainable=2 * channels)

    def activation(self, x: Tensor, name: str, *, kind: Activation) -> Tensor:
        self._bare = -1
        if kind == "leaky_relu":
            self.footprint.add("leaky_relu")
        return self._in_place(x, name, kind, x.shape)

    def pool(self, x: Tensor, name: str, *, layer: Pool) -> Tensor:
        self.footprint.add(f"{layer.mode}_pool")
        return self._free(name, f"{layer.mode}_pool", pooled(x.shape, name, layer), x)

    def dropout(self, x: Tensor, name: str, *, rate: float) -> Tensor:
        return self._in_place(x, name, "dropout", x.shape)

    def concatenate(self, xs: Sequence[Tensor], name: str) -> Tensor:
        shape = concatenated([x.shape for x in xs], name)
        self.largest = max(self.largest, shape[0] * shape[1])
        for _ in xs:
            self.footprint.add("concatenate")
        return self._free(name, "concatenate", shape, *xs)

    def add(self, x: Tensor, y: Tensor, name: str) -> Tensor:
        self.footprint.add("add")
        return self._free(name, "add", added(x.shape, y.shape, name), x, y)

    def flatten(self, x: Tensor, name: str) -> Tensor:
        return self._in_place(x, name, "flatten", (math.prod(x.shape),))

    def global_pool(self, x: Tensor, name: str, *, average: bool) -> Tensor:
        if average:
            self.largest = max(self.largest, x.shape[0] * x.shape[1])
        self.footprint.add("average" if average else "max_pool")
        return self._free(name, "global_average_pool" if average else "global_max_pool", x.shape[2:], x)

    def dense(self, x: Tensor, name: str, *, units: int, activation: str) -> Tensor:
        weights = x.shape[0] * units
        self.footprint.add("convolution", weights=weights, outputs=units)
        return self._weighted(x, name, "dense", (units,), weights, True, weights, folds=False)

    def peak_activation_bytes(self) -> int:
        """Return the size of an arena for the buffers of all operations."""
        return arena_size(tuple(self._sizes), tuple(self._last_uses))

    def _weighted(
        self, x: Tensor, name: str, kind: str, shape: Shape, weights: int, bias: bool, macs: int, folds: bool
    ) -> Tensor:
        units = shape[-1]
        shared = note_weights(self._weights, name, weights, units)
        if not shared:
            self.int8_weight_bytes += weights + (4 * units if bias or folds else 0)
        params = 0 if shared else weights + (units if bias else 0)
        self.params += params
        self.macs += macs
        self.layers.append(LayerCost(name, kind, shape, params, 0, macs))
        return self._new(shape, x)

    def _free(self, name: str, kind: str, shape: Shape, *inputs: Tensor) -> Tensor:
        self.layers.append(LayerCost(name, kind, shape, 0, 0, 0))
        return self._new(shape, *inputs)

    def _in_place(
        self, x: Tensor, name: str, kind: str, shape: Shape, params: int = 0, non_trainable: int = 0
    ) -> Tensor:
        self.params += params
        self.non_trainable_params += non_trainable
        self.layers.append(LayerCost(name, kind, shape, params, non_trainable, 0))
        return Tensor(x.buffer, shape)

    def _new(self, shape: Shape, *inputs: Tensor) -> Tensor:
        buffer = len(self._sizes)
        for x in inputs:
            self._last_uses[x.buffer] = buffer
        self._sizes.append(math.prod(shape))
        self._last_uses.append(buffer)
        return Tensor(buffer, shape)
