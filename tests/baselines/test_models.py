from __future__ import annotations

import pytest

from tinysearch.baselines.models import BASELINES, architectures, baseline
from tinysearch.errors import CandidateError
from tinysearch.space.architecture import Architecture
from tinysearch.space.budget import Budget
from tinysearch.space.canonical import canonical
from tinysearch.space.cost import cost
from tinysearch.space.keras_builder import build
from tinysearch.space.task import Task

DOCUMENTED = [("conv", 8_640, 8_580, 60), ("separable", 4_967, 4_879, 88), ("inception", 3_077, 3_077, 0)]
documented = pytest.mark.parametrize(("name", "params", "trainable", "non_trainable"), DOCUMENTED)


@documented
def test_arithmetic_gives_the_documented_parameters(name: str, params: int, trainable: int, non_trainable: int) -> None:
    counted = cost(BASELINES[name].architecture, Task())
    assert (counted.params, counted.trainable_params, counted.non_trainable_params) == (
        params,
        trainable,
        non_trainable,
    )


@documented
def test_keras_counts_the_documented_parameters(name: str, params: int, trainable: int, non_trainable: int) -> None:
    model = build(BASELINES[name].architecture, Task())
    counts = [sum(w.shape.num_elements() for w in model.trainable_weights), model.count_params()]
    assert counts == [trainable, trainable + non_trainable]


@documented
def test_a_model_states_what_is_documented(name: str, params: int, trainable: int, non_trainable: int) -> None:
    model = BASELINES[name]
    assert (model.name, model.params, model.trainable_params) == (name, params, trainable)


def test_the_documented_accuracies() -> None:
    assert {name: model.test_accuracy for name, model in BASELINES.items()} == {
        "conv": 0.9920,
        "separable": 0.9842,
        "inception": 0.9736,
    }


def test_a_budget_of_exactly_its_parameters_rejects_the_conv_model() -> None:
    counted = cost(BASELINES["conv"].architecture, Task())
    verdict = Budget(8_640).check(counted)
    assert (verdict.accepted, verdict.reason) == (False, "params")
    assert Budget(8_641).check(counted).accepted


@pytest.mark.parametrize("name", BASELINES)
def test_a_model_survives_json_and_canonical_form(name: str) -> None:
    architecture = BASELINES[name].architecture
    assert Architecture.from_dict(architecture.to_dict()) == architecture
    assert cost(canonical(architecture), Task()).params == BASELINES[name].params


@pytest.mark.parametrize("name", BASELINES)
def test_a_model_answers_to_its_name_with_and_without_prefix(name: str) -> None:
    assert baseline(name) is baseline(f"baseline:{name}") is BASELINES[name]
    assert architectures()[f"baseline:{name}"] is BASELINES[name].architecture


@pytest.mark.parametrize("name", ["", "baseline:", "Conv", "resnet", "conv:baseline"])
def test_an_unknown_model_lists_the_known_ones(name: str) -> None:
    with pytest.raises(CandidateError, match="the hand-designed baselines are conv, separable, inception; got"):
        baseline(name)
