"""Short notation of architectures in one line, for tables."""

from __future__ import annotations

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
from tinysearch.space.fields import Sides

LEGEND = (
    "c12 convolution to 12 channels, s separable, d1 depthwise with 1 output for each channel; k5 kernel 5x5 (3x3 "
    "by default), /2 stride, x2 applied twice with the same weights; M max and A average pooling over 2x2, M3/2 over "
    "3x3 with stride 2; +(...) shortcut, [...|...] inception; h16 hidden layer of 16 units. Padding, activation, "
    "normalization and dropout are left out: networks that differ only in these look the same"
)

SHORT_LEGEND = "c12 is a convolution to 12 channels, s12 a separable one, k5 a kernel of 5x5, M max pooling"


def notation(architecture: Architecture) -> str:
    """Return the short notation of an architecture; dropout, activation, padding and normalization are left out.

    >>> notation(Architecture((Conv(20, kernel=7), Pool(), SeparableConv(8, stride=2))))
    'c20k7 M s8/2'
    """
    parts = [_short(layer) for layer in architecture.layers]
    if architecture.head.hidden:
        parts.append(f"h{architecture.head.hidden}")
    return " ".join(part for part in parts if part)


def _short(layer: Layer) -> str:
    match layer:
        case Conv(filters=filters):
            return f"c{filters}{_window(layer)}"
        case SeparableConv(filters=filters):
            return f"s{filters}{_window(layer)}"
        case DepthwiseConv(multiplier=multiplier):
            return f"d{multiplier}{_window(layer)}"
        case Pool(mode=mode):
            letter = "M" if mode == "max" else "A"
            size = "" if layer.size == 2 else _sides(layer.size)
            return f"{letter}{size}" if layer.step == layer.size else f"{letter}{size}/{_sides(layer.step)}"
        case Dropout():
            return ""
        case Residual(body):
            return f"+({_inner(body)})"
        case Inception(branches):
            return f"[{'|'.join(_inner(branch) for branch in branches)}]"


def _sides(sides: Sides) -> str:
    return "x".join(map(str, sides)) if isinstance(sides, tuple) else str(sides)


def _inner(layers: tuple[Layer, ...]) -> str:
    return " ".join(part for part in map(_short, layers) if part)


def _window(layer: Convolution) -> str:
    height, width = layer.kernel
    kernel = "" if layer.kernel == (3, 3) else f"k{height}" if height == width else f"k{height}x{width}"
    stride = "" if layer.stride == 1 else f"/{_sides(layer.stride)}"
    repeat = "" if layer.repeat == 1 else f"x{layer.repeat}"
    return kernel + stride + repeat
