"""The epochs of a training, between the trainer and whatever carries them out.

There are two ways: Keras's own ``fit``, for any backend, and on JAX whole epochs that are compiled
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
from tinysearch.training.saving import guesses


@dataclass(frozen=True, slots=True)
class Course:
    """What a model is trained on.

    Args:
        batches: Training images, batch by batch.
        validation: What is scored after every epoch; None for nothing.
        class_weight: How much an image of each class counts; None for all alike.
    """

    batches: TrainingBatches
    validation: Images | None = None
    class_weight: Mapping[int, float] | None = None


class Epochs(abc.ABC):
    """Trains a compiled model whose variables are all there.

    Args:
        model: What to train.
        course: What to train on.
    """

    def __init__(self, model: keras.Model, course: Course) -> None:
        self.model = model
        self.course = course

    @abc.abstractmethod
    def run(self, first: int, end: int, callbacks: Sequence[keras.callbacks.Callback]) -> None:
        """Train the epochs from ``first`` to before ``end``, or until a callback sets ``model.stop_training``.

        Callbacks are called as Keras's ``fit`` does, but for single batches not necessarily. While one is called, the
        variables of model and optimizer have their values.
        """

    @abc.abstractmethod
    def guesses(self) -> npt.NDArray[np.int64]:
        """Return the classes that the model takes the validation images for, by the weights that were just scored."""


class KerasEpochs(Epochs):
    """By Keras's own ``fit``."""

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
        """Have the model look at the images once more."""
        assert self.course.validation is not None  # noqa: S101
        return guesses(self.model, self.course.validation.pixels)
