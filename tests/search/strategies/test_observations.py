"""What a surrogate model learns of records."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tinysearch.results.record import VALIDATED_ON, Epoch, Measurement, Record
from tinysearch.search.racing import error_of
from tinysearch.search.strategies.observations import observed, replicates
from tinysearch.space.architecture import Architecture, Conv

Make = Callable[..., Record]
IMAGES = 6_000


@pytest.fixture
def trained(as_record: Callable[..., Record]) -> Make:
    """Return a function that makes a record of a network, named by its width, on a fold."""

    def make(width: int, score: float, seed: int = 0, fold: int = 0, **changes: Any) -> Record:
        record = as_record(Architecture((Conv(width),)), score)
        return replace(record, seed=seed, provenance={VALIDATED_ON: f"fold {fold}"}, **changes)

    return make


def deviations(records: list[Record], images: int = IMAGES) -> list[float]:
    return np.sqrt(np.diag(observed(replicates(records), images).errors)).tolist()  # type: ignore[no-any-return]


def test_trainings_of_a_candidate_are_one_row_with_their_mean(trained: Make) -> None:
    found = replicates([trained(3, 0.98), trained(4, 0.97), trained(3, 0.99, seed=1)])
    assert [len(one.trainings) for one in found] == [2, 1]
    assert found[0].score == pytest.approx(0.985)
    values = observed(found, IMAGES).values
    alone = observed(replicates([trained(3, 0.98), trained(4, 0.99)]), IMAGES).values
    assert values[0] == pytest.approx(alone.mean())


def test_the_same_training_counts_once_and_a_failure_not_beside_another(trained: Make) -> None:
    failed = replace(trained(3, 0.98, seed=2), measurement=Measurement(failure="out of memory"))
    (found,) = replicates([failed, trained(3, 0.98), trained(3, 0.99), trained(3, 0.97, seed=1)])
    assert [(one.seed, one.score) for one in found.trainings] == [(0, 0.98), (1, 0.97)]
    assert replicates([failed])[0].score == -math.inf


def test_the_error_is_that_of_the_race(trained: Make) -> None:
    (error,) = deviations([trained(3, 0.99)])
    # A result is the logarithm of the error rate, of which an error is a share.
    assert error == pytest.approx(error_of(0.99, IMAGES) / 0.01, rel=0.02)
    assert deviations([trained(3, 0.99)], 100)[0] > 2 * error


def test_more_trainings_err_less(trained: Make) -> None:
    once = deviations([trained(3, 0.99)])[0]
    again = deviations([trained(3, 0.99, seed=seed) for seed in range(3)])[0]
    # Of the luck with the images they have the same.
    assert once / math.sqrt(3) < again < once


def test_what_was_validated_on_the_same_other_images_errs_together(trained: Make) -> None:
    records = [trained(3, 0.99), trained(4, 0.99), trained(5, 0.98, fold=1), trained(6, 0.98, fold=1)]
    errors = observed(replicates(records), IMAGES).errors
    assert errors[2, 3] > 0
    assert errors[0, 1] == errors[0, 2] == errors[1, 3] == 0
    # How hard other images are is not known.
    assert errors[2, 2] > errors[0, 0]


def test_candidates_that_were_validated_on_several_folds_tell_how_hard_they_are(trained: Make) -> None:
    rng = np.random.default_rng(0)
    # Fold 1 is harder: a third more mistakes.
    wrong = rng.uniform(0.009, 0.012, 20)
    easy = [trained(3 + place, 1 - one) for place, one in enumerate(wrong)]
    hard = [trained(3 + place, 1 - 4 / 3 * one, seed=1, fold=1) for place, one in enumerate(wrong[:8])]
    only = trained(40, 1 - 4 / 3 * 0.01, seed=1, fold=1)
    found = observed(replicates([*easy, *hard, only]), IMAGES)
    as_if = observed(replicates([*easy, trained(40, 0.99)]), IMAGES)
    np.testing.assert_allclose(found.values, as_if.values, atol=0.03)
    blind = observed(replicates([*easy, only]), IMAGES)
    assert blind.values[-1] < as_if.values[-1] - 0.2
    assert found.errors[-1, -1] < blind.errors[-1, -1] / 2


def test_failures_are_as_bad_as_the_worst_and_what_was_stopped_no_better(trained: Make) -> None:
    failed = trained(5, 0.5, measurement=Measurement(failure="out of memory"))
    points = (Epoch(1.0, 0.5, 1.0, 0.2, 0.1, 1.0), Epoch(1.0, 0.5, 1.0, 0.3, 0.1, 1.0))
    whole = [replace(trained(width, 0.5), recipe={"epochs": 1}) for width in (3, 4)]
    whole[1] = replace(whole[1], measurement=Measurement((Epoch(1.0, 0.5, 1.0, 0.6, 0.1, 1.0),)))
    stopped = replace(trained(6, 0.5, measurement=Measurement(points)), recipe={"epochs": 10})
    values = observed(replicates([*whole, failed, stopped]), IMAGES).values
    assert values[2] == values[3] == values[0] < values[1]


def test_scores_that_are_no_shares_are_taken_as_they_are(trained: Make) -> None:
    def scored(width: int, value: float, accuracy: float) -> Record:
        point = Epoch(1.0, 0.5, 1.0, accuracy, 0.1, 1.0, {"gain": value})
        return trained(width, 0.5, measurement=Measurement((point,)), objective="gain", recipe={"epochs": 1})

    records = [scored(3, 30.0, 0.99), scored(4, 20.0, 0.98), scored(5, 10.0, 0.97), scored(6, 0.0, 0.96)]
    found = observed(replicates(records), IMAGES)
    assert found.values.tolist() == [30.0, 20.0, 10.0, 0.0]
    # A point of accuracy is as much as ten of the objective.
    assert math.sqrt(found.errors[0, 0]) == pytest.approx(1_000 * error_of(0.99, IMAGES), rel=0.02)
