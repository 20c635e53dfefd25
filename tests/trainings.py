"""Trainings that a test compares between backends: the same function in this process and in one on JAX."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import numpy as np

from tinysearch.data.dataset import TrainingData
from tinysearch.data.images import Images
from tinysearch.results.record import Epoch
from tinysearch.space.architecture import Architecture
from tinysearch.space.task import Task
from tinysearch.training.recipe import Recipe

CLASSES = 4
SHAPES = {"grey": (12, 12, 1), "colour": (10, 12, 3), "series": (24, 1, 4), "broken": (12, 12, 1)}


def pictures(kind: str, count: int) -> TrainingData:
    """Return images of a kind, of which each class has a pattern of its own under noise; some classes are rarer.

    Of those that are ``"broken"``, some values are no numbers.
    """
    shape = SHAPES[kind]
    rng = np.random.default_rng(7)
    patterns = rng.uniform(0, 160, (CLASSES, *shape))

    def part(count: int) -> Images:
        labels = np.minimum(rng.integers(0, CLASSES + 2, count), CLASSES - 1).astype(np.int32)
        pixels = patterns[labels] + rng.uniform(0, 90, (count, *shape))
        if kind == "broken":
            pixels[::5] = np.nan
        return Images(pixels.astype(np.uint8 if kind == "grey" else np.float32), labels)

    return TrainingData(Task(shape, CLASSES), part(count), part(37), 255.0)


@dataclass(frozen=True)
class Wanted:
    """A training, as plain values.

    ``weights`` draws the initial weights by NumPy, so that they are the same on all backends; ``most`` is how many
    bytes of images may be on the device, and ``memory`` how many it has. ``gpu`` takes the layers that are meant for
    one.
    """

    network: Architecture
    recipe: Recipe
    kind: str = "grey"
    count: int = 88
    seed: int = 0
    weights: bool = False
    state: bytes | None = None
    floor: tuple[int, float] | None = None
    objective: str = "accuracy"
    most: int | None = None
    memory: int | None = None
    gpu: bool = False


@dataclass
class Trained:
    """What came of it; ``traced`` counts how often Keras's steps were called by Python."""

    curve: list[Epoch]
    failure: str | None
    weights: list[np.ndarray]
    states: list[bytes | None]
    classes: np.ndarray
    model: bytes
    numbers: list[int] = field(default_factory=list)
    traced: dict[str, int] = field(default_factory=dict)


def prepare(remedies: dict[str, str]) -> None:
    """Prepare a process to train, with these environment variables."""
    import os

    os.environ.update(remedies)
    from tinysearch.runtime.preparation import prepare_to_train

    prepare_to_train(1)


def trained(wanted: Wanted) -> Trained:
    """Do a training."""
    import keras

    from tinysearch.training import trainer
    from tinysearch.training.candidate import Candidate
    from tinysearch.training.predictions import classified
    from tinysearch.training.saving import saved

    data = pictures(wanted.kind, wanted.count)
    assert data.validation is not None
    result = Trained([], None, [], [], np.empty(0), b"", traced={"train_step": 0, "test_step": 0})
    build = trainer.build

    def seeded(*given: Any, **options: Any) -> keras.Model:
        model = build(*given, **options)
        rng = np.random.default_rng(wanted.seed)
        for variable in model.trainable_variables if wanted.weights else []:
            if variable.name.endswith("kernel"):
                limit = math.sqrt(6 / math.prod(variable.shape[:-1]))
                variable.assign(rng.uniform(-limit, limit, variable.shape).astype(np.float32))
        return model

    def counted(name: str) -> Callable[..., Any]:
        step = getattr(keras.Model, name)

        def call(*given: Any) -> Any:
            result.traced[name] += 1
            return step(*given)

        return call

    def heard(number: int, epoch: Epoch, state: bytes | None) -> None:
        result.numbers.append(number)
        result.states.append(state)

    with ExitStack() as patches:
        patches.enter_context(mock.patch.object(trainer, "build", seeded))
        for name in result.traced:
            patches.enter_context(mock.patch.object(keras.Model, name, counted(name)))
        if wanted.most is not None:
            patches.enter_context(mock.patch("tinysearch.training.compiled.MOST_IN_MEMORY", wanted.most))
        if wanted.memory is not None:
            patches.enter_context(
                mock.patch("tinysearch.training.compiled.memory_of_device", return_value=wanted.memory)
            )
        if wanted.gpu:
            patches.enter_context(mock.patch("tinysearch.training.compiled.on_a_processor", return_value=False))
        model, measurement = trainer.fit(
            Candidate(wanted.network, wanted.recipe),
            data,
            wanted.seed,
            heard,
            trainer.Keeping("the data", wanted.state),
            wanted.floor,
            wanted.objective,
        )
    result.curve, result.failure = list(measurement.curve), measurement.failure
    result.weights = [np.asarray(one) for one in model.get_weights()]
    found = classified(model, data.validation.pixels)
    result.classes = np.empty(0) if found is None else found
    result.model = saved(model)
    return result


def deployed(network: Architecture, target: str, folder: str) -> float:
    """Deploy an untrained network; return the largest difference of its predictions."""
    from tinysearch.data.loading import load
    from tinysearch.deploy import deploy
    from tinysearch.deploy.trained import Trained as Network
    from tinysearch.space.keras_builder import build

    rng = np.random.default_rng(0)
    data = load(((rng.integers(0, 256, (40, 12, 12), np.uint8), np.arange(40) % 4), None))
    done = deploy(Network("a network", network, build(network, data.task, scale=1 / 255)), target, folder, data)
    (found,) = done.findings.comparisons.values()
    return found.largest_difference
