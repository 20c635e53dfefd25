"""Base class of the convolutions: kernel, stride, padding, activation, normalization, bias and repeats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from tinysearch.errors import ArchitectureError
from tinysearch.space.fields import Sides, both, keep_integer, keep_kernel, keep_option, keep_sides

Activation = Literal["relu", "leaky_relu", "linear"]
Norm = Literal["none", "before", "after"]
Padding = Literal["same", "valid"]

ACTIVATIONS: tuple[str, ...] = ("relu", "leaky_relu", "linear")
NORMS: tuple[str, ...] = ("none", "before", "after")
PADDINGS: tuple[str, ...] = ("same", "valid")
MAX_KERNEL = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseConvolution:
    """Base class with the fields of all three kinds of convolution.

    Args:
        kernel: Height and width of the kernel in pixels, 1 to 11 each; one integer stands for a square.
        stride: Vertical and horizontal step, 1 to 4: one integer for both, or a pair for standard convolutions.
        padding: ``"same"`` or ``"valid"``, as in Keras.
        activation: ``"relu"``, ``"leaky_relu"`` (slope 0.2 below zero) or ``"linear"``.
        norm: Batch normalization ``"before"`` the activation, ``"after"`` it, or ``"none"`` (Ioffe and Szegedy, 2015).
        bias: Whether the convolution has a bias.
        repeat: Number of times the layer is applied in a row *with the same weights*; each application has its own
            batch normalization. More than 1 needs as many input channels as output channels.
    """

    kind: ClassVar[str]
    kernel: tuple[int, int] = (3, 3)
    stride: Sides = 1
    padding: Padding = "same"
    activation: Activation = "relu"
    norm: Norm = "none"
    bias: bool = True
    repeat: int = 1

    def __post_init__(self) -> None:
        keep_kernel(self, MAX_KERNEL)
        keep_sides(self, "stride", 1, 4)
        keep_integer(self, "repeat", 1, 16)
        keep_option(self, "padding", PADDINGS)
        keep_option(self, "activation", ACTIVATIONS)
        keep_option(self, "norm", NORMS)
        if not isinstance(self.bias, bool):
            raise ArchitectureError(f"bias must be true or false, got {self.bias!r}")

    @property
    def strides(self) -> tuple[int, int]:
        """Vertical and horizontal step."""
        return both(self.stride)

    def _check_one_stride(self) -> None:
        if isinstance(self.stride, tuple):
            raise ArchitectureError(
                f"a layer of kind {self.kind} has one stride for both directions, as in TensorFlow; got {self.stride!r}"
            )
