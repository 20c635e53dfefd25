"""A trained network with everything that a deployment needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.deploy.plan import Plan, plan
from tinysearch.deploy.scaling import AS_IT_IS, Scaling
from tinysearch.deploy.weights import Weights, weights_of
from tinysearch.space.architecture import Architecture
from tinysearch.space.task import Task


def batches(pixels: npt.NDArray[Any]) -> Iterator[npt.NDArray[np.float32]]:
    """Yield images as floating-point numbers, as many at a time as fit into memory with their activations."""
    from tinysearch.training.pipeline import large_batch

    size = large_batch(pixels.shape)
    return (pixels[begin : begin + size].astype(np.float32) for begin in range(0, len(pixels), size))


@dataclass(frozen=True)
class Trained:
    """A trained network.

    Args:
        name: ``"baseline:conv"``, or the candidate's key.
        architecture: Its architecture.
        model: Keras model that was built from the architecture and trained; it takes raw pixels.
        origin: Its origin as plain JSON values: run, seed, ...
        scales: Whether it scales raw pixels itself if the model does; if not, its caller does.
    """

    name: str
    architecture: Architecture
    model: Any
    origin: Mapping[str, Any] = field(default_factory=dict)
    scales: bool = True

    @cached_property
    def task(self) -> Task:
        """Input shape and number of classes."""
        return Task(tuple(self.model.input_shape[1:]), int(self.model.output_shape[-1]))

    @cached_property
    def plan(self) -> Plan:
        """The plan of its steps."""
        return plan(self.architecture, self.task)

    @cached_property
    def weights(self) -> dict[str, Weights]:
        """The weights of its steps."""
        return weights_of(self.plan, self.model)

    @cached_property
    def scaling(self) -> Scaling:
        """Scaling that it applies to raw pixels first."""
        layer = next((layer for layer in self.model.layers if layer.name == "scale"), None)
        return AS_IT_IS if layer is None or not self.scales else Scaling.of(layer.scale, layer.offset)

    def scaled(self, pixels: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Return pixels scaled as the first convolution takes them."""
        return self.scaling.values(pixels)

    def logits(self, pixels: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Return the logits of the Keras model, its output before the softmax, shape ``(images, classes)``."""
        import keras

        last = self.model.get_layer("classes")
        body = keras.Model(self.model.input, last.input)
        # Not compiled: TensorFlow puts convolutions of one filter into graphs, some of which oneDNN cannot run.
        features = np.concatenate([np.asarray(body(one, training=False)) for one in batches(pixels)])
        kernel, bias = last.get_weights()
        return np.asarray(features @ kernel + bias, np.float32)
