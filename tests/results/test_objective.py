from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from tinysearch.errors import InputError, PluginError
from tinysearch.results.objective import OBJECTIVES, MacroF1, Objective, measured, objective, objective_name, title_of
from tinysearch.results.record import Record

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60)


class WrongZeros(Objective):
    """How many images of class 0 are classified wrongly."""

    name = "mine:WrongZeros"
    direction = "min"

    def value(self, labels: Any, predicted: Any) -> float:
        return float(((labels == 0) & (predicted != 0)).sum())


class Share(Objective):
    """The share of images that are classified correctly, to a power."""

    name = "accuracy"

    def __init__(self, power: float = 1.0) -> None:
        self.power = power

    def value(self, labels: Any, predicted: Any) -> float:
        return float((labels == predicted).mean() ** self.power)


class Needy(Share):
    """Needs to be told its power."""

    def __init__(self, power: float) -> None:
        super().__init__(power)


SQUARE = Share(2.0)


@given(PAIRS)
def test_each_is_what_scikit_learn_makes_of_it_whichever_classes_are_absent(pairs: list[tuple[int, int]]) -> None:
    labels, predicted = np.array(pairs).T
    values = {name: one.value(labels, predicted) for name, one in OBJECTIVES.items()}
    with warnings.catch_warnings():
        # Of classes that are predicted and do not occur, and of a single class.
        warnings.simplefilter("ignore", UserWarning)
        expected = {
            "accuracy": accuracy_score(labels, predicted),
            "balanced_accuracy": balanced_accuracy_score(labels, predicted),
            "macro_f1": f1_score(labels, predicted, average="macro", zero_division=0),
        }
    assert values == pytest.approx(expected)


def test_a_network_that_always_answers_the_commonest_class_is_found_out() -> None:
    labels = np.array([0] * 95 + [1] * 5)
    values = {name: one.value(labels, np.zeros_like(labels)) for name, one in OBJECTIVES.items()}
    assert values["accuracy"] == 0.95
    assert values["balanced_accuracy"] == 0.5
    assert values["macro_f1"] == pytest.approx(0.4872, abs=1e-4)


def test_small_types_of_labels_do_not_overflow() -> None:
    labels = np.array([0, 200, 250], np.uint8)
    assert OBJECTIVES["macro_f1"].value(labels, labels.astype(np.uint8)) == 1.0


@pytest.mark.parametrize(("labels", "predicted"), [([], []), ([0, 1], [0]), ([[0]], [[0]])])
def test_labels_and_predictions_that_do_not_belong_together_are_refused(
    labels: list[Any], predicted: list[Any]
) -> None:
    for one in OBJECTIVES.values():
        with pytest.raises(ValueError, match="shape"):
            one.value(np.array(labels, int), np.array(predicted, int))


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="accuracy, balanced_accuracy, macro_f1 or module:Class; got 'recall'"):
        objective("recall")


def test_an_objective_of_ones_own_is_taken_as_an_object_and_as_a_class() -> None:
    own = WrongZeros()
    assert objective(own) is own
    assert isinstance(objective(WrongZeros), WrongZeros)
    assert title_of(own.name) == own.name


def test_workers_find_an_objective_by_its_class_whatever_it_calls_itself() -> None:
    for own in (Share, Share()):
        assert objective_name(own) == f"{__name__}:Share"
    for known in (MacroF1, MacroF1()):
        assert objective_name(known) == "macro_f1"
    found = objective(f"{__name__}:SQUARE")
    assert isinstance(found, Share)
    assert found.power == 2.0


@dataclass(frozen=True)
class Frozen(WrongZeros):
    """An objective whose attributes cannot be assigned."""

    power: float = 1.0


FROZEN = Frozen(2.0)


def test_an_objective_that_cannot_be_changed_is_found_by_its_name() -> None:
    found = objective(f"{__name__}:FROZEN")
    assert (found.name, found.title, FROZEN.name) == (f"{__name__}:FROZEN", "mine:WrongZeros", "mine:WrongZeros")
    assert isinstance(found, Frozen)
    assert found.power == 2.0


@pytest.mark.parametrize("own", [SQUARE, Needy(2.0)])
def test_an_instance_that_its_class_does_not_make_is_refused(own: Objective) -> None:
    with pytest.raises(PluginError, match=f"{type(own).__name__} without arguments.* `objective='module:name'`"):
        objective_name(own)


def test_a_class_that_needs_arguments_is_refused() -> None:
    with pytest.raises(PluginError, match=r"Needy cannot be created: TypeError: .*'power'"):
        objective(Needy)


def test_what_is_no_objective_or_has_no_name_or_direction_is_refused() -> None:
    class Nameless(WrongZeros):
        name = "no\nname"

    class Aimless(WrongZeros):
        direction = "up"  # type: ignore[assignment]

    for wrong in (3, Nameless, Aimless()):
        with pytest.raises(InputError, match="objective"):
            objective(wrong)  # type: ignore[arg-type]


def test_what_is_measured_is_all_but_accuracy_and_what_is_wanted() -> None:
    labels, predicted = np.array([0, 0, 1]), np.array([0, 1, 1])
    assert measured(labels, predicted) == {
        "balanced_accuracy": pytest.approx(0.75),
        "macro_f1": pytest.approx(2 / 3),
    }
    assert measured(labels, predicted, WrongZeros())["mine:WrongZeros"] == 1.0


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_finite_number_is_left_out(value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WrongZeros, "value", lambda *_: value)
    assert set(measured(np.array([0, 1]), np.array([0, 1]), WrongZeros())) == {"balanced_accuracy", "macro_f1"}


def test_the_score_of_a_record_is_by_its_objective_and_larger_is_better(make_record: Callable[..., Record]) -> None:
    record = make_record(val_accuracy=0.9, earlier=(0.5,), metrics={"macro_f1": 0.6, "mine:WrongZeros": 7.0})
    assert record.metrics == {"accuracy": 0.9, "macro_f1": 0.6, "mine:WrongZeros": 7.0}
    assert record.score == 0.9
    assert record.by("macro_f1", "max").score == 0.6
    assert record.by("mine:WrongZeros", "min").score == -7.0
    assert WrongZeros().of(record) == 7.0
    assert OBJECTIVES["balanced_accuracy"].of(record) is None
    assert record.by("balanced_accuracy", "max").score == -math.inf
    assert make_record(failure="loss was nan").by("macro_f1", "max").metrics == {}
