"""Racing: which candidates are worth another training, from what they have reached on the folds so far.

A training measures a candidate with an error, and a fold is harder or easier than another for all candidates alike. So
what candidate c reaches on fold f is taken as ``quality[c] + fold[f] + error``, with qualities that are distributed
normally and about the folds nothing known. After F folds that all of them were validated on, the qualities are normal
too: their means are the means over the folds, drawn together by ``F / (F + (error / spread)²)``, or by less where all
trainings of a candidate are validated on the same images, so that a part of the error stays. Who may still be
better than the leader stays in the race, as in F-Race (Birattari et al., 2002) with a belief in the place of a test;
what another training is worth is how much the best is expected to rise, as in the knowledge gradient (Frazier et al.,
2008).

How large the error is follows from the trainings of the same network with other seeds on a GPU, and from revalidations
of reference runs (``experiments/races.py --fit``), and, once folds have been validated on, from how well they agree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Why = Literal["open", "alone", "alike", "spent"]

# A race of fewer trainings would tell nothing apart.
FEWEST = 2
# Who is better than the leader with less than this probability is out of the race.
SLIM = 0.05
# How many candidates a round has of those of the round before, at the most, where trainings are scarce.
NARROWING = 0.6
# The error of a training with an error rate of e on n images, the same images for all: its variance is
# (OF_SEED * e)² + OF_IMAGES * e (1 - e) / n. The second part is what of the luck of the images is not common to all;
# what is common to all, the rest of e (1 - e) / n, is the hardness of the fold.
OF_SEED = 0.09
OF_IMAGES = 0.2
# For how many residuals of a race that counts.
PRIOR_WEIGHT = 8
# Qualities are no closer together than this, in errors of a training: few candidates may look alike by chance.
CLOSEST = 0.5


class Variances(NamedTuple):
    """Variances of the accuracy of a training.

    Attributes:
        seed: By the luck of the seed.
        images: By the luck of this network with these images, which its trainings with other seeds share.
        fold: By the hardness of the images, which all networks that are validated on them share.
    """

    seed: float
    images: float
    fold: float


def error_rate(accuracy: float, images: int) -> float:
    """Return the error rate to reckon with; that a network makes no mistake is never taken for certain.

    Args:
        accuracy: A fraction.
        images: How many images it was measured on.

    >>> error_rate(0.98, 100), error_rate(1.0, 99)
    (0.02475247524752477, 0.005)
    """
    return ((1 - accuracy) * images + 0.5) / (images + 1)


def variances_of(accuracy: float, images: int) -> Variances:
    """Return how much the accuracy of a training varies, and why; see ``error_rate``."""
    wrong = error_rate(accuracy, images)
    sampling = wrong * (1 - wrong) / images
    return Variances((OF_SEED * wrong) ** 2, OF_IMAGES * sampling, (1 - OF_IMAGES) * sampling)


def error_of(accuracy: float, images: int) -> float:
    """Return the standard deviation of the accuracy of a training, fractions, where all have the same images.

    Args:
        accuracy: What such candidates reach; that they make no mistake is never taken for certain.
        images: How many images it is validated on.

    >>> round(error_of(0.993, 6_000), 5)
    0.0008
    """
    variances = variances_of(accuracy, images)
    return math.sqrt(variances.seed + variances.images)


def unit_of(scores: Floats, accuracies: Floats) -> float:
    """Return how large the error of an objective is, as a multiple of that of an accuracy.

    It is taken as the same fraction of how far the better half of the candidates are apart.

    Args:
        scores: Values of the objective, the best first, shape ``(n,)``.
        accuracies: Those of the same candidates, shape ``(n,)``.
    """
    better = slice(0, (len(scores) + 1) // 2)
    apart, alike = float(np.std(scores[better])), float(np.std(accuracies[better]))
    return apart / alike if apart and alike else 1.0


@dataclass(frozen=True, slots=True)
class Belief:
    """What is known of the qualities of candidates, in the order in which they were given.

    Attributes:
        means: Shape ``(candidates,)``.
        spread: Standard deviation of the qualities before anything was trained.
        folds: How many folds each was validated on.
        error: Standard deviation of the error of a training, without what its candidate's other trainings share.
        shared: Standard deviation of that.
    """

    means: Floats
    spread: float
    folds: int
    error: float
    shared: float = 0.0

    @property
    def deviation(self) -> float:
        """Standard deviation of each quality; they are independent but for what all have in common."""
        return self._after(self.folds)

    @property
    def chances(self) -> Floats:
        """The probability that each is better than the leader, shape ``(candidates,)``; 1/2 for the leader itself."""
        from scipy.special import ndtr

        chances: Floats = ndtr((self.means - self.means.max()) / (math.sqrt(2) * self.deviation))
        return chances

    def gain(self, some: Sequence[int], trainings: int) -> float:
        """Return by how much the best is expected to rise by so many more trainings of each of some candidates.

        It is the mean of the largest of the means that they will have, less the largest that there is.
        """
        from scipy.special import ndtr

        rise = math.sqrt(max(self.deviation**2 - self._after(self.folds + trainings) ** 2, 1e-30))
        best = float(self.means.max())
        grid = np.linspace(-6, 6, 400)
        below = np.prod(ndtr(grid[:, None] - (self.means[list(some)] - best) / rise), axis=1)
        # The mean of the largest is the end of the grid less the integral of its distribution function.
        step = float(grid[1] - grid[0])
        return rise * (float(grid[-1]) - step * float(below.sum() - (below[0] + below[-1]) / 2))

    def _after(self, folds: int) -> float:
        return 1 / math.sqrt(1 / self.spread**2 + 1 / noise_of(self.error, self.shared, folds))


def noise_of(error: float, shared: float, folds: int) -> float:
    """Return the variance of the mean of some trainings of a candidate, see ``Belief``."""
    return shared**2 + error**2 / folds


def believe(values: Floats, error: float, searched: Floats, shared: float = 0.0) -> Belief:
    """Return what is known of candidates.

    Args:
        values: What each has reached on each fold, the larger the better, shape ``(candidates, folds)``.
        error: Standard deviation of the error of a training, as far as it is known beforehand.
        searched: What all candidates of the search have reached on its fold, shape ``(all,)``.
        shared: Standard deviation of what all trainings of a candidate are off by, beside that: the luck of the network
            with the images, where all trainings are validated on the same ones.
    """
    count, folds = values.shape
    middle = float(np.median(searched))
    upper = searched[searched >= middle]
    averages = values.mean(axis=1)
    freedom = (count - 1) * (folds - 1)
    if freedom:
        residuals = values - averages[:, None] - values.mean(axis=0) + values.mean()
        error = math.sqrt((PRIOR_WEIGHT * error**2 + float((residuals**2).sum())) / (PRIOR_WEIGHT + freedom))
    # Few candidates are very bad; how far the good ones are apart is seen in the better half.
    once = noise_of(error, shared, 1)
    spread = math.sqrt(max(float(np.mean((upper - middle) ** 2)) - once, CLOSEST**2 * once))
    drawn = spread**2 / (spread**2 + noise_of(error, shared, folds))
    middle = float(averages.mean())
    return Belief(middle + drawn * (averages - middle), spread, folds, error, shared)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a race does next.

    Attributes:
        chosen: Which candidates are trained again, the best first; none if the race is over.
        why: ``"open"`` if some are; else ``"alone"`` if no other has a chance, ``"alike"`` if nothing is to be gained,
            or ``"spent"`` if no training is left.
        able: How many may still be the best.
        gain: By how much the best was expected to rise.
    """

    chosen: tuple[int, ...]
    why: Why
    able: int = 1
    gain: float = 0.0


def decide(
    values: Floats, error: float, searched: Floats, *, worth: float, rounds: int, room: int, shared: float = 0.0
) -> Verdict:
    """Return which candidates are trained again.

    Args:
        values, error, searched, shared: See ``believe``; of candidates that are equal the first one is ahead.
        worth: The smallest rise of the best that is worth a round.
        rounds: How many rounds there may be, at least 1.
        room: How many trainings there may be in all of them.
    """
    if len(values) < 2:
        return Verdict((), "alone")
    belief = believe(values, error, searched, shared)
    order = np.argsort(-values.mean(axis=1), kind="stable")
    able = [int(one) for one in order if belief.chances[one] >= SLIM]
    if len(able) < 2:
        return Verdict((), "alone")
    # Each round has a fixed fraction of the candidates of the round before, and what those before have left over.
    most = max(2, round(room / sum(NARROWING**later for later in range(rounds))))
    gain = belief.gain(able[:most], rounds)
    if gain < worth:
        return Verdict((), "alike", len(able), gain)
    if room < FEWEST:
        return Verdict((), "spent", len(able), gain)
    return Verdict(tuple(able[:most]), "open", len(able), gain)
