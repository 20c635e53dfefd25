"""Observations for a surrogate model: the result of each candidate in the records, with the error of the result.

A candidate may have been trained several times, with other seeds or other folds held out. Its result is then the mean
of its trainings, which has a smaller error. The error of a training is modelled as in ``racing``: the luck of the seed,
the luck of the network with its validation images, and the hardness of these images. All candidates that were validated
on the same images share the hardness. It is estimated from candidates that were validated on several folds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinysearch.results.record import ACCURACY, Record
from tinysearch.search.racing import Variances, error_rate, unit_of, variances_of
from tinysearch.search.strategies.surrogate import Array


@dataclass(frozen=True, slots=True)
class Replicates:
    """The distinct trainings of one candidate.

    Args:
        trainings: At least one. Failed trainings are left out if others succeeded.
    """

    trainings: tuple[Record, ...]

    @property
    def first(self) -> Record:
        """The first training."""
        return self.trainings[0]

    @property
    def score(self) -> float:
        """The mean score; minus infinity if all trainings failed."""
        return math.fsum(one.score for one in self.trainings) / len(self.trainings)


def replicates(records: Iterable[Record]) -> list[Replicates]:
    """Return the candidates of some records, in the order of their first trainings.

    Records with the same seed and the same validation images count once: such a result was reused or merely repeated.
    """
    groups: dict[str, dict[tuple[int, str], Record]] = {}
    for record in records:
        groups.setdefault(record.key, {}).setdefault((record.seed, held_out(record)), record)
    found = []
    for group in groups.values():
        trainings = tuple(group.values())
        known = tuple(one for one in trainings if math.isfinite(one.score))
        found.append(Replicates(known or trainings[:1]))
    return found


def held_out(record: Record) -> str:
    """Return an identifier of the images that a record was validated on. Early records do not store them."""
    again = f"again with seed {record.seed}" if record.purpose == "revalidation" else ""
    return record.validated_on or again


@dataclass(frozen=True, slots=True)
class Observations:
    """Results of candidates, the larger the better, and their errors.

    Attributes:
        values: Results, shape ``(n,)``.
        errors: Covariance of their errors, shape ``(n, n)``.
        shares: Whether the values are negative logarithms of error rates.
    """

    values: Array
    errors: Array
    shares: bool = False


def observed(candidates: Sequence[Replicates], images: int) -> Observations:
    """Return the results of candidates and their errors.

    If all scores are between 0 and 1, as accuracies are, a result is the negative logarithm of the error rate: the step
    from 98 to 99 % is about as large as that from 96 to 98 %. Other scores are used as they are. A failed training
    counts as the worst completed one. A training that was stopped early counts by its score at that time, but not as
    less than the worst completed one.

    Args:
        candidates: At least one must have a finite score.
        images: Number of images that each training was validated on.
    """
    finished = [one.score for each in candidates for one in each.trainings if _counts(one)]
    known = [one.score for each in candidates for one in each.trainings if math.isfinite(one.score)]
    worst = min(finished or known)
    shares = min(known) >= 0 and max(known) <= 1
    unit = _unit(candidates)
    places = sorted({held_out(one) for each in candidates for one in each.trainings})
    folds = {place: number for number, place in enumerate(places)}
    rows = [_Row.of(each, images, folds, worst, unit, shares=shares) for each in candidates]
    effects, unsure = _fold_effects(rows, len(places))
    weights = np.array([row.weights for row in rows])
    values = np.array([row.results.mean() for row in rows]) - weights @ effects
    return Observations(values, np.diag([row.variance for row in rows]) + weights @ unsure @ weights.T, shares)


@dataclass(frozen=True, slots=True)
class _Row:
    """The results of one candidate.

    Attributes:
        results: One for each training, shape ``(trainings,)``.
        places: One-hot rows with the fold that each training was validated on, shape ``(trainings, folds)``.
        each, variance: Variance of a single training and of the mean, without the hardness of the folds.
        fold: Variance of the hardness of a fold.
    """

    results: Array
    places: Array
    each: float
    variance: float
    fold: float

    @property
    def weights(self) -> Array:
        """Weight of each fold in the mean, shape ``(folds,)``."""
        found: Array = self.places.mean(axis=0)
        return found

    @classmethod
    def of(
        cls,
        candidate: Replicates,
        images: int,
        folds: Mapping[str, int],
        worst: float,
        unit: float,
        *,
        shares: bool,
    ) -> _Row:
        results: list[float] = []
        errors: list[Variances] = []
        for one in candidate.trainings:
            score = max(worst, one.score) if one.pruned or not math.isfinite(one.score) else one.score
            wrong = error_rate(score, images)
            results.append(-math.log(wrong) if shares else score)
            slope = unit / wrong if shares else unit
            errors.append(Variances(*(slope**2 * part for part in variances_of(_accuracy(one, score), images))))
        seed, image, fold = np.mean(errors, axis=0)
        places = np.eye(len(folds))[[folds[held_out(one)] for one in candidate.trainings]]
        weights = places.mean(axis=0)
        # Trainings that were validated on the same images share this part of the error.
        variance = seed / len(results) + image * float(weights @ weights)
        return cls(np.array(results), places, seed + image, variance, fold)


def _fold_effects(rows: Sequence[_Row], count: int) -> tuple[Array, Array]:
    """Return by how much results on each fold exceed those on the most common fold, and the covariance of that.

    The posterior mean and covariance given the candidates that were validated on several folds, shapes ``(count,)`` and
    ``(count, count)``.
    """
    common = int(np.argmax(sum(row.places.sum(axis=0) for row in rows)))
    others = [place for place in range(count) if place != common]
    more, covariance = np.zeros(count), np.zeros((count, count))
    if others:
        # The hardness of either fold is random, so a difference has twice the variance.
        prior = float(np.median([row.fold for row in rows])) * (np.eye(len(others)) + 1)
        precision, total = np.linalg.inv(prior), np.zeros(len(others))
        for row in rows:
            apart = (row.places - row.weights)[:, others]
            precision += apart.T @ apart / row.each
            total += apart.T @ row.results / row.each
        known = np.linalg.inv(precision)
        more[others] = known @ total
        covariance[np.ix_(others, others)] = known
    return more, covariance


def _counts(record: Record) -> bool:
    return math.isfinite(record.score) and not record.pruned


def _accuracy(record: Record, score: float) -> float:
    """Return the accuracy that determines the size of the error; without an accuracy, the score, clipped to [0, 1]."""
    known = record.val_accuracy if math.isfinite(record.score) else None
    if known is not None and math.isfinite(known):
        return min(max(known, 0.0), 1.0)
    return min(max(score, 0.0), 1.0)


def _unit(candidates: Sequence[Replicates]) -> float:
    """Return the size of the errors as a multiple of those of accuracies."""
    trained = [each.first for each in candidates if _counts(each.first) and each.first.val_accuracy is not None]
    if not trained or trained[0].objective == ACCURACY:
        return 1.0
    trained.sort(key=lambda one: -one.score)
    return unit_of(np.array([one.score for one in trained]), np.array([one.val_accuracy for one in trained]))
