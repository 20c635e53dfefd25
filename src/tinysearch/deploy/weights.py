"""Weights of a trained model for the steps of a plan; batch normalization is part of weights and bias."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.deploy.plan import Plan, Step

Floats = npt.NDArray[np.float32]
# Weights in int8 are whole numbers from -127 to 127.
LEVELS = 127


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of one step; each output channel computes ``gain * (kernel · input) + bias``.

    Args:
        kernel: Shape ``(height, width, inputs, outputs)``, depthwise ``(height, width, inputs, multiplier)``, dense
            ``(inputs, outputs)``; equal for all steps that share it.
        gain, bias: Shape ``(outputs,)``.
    """

    kernel: Floats
    gain: Floats
    bias: Floats

    @property
    def scaled(self) -> Floats:
        """The kernel multiplied by the gain."""
        gain = self.gain
        if self.kernel.ndim == 4 and self.kernel.shape[3] != len(gain):
            gain = gain.reshape(self.kernel.shape[2:])
        return np.asarray(self.kernel * gain, np.float32)


def weights_of(plan: Plan, model: Any) -> dict[str, Weights]:
    """Return the weights of each step that has weights, by step name.

    Args:
        plan: Plan of the architecture that the model was built from.
        model: Keras model made by ``build``, with the layer names that ``build`` gives.
    """
    layers = {layer.name: layer for layer in model.layers}
    return {step.name: _weights(step, layers) for step in plan.steps if step.weights or step.norm}


def on_the_grid(plan: Plan, weights: Mapping[str, Weights]) -> dict[str, Weights]:
    """Return weights in which kernels that several steps share are rounded as int8 rounds them.

    A channel then has the same whole numbers in each step, whatever its gain is, so they are stored once.
    """
    uses = Counter(step.weights for step in plan.steps if step.weights)
    shared = {step.name for step in plan.steps if uses[step.weights] > 1}
    return {
        name: Weights(_rounded(one.kernel, len(one.gain)), one.gain, one.bias) if name in shared else one
        for name, one in weights.items()
    }


def _rounded(kernel: Floats, outputs: int) -> Floats:
    rows = kernel.reshape(-1, outputs).astype(np.float64)
    unit = np.maximum(np.abs(rows).max(axis=0), 1e-30) / LEVELS
    return np.asarray((np.round(rows / unit) * unit).reshape(kernel.shape), np.float32)


def _weights(step: Step, layers: Mapping[str, Any]) -> Weights:
    outputs = step.output.shape[2]
    kernel, bias = np.ones((1, 1, outputs, 1), np.float32), np.zeros(outputs)
    if step.weights:
        arrays = [np.asarray(array) for array in layers[step.layer].get_weights()]
        if step.weights != step.layer:
            kernel = arrays[0]
        else:
            biased = arrays[-1].ndim == 1
            kernel = arrays[-2] if biased else arrays[-1]
            bias = arrays[-1].astype(np.float64) if biased else bias
    gain = np.ones(outputs)
    if step.norm:
        layer = layers[step.norm]
        gamma, beta, mean, variance = (np.asarray(array, np.float64) for array in layer.get_weights())
        gain = gamma / np.sqrt(variance + layer.epsilon)
        bias = (bias - mean) * gain + beta
    return Weights(np.asarray(kernel, np.float32), gain.astype(np.float32), bias.astype(np.float32))
