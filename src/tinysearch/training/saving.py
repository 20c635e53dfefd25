"""Saving of trained models as bytes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import keras

from tinysearch.runtime.backend import load_model


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


def _of_keras(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Return a new layer that any Keras can load."""
    kind: Any = next(one for one in type(layer).__mro__ if one.__module__.split(".")[0] == "keras")
    return kind.from_config(layer.get_config())
