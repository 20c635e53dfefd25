"""Saving of trained models as bytes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from tinysearch.runtime.backend import load_model


def saved(model: keras.Model) -> bytes:
    """Return a trained model as the bytes of a ``.keras`` file, with Keras's own layers and without its optimizer.

    Raises:
        OSError: if no folder for temporary files can be used.
    """
    bare = copied(model, _of_keras)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        bare.save(path)
        return path.read_bytes()


def copied(model: keras.Model, layer_of: Callable[[keras.layers.Layer], keras.layers.Layer]) -> keras.Model:
    """Return a copy of a model, not compiled, with the layer that a function returns for each of its layers."""
    # A clone of a compiled model would also be compiled, with losses and schedules that only tinysearch defines.
    uncompiled = keras.Model(model.input, model.output, name=model.name)
    copy = keras.models.clone_model(uncompiled, clone_function=layer_of)
    copy.set_weights(model.get_weights())
    return copy


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
