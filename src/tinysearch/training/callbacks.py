"""Callbacks of a training: the learning-rate rule, metrics, the curve, and reports of epochs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from tinysearch.data.images import Images
from tinysearch.results.objective import Objective, measured
from tinysearch.results.record import ACCURACY, Epoch, is_worse
from tinysearch.training.job import EpochWatcher


class PlateauRule(keras.callbacks.Callback):
    """The MNIST Challenge's learning-rate rule.

    After an epoch, the rate is divided by ``factor`` if validation accuracy is not above that of three epochs before
    and the rate has not been reduced in the last three epochs. Without validation images, the training accuracy counts
    instead. A factor of 1 changes nothing.
    """

    patience = 3

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor
        self.reduced_at = -self.patience
        self.accuracies: list[float] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Reduce the rate if the rule says so."""
        known = logs or {}
        self.accuracies.append(known.get("val_accuracy", known.get("accuracy", math.nan)))
        if self.factor == 1 or epoch < self.patience or epoch - self.reduced_at < self.patience:
            return
        if not self.accuracies[epoch] > self.accuracies[epoch - self.patience]:
            optimizer = self.model.optimizer
            optimizer.learning_rate = float(optimizer.learning_rate) / self.factor
            self.reduced_at = epoch


def variables_of(model: keras.Model) -> list[Any]:
    """Return all variables of a compiled model and its optimizer, in Keras's order."""
    return [*model.variables, *model.optimizer.variables]


class Metrics(keras.callbacks.Callback):
    """Callback that measures every known objective on the validation images, after the last epoch or after each.

    It must come before ``SwapEMAWeights``, so that it uses the same weights as Keras's own metrics.

    Args:
        validation: The validation images; None if there are none.
        guesses: Returns the predicted classes of these images, with the weights that were just scored.
        wanted: The objective of the run. Unless it is accuracy, it is measured after each epoch.
        floor: See ``Job``; training may end after its epoch.
    """

    def __init__(
        self,
        validation: Images | None,
        guesses: Callable[[], npt.NDArray[np.int64]],
        wanted: Objective,
        floor: tuple[int, float] | None,
    ) -> None:
        super().__init__()
        self.latest: dict[str, float] = {}
        self._wanted = wanted
        self._validation = validation
        self._guesses = guesses
        self._floor = floor
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._epoch = epoch
        self.latest = {}

    def on_test_end(self, logs: dict[str, float] | None = None) -> None:
        number = self._epoch + 1
        may_be_last = number == self.params["epochs"] or (self._floor is not None and number == self._floor[0])
        if self._validation is not None and (may_be_last or self._wanted.name != ACCURACY):
            self.latest = measured(self._validation.labels, self._guesses(), self._wanted)

    @property
    def lacks(self) -> str | None:
        """Name of the objective if it has no finite value after the last epoch; otherwise None."""
        over = self._epoch + 1 == self.params["epochs"]
        wanted = self._validation is not None and self._wanted.name != ACCURACY
        return self._wanted.name if over and wanted and self._wanted.name not in self.latest else None

    def falls_short(self, point: Epoch) -> bool:
        """Return whether training must end because the results of the current epoch are below the floor."""
        value = point.value(self._wanted.name)
        if self._floor is None or value is None:
            return False
        number, bound = self._floor
        return self._epoch + 1 == number and is_worse(value, bound, self._wanted.direction)


class Recorder(keras.callbacks.Callback):
    """Callback that records the curve, detects values that are not finite, and seeds each epoch on PyTorch."""

    def __init__(
        self,
        began: float,
        seed: int,
        curve: list[Epoch],
        metrics: Metrics,
    ) -> None:
        super().__init__()
        self.curve = curve
        self.failure: str | None = None
        self._began = began
        self._seed = seed
        self._epoch = 0
        self._metrics = metrics

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        # PyTorch draws dropout from its own generator, which is not part of a checkpoint, and reading the first batch
        # advances it. Not on TensorFlow, which would trace all its functions again.
        if batch == 0 and keras.backend.backend() == "torch":
            keras.utils.set_random_seed(self._seed + self._epoch)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        logs = logs or {}
        bad = [name for name, value in logs.items() if not math.isfinite(value)]
        if bad:
            self.failure = f"{bad[0].replace('_', ' ')} was {logs[bad[0]]} after epoch {epoch + 1}"
            self.model.stop_training = True
            return
        if self._metrics.lacks is not None:
            self.failure = f"{self._metrics.lacks} was not finite after epoch {epoch + 1}"
            return
        point = Epoch(
            loss=float(logs["loss"]),
            accuracy=float(logs["accuracy"]),
            val_loss=_float(logs.get("val_loss")),
            val_accuracy=_float(logs.get("val_accuracy")),
            learning_rate=float(self.model.optimizer.learning_rate),
            seconds=time.perf_counter() - self._began,
            metrics=self._metrics.latest,
        )
        self.curve.append(point)
        if self._metrics.falls_short(point):
            self.model.stop_training = True


class Reporter(keras.callbacks.Callback):
    """Callback that reports each epoch and, except after the last, the state. It must be the last of all callbacks."""

    def __init__(
        self, curve: Sequence[Epoch], on_epoch: EpochWatcher, state_of: Callable[[], bytes] | None = None
    ) -> None:
        super().__init__()
        self._curve = curve
        self._on_epoch = on_epoch
        self._state_of = state_of

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if len(self._curve) == epoch + 1:
            goes_on = not self.model.stop_training and epoch + 1 < self.params["epochs"]
            state = self._state_of() if self._state_of is not None and goes_on else None
            self._on_epoch(epoch + 1, self._curve[-1], state)


def _float(value: float | None) -> float | None:
    return None if value is None else float(value)
