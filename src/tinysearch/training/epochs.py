"""The interface between the trainer and the implementations that run epochs.

There are two implementations: Keras's own ``fit`` for any backend, and compiled epochs for JAX
(``compiled.CompiledEpochs``). Callbacks, measurements and states are the same for both.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import numpy.typing as npt

from tinysearch.data.images import Images
from tinysearch.training.pipeline import TrainingBatches, large_batch, validation_of


@dataclass(frozen=True, slots=True)
class Course:
    """The data that a model is trained on.

    Args:
        batches: Batches of training images.
        validation: Images that are scored after every epoch; None for none.
        class_weight: Weight of the images of each class; None for equal weights.
    """

    batches: TrainingBatches
    validation: Images | None = None
    class_weight: Mapping[int, float] | None = None


class Epochs(abc.ABC):
    """Interface that trains a compiled model, all of whose variables exist.

    Args:
        model: The model to train.
        course: The data to train on.
    """

    def __init__(self, model: keras.Model, course: Course) -> None:
        self.model = model
        self.course = course

    @abc.abstractmethod
    def run(self, first: int, end: int, callbacks: Sequence[keras.callbacks.Callback]) -> None:
        """Train the epochs from ``first`` to before ``end``, or until a callback sets ``model.stop_training``.

        Callbacks are called as by Keras's ``fit``, but the calls for single batches may be missing. During a call, the
        variables of model and optimizer have their current values.
        """

    @abc.abstractmethod
    def guesses(self) -> npt.NDArray[np.int64]:
        """Return the predicted classes of the validation images, with the weights that were just scored."""


class KerasEpochs(Epochs):
    """Epochs by Keras's own ``fit``."""

    def run(self, first: int, end: int, callbacks: Sequence[keras.callbacks.Callback]) -> None:
        """Train."""
        batches, validation = self.course.batches, self.course.validation
        self.model.fit(
            batches.epochs(first, end),
            initial_epoch=first,
            epochs=end,
            steps_per_epoch=batches.steps,
            validation_data=None if validation is None else validation_of(validation),
            validation_batch_size=None if validation is None else large_batch(validation.pixels.shape),
            callbacks=list(callbacks),
            class_weight=None if self.course.class_weight is None else dict(self.course.class_weight),
            shuffle=False,
            verbose=0,
        )

    def guesses(self) -> npt.NDArray[np.int64]:
        """Predict the images once more."""
        assert self.course.validation is not None  # noqa: S101
        return _guesses(self.model, self.course.validation.pixels)


def _guesses(model: keras.Model, pixels: npt.NDArray[np.generic]) -> npt.NDArray[np.int64]:
    """Return the predicted classes of images, shape ``(images,)``, during a training.

    This calls the model directly, because ``predict`` would trace another function, which takes longer.
    """
    size = large_batch(pixels.shape)
    parts = (pixels[begin : begin + size].astype(np.float32) for begin in range(0, len(pixels), size))
    found = [np.argmax(keras.ops.convert_to_numpy(model(part, training=False)), axis=1) for part in parts]
    return np.concatenate(found)
