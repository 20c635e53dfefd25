"""Faster forms of operations that XLA runs slowly on CPUs: convolution gradients, depthwise convolution, max pooling.

In a loop, the gradient of a 3x3 convolution on 26x26x8 with respect to its kernel takes 17 ms for 32 images, and 2.6 ms
as a matrix product. XLA has no kernel for convolutions of single channels: one of 3x3 on 26x26x12 takes 28 ms forward
and backward, and 2.4 ms as a sum of shifted images. The gradient of max pooling takes twice as long as the gradient of
comparisons.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import jax
import keras

# Maximum number of values in the columns of a convolution; above it, Keras's layer is used, which needs no columns.
_MOST_COLUMNS = 2**24


class UnrolledConv2D(keras.layers.Conv2D):
    """Keras's layer for images with channels last: the same results, and the same gradients up to rounding."""

    def call(self, inputs: Any) -> Any:
        """Convolve, shape ``(batch, height, width, channels)``."""
        if math.prod(self.kernel.shape[:3]) * math.prod(inputs.shape[:3]) > _MOST_COLUMNS:
            return super().call(inputs)
        return _activated(self, convolved(inputs, self.kernel.value, self.strides, self.padding))


class UnrolledDepthwiseConv2D(keras.layers.DepthwiseConv2D):
    """Keras's layer for images with channels last: the same results up to rounding."""

    def call(self, inputs: Any) -> Any:
        """Convolve, shape ``(batch, height, width, channels)``."""
        return _activated(self, depthwise(inputs, self.kernel, self.strides, self.padding))


class UnrolledSeparableConv2D(keras.layers.SeparableConv2D):
    """Keras's layer for images with channels last: the same results up to rounding."""

    def call(self, inputs: Any) -> Any:
        """Convolve, shape ``(batch, height, width, channels)``."""
        found = depthwise(inputs, self.depthwise_kernel, self.strides, self.padding)
        return _activated(self, keras.ops.matmul(found, self.pointwise_kernel[0, 0]))


class UnrolledMaxPooling2D(keras.layers.MaxPooling2D):
    """Keras's layer for images with channels last: the same results and gradients, also where values are equal."""

    def call(self, inputs: Any) -> Any:
        """Pool, shape ``(batch, height, width, channels)``."""
        windows = shifted(inputs, self.pool_size, self.strides, self.padding, -float("inf"))
        (_, _, found) = next(windows)
        for _, _, other in windows:
            # Of equal values the first one counts, as in Keras. NaN is kept.
            found = keras.ops.where((found >= other) | (found != found), found, other)
        return found


INSTEAD = {
    keras.layers.Conv2D: UnrolledConv2D,
    keras.layers.DepthwiseConv2D: UnrolledDepthwiseConv2D,
    keras.layers.SeparableConv2D: UnrolledSeparableConv2D,
    keras.layers.MaxPooling2D: UnrolledMaxPooling2D,
}


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def convolved(images: Any, kernel: Any, strides: tuple[int, int], padding: str) -> Any:
    """Convolve, with the gradients of a matrix product.

    Args:
        images: Shape ``(batch, height, width, channels)``.
        kernel: Shape ``(height, width, channels, filters)``.
        strides: Vertical and horizontal stride.
        padding: ``"valid"`` or ``"same"``.
    """
    return keras.ops.conv(images, kernel, strides, padding, "channels_last")


def _forward(images: Any, kernel: Any, strides: tuple[int, int], padding: str) -> tuple[Any, tuple[Any, Any]]:
    return convolved(images, kernel, strides, padding), (images, kernel)


def _backward(strides: tuple[int, int], padding: str, given: tuple[Any, Any], upstream: Any) -> Any:
    def product(images: Any, kernel: Any) -> Any:
        parts = [part for _, _, part in shifted(images, kernel.shape[:2], strides, padding, 0.0)]
        return keras.ops.matmul(keras.ops.concatenate(parts, axis=3), kernel.reshape(-1, kernel.shape[-1]))

    return jax.vjp(product, *given)[1](upstream)


convolved.defvjp(_forward, _backward)


def depthwise(images: Any, kernel: Any, strides: tuple[int, int], padding: str) -> Any:
    """Convolve each channel with its own kernels.

    Args:
        images: Shape ``(batch, height, width, channels)``.
        kernel: Shape ``(height, width, channels, multiplier)``.
        strides: Vertical and horizontal stride.
        padding: ``"valid"`` or ``"same"``.

    Returns:
        Shape ``(batch, height, width, channels * multiplier)``; the results of each channel are adjacent.
    """
    height, width, channels, multiplier = kernel.shape
    if multiplier > 1:
        images = keras.ops.repeat(images, multiplier, axis=3)
    total = None
    for row, column, part in shifted(images, (height, width), strides, padding, 0.0):
        product = part * keras.ops.reshape(kernel[row, column], (channels * multiplier,))
        total = product if total is None else total + product
    return total


def shifted(
    images: Any, size: tuple[int, int], strides: tuple[int, int], padding: str, fill: float
) -> Iterator[tuple[int, int, Any]]:
    """Yield row and column of each position in a window, and the values of all windows at this position.

    Args:
        images: Shape ``(batch, height, width, channels)``.
        size: Size of the window.
        strides: Vertical and horizontal stride.
        padding: ``"valid"`` or ``"same"``.
        fill: Value of the padding.
    """
    counts = []
    pads = [(0, 0)]
    for length, window, stride in zip(images.shape[1:3], size, strides, strict=True):
        count = -(-length // stride) if padding == "same" else (length - window) // stride + 1
        lacking = max(0, (count - 1) * stride + window - length)
        counts.append(count)
        pads.append((lacking // 2, lacking - lacking // 2))
    if any(pads[1] + pads[2]):
        images = keras.ops.pad(images, (*pads, (0, 0)), constant_values=fill)
    for row in range(size[0]):
        for column in range(size[1]):
            down = slice(row, row + (counts[0] - 1) * strides[0] + 1, strides[0])
            across = slice(column, column + (counts[1] - 1) * strides[1] + 1, strides[1])
            yield row, column, images[:, down, across]


def _activated(layer: Any, found: Any) -> Any:
    if layer.use_bias:
        found = found + layer.bias
    return found if layer.activation is None else layer.activation(found)
