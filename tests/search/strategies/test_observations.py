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
    found = replicates([trained(3, 0.98), trained(4, 0.97), trained(3, 0.99, seed=1, fold=1)])
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


def test_more_trainings_err_less_and_most_on_other_images(trained: Make) -> None:
    one = [trained(3, 0.99)]
    seeds = [trained(3, 0.99, seed=seed) for seed in range(3)]
    folds = [trained(3, 0.99, seed=seed, fold=seed) for seed in range(3)]
    alone = [trained(3, 0.99, fold=0), trained(4, 0.99, fold=1)]
    assert deviations(one)[0] > deviations(seeds)[0]
    # That folds are hard or easy counts where there are several.
    assert deviations(alone)[0] > deviations(folds)[0]
    assert deviations(folds)[0] < deviations(alone)[0] / math.sqrt(2.9)


def test_what_was_validated_on_the_same_images_errs_together(trained: Make) -> None:
    records = [trained(3, 0.99, fold=1), trained(4, 0.98, fold=1), trained(5, 0.98, fold=2)]
    errors = observed(replicates(records), IMAGES).errors
    assert errors[0, 1] > 0
    assert errors[0, 2] == errors[1, 2] == 0
    assert observed(replicates(records[:2]), IMAGES).errors[0, 1] == 0


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


def test_what_is_pending_is_middling(trained: Make) -> None:
    found = observed(replicates([trained(3, 0.9), trained(4, 0.95), trained(5, 0.99)]), IMAGES)
    more = found.and_pending(2)
    assert more.values[3:].tolist() == [found.values[1]] * 2
    assert more.errors[3, 3] == found.errors[1, 1]
    assert more.errors[3, 4] == more.errors[0, 3] == 0
