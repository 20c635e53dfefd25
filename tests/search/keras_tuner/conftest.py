"""Hypermodels of a user's own, and tuners that train nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import pytest


def dense(hp: keras_tuner.HyperParameters) -> keras.Model:
    """Up to two hidden layers on 16 features, from 93 to 5,423 parameters, of which not all are trainable."""
    layers: list[Any] = [keras.Input((16,))]
    number = hp.Int("layers", 1, 2)
    for index in range(number):
        layers.append(keras.layers.Dense(hp.Int(f"units{index}", 4, 64, step=12), activation="relu"))
    layers += [keras.layers.BatchNormalization(), keras.layers.Dense(3, activation="softmax")]
    return compiled(keras.Sequential(layers), hp)


def conv(hp: keras_tuner.HyperParameters) -> keras.Model:
    """One or two convolutions on images of 8x8, from 64 to about 10,000 parameters."""
    layers: list[Any] = [keras.Input((8, 8, 1))]
    layers.append(keras.layers.Conv2D(hp.Int("filters", 4, 32, step=4), 3, padding="same"))
    if hp.Boolean("deep"):
        with hp.conditional_scope("deep", [True]):
            layers.append(keras.layers.Conv2D(hp.Int("more", 4, 32, step=4), 3))
    layers += [keras.layers.BatchNormalization(), keras.layers.GlobalAveragePooling2D()]
    return compiled(keras.Sequential([*layers, keras.layers.Dense(3, activation="softmax")]), hp)


def compiled(model: keras.Model, hp: keras_tuner.HyperParameters) -> keras.Model:
    rate = hp.Choice("rate", [1e-2, 1e-3])
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class Untrained(keras_tuner.Tuner):
    """Builds what it is to train, as KerasTuner does, notes its size, and scores it by that."""

    def run_trial(self, trial: keras_tuner.engine.trial.Trial, *fit_args: Any, **fit_kwargs: Any) -> dict[str, float]:
        size = self._try_build(trial.hyperparameters).count_params()
        self.built = [*getattr(self, "built", []), size]
        return {"val_accuracy": size / 1e6}


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Seed what is random, as TensorFlow asks for where other tests of this process have made it deterministic."""
    keras.utils.set_random_seed(0)


@pytest.fixture(params=[dense, conv], ids=["dense", "conv"])
def hypermodel(request: pytest.FixtureRequest) -> Callable[..., keras.Model]:
    build: Callable[..., keras.Model] = request.param
    return build


@pytest.fixture
def dense_model() -> Callable[..., keras.Model]:
    return dense


@pytest.fixture
def conv_model() -> Callable[..., keras.Model]:
    return conv


@pytest.fixture
def untrained(tmp_path: Path) -> Callable[..., Untrained]:
    """Return a function that makes a tuner which trains nothing, in one folder."""

    def make(oracle: keras_tuner.Oracle, build: Any, **options: Any) -> Untrained:
        tuner = Untrained(oracle=oracle, hypermodel=build, directory=tmp_path, **options)
        oracle.verbose = 0
        return tuner

    return make


ORACLES: dict[str, Callable[..., keras_tuner.Oracle]] = {
    "RandomSearch": lambda: keras_tuner.oracles.RandomSearchOracle("val_accuracy", max_trials=6, seed=1),
    "BayesianOptimization": lambda: keras_tuner.oracles.BayesianOptimizationOracle(
        "val_accuracy", max_trials=6, num_initial_points=4, seed=1
    ),
    "Hyperband": lambda: keras_tuner.oracles.HyperbandOracle("val_accuracy", max_epochs=3, seed=1),
    "GridSearch": lambda: keras_tuner.oracles.GridSearchOracle("val_accuracy", max_trials=20, seed=1),
}


@pytest.fixture(params=ORACLES)
def make_oracle(request: pytest.FixtureRequest) -> Callable[..., keras_tuner.Oracle]:
    return ORACLES[request.param]


@pytest.fixture
def random_search() -> Callable[..., keras_tuner.Oracle]:
    """Return a function that makes an oracle of random search."""

    def make(trials: int = 6, **options: Any) -> keras_tuner.Oracle:
        given = {"seed": 1, **options}
        return keras_tuner.oracles.RandomSearchOracle("val_accuracy", max_trials=trials, **given)

    return make
