"""One candidate to one measurement: the only hot path."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from tinysearch.data.datasets import TrainingData
from tinysearch.results.predictions import pack
from tinysearch.results.record import Epoch, Measurement
from tinysearch.runtime.environment import Environment
from tinysearch.runtime.preparation import threads
from tinysearch.space.keras_builder import build
from tinysearch.space.task import Task
from tinysearch.training.candidate import Candidate
from tinysearch.training.checkpoint import Checkpoint
from tinysearch.training.job import EpochWatcher, Job
from tinysearch.training.pipeline import TrainingBatches
from tinysearch.training.recipe import Recipe

_LARGE_BATCH = 1_000
_WARM_UP = 0.2


@keras.saving.register_keras_serializable("tinysearch")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up to ``peak`` over the first fifth of ``steps``, then a cosine to zero at the last step."""

    def __init__(self, peak: float, steps: int) -> None:
        self.peak = peak
        self.steps = steps
        self.warm_up = max(1, round(_WARM_UP * steps))

    def __call__(self, step: Any) -> Any:
        step = keras.ops.cast(step, "float32")
        rise = self.peak * (step + 1) / self.warm_up
        passed = (step + 1 - self.warm_up) / max(1, self.steps - self.warm_up)
        fall = self.peak * 0.5 * (1 + keras.ops.cos(math.pi * keras.ops.minimum(passed, 1.0)))
        return keras.ops.where(step + 1 <= self.warm_up, rise, fall)

    def get_config(self) -> dict[str, Any]:
        return {"peak": self.peak, "steps": self.steps}


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


def train(job: Job, data: TrainingData, on_epoch: EpochWatcher | None = None) -> Measurement:
    """Do a job: train its candidate, from its checkpoint if there is one, and save the model.

    Where the data has test images, the model that was saved is loaded again and predicts their classes: what is scored
    is what is kept.

    Raises:
        ShapeError: if the architecture does not fit the images.
        CostMismatchError: if Keras counts other parameters than the arithmetic.
    """
    keeping = None if job.checkpoint_path is None else (job.checkpoint_path, job.fingerprint)
    if job.fold:
        data = data.holding_out(job.fold)
    model, measurement = fit(job.candidate, data, job.seed, on_epoch, keeping, job.floor)
    if job.model_path is not None and measurement.failure is None:
        # A model can be made again; that there is no place for it must not cost the measurement.
        with contextlib.suppress(OSError):
            save_model(model, job.model_path)
            if data.test is not None:
                return with_predictions(measurement, job.model_path, data.test)
    return measurement


def fit(
    candidate: Candidate,
    data: TrainingData,
    seed: int,
    on_epoch: EpochWatcher | None = None,
    keeping: tuple[Path, str] | None = None,
    floor: tuple[int, float] | None = None,
) -> tuple[keras.Model, Measurement]:
    """Train one candidate for all the epochs of its recipe.

    The same arguments give the same numbers on the same machine: initial weights, order, augmentation and dropout
    all come from ``seed``.

    Args:
        candidate: What to train, and how.
        data: Training images, and validation images that are scored after every epoch.
        seed: Any integer of at least 0.
        on_epoch: Called after each epoch with its number, from 1, and its measurements.
        keeping: Where the state after each epoch is kept, and the fingerprint of the data; if there is one of this
            very training already, it goes on from there, with the same numbers as if it had not been interrupted.
        floor: See ``Job``.

    Returns:
        The trained model, which takes raw pixels, and the measurement. Training ends early only below the floor, or if
        the loss is no longer a finite number; the measurement then has the failure.

    Raises:
        ShapeError: if the architecture does not fit the images.
        CostMismatchError: if Keras counts other parameters than the arithmetic.
    """
    began = time.perf_counter()
    recipe = candidate.recipe
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    scale, offset = _rescaling(data, recipe)
    model = build(
        candidate.architecture,
        data.task,
        scale=scale,
        offset=offset,
        norm_momentum=recipe.norm_momentum,
        normalization=_normalization(),
    )
    batches = TrainingBatches(data.train, recipe, seed)
    validation = None
    if data.validation is not None:
        validation = data.validation.pixels.astype(np.float32), data.validation.labels
    model.compile(
        optimizer=_optimizer(recipe, batches.steps),
        loss=_loss(recipe),
        metrics=["accuracy"],
        **_execution(batches.steps),
    )
    model.optimizer.build(model.trainable_variables)
    _build_metrics(model, data.task)
    rule = PlateauRule(recipe.plateau_factor)
    path, fingerprint = keeping if keeping is not None else (None, "")
    identity = [candidate.key, seed, fingerprint, Environment.here(threads()).decisive]
    checkpoint = None if path is None else Checkpoint.load(path, identity)
    curve: list[Epoch] = []
    if checkpoint is not None and _fits(model, checkpoint):
        curve = list(checkpoint.curve)
        _restore(model, rule, checkpoint)
        began -= curve[-1].seconds
    recorder = _Recorder(began, seed, curve, on_epoch, floor)
    callbacks: list[keras.callbacks.Callback] = [recorder, rule]
    if recipe.ema_momentum:
        callbacks.append(keras.callbacks.SwapEMAWeights())
    if path is not None:
        callbacks.append(_Keeper(path, identity, recorder, rule))
    if len(curve) < recipe.epochs:
        model.fit(
            batches.epochs(len(curve), recipe.epochs),
            initial_epoch=len(curve),
            epochs=recipe.epochs,
            steps_per_epoch=batches.steps,
            validation_data=validation,
            validation_batch_size=_LARGE_BATCH,
            callbacks=callbacks,
            shuffle=False,
            verbose=0,
        )
    return model, Measurement(tuple(curve), time.perf_counter() - began, recorder.failure)


def save_model(model: keras.Model, path: Path) -> None:
    """Save a trained model as ``.keras``, of Keras's own layers and without its optimizer, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.stem}.part.keras")
    # A clone of what was compiled would be compiled alike, with losses and schedules that only we know.
    uncompiled = keras.Model(model.input, model.output, name=model.name)
    bare = keras.models.clone_model(uncompiled, clone_function=_of_keras)
    bare.set_weights(model.get_weights())
    bare.save(part)
    part.replace(path)


def classified(model: keras.Model, pixels: npt.NDArray[np.generic]) -> npt.NDArray[np.int64] | None:
    """Return the classes that a model takes images for, shape ``(images,)``; None if its predictions are no numbers."""
    probabilities = model.predict(pixels.astype(np.float32), batch_size=_LARGE_BATCH, verbose=0)
    return np.asarray(np.argmax(probabilities, axis=1)) if np.isfinite(probabilities).all() else None


def with_predictions(measurement: Measurement, path: Path, pixels: npt.NDArray[np.generic]) -> Measurement:
    """Add what a saved model predicts for images."""
    classes = classified(keras.saving.load_model(path), pixels)
    if classes is None:
        return dataclasses.replace(measurement, failure="the trained network answers with values that are no numbers")
    return dataclasses.replace(measurement, predicted=pack(classes))


def _of_keras(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Return a new layer that any Keras can load."""
    normalizes = isinstance(layer, keras.layers.BatchNormalization)
    return (keras.layers.BatchNormalization if normalizes else type(layer)).from_config(layer.get_config())


def _normalization() -> Any:
    if keras.backend.backend() != "tensorflow":
        return keras.layers.BatchNormalization
    from tinysearch.training.normalization import FusedBatchNormalization

    return FusedBatchNormalization


def _execution(steps: int) -> dict[str, Any]:
    """Return how a model is best executed: on TensorFlow an epoch as a whole, and not by XLA.

    XLA takes twice as long on processors.
    """
    if keras.backend.backend() == "tensorflow":
        return {"jit_compile": False, "steps_per_execution": steps}
    return {"jit_compile": keras.backend.backend() == "jax"}


def _build_metrics(model: keras.Model, task: Task) -> None:
    """Have a model's metrics make their variables now: TensorFlow traces a step twice if they are made in it."""
    model.compute_metrics(None, np.zeros((1,), np.int64), np.zeros((1, task.classes), np.float32))
    model.reset_metrics()


def _loss(recipe: Recipe) -> Any:
    if not recipe.label_smoothing:
        return "sparse_categorical_crossentropy"
    smoothed = keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing)

    def loss(labels: Any, probabilities: Any) -> Any:
        classes = keras.ops.shape(probabilities)[-1]
        return smoothed.call(keras.ops.one_hot(keras.ops.reshape(labels, (-1,)), classes), probabilities)

    return loss


def _rescaling(data: TrainingData, recipe: Recipe) -> tuple[float, float]:
    """Return scale and offset that a model of this recipe applies to raw pixels."""
    if recipe.input_scaling == "unit":
        return 1 / data.full_scale, 0.0
    mean, deviation = data.statistics
    return 1 / deviation, -mean / deviation


def _optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    rate: Any = recipe.learning_rate
    if recipe.schedule == "one_cycle":
        rate = OneCycle(recipe.learning_rate, steps * recipe.epochs)
    options: dict[str, Any] = {"global_clipnorm": recipe.clip_norm or None}
    if recipe.weight_decay:
        options["weight_decay"] = recipe.weight_decay
    if recipe.ema_momentum:
        options.update(use_ema=True, ema_momentum=recipe.ema_momentum)
    if recipe.optimizer == "adam":
        optimizer: keras.optimizers.Optimizer = keras.optimizers.Adam(rate, **options)
    else:
        optimizer = keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, **options)
    if recipe.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def _variables(model: keras.Model) -> list[Any]:
    return [*model.variables, *model.optimizer.variables]


def _fits(model: keras.Model, checkpoint: Checkpoint) -> bool:
    shapes = [tuple(variable.shape) for variable in _variables(model)]
    return shapes == [value.shape for value in checkpoint.variables]


def _restore(model: keras.Model, rule: PlateauRule, checkpoint: Checkpoint) -> None:
    for variable, value in zip(_variables(model), checkpoint.variables, strict=True):
        variable.assign(value)
    rule.reduced_at, rule.accuracies = checkpoint.rule


class _Recorder(keras.callbacks.Callback):
    """Keeps the curve, reports it to the watcher, notes when the loss is no number any more, seeds each epoch."""

    def __init__(
        self,
        began: float,
        seed: int,
        curve: list[Epoch],
        on_epoch: EpochWatcher | None,
        floor: tuple[int, float] | None,
    ) -> None:
        super().__init__()
        self.curve = curve
        self.failure: str | None = None
        self._began = began
        self._seed = seed
        self._epoch = 0
        self._on_epoch = on_epoch
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
        if self._on_epoch is not None:
            self._on_epoch(epoch + 1, point)


class _Keeper(keras.callbacks.Callback):
    """Keeps the state after each epoch but the last."""

    def __init__(self, path: Path, identity: list[Any], recorder: _Recorder, rule: PlateauRule) -> None:
        super().__init__()
        self._path = path
        self._identity = identity
        self._recorder = recorder
        self._rule = rule

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if not self.model.stop_training and epoch + 1 < self.params["epochs"]:
            state = [keras.ops.convert_to_numpy(variable) for variable in _variables(self.model)]
            rule = [self._rule.reduced_at, self._rule.accuracies]
            Checkpoint(self._identity, tuple(self._recorder.curve), state, rule).save(self._path)


def _float(value: float | None) -> float | None:
    return None if value is None else float(value)
