"""Kernels and windows of layers, in words."""

from __future__ import annotations

from collections.abc import Sequence

from tinysearch.space.architecture import Convolution, Dropout, Inception, Layer, Pool, Residual
from tinysearch.space.scalars import written


def windows(layers: Sequence[Layer], prefix: str = "") -> dict[str, str]:
    """Return kernels and windows in words, by the name of the operation in a ``Cost``."""
    found: dict[str, str] = {}
    for index, layer in enumerate(layers, start=1):
        name = f"{prefix}{layer.kind}{index}"
        match layer:
            case Inception(branches):
                for number, branch in enumerate(branches, start=1):
                    found |= windows(branch, f"{name}_branch{number}_")
            case Residual(body):
                found |= windows(body, f"{name}_")
            case Pool():
                height, width = layer.window
                found[name] = f"{height}x{width}" + (f", stride {_step(layer)}" if layer.step != layer.size else "")
            case Dropout(rate):
                found[name] = written(rate)
            case _:
                height, width = layer.kernel
                parts = [f"{height}x{width}", "" if layer.padding == "valid" else layer.padding]
                parts += [f"stride {_step(layer)}"] if layer.stride != 1 else []
                parts += [f"{layer.repeat} times, the same weights"] if layer.repeat > 1 else []
                found[name] = ", ".join(filter(None, parts))
    return found


def _step(layer: Convolution | Pool) -> str:
    down, across = layer.strides
    return str(down) if down == across else f"{down}x{across}"
