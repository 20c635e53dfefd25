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


class Positioned(keras.Model):
    """A model with a weight that it makes itself, and layers that it may forget to build."""

    def __init__(self, *, whole: bool) -> None:
        super().__init__()
        self.whole = whole
        self.first, self.drop, self.last = keras.layers.Dense(5), keras.layers.Dropout(0.5), keras.layers.Dense(3)

    def build(self, shape: Any) -> None:
        self.position = self.add_weight(shape=(shape[-1],), name="position")
        if self.whole:
            self.first.build(shape)
            self.last.build((None, 5))
        self.built = True

    def call(self, images: Any) -> Any:
        return self.last(self.drop(self.first(images + self.position)))


def test_a_model_whose_layers_are_yet_to_be_built_is_not_taken_for_a_small_one(
    hp: keras_tuner.HyperParameters,
) -> None:
    def made(hp: keras_tuner.HyperParameters, *, whole: bool) -> keras.Model:
        model = Positioned(whole=whole)
        model.build((None, 8))
        return model

    assert BuiltCount(lambda hp: made(hp, whole=True))(hp) == 8 + 9 * 5 + 6 * 3
    with pytest.raises(BudgetError, match=r"weights of its layer 'dense.*which must build all layers"):
        BuiltCount(lambda hp: made(hp, whole=False))(hp)
