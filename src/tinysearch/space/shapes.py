"""Shapes and numbers of weights of primitive operations, with their checks, for the interpreters that count."""

from __future__ import annotations

from collections.abc import Sequence

from tinysearch.errors import ShapeError
from tinysearch.space.architecture import Conv, Convolution, DepthwiseConv, Pool, SeparableConv
from tinysearch.space.convolution import Padding

Shape = tuple[int, ...]


def convolved(shape: Shape, name: str, layer: Convolution) -> tuple[Shape, int]:
    """Return the output shape of a convolution, and its number of weights without the bias.

    Args:
        shape: Its input shape, ``(height, width, channels)``.
        name: Name of the operation, for errors.
        layer: The layer with its sizes.

    Raises:
        ShapeError: if a window without padding is larger than the image.
    """
    channels = shape[2]
    window = _window(shape, name, layer.kernel, layer.strides, layer.padding)
    area = layer.kernel[0] * layer.kernel[1]
    match layer:
        case Conv():
            return (*window, layer.filters), area * channels * layer.filters
        case SeparableConv():
            return (*window, layer.filters), area * channels + channels * layer.filters
        case DepthwiseConv():
            units = channels * layer.multiplier
            return (*window, units), area * units


def pooled(shape: Shape, name: str, layer: Pool) -> Shape:
    """Return the output shape of a pooling.

    Raises:
        ShapeError: if a window without padding is larger than the image.
    """
    return (*_window(shape, name, layer.window, layer.strides, layer.padding), shape[2])


def concatenated(shapes: Sequence[Shape], name: str) -> Shape:
    """Return the shape of images that are concatenated along the channels.

    Raises:
        ShapeError: if they differ in height or width.
    """
    images = {shape[:2] for shape in shapes}
    if len(images) > 1:
        found = ", ".join(f"{height}x{width}" for height, width in sorted(images))
        raise ShapeError(f"the branches of {name} end in images of different sizes: {found}")
    return (*shapes[0][:2], sum(shape[2] for shape in shapes))


def added(shape: Shape, other: Shape, name: str) -> Shape:
    """Return the shape of the sum of two tensors.

    Raises:
        ShapeError: if their shapes differ.
    """
    if shape != other:
        raise ShapeError(f"{name} adds shape {other} to shape {shape}; a residual body must keep its shape")
    return shape


def note_weights(weights: dict[str, int], name: str, count: int, units: int) -> bool:
    """Store the number of weights of an operation, and return whether it shares those of an earlier operation.

    Args:
        weights: The number of weights of each operation so far, by name; modified in place.
        name: Name of the operation.
        count: Its number of weights.
        units: Its number of output channels, for errors.

    Raises:
        ShapeError: if an earlier operation of this name has another number of weights.
    """
    shared = name in weights
    if weights.setdefault(name, count) != count:
        raise ShapeError(
            f"{name} is repeated with shared weights, which needs as many output channels as input channels; "
            f"it has {units} output channels"
        )
    return shared


def _window(
    shape: Shape, name: str, kernel: tuple[int, int], strides: tuple[int, int], padding: Padding
) -> tuple[int, int]:
    height, width = shape[:2]
    if padding == "same":
        return -(-height // strides[0]), -(-width // strides[1])
    if kernel[0] > height or kernel[1] > width:
        raise ShapeError(
            f"{name} slides a {kernel[0]}x{kernel[1]} window without padding over an image of {height}x{width}; "
            f"the window must not be larger than the image"
        )
    return (height - kernel[0]) // strides[0] + 1, (width - kernel[1]) // strides[1] + 1
