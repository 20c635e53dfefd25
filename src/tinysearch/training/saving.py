"""Saving of trained models as bytes, and their predictions."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from tinysearch.results.predictions import pack
from tinysearch.results.record import Measurement
from tinysearch.runtime.backend import load_model
from tinysearch.runtime.memory import MOST_IN_MEMORY
from tinysearch.training.pipeline import large_batch


def saved(model: keras.Model) -> bytes:
    """Return a trained model as the bytes of a ``.keras`` file, with Keras's own layers and without its optimizer.

    Raises:
        OSError: if no folder for temporary files can be used.
    """
    # A clone of the compiled model would also be compiled, with losses and schedules that only tinysearch defines.
    uncompiled = keras.Model(model.input, model.output, name=model.name)
    bare = keras.models.clone_model(uncompiled, clone_function=_of_keras)
    bare.set_weights(model.get_weights())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        bare.save(path)
        return path.read_bytes()


def loaded(content: bytes) -> keras.Model:
    """Load a model from the bytes of ``saved``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        path.write_bytes(content)
        return load_model(path)


def classified(model: keras.Model, pixels: npt.NDArray[np.generic]) -> npt.NDArray[np.int64] | None:
    """Return the predicted classes of images, shape ``(images,)``; None if a prediction is not finite."""
    # As floats, images take four times the memory, so large arrays are predicted in parts.
    size = large_batch(pixels.shape)
    step = max(size, MOST_IN_MEMORY // max(1, pixels.nbytes // len(pixels)))
    found = [
        model.predict(pixels[begin : begin + step].astype(np.float32), batch_size=size, verbose=0)
        for begin in range(0, len(pixels), step)
    ]
    probabilities = np.concatenate(found)
    return np.asarray(np.argmax(probabilities, axis=1)) if np.isfinite(probabilities).all() else None


def guesses(model: keras.Model, pixels: npt.NDArray[np.generic]) -> npt.NDArray[np.int64]:
    """Return the predicted classes of images, shape ``(images,)``, during a training.

    This calls the model directly, because ``predict`` would trace another function, which takes longer.
    """
    size = large_batch(pixels.shape)
    parts = (pixels[begin : begin + size].astype(np.float32) for begin in range(0, len(pixels), size))
    found = [np.argmax(keras.ops.convert_to_numpy(model(part, training=False)), axis=1) for part in parts]
    return np.concatenate(found)


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


def _of_keras(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Return a new layer that any Keras can load."""
    kind: Any = next(one for one in type(layer).__mro__ if one.__module__.split(".")[0] == "keras")
    return kind.from_config(layer.get_config())
