"""Cost of an architecture by arithmetic alone: no framework is loaded and no model is built.

The rules:

* *Parameters* are Keras's *Total params*: batch normalization counts four per channel, of which two, the moving
  statistics, are not trainable. Shared weights count once.
* *MACs* are the multiply-accumulates of convolutions and dense layers for one image; everything else counts 0.
* *Peak activation bytes* assume one byte per activation (int8) and operations that run one after another. The peak is
  the size of an arena that holds all tensors while they are needed, the inputs and the output of an operation included.
  As a rule it is the largest sum of tensors needed at the same time, see ``arena``. Activation, normalization, dropout
  and flatten work in place.
* *int8 weight bytes* are one byte per weight and four per bias. A normalization directly after a convolution folds into
  it (and gives it a bias); any other keeps a scale and an offset of four bytes each per channel.
* *Flash bytes* are the size of the int8 C code that ``tinysearch deploy`` writes, tables and machine code, see
  ``footprint``, on a Cortex-M0+ with -Os; *AVR flash bytes* are the size on an AVR. If the values of an image are not
  bytes from 0 to 255, the code that converts them is included.
* *RAM bytes* are the size of the arena of that C code. It is the peak of the activations and includes the network's own
  input. The stack and a buffer for the image, of *image bytes*, are not counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tinysearch.errors import check_type
from tinysearch.space.architecture import Architecture
from tinysearch.space.counting import CountingOps, LayerCost, Tensor
from tinysearch.space.footprint import AVR, MOST
from tinysearch.space.lowering import lower
from tinysearch.space.task import Task


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of one architecture on one task, by the rules in the docstring of the module."""

    params: int
    non_trainable_params: int
    macs: int
    peak_activation_bytes: int
    int8_weight_bytes: int
    layers: tuple[LayerCost, ...] = field(default=(), repr=False)
    # None in records of versions that did not count them; flash is also None if a network is too large for the C code.
    flash_bytes: int | None = field(default=None, compare=False)
    image_bytes: int | None = field(default=None, compare=False)
    avr_flash_bytes: int | None = field(default=None, compare=False)

    def flash_on(self, processor: str) -> int | None:
        """Return the flash on a processor, ``"cortex-m0plus"`` or ``"avr"``; None if it was not counted."""
        return self.avr_flash_bytes if processor == AVR else self.flash_bytes

    @property
    def ram_bytes(self) -> int:
        """Memory that the int8 C code needs in addition to its stack and the input image."""
        return self.peak_activation_bytes

    @property
    def trainable_params(self) -> int:
        """Parameters that the optimizer updates."""
        return self.params - self.non_trainable_params

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values: the totals, and a row per layer."""
        return {
            "params": self.params,
            "trainable_params": self.trainable_params,
            "non_trainable_params": self.non_trainable_params,
            "macs": self.macs,
            "peak_activation_bytes": self.peak_activation_bytes,
            "int8_weight_bytes": self.int8_weight_bytes,
            "flash_bytes": self.flash_bytes,
            "avr_flash_bytes": self.avr_flash_bytes,
            "ram_bytes": self.ram_bytes,
            "image_bytes": self.image_bytes,
            "layers": [layer.to_dict() for layer in self.layers],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Cost:
        """Create a cost from plain JSON values, the reverse of ``to_dict``."""
        totals = ("params", "non_trainable_params", "macs", "peak_activation_bytes", "int8_weight_bytes")
        rows = tuple(
            LayerCost(
                row["name"],
                row["kind"],
                tuple(row["output_shape"]),
                row["params"],
                row["non_trainable_params"],
                row["macs"],
            )
            for row in data["layers"]
        )
        counted = {name: data[name] for name in totals}
        later: dict[str, Any] = {name: data.get(name) for name in ("flash_bytes", "avr_flash_bytes", "image_bytes")}
        return cls(**counted, layers=rows, **later)


def cost(architecture: Architecture, task: Task) -> Cost:
    """Return the cost of an architecture on a task.

    Args:
        architecture: The architecture.
        task: Input shape ``(height, width, channels)`` and number of classes.

    Raises:
        InputError: if an argument has another type.
        ShapeError: if the architecture does not fit the input, or shapes inside it do not fit each other.

    >>> from tinysearch.space.architecture import Conv, Head
    >>> cost(Architecture((Conv(4, norm="before", bias=False),), Head("average")), Task()).params
    102
    """
    check_type("architecture", architecture, Architecture, "a tinysearch.Architecture")
    check_type("task", task, Task, "a tinysearch.Task, such as Task((28, 28, 1), 10)")
    ops = CountingOps(task.input_shape, task.values)
    lower(architecture, task, ops, Tensor(0, task.input_shape))
    can_be_code = ops.largest <= MOST
    return Cost(
        params=ops.params,
        non_trainable_params=ops.non_trainable_params,
        macs=ops.macs,
        peak_activation_bytes=ops.peak_activation_bytes(),
        int8_weight_bytes=ops.int8_weight_bytes,
        layers=tuple(ops.layers),
        flash_bytes=ops.footprint.flash_bytes() if can_be_code else None,
        image_bytes=task.image_bytes,
        avr_flash_bytes=ops.footprint.flash_bytes(AVR) if can_be_code else None,
    )


def flash_bytes(architecture: Architecture, task: Task, processor: str) -> int:
    """Return the flash in bytes of the int8 C code on a processor, one of ``footprint.PROCESSORS``."""
    ops = CountingOps(task.input_shape, task.values)
    lower(architecture, task, ops, Tensor(0, task.input_shape))
    return ops.footprint.flash_bytes(processor)
