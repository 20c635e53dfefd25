"""Predictions of trained models."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import numpy.typing as npt

from tinysearch.results.predictions import pack
from tinysearch.results.record import Measurement
from tinysearch.runtime.memory import MOST_IN_MEMORY
from tinysearch.training.backends import compilable
from tinysearch.training.pipeline import large_batch
from tinysearch.training.saving import loaded


def probabilities(model: keras.Model, pixels: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    """Return the predicted probabilities of images, shape ``(images, classes)``, for their raw pixels."""
    running = compilable(model)
    # As floats, images take four times the memory, so large arrays are predicted in parts.
    size = large_batch(pixels.shape)
    step = max(size, MOST_IN_MEMORY // max(1, pixels.nbytes // len(pixels)))
    found = [
        running.predict(pixels[begin : begin + step].astype(np.float32), batch_size=size, verbose=0)
        for begin in range(0, len(pixels), step)
    ]
    return np.concatenate(found)


def classified(model: keras.Model, pixels: npt.NDArray[np.generic]) -> npt.NDArray[np.int64] | None:
    """Return the predicted classes of images, shape ``(images,)``; None if a prediction is not finite."""
    found = probabilities(model, pixels)
    return np.asarray(np.argmax(found, axis=1)) if np.isfinite(found).all() else None


def with_predictions(measurement: Measurement, model: bytes, pixels: npt.NDArray[np.generic]) -> Measurement:
    """Return a measurement with the predictions of a saved model.

    Args:
        measurement: Measurement of the training.
        model: The bytes of the ``.keras`` file, so that exactly the stored model is scored.
        pixels: Raw pixels of the test images, shape ``(images, height, width, channels)``.
    """
    classes = classified(loaded(model), pixels)
    if classes is None:
        return dataclasses.replace(measurement, failure="predictions of the trained network are not finite")
    return dataclasses.replace(measurement, predicted=pack(classes))
