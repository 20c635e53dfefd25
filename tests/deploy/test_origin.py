"""What is said of the training that a network is of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tinysearch.deploy.origin import origin_of, told
from tinysearch.results.record import Record

Make = Callable[..., Record]
MEAN = "over 3 seeds the candidate reaches 97.00 ± 1.00 % on the test images (mean ± standard deviation, n=3)"


@pytest.fixture
def trainings(make_record: Make) -> list[Record]:
    """Return a search and three evaluations of one candidate."""
    search = replace(make_record(), fingerprint="a")
    scores = {0: 0.98, 2: 0.96, 1: 0.97}
    evaluated = {"purpose": "evaluation", "test_fingerprint": "t"}
    return [search, *(replace(search, seed=seed, test_accuracy=one, **evaluated) for seed, one in scores.items())]


def test_the_mean_of_all_seeds_is_said_beside_the_accuracy_of_the_network(trainings: list[Record]) -> None:
    origin = origin_of(trainings[1], trainings, kept=True)
    assert told(origin) == [
        "the network was trained on all training images with seed 0, 98.00 % on the test images",
        MEAN,
    ]
    assert origin["test_accuracies"] == {"0": 0.98, "1": 0.97, "2": 0.96}


def test_it_is_said_of_a_network_that_was_not_scored_itself_too(trainings: list[Record]) -> None:
    assert told(origin_of(trainings[0], trainings, kept=True))[1] == MEAN
    assert told(origin_of(trainings[1], trainings, kept=False))[1] == MEAN
    only = told(origin_of(trainings[1], trainings[:2], kept=False))
    assert only[1] == "with one seed the candidate has reached 98.00 % on the test images"


def test_where_one_seed_was_evaluated_its_accuracy_is_not_said_twice(trainings: list[Record]) -> None:
    assert len(told(origin_of(trainings[1], trainings[:2], kept=True))) == 1
    assert len(told(origin_of(trainings[0], trainings[:1], kept=True))) == 1


def test_evaluations_on_other_images_do_not_count(trainings: list[Record]) -> None:
    others = [replace(one, fingerprint="b", seed=9) for one in trainings]
    others += [replace(one, test_fingerprint="u", seed=8) for one in trainings]
    assert told(origin_of(trainings[1], [*trainings, *others], kept=True))[1] == MEAN


def test_evaluations_of_another_recipe_do_not_count(trainings: list[Record]) -> None:
    others = [replace(one, key="other", test_accuracy=0.5) for one in trainings[1:]]
    assert told(origin_of(trainings[1], [*trainings, *others], kept=True))[1] == MEAN


def test_of_a_training_in_two_runs_each_seed_counts_once(trainings: list[Record]) -> None:
    twice = [*trainings, *(replace(one, run="other") for one in trainings)]
    assert told(origin_of(trainings[1], twice, kept=True))[1] == MEAN


def test_of_a_network_from_elsewhere_nothing_is_said() -> None:
    assert told({"seed": 0}) == []
