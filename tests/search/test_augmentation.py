from __future__ import annotations

import dataclasses
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from stand_ins import Unreliable, Worker

from tinysearch.data.dataset import Dataset
from tinysearch.errors import TinySearchWarning, TrainingError
from tinysearch.results.record import Epoch, Measurement
from tinysearch.search.augmentation import Comparison, Train, TrainedBy, compare, settled
from tinysearch.search.settings import RunSettings
from tinysearch.search.strategies.strategy import Problem
from tinysearch.space.architecture import Architecture, Conv
from tinysearch.space.budget import Budget
from tinysearch.space.cost import cost
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.task import Task
from tinysearch.training.augmentation import augmented, by_size, levels
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import EpochWatcher, Job, Resources
from tinysearch.training.recipe import Recipe

BUDGET = Budget(3_000)


def scoring(scores: dict[str, float | None], task: Task, seen: list[Candidate] | None = None) -> Train:
    """Return what stands for trainings: each level has its score, None for a failure."""

    def train(candidate: Candidate, seed: int) -> Measurement:
        (name,) = (
            name for name, amounts in levels(task).items() if augmented(candidate.recipe, amounts) == candidate.recipe
        )
        if seen is not None:
            seen.append(candidate)
        if scores[name] is None:
            return Measurement(failure="it failed")
        return Measurement((Epoch(1.0, 0.5, 1.0, scores[name], 0.1, 1.0),))

    return train


def chosen(task: Task, held_out: int = 6_000, **scores: float | None) -> Comparison:
    return compare(SearchSpace(task), BUDGET, Recipe(), seed=0, held_out=held_out, train=scoring(scores, task))


def test_the_best_level_is_chosen_and_none_unless_another_is_better_by_a_standard_error() -> None:
    assert chosen(Task(), none=0.95, mild=0.97, mirrored=0.9).chosen == "mild"
    assert chosen(Task(), none=0.95, mild=0.96, mirrored=0.97).chosen == "mirrored"
    assert chosen(Task(), none=0.95, mild=0.951, mirrored=0.9).chosen == "none"
    assert chosen(Task(), held_out=100, none=0.95, mild=0.96, mirrored=0.9).chosen == "none"
    found = chosen(Task((121, 1, 6), 8), none=0.5, jitter=0.7, shifted=0.6)
    assert (found.chosen, found.recipe.jitter) == ("jitter", 0.05)


def test_a_level_whose_training_fails_is_not_chosen() -> None:
    found = chosen(Task(), none=None, mild=0.5, mirrored=None)
    assert found.chosen == "mild"
    assert "none failed" in found.words
    with pytest.raises(TrainingError, match="`augment='none'`"):
        chosen(Task(), none=None, mild=None, mirrored=None)


@pytest.mark.parametrize("epochs", [1, 2, 3, 10, 50])
def test_all_trainings_together_take_the_epochs_of_two_trials_at_most(epochs: int) -> None:
    seen: list[Candidate] = []
    train = scoring(dict.fromkeys(levels(Task()), 0.5), Task(), seen)
    compare(SearchSpace(), BUDGET, Recipe(epochs=epochs), seed=0, held_out=100, train=train)
    assert sum(one.recipe.epochs for one in seen) <= max(2 * epochs, 3)
    assert len({one.architecture.key for one in seen}) == 1


@pytest.mark.parametrize("budget", [100, 1_000, 30_000])
@pytest.mark.parametrize("task", [Task(), Task((121, 1, 6), 8), Task((96, 96, 3), 2)])
def test_the_network_is_within_the_budget(budget: int, task: Task) -> None:
    seen: list[Candidate] = []
    train = scoring(dict.fromkeys(levels(task), 0.5), task, seen)
    compare(SearchSpace(task), Budget(budget), Recipe(), seed=1, held_out=100, train=train)
    assert cost(seen[0].architecture, task).params < budget


def test_what_was_compared_is_kept_in_plain_values() -> None:
    plain = chosen(Task(), none=0.9, mild=0.95, mirrored=0.8).to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert (plain["chosen"], plain["accuracies"]["mild"], plain["epochs"]) == ("mild", 0.95, 6)


@pytest.fixture
def settle(dataset: Dataset) -> Callable[..., RunSettings]:
    """Return a function that settles the augmentation of a run where "mirrored" is best."""

    train = scoring({"none": 0.1, "mild": 0.2, "mirrored": 0.95}, Task())
    return lambda augment: settled(RunSettings(BUDGET, Recipe()), dataset, SearchSpace(), augment, train)


def test_all_candidates_of_a_run_have_the_augmentation_that_was_chosen(settle: Callable[..., RunSettings]) -> None:
    with pytest.warns(TinySearchWarning, match="compared by short trainings|augmentation mirrored: none 10.00 %"):
        found = settle("auto")
    assert (found.recipe.mirroring, found.augmentation["chosen"]) == (0.5, "mirrored")
    assert RunSettings.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_an_augmentation_may_be_given(
    settle: Callable[..., RunSettings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settle("recipe").recipe == Recipe()
    assert not settle("none").recipe.augments
    assert settle({"cutout": 0.3}).recipe == augmented(Recipe(), {"cutout": 0.3})
    (tmp_path / "a.json").write_text('{"jitter": 0.1}')
    assert settle(str(tmp_path / "a.json")).recipe.jitter == 0.1
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert settle("~/a.json").recipe.jitter == 0.1
    assert np.isclose(settle(tmp_path / "a.json").recipe.rotation_degrees, 0)


def test_if_nothing_is_said_networks_are_augmented_by_size_unless_the_recipe_is_another(dataset: Dataset) -> None:
    def after(augment: str | None, recipe: Recipe) -> RunSettings:
        return settled(RunSettings(BUDGET, recipe), dataset, SearchSpace(), augment, scoring({}, Task()))

    usual = Recipe(epochs=3)
    found = after(None, usual)
    assert (found.augments_by_size, found.recipe) == (True, usual)
    assert RunSettings.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    for augment, recipe in (("recipe", usual), ("none", usual), (None, Recipe(batch_size=64))):
        assert not after(augment, recipe).augments_by_size


def test_a_candidate_has_the_augmentation_of_its_size() -> None:
    space = SearchSpace()
    problem = Problem(space, Budget(10_000), Recipe(), augment_by_size=True)
    rng = np.random.default_rng(0)
    for low, high in ((300, 900), (8_000, 10_000)):
        network = space.sample_between(low, high, rng)
        assert network is not None
        expected = by_size(Recipe(), high)[1]
        assert problem.new_candidate(network, rng).recipe == expected
        assert problem.child_of(network, problem.new_candidate(network, rng), rng).recipe == expected
        assert dataclasses.replace(problem, augment_by_size=False).candidate(network).recipe == Recipe()


def test_a_time_limit_covers_the_comparison(dataset: Dataset) -> None:
    over = threading.Event()

    class Slow(Worker):
        def train(self, job: Job, on_epoch: EpochWatcher) -> Measurement:
            over.wait(10)
            return Measurement(failure="cancelled")

    with Slow().executor() as executor:
        train = TrainedBy(executor, dataset, Resources(1), until=time.monotonic() + 0.2)
        with pytest.raises(TrainingError, match="time limit was reached before the augmentations were compared"):
            train(Candidate(Architecture((Conv(4),)), Recipe()), 0)
        over.set()


def test_a_lost_worker_is_no_failure_of_an_augmentation(dataset: Dataset) -> None:
    train = TrainedBy(Unreliable(lost=2), dataset, Resources())
    assert train(Candidate(Architecture((Conv(4),)), Recipe()), 0).val_accuracy == 0.75
