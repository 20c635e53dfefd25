"""What happens after each epoch: the learning-rate rule, and the curve."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras

from tinysearch.results.record import Epoch
from tinysearch.training.job import EpochWatcher


class PlateauRule(keras.callbacks.Callback):
    """The MNIST Challenge's learning-rate rule.

    After an epoch, if validation accuracy has not increased against the one three epochs before and the rate has not
    been reduced in the last three epochs, the rate is divided by ``factor``; a factor of 1 changes nothing.
    """

    patience = 3

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor
        self.reduced_at = -self.patience
        self.accuracies: list[float] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Reduce the rate if the rule says so."""
        self.accuracies.append((logs or {}).get("val_accuracy", math.nan))
        if self.factor == 1 or epoch < self.patience or epoch - self.reduced_at < self.patience:
            return
        if not self.accuracies[epoch] > self.accuracies[epoch - self.patience]:
            optimizer = self.model.optimizer
            optimizer.learning_rate = float(optimizer.learning_rate) / self.factor
            self.reduced_at = epoch


def variables_of(model: keras.Model) -> list[Any]:
    """Return all variables of a compiled model and of its optimizer, in Keras's order."""
    return [*model.variables, *model.optimizer.variables]


class Recorder(keras.callbacks.Callback):
    """Keeps the curve, notes when the loss is no number any more, seeds each epoch."""

    def __init__(
        self,
        began: float,
        seed: int,
        curve: list[Epoch],
        floor: tuple[int, float] | None,
    ) -> None:
        super().__init__()
        self.curve = curve
        self.failure: str | None = None
        self._began = began
        self._seed = seed
        self._epoch = 0
        self._floor = floor

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        # PyTorch drops out by a generator of its own, of which no checkpoint knows; reading the first batch uses it.
        # TensorFlow would prepare all its functions anew.
        if batch == 0 and keras.backend.backend() == "torch":
            keras.utils.set_random_seed(self._seed + self._epoch)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        logs = logs or {}
        bad = [name for name, value in logs.items() if not math.isfinite(value)]
        if bad:
            self.failure = f"{bad[0].replace('_', ' ')} was {logs[bad[0]]} after epoch {epoch + 1}"
            self.model.stop_training = True
            return
        point = Epoch(
            loss=float(logs["loss"]),
            accuracy=float(logs["accuracy"]),
            val_loss=_float(logs.get("val_loss")),
            val_accuracy=_float(logs.get("val_accuracy")),
            learning_rate=float(self.model.optimizer.learning_rate),
            seconds=time.perf_counter() - self._began,
        )
        self.curve.append(point)
        if self._floor is not None and point.val_accuracy is not None:
            number, accuracy = self._floor
            self.model.stop_training = epoch + 1 == number and point.val_accuracy < accuracy


class Reporter(keras.callbacks.Callback):
    """Reports each epoch of the curve, and but for the last the state after it: it comes after all other callbacks."""

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
