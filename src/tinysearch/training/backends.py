"""The fastest way to train on each Keras backend: kind of epochs, options of ``compile``, and layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from tinysearch.runtime.backend import generators_kept
from tinysearch.training.epochs import Course, Epochs, KerasEpochs
from tinysearch.training.recipe import Recipe
from tinysearch.training.saving import copied


def epochs_of(model: keras.Model, course: Course, recipe: Recipe) -> Epochs:
    """Return the fastest kind of epochs: compiled on JAX if the images fit the device, otherwise Keras's ``fit``."""
    if keras.backend.backend() == "jax":
        from tinysearch.training.compiled import CompiledEpochs, fits_the_device

        if fits_the_device(course, recipe):
            return CompiledEpochs(model, course, recipe)
    return KerasEpochs(model, course)


def execution(steps: int) -> dict[str, Any]:
    """Return the fastest options of ``compile``: on TensorFlow, a whole epoch per execution, without XLA.

    XLA takes twice as long on CPUs.
    """
    if keras.backend.backend() == "tensorflow":
        return {"jit_compile": False, "steps_per_execution": steps}
    return {"jit_compile": keras.backend.backend() == "jax"}


def layers() -> Mapping[Any, Any]:
    """Return layers that are faster or safer on this backend than Keras's, by the Keras layers that they replace."""
    if keras.backend.backend() == "tensorflow":
        from tinysearch.training import one_channel
        from tinysearch.training.normalization import FusedBatchNormalization

        return {
            keras.layers.BatchNormalization: FusedBatchNormalization,
            keras.layers.Conv2D: one_channel.OneChannelConv2D,
            keras.layers.DepthwiseConv2D: one_channel.OneChannelDepthwiseConv2D,
            keras.layers.SeparableConv2D: one_channel.OneChannelSeparableConv2D,
        }
    if keras.backend.backend() == "jax":
        from tinysearch.training.compiled import on_a_processor
        from tinysearch.training.jax_normalization import OnePassBatchNormalization
        from tinysearch.training.unrolled import INSTEAD, UnrolledMaxPooling2D

        if on_a_processor():
            return INSTEAD
        return {
            keras.layers.BatchNormalization: OnePassBatchNormalization,
            keras.layers.MaxPooling2D: UnrolledMaxPooling2D,
        }
    return {}


def compilable(model: keras.Model) -> keras.Model:
    """Return a copy of a saved model that TensorFlow can compile, see ``one_channel``; on other backends the model."""
    if keras.backend.backend() != "tensorflow":
        return model
    instead = layers()
    with generators_kept():
        return copied(model, lambda layer: instead.get(type(layer), type(layer)).from_config(layer.get_config()))
