"""The contract that every strategy keeps: those of the registry, KerasTuner's oracles, Optuna's samplers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tinysearch.results.record import Measurement, Record
from tinysearch.search.keras_tuner.strategy import ORACLES
from tinysearch.search.recipe_choices import KNOBS
from tinysearch.search.strategies.registry import STRATEGIES, strategy
from tinysearch.search.strategies.strategy import Problem, Strategy
from tinysearch.space.network_choices import network_choices
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.candidate import Candidate

History = Callable[[int], list[Record]]
Make = Callable[..., Problem]
KERAS_TUNER = [f"keras-tuner:{oracle}" for oracle in ORACLES]
OPTUNA = ["optuna:NSGAIISampler", "optuna:TPESampler"]


@pytest.fixture(params=[*sorted(STRATEGIES), *KERAS_TUNER, *OPTUNA])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def space(name: str, small: SearchSpace) -> SearchSpace:
    return small if name in KERAS_TUNER else SearchSpace()


@pytest.fixture
def make(name: str, space: SearchSpace, problem: Make) -> Callable[..., Strategy]:
    return lambda *arguments, **options: strategy(name, problem(*arguments, space=space, **options))


@pytest.fixture
def past(space: SearchSpace, as_record: Callable[..., Record]) -> History:
    """Return a function that makes a history of random architectures and scores, all of them within the budget."""

    def draw(length: int) -> list[Record]:
        rng = np.random.default_rng(length)
        drawn = (space.scaled_below(space.sample(rng), 9_999) for _ in range(length))
        return [as_record(architecture, float(rng.random()), trial) for trial, architecture in enumerate(drawn)]

    return draw


@pytest.mark.parametrize("length", [0, 1, 7, 130])
def test_a_proposal_is_a_function_of_history_pending_and_generator(
    make: Callable[..., Strategy], past: History, length: int
) -> None:
    history = past(length + 2)
    pending = [Candidate(record.architecture, make().problem.recipe) for record in history[length:]]

    def asked(seed: int) -> tuple[Candidate, object]:
        """Return a proposal and the state of the generator after it, which decides the next one."""
        rng = np.random.default_rng([seed, length])
        return make().propose(history[:length], rng, pending), rng.bit_generator.state

    assert asked(0) == asked(0)


def test_generators_that_differ_give_other_proposals(make: Callable[..., Strategy], past: History, name: str) -> None:
    history = past(12)
    proposed = {make().propose(history, np.random.default_rng(seed)).key for seed in range(3)}
    # A grid is walked in order.
    assert len(proposed) == 1 if name.endswith("GridSearch") else len(proposed) > 1


def test_proposals_are_plain_values(make: Callable[..., Strategy], past: History) -> None:
    candidate = make().propose(past(12), np.random.default_rng(0))
    assert json.loads(json.dumps(candidate.architecture.to_dict())) == candidate.architecture.to_dict()
    assert json.loads(json.dumps(candidate.recipe.to_dict())) == candidate.recipe.to_dict()


def test_only_the_epochs_of_the_recipe_may_be_others_and_never_more(make: Callable[..., Strategy]) -> None:
    proposer = make(epochs=9)
    recipe = proposer.problem.recipe
    candidate = proposer.propose([], np.random.default_rng(0))
    assert replace(candidate.recipe, epochs=9) == recipe
    assert 1 <= candidate.recipe.epochs <= 9


def test_a_proposal_leaves_history_and_global_generators_alone(make: Callable[..., Strategy], past: History) -> None:
    history = past(20)
    before = list(history)
    state = str(np.random.get_state())  # noqa: NPY002
    make().propose(history, np.random.default_rng(0))
    assert history == before
    # Its place among the keys, which change every 624 draws only, is part of it.
    assert str(np.random.get_state()) == state  # noqa: NPY002


@pytest.mark.parametrize("own", sorted(STRATEGIES))
def test_recipes_of_the_only_network_of_a_space_are_searched(
    own: str, problem: Make, as_record: Callable[..., Record]
) -> None:
    values = {
        "kinds": "conv",
        "kernels": "3x3",
        "strides": 1,
        "paddings": "same",
        "activations": "relu",
        "norms": "none",
        "biases": True,
        "repeats": 1,
        "shortcuts": False,
        "poolings": "none",
        "dropouts": 0.0,
        "head_poolings": "average",
        "hidden": 0,
    }
    single = {name: {value: 1} for name, value in values.items()}
    space = SearchSpace(tree=network_choices(depth=(1, 1), filters=(2, 2), **single))
    assert space.size() == 1
    proposer = strategy(own, problem(space=space, tune_recipe=True))
    history: list[Record] = []
    rng = np.random.default_rng(0)
    for trial in range(16):
        candidate = proposer.propose(history, rng)
        record = as_record(candidate.architecture, 0.5 + float(rng.random()) / 9, trial)
        history.append(replace(record, key=candidate.key, recipe=candidate.recipe.to_dict()))
    assert len({record.key for record in history}) > 8


@pytest.mark.parametrize("budget", [300, 10_000])
def test_what_passes_the_filter_is_below_the_budget_and_new(
    make: Callable[..., Strategy], budget: int, proposals: Callable[..., list[Candidate]]
) -> None:
    proposer = make(budget)
    accepted = proposals(proposer, 12)
    costs = [proposer.problem.space.cost(candidate.architecture) for candidate in accepted]
    assert all(cost is not None and cost.params < budget for cost in costs)
    assert all(candidate.architecture in proposer.problem.space for candidate in accepted)
    assert len({candidate.key for candidate in accepted}) == 12


def test_a_history_of_failures_stops_no_strategy(make: Callable[..., Strategy], past: History) -> None:
    failed = [replace(record, measurement=Measurement(failure="out of memory")) for record in past(30)]
    proposer = make()
    assert proposer.propose(failed, np.random.default_rng(0)).architecture in proposer.problem.space


def test_scores_that_are_no_numbers_stop_no_strategy(
    make: Callable[..., Strategy], past: History, as_record: Callable[..., Record]
) -> None:
    history = past(20)
    history += [as_record(record.architecture, float("nan"), 20 + index) for index, record in enumerate(past(5))]
    proposer = make()
    assert proposer.propose(history, np.random.default_rng(0)).architecture in proposer.problem.space


def test_architectures_that_are_no_members_stop_no_strategy(make: Callable[..., Strategy], history: History) -> None:
    proposer = make()
    strangers = [replace(record, origin="baseline", trial=None) for record in history(3)]
    assert proposer.propose(strangers, np.random.default_rng(0)).architecture in proposer.problem.space


def test_what_is_pending_may_be_all_there_is(make: Callable[..., Strategy], past: History) -> None:
    proposer = make()
    pending = [Candidate(record.architecture, proposer.problem.recipe) for record in past(3)]
    assert proposer.propose([], np.random.default_rng(0), pending).architecture in proposer.problem.space


def test_with_the_recipe_tuned_its_knobs_are_searched_and_the_rest_is_kept(
    make: Callable[..., Strategy], proposals: Callable[..., list[Candidate]]
) -> None:
    proposer = make(epochs=9, tune_recipe=True)
    accepted = proposals(proposer, 20)
    assert len({candidate.recipe for candidate in accepted}) > 5
    for candidate in accepted:
        untuned = {name: getattr(proposer.problem.recipe, name) for name in KNOBS}
        assert replace(candidate.recipe, **untuned, epochs=9) == proposer.problem.recipe
