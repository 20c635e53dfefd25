"""The int8 network: quantized by TensorFlow's converter, run by LiteRT's interpreter, and as whole numbers for C."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.data.images import sample, values_of
from tinysearch.deploy.entry import Entry
from tinysearch.deploy.litert import Interpreter, convert
from tinysearch.deploy.quantized import Numbers, Scale, quantized, scale_of
from tinysearch.deploy.scaling import Scaling
from tinysearch.deploy.trained import Trained
from tinysearch.deploy.weights import on_the_grid
from tinysearch.space.task import BYTES


@dataclass(frozen=True, slots=True)
class Int8Network:
    """A network in int8.

    Args:
        content: The ``.tflite`` file.
        numbers: Whole numbers of each step, by step name.
        entry: Conversion of pixels to its input.
        logits_scale: Scale of its logits.
    """

    content: bytes
    numbers: dict[str, Numbers]
    entry: Entry
    logits_scale: Scale

    def logits(self, pixels: npt.NDArray[Any]) -> npt.NDArray[np.int8]:
        """Return the logits that LiteRT's reference kernels compute, shape ``(images, classes)``."""
        results = Interpreter(self.content).logits(self.entry.values(pixels))
        return np.asarray(results.reshape(len(pixels), -1), np.int8)

    def real(self, logits: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        """Return the real values of logits."""
        scale, zero = self.logits_scale
        return np.asarray((logits.astype(np.float32) - zero) * np.float32(scale))


def int8_network(trained: Trained, pixels: npt.NDArray[Any]) -> Int8Network:
    """Quantize a network.

    Args:
        trained: The network.
        pixels: Training images; at most 500 of them are used for calibration.
    """
    weights = on_the_grid(trained.plan, trained.weights)
    content = convert(trained.plan, weights, calibration=trained.scaled(calibration_images(pixels, trained.scaling)))
    numbers = quantized(trained.plan, weights, content)
    entry = Entry(scale_of(trained.plan, numbers, trained.plan.input), trained.scaling)
    return Int8Network(content, numbers, entry, scale_of(trained.plan, numbers, trained.plan.output))


def calibration_images(pixels: npt.NDArray[Any], scaling: Scaling) -> npt.NDArray[Any]:
    """Return images for calibration, which determines the ranges of activations; they are spread over all images.

    If bytes nearly span 0 to 255 and all channels have the same scaling, one value is set to 0 and one to 255. The
    scale of the input is then that of a byte, so bytes need no rounding. Bytes of a smaller range would lose precision:
    the difference between 0 and 1 would vanish.
    """
    chosen = np.array(sample(pixels))
    if values_of(chosen) == BYTES and not scaling.by_channel:
        chosen[0].flat[0], chosen[-1].flat[-1] = 0, 255
    return chosen
