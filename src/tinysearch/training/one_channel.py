"""Convolutions of a single channel for TensorFlow on CPUs, which avoid errors of its oneDNN kernels.

With TensorFlow 2.21 on a CPU, depthwise and 1x1 convolutions of one channel end some trainings with "could not create a
primitive descriptor for the reorder primitive", and corrupt the memory of some others until the process crashes. Which
ones depends on the operations that TensorFlow merges. Of 100 networks that KerasTuner drew uniformly from the search
space, 13 failed in this way. The layers are used on GPUs too.
"""

from __future__ import annotations

from typing import Any

import keras

# Maximum number of filters for which both steps of a separable convolution become one: with more, one convolution takes
# longer than two, and none has been seen to fail.
_FEW = 4


class OneChannelConv2D(keras.layers.Conv2D):
    """Keras's layer for images with channels last: the same results up to rounding."""

    def call(self, inputs: Any) -> Any:
        """Convolve, shape ``(batch, height, width, channels)``; multiply one channel by a 1x1 kernel."""
        if inputs.shape[-1] > 1 or self.kernel_size != (1, 1):
            return super().call(inputs)
        return _convolved(self, inputs, self.kernel)


class OneChannelDepthwiseConv2D(keras.layers.DepthwiseConv2D):
    """Keras's layer for images with channels last: the same results up to rounding."""

    def call(self, inputs: Any) -> Any:
        """Convolve, shape ``(batch, height, width, channels)``; one channel by a standard convolution."""
        if inputs.shape[-1] > 1 or not _can_merge(self):
            return super().call(inputs)
        return _convolved(self, inputs, self.kernel)


class OneChannelSeparableConv2D(keras.layers.SeparableConv2D):
    """Keras's layer for images with channels last: the same results up to rounding."""

    def call(self, inputs: Any) -> Any:
        """Convolve, shape ``(batch, height, width, channels)``; with few filters, one channel in one step."""
        if inputs.shape[-1] > 1 or not _can_merge(self) or (self.filters > _FEW and self.kernel_size != (1, 1)):
            return super().call(inputs)
        return _convolved(self, inputs, self.depthwise_kernel * self.pointwise_kernel)


def _can_merge(layer: Any) -> bool:
    # oneDNN's standard convolution of one channel may be wrong if only its horizontal stride is above 1.
    return bool(layer.kernel_size == (1, 1) or layer.strides[0] == layer.strides[1])


def _convolved(layer: Any, inputs: Any, kernel: Any) -> Any:
    """Convolve one channel with a kernel of shape ``(height, width, 1, filters)``; then bias and activation."""
    if layer.kernel_size == (1, 1):
        down, across = layer.strides
        found = inputs[:, ::down, ::across] * kernel[0, 0]
    else:
        found = keras.ops.conv(inputs, kernel, layer.strides, layer.padding, "channels_last")
    found = found if layer.bias is None else found + layer.bias
    return found if layer.activation is None else layer.activation(found)
