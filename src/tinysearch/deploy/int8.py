"""The int8 network: quantized by TensorFlow's converter, run by LiteRT's interpreter, and as whole numbers for C."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.deploy.entry import Entry
from tinysearch.deploy.litert import Interpreter, convert
from tinysearch.deploy.quantized import Numbers, Scale, quantized, scale_of
from tinysearch.deploy.trained import Trained
from tinysearch.deploy.weights import on_the_grid

# Training images that tell the ranges of activations.
CALIBRATION = 500


@dataclass(frozen=True, slots=True)
class Int8Network:
    """A network in int8.

    Args:
        content: The ``.tflite`` file.
        numbers: Of each step, by its name.
        entry: How pixels become its input.
        logits_scale: How its results are scaled.
    """

    content: bytes
    numbers: dict[str, Numbers]
    entry: Entry
    logits_scale: Scale

    def logits(self, pixels: npt.NDArray[Any]) -> npt.NDArray[np.int8]:
        """Return the logits that LiteRT's reference kernels give, shape ``(images, classes)``."""
        results = Interpreter(self.content).logits(self.entry.values(pixels))
        return np.asarray(results.reshape(len(pixels), -1), np.int8)

    def real(self, logits: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        """Return logits in their real values."""
        scale, zero = self.logits_scale
        return np.asarray((logits.astype(np.float32) - zero) * np.float32(scale))


def int8_network(trained: Trained, pixels: npt.NDArray[Any]) -> Int8Network:
    """Quantize a network.

    Args:
        trained: The network.
        pixels: Training images; some of them are taken for calibration.
    """
    weights = on_the_grid(trained.plan, trained.weights)
    content = convert(trained.plan, weights, calibration=trained.scaled(calibration_images(pixels)))
    numbers = quantized(trained.plan, weights, content)
    entry = Entry(scale_of(trained.plan, numbers, trained.plan.input), trained.scaling)
    return Int8Network(content, numbers, entry, scale_of(trained.plan, numbers, trained.plan.output))


def calibration_images(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return images for calibration, spread over all; where pixels are bytes, one pixel of them is 0 and one is 255.

    So the scale of the input is that of a byte, and bytes need not be rounded.
    """
    chosen = np.array(pixels[:: max(1, len(pixels) // CALIBRATION)][:CALIBRATION])
    if chosen.dtype == np.uint8:
        chosen[0].flat[0], chosen[-1].flat[-1] = 0, 255
    return chosen
