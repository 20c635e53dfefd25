"""The search space of tinysearch under tuners of KerasTuner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np
import pytest

from tinysearch.errors import RecipeError
from tinysearch.keras_tuner import BudgetOracle, SpaceHyperModel
from tinysearch.search.keras_tuner.counting import BuiltCount
from tinysearch.space.network_choices import network_choices
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.task import Task
from tinysearch.training.recipe import RECIPES, Recipe


def narrow(task: Task | None = None) -> SearchSpace:
    """A space of few choices, which KerasTuner copies in a moment."""
    return SearchSpace(task or Task((8, 8, 1), 3), network_choices(depth=(1, 2), kinds={"conv": 1}))


def drawn(model: SpaceHyperModel, seed: int) -> keras_tuner.HyperParameters:
    hp = keras_tuner.HyperParameters()
    model.declare_hyperparameters(hp)
    hp.values = model.space.encode(model.space.sample(np.random.default_rng(seed)))
    return hp


def test_a_network_is_built_compiled_and_counted_as_the_arithmetic_says() -> None:
    model = SpaceHyperModel(narrow())
    for seed in range(3):
        hp = drawn(model, seed)
        built = model.build(hp)
        assert built.count_params() == model.cost(hp).params
        assert built.output_shape == (None, 3)
        assert isinstance(built.optimizer, keras.optimizers.Adam)
        assert model.space.encode(model.architecture(hp)) == hp.values


def test_hyperparameters_that_nobody_declared_are_the_standard_network() -> None:
    model = SpaceHyperModel(narrow())
    hp = keras_tuner.HyperParameters()
    assert model.build(hp).count_params() == model.cost(hp).params
    assert hp.space


def test_the_default_values_can_be_built_whatever_the_size_of_the_images() -> None:
    tree = network_choices(kernels={"7x7": 1, "3x3": 1}, paddings={"valid": 1})
    model = SpaceHyperModel(SearchSpace(Task((6, 6, 1), 10), tree))
    hp = keras_tuner.HyperParameters()
    model.declare_hyperparameters(hp)
    assert model.cost(hp).params > 0
    assert {one.name: one.default for one in hp.space if one.name in hp.values} == hp.values


def test_a_schedule_that_depends_on_the_step_needs_the_number_of_images() -> None:
    with pytest.raises(RecipeError, match="images="):
        SpaceHyperModel(narrow(), Recipe())
    model = SpaceHyperModel(narrow(), Recipe(epochs=2), images=64)
    rate = model.build(drawn(model, 0)).optimizer._learning_rate
    assert (rate.peak, rate.steps) == (0.1, 4)


class Built(keras_tuner.Tuner):
    def run_trial(self, trial: keras_tuner.engine.trial.Trial, *fit_args: Any, **fit_kwargs: Any) -> dict[str, float]:
        return {"val_accuracy": self._try_build(trial.hyperparameters).count_params() / 1e6}


def test_a_budget_counts_it_by_arithmetic_and_rejects_by_shape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(self: BuiltCount, hp: Any) -> int:
        raise AssertionError("a model was built to count it")

    monkeypatch.setattr(BuiltCount, "__call__", never)
    tree = network_choices(depth=(1, 3), kinds={"conv": 1}, kernels={"7x7": 1}, paddings={"valid": 1})
    model = SpaceHyperModel(SearchSpace(Task((12, 12, 1), 3), tree))
    inner = keras_tuner.oracles.RandomSearchOracle("val_accuracy", max_trials=5, seed=1)
    oracle = BudgetOracle(inner, 2_000, model)
    oracle.verbose = 0
    Built(oracle=oracle, hypermodel=model, directory=tmp_path).search()
    assert len(oracle.params) == 5
    assert max(oracle.params.values()) < 2_000
    assert oracle.rejections["shape"] > 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer:UserWarning")
def test_it_is_trained_by_a_tuner_of_keras_tuner_and_its_best_model_is_given(tmp_path: Path) -> None:
    model = SpaceHyperModel(narrow(), RECIPES["documented"], scale=1 / 255)
    inner = keras_tuner.oracles.RandomSearchOracle("val_accuracy", max_trials=2, seed=1)
    oracle = BudgetOracle(inner, 2_000, model)
    tuner = keras_tuner.Tuner(oracle=oracle, hypermodel=model, directory=tmp_path)
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (40, 8, 8, 1)).astype(np.float32), np.arange(40) % 3
    tuner.search(images, labels, epochs=1, validation_split=0.2, verbose=0)
    best = oracle.get_best_trials()[0]
    (found,) = tuner.get_best_models()
    assert found.count_params() == oracle.params[best.trial_id] == model.cost(best.hyperparameters).params
    assert found.predict(images, verbose=0).shape == (40, 3)


def test_batch_size_and_epochs_may_be_given_by_their_places(tmp_path: Path) -> None:
    model = SpaceHyperModel(narrow(), RECIPES["documented"], scale=1 / 255)
    inner = keras_tuner.oracles.RandomSearchOracle("val_accuracy", max_trials=1, seed=1)
    tuner = keras_tuner.Tuner(oracle=BudgetOracle(inner, 2_000, model), hypermodel=model, directory=tmp_path)
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (40, 8, 8, 1)).astype(np.float32), np.arange(40) % 3
    tuner.search(images, labels, 20, 1, validation_data=(images, labels), verbose=0)
    (trial,) = tuner.oracle.get_best_trials()
    assert trial.status == "COMPLETED"
    assert trial.best_step == 0
