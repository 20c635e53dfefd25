"""The trainer: trains one candidate and returns its measurement. This is the only hot path."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from tinysearch.data.dataset import TrainingData
from tinysearch.data.splits import Split
from tinysearch.results.objective import Objective
from tinysearch.results.objective import objective as known_objective
from tinysearch.results.record import ACCURACY, Epoch, Measurement
from tinysearch.runtime.environment import Environment
from tinysearch.runtime.preparation import threads
from tinysearch.space.keras_builder import Scale, build
from tinysearch.space.task import Task
from tinysearch.training.backends import epochs_of, execution, layers
from tinysearch.training.callbacks import Metrics, PlateauRule, Recorder, Reporter, variables_of
from tinysearch.training.candidate import Candidate
from tinysearch.training.checkpoint import Checkpoint
from tinysearch.training.epochs import Course
from tinysearch.training.job import EpochWatcher, Job, Outcome
from tinysearch.training.optimization import loss_of, optimizer_of
from tinysearch.training.pipeline import TrainingBatches
from tinysearch.training.predictions import with_predictions
from tinysearch.training.recipe import Recipe
from tinysearch.training.saving import saved


def train(job: Job, data: TrainingData, on_epoch: EpochWatcher | None = None) -> Outcome:
    """Run a job: train its candidate, from its state if it has one.

    If the data has test images, the saved model is loaded again and predicts their classes, so that exactly the stored
    model is scored.

    Args:
        job: The job to run.
        data: The images that the job refers to, with its fold held out.
        on_epoch: Called after each epoch.

    Raises:
        ShapeError: if the architecture does not fit the images.
        CostMismatchError: if the number of parameters in Keras differs from the computed one.
    """
    images: list[Any] = [job.data.fingerprint, job.fold]
    if Split.from_dict(job.data.split) != Split():
        images.append(dict(job.data.split))
    keeping = Keeping(images, job.state, job.keep_states)
    model, measurement = fit(job.candidate, data, job.seed, on_epoch, keeping, job.floor, job.objective)
    if not job.keep_model or measurement.failure is not None:
        return Outcome(measurement)
    try:
        content = saved(model)
    except OSError:
        # The model can be trained again; a lack of space for it must not cost the measurement.
        return Outcome(measurement)
    if data.test is not None:
        measurement = with_predictions(measurement, content, data.test)
    return Outcome(measurement, content)


@dataclass(frozen=True, slots=True)
class Keeping:
    """Settings for resuming a training after an interruption.

    Args:
        images: Identity of the images: fingerprint, fold, and the split if it is not the default.
        state: The state to resume from; None to start from the beginning.
        states: Whether to report the state after each epoch but the last.
    """

    images: Any
    state: bytes | None = None
    states: bool = True


def fit(
    candidate: Candidate,
    data: TrainingData,
    seed: int,
    on_epoch: EpochWatcher | None = None,
    keeping: Keeping | None = None,
    floor: tuple[int, float] | None = None,
    objective: str | Objective = ACCURACY,
) -> tuple[keras.Model, Measurement]:
    """Train one candidate for all the epochs of its recipe.

    The same arguments give the same results on the same machine: initial weights, order, augmentation and dropout
    depend only on ``seed``.

    Args:
        candidate: The candidate to train.
        data: Training images, and validation images that are scored after every epoch.
        seed: Any integer of at least 0.
        on_epoch: Called after each epoch with its number, from 1, its measurements, and the state after it.
        keeping: The state to resume from, with the same results as without the interruption, and whether to report
            states; None for neither.
        floor: See ``Job``.
        objective: See ``Job``.

    Returns:
        The trained model, which takes raw pixels, and the measurement. Training ends early only below the floor, or if
        the loss or a metric is not finite; in that case the measurement contains the failure.

    Raises:
        ShapeError: if the architecture does not fit the images.
        CostMismatchError: if the number of parameters in Keras differs from the computed one.
        InputError: if the objective is unknown.
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
        instead=layers(),
    )
    batches = TrainingBatches(data.train, recipe, seed)
    model.compile(
        optimizer=optimizer_of(recipe, batches.steps),
        loss=loss_of(recipe),
        metrics=["accuracy"],
        **execution(batches.steps),
    )
    model.optimizer.build(model.trainable_variables)
    _build_metrics(model, data.task)
    epochs = epochs_of(model, Course(batches, data.validation, _class_weight(data, recipe)), recipe)
    rule = PlateauRule(recipe.plateau_factor)
    images, state, states = (None, None, False) if keeping is None else (keeping.images, keeping.state, keeping.states)
    identity = [candidate.key, seed, images, Environment.here(threads()).decisive]
    checkpoint = None if state is None else Checkpoint.from_bytes(state, identity)
    curve: list[Epoch] = []
    if checkpoint is not None and _fits(model, checkpoint):
        curve = list(checkpoint.curve)
        _restore(model, rule, checkpoint)
        began -= curve[-1].seconds

    def state_after() -> bytes:
        variables = [keras.ops.convert_to_numpy(variable) for variable in variables_of(model)]
        return Checkpoint(identity, tuple(curve), variables, [rule.reduced_at, rule.accuracies]).to_bytes()

    metrics = Metrics(data.validation, epochs.guesses, known_objective(objective), floor)
    recorder = Recorder(began, seed, curve, metrics)
    callbacks: list[keras.callbacks.Callback] = [metrics, recorder, rule]
    if recipe.ema_momentum:
        callbacks.append(keras.callbacks.SwapEMAWeights())
    if on_epoch is not None:
        callbacks.append(Reporter(curve, on_epoch, state_after if states else None))
    if len(curve) < recipe.epochs:
        epochs.run(len(curve), recipe.epochs, callbacks)
    return model, Measurement(tuple(curve), time.perf_counter() - began, recorder.failure)


def _build_metrics(model: keras.Model, task: Task) -> None:
    """Create the variables of a model's metrics now: TensorFlow traces a step twice if they are created in it."""
    model.compute_metrics(None, np.zeros((1,), np.int64), np.zeros((1, task.classes), np.float32))
    model.reset_metrics()


def _rescaling(data: TrainingData, recipe: Recipe) -> tuple[Scale, Scale]:
    """Return scale and offset that a model applies to raw pixels: numbers, or lists if there are several channels."""
    if recipe.input_scaling == "unit":
        return 1 / data.full_scale, 0.0
    scales = [1 / (one.deviation or 1.0) for one in data.statistics]
    offsets = [-one.mean / (one.deviation or 1.0) for one in data.statistics]
    return (scales[0], offsets[0]) if len(scales) == 1 else (scales, offsets)


def _class_weight(data: TrainingData, recipe: Recipe) -> dict[int, float] | None:
    """Return the weight of an image of each class: equal totals for all classes, and 1 for the average image."""
    if recipe.class_weight == "none":
        return None
    counts = np.bincount(data.train.labels, minlength=data.task.classes)
    present = int((counts > 0).sum())
    return {
        number: len(data.train) / (present * count) if count else 1.0 for number, count in enumerate(counts.tolist())
    }


def _fits(model: keras.Model, checkpoint: Checkpoint) -> bool:
    shapes = [tuple(variable.shape) for variable in variables_of(model)]
    return shapes == [value.shape for value in checkpoint.variables]


def _restore(model: keras.Model, rule: PlateauRule, checkpoint: Checkpoint) -> None:
    for variable, value in zip(variables_of(model), checkpoint.variables, strict=True):
        variable.assign(value)
    rule.reduced_at, rule.accuracies = checkpoint.rule
