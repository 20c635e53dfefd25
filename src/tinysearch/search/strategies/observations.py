"""What a surrogate model learns of records: a row for each candidate, with its error.

A candidate may have been trained several times, with other seeds or other folds held out. What it reached is then their
mean, of which the error is smaller. How large the error of a training is, is what the race of the leaders takes it for,
see ``racing``: the luck of the seed, the luck of the network with the images that it was validated on, and the hardness
of these images, which others that were validated on them share.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tinysearch.results.record import ACCURACY, Record
from tinysearch.search.racing import error_rate, unit_of, variances_of
from tinysearch.search.strategies.surrogate import Array


@dataclass(frozen=True, slots=True)
class Replicates:
    """The trainings of one candidate, of which no two are the same.

    Args:
        trainings: At least one. Those that failed are left out if there are others.
    """

    trainings: tuple[Record, ...]

    @property
    def first(self) -> Record:
        """The first of them."""
        return self.trainings[0]

    @property
    def score(self) -> float:
        """Their mean score; minus infinity if there is none."""
        return math.fsum(one.score for one in self.trainings) / len(self.trainings)


def replicates(records: Iterable[Record]) -> list[Replicates]:
    """Return the candidates of some records, in the order in which they were trained first.

    What was trained with the same seed and validated on the same images counts once: it was reused, or is the same
    number again.
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
    """Return which images a record was validated on: equal for equal ones. Early records do not say so."""
    again = f"again with seed {record.seed}" if record.purpose == "revalidation" else ""
    return record.validated_on or again


@dataclass(frozen=True, slots=True)
class Observations:
    """Results of candidates, higher is better, and their errors.

    Attributes:
        values: Shape ``(n,)``.
        errors: Covariance of their errors, shape ``(n, n)``.
    """

    values: Array
    errors: Array

    def and_pending(self, number: int) -> Observations:
        """Return these and some more of which nothing is known: middling results, the constant liar."""
        count = len(self.values)
        errors = np.zeros((count + number, count + number))
        errors[:count, :count] = self.errors
        more = np.arange(count, count + number)
        errors[more, more] = float(np.median(np.diag(self.errors)))
        return Observations(np.append(self.values, np.full(number, float(np.median(self.values)))), errors)


def observed(candidates: Sequence[Replicates], images: int) -> Observations:
    """Return what is known of candidates.

    Of shares, as accuracies are, the result is the logarithm of the error rate: from 98 to 99 % is about as far as from
    96 to 98 %. Scores that are not between 0 and 1 are taken as they are. What failed is as bad as the worst; what was
    stopped early is no better than that unless it was when it was stopped.

    Args:
        candidates: At least one of them has a score that is a number.
        images: How many images each training was validated on.
    """
    finished = [one.score for each in candidates for one in each.trainings if _counts(one)]
    known = [one.score for each in candidates for one in each.trainings if math.isfinite(one.score)]
    worst = min(finished or known)
    shares = min(known) >= 0 and max(known) <= 1
    unit = _unit(candidates)
    places = sorted({held_out(one) for each in candidates for one in each.trainings})
    folds = {place: number for number, place in enumerate(places)}
    values, own = np.zeros(len(candidates)), np.zeros(len(candidates))
    shared = np.zeros((len(candidates), len(places)))
    for row, each in enumerate(candidates):
        count = len(each.trainings)
        of_images = np.zeros(len(places))
        for one in each.trainings:
            score = max(worst, one.score) if one.pruned or not math.isfinite(one.score) else one.score
            variances = variances_of(_accuracy(one, score), images)
            values[row] += (-math.log(error_rate(score, images)) if shares else score) / count
            slope = (1.0 if not shares else 1 / error_rate(score, images)) * unit / count
            fold = folds[held_out(one)]
            own[row] += slope**2 * variances.seed
            of_images[fold] += slope * math.sqrt(variances.images)
            shared[row, fold] += slope * math.sqrt(variances.fold)
        # Trainings that were validated on the same images share that part of their luck.
        own[row] += float(of_images @ of_images)
    errors = np.diag(own)
    # What is common to all is no difference.
    return Observations(values, errors + shared @ shared.T if len(places) > 1 else errors)


def _counts(record: Record) -> bool:
    return math.isfinite(record.score) and not record.pruned


def _accuracy(record: Record, score: float) -> float:
    """Return the accuracy that decides how large the error is; that of the worst for what has none."""
    known = record.val_accuracy if math.isfinite(record.score) else None
    if known is not None and math.isfinite(known):
        return min(max(known, 0.0), 1.0)
    return min(max(score, 0.0), 1.0)


def _unit(candidates: Sequence[Replicates]) -> float:
    """Return how large errors are, as a multiple of those of accuracies."""
    trained = [each.first for each in candidates if _counts(each.first) and each.first.val_accuracy is not None]
    if not trained or trained[0].objective == ACCURACY:
        return 1.0
    trained.sort(key=lambda one: -one.score)
    return unit_of(np.array([one.score for one in trained]), np.array([one.val_accuracy for one in trained]))
