"""Counting what a hypermodel builds."""

from __future__ import annotations

import resource
from collections.abc import Callable
from typing import Any

import keras
import keras_tuner
import pytest

from tinysearch.errors import BudgetError
from tinysearch.search.keras_tuner.counting import BuiltCount


@pytest.fixture
def hp() -> keras_tuner.HyperParameters:
    return keras_tuner.HyperParameters()


def test_all_parameters_count_and_hyperparameters_are_declared(
    hp: keras_tuner.HyperParameters, dense_model: Callable[..., keras.Model]
) -> None:
    counted = BuiltCount(dense_model)(hp)
    assert counted == dense_model(hp.copy()).count_params() == 4 * 17 + 4 * 4 + 3 * 5
    assert [one.name for one in hp.space] == ["layers", "units0", "rate"]


def test_a_hypermodel_of_a_class_is_counted_like_a_function(
    hp: keras_tuner.HyperParameters, dense_model: Callable[..., keras.Model]
) -> None:
    class Model(keras_tuner.HyperModel):
        def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
            return dense_model(hp)

    assert BuiltCount(Model())(hp) == BuiltCount(dense_model)(hp)


def test_weights_that_fit_in_no_memory_are_counted_without_being_made(hp: keras_tuner.HyperParameters) -> None:
    def huge(hp: keras_tuner.HyperParameters) -> keras.Model:
        layers = [keras.Input((100_000,)), keras.layers.Dense(100_000), keras.layers.Dense(100_000)]
        model = keras.Sequential(layers)
        model.compile("adam", "mse")
        return model

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert BuiltCount(huge)(hp) == 2 * 100_000 * 100_001
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_000_000


def test_a_hypermodel_that_looks_at_its_weights_is_built_as_for_a_training(hp: keras_tuner.HyperParameters) -> None:
    def looking(hp: keras_tuner.HyperParameters) -> keras.Model:
        layer = keras.layers.Dense(3)
        model = keras.Sequential([keras.Input((2,)), layer])
        assert layer.kernel.numpy().shape == (2, 3)
        return model

    count = BuiltCount(looking)
    assert [count(hp), count(hp)] == [9, 9]


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda hp: "a model", "must build a keras.Model"),
        (lambda hp: keras.Sequential([keras.layers.Dense(3)]), "cannot be counted"),
    ],
)
def test_what_has_no_weights_to_count_is_an_error(
    made: Callable[..., Any], words: str, hp: keras_tuner.HyperParameters
) -> None:
    with pytest.raises(BudgetError, match=words):
        BuiltCount(made)(hp)


def test_an_error_of_the_hypermodel_gets_out(hp: keras_tuner.HyperParameters) -> None:
    def broken(hp: keras_tuner.HyperParameters) -> keras.Model:
        return keras.Sequential([keras.Input((3, 3, 1)), keras.layers.Conv2D(2, 5)])

    with pytest.raises(ValueError, match=r"negative|dimension"):
        BuiltCount(broken)(hp)
