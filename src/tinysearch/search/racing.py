"""Racing: the choice of the candidates worth another training, from their scores on the folds so far.

A training measures a candidate with an error, and a fold is equally harder or easier for all candidates. The model of
the score of candidate c on fold f is ``quality[c] + fold[f] + error``, with a normal prior on the qualities and a flat
one on the folds. After F folds that validated all candidates, the posterior of the qualities is normal too. Its means
are the means over the folds, shrunk towards their average by the factor ``F / (F + (error / spread)²)``, or by a
smaller factor if all trainings of a candidate are validated on the same images, because then a part of the error stays.

Candidates that may still be better than the leader stay in the race, as in F-Race (Birattari et al., 2002), with a
posterior probability instead of a test. The value of another training is the expected rise of the best quality, as in
the knowledge gradient (Frazier et al., 2008).

The size of the error comes from trainings of the same network with other seeds on a GPU and from revalidations of
reference runs (``experiments/races.py --fit``), and, after several folds, from the agreement between them.
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

# Minimum number of trainings of a race: fewer cannot distinguish candidates.
FEWEST = 2
# Candidates with a lower probability of being better than the leader leave the race.
SLIM = 0.05
# Maximum fraction of the candidates of a round that enter the next one if trainings are scarce.
NARROWING = 0.6
# Variance of the score of a training with an error rate of e on n images that are the same for all candidates:
# (OF_SEED * e)² + OF_IMAGES * e (1 - e) / n. The second term is the part of the sampling error of the images that
# differs between candidates. The rest of e (1 - e) / n, common to all candidates, is the hardness of the fold.
OF_SEED = 0.09
OF_IMAGES = 0.2
# Weight of that prior estimate of the error, in residuals of a race.
PRIOR_WEIGHT = 8
# Lower bound on the spread of the qualities, in errors of a training: a few candidates may seem equal by chance.
CLOSEST = 0.5


class Variances(NamedTuple):
    """Variances of the accuracy of a training.

    Attributes:
        seed: Variance due to the seed.
        images: Variance due to this network on these images, shared by its trainings with other seeds.
        fold: Variance due to the hardness of the images, shared by all networks validated on them.
    """

    seed: float
    images: float
    fold: float


def error_rate(accuracy: float, images: int) -> float:
    """Return an estimate of the error rate that is never 0, even without a mistake.

    Args:
        accuracy: Measured accuracy, a fraction.
        images: Number of images that it was measured on.

    >>> error_rate(0.98, 100), error_rate(1.0, 99)
    (0.02475247524752477, 0.005)
    """
    return ((1 - accuracy) * images + 0.5) / (images + 1)


def variances_of(accuracy: float, images: int) -> Variances:
    """Return the variances of the accuracy of a training by cause; see ``error_rate``."""
    wrong = error_rate(accuracy, images)
    sampling = wrong * (1 - wrong) / images
    return Variances((OF_SEED * wrong) ** 2, OF_IMAGES * sampling, (1 - OF_IMAGES) * sampling)


def error_of(accuracy: float, images: int) -> float:
    """Return the standard deviation of the accuracy of a training, a fraction, on the same images for all candidates.

    Args:
        accuracy: Accuracy of such candidates, see ``error_rate``.
        images: Number of validation images.

    >>> round(error_of(0.993, 6_000), 5)
    0.0008
    """
    variances = variances_of(accuracy, images)
    return math.sqrt(variances.seed + variances.images)


def unit_of(scores: Floats, accuracies: Floats) -> float:
    """Return the error of an objective as a multiple of the error of the accuracy.

    The error is assumed to be the same fraction of the standard deviation of the better half of the candidates.

    Args:
        scores: Values of the objective, the best first, shape ``(n,)``.
        accuracies: Accuracies of the same candidates, shape ``(n,)``.

    Returns:
        1 if either standard deviation is 0.
    """
    better = slice(0, (len(scores) + 1) // 2)
    apart, alike = float(np.std(scores[better])), float(np.std(accuracies[better]))
    return apart / alike if apart and alike else 1.0


@dataclass(frozen=True, slots=True)
class Belief:
    """Posterior of the qualities of candidates, in the order in which the candidates were given.

    Attributes:
        means: Posterior means, shape ``(candidates,)``.
        spread: Prior standard deviation of the qualities.
        folds: Number of folds that each candidate was validated on.
        error: Standard deviation of the error of a training, without the part that all trainings of a candidate share.
        shared: Standard deviation of the part of the error that all trainings of a candidate share.
    """

    means: Floats
    spread: float
    folds: int
    error: float
    shared: float = 0.0

    @property
    def deviation(self) -> float:
        """Posterior standard deviation of each quality; qualities are independent except for a common offset."""
        return self._after(self.folds)

    @property
    def chances(self) -> Floats:
        """Probability that each candidate is better than the leader, shape ``(candidates,)``; 1/2 for the leader."""
        from scipy.special import ndtr

        chances: Floats = ndtr((self.means - self.means.max()) / (math.sqrt(2) * self.deviation))
        return chances

    def gain(self, some: Sequence[int], trainings: int) -> float:
        """Return the expected rise of the best mean after further trainings.

        This is the expectation of the largest posterior mean after the trainings, minus the largest mean now.

        Args:
            some: Indices of the candidates that are trained again.
            trainings: Number of further trainings of each of them.
        """
        from scipy.special import ndtr

        rise = math.sqrt(max(self.deviation**2 - self._after(self.folds + trainings) ** 2, 1e-30))
        best = float(self.means.max())
        grid = np.linspace(-6, 6, 400)
        below = np.prod(ndtr(grid[:, None] - (self.means[list(some)] - best) / rise), axis=1)
        # The mean of the maximum is the end of the grid minus the integral of its distribution function.
        step = float(grid[1] - grid[0])
        return rise * (float(grid[-1]) - step * float(below.sum() - (below[0] + below[-1]) / 2))

    def _after(self, folds: int) -> float:
        return 1 / math.sqrt(1 / self.spread**2 + 1 / noise_of(self.error, self.shared, folds))


def noise_of(error: float, shared: float, folds: int) -> float:
    """Return the variance of the mean score of a candidate over some folds, see ``Belief``."""
    return shared**2 + error**2 / folds


def believe(values: Floats, error: float, searched: Floats, shared: float = 0.0) -> Belief:
    """Return the posterior of the qualities of candidates.

    Args:
        values: Score of each candidate on each fold, the larger the better, shape ``(candidates, folds)``.
        error: Prior estimate of the standard deviation of the error of a training.
        searched: Scores of all candidates of the search on its fold, shape ``(all,)``.
        shared: Standard deviation of the further error that all trainings of a candidate share: the luck of the network
            with the images, if all trainings are validated on the same images.
    """
    count, folds = values.shape
    middle = float(np.median(searched))
    upper = searched[searched >= middle]
    averages = values.mean(axis=1)
    freedom = (count - 1) * (folds - 1)
    if freedom:
        residuals = values - averages[:, None] - values.mean(axis=0) + values.mean()
        error = math.sqrt((PRIOR_WEIGHT * error**2 + float((residuals**2).sum())) / (PRIOR_WEIGHT + freedom))
    # A few candidates are very bad, so the better half is used to estimate the spread of the good ones.
    once = noise_of(error, shared, 1)
    spread = math.sqrt(max(float(np.mean((upper - middle) ** 2)) - once, CLOSEST**2 * once))
    drawn = spread**2 / (spread**2 + noise_of(error, shared, folds))
    middle = float(averages.mean())
    return Belief(middle + drawn * (averages - middle), spread, folds, error, shared)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Decision on the next round of a race.

    Attributes:
        chosen: Indices of the candidates that are trained again, the best first; empty if the race has finished.
        why: ``"open"`` if candidates are trained again; else ``"alone"`` if no other candidate has a chance,
            ``"alike"`` if the expected gain is too small, or ``"spent"`` if too few trainings are left.
        able: Number of candidates that may still be the best.
        gain: Expected rise of the best.
    """

    chosen: tuple[int, ...]
    why: Why
    able: int = 1
    gain: float = 0.0


def decide(
    values: Floats, error: float, searched: Floats, *, worth: float, rounds: int, room: int, shared: float = 0.0
) -> Verdict:
    """Decide which candidates are trained again.

    Args:
        values, error, searched, shared: See ``believe``; the first of equal candidates ranks higher.
        worth: Minimum expected rise of the best that is worth a round.
        rounds: Maximum number of further rounds, at least 1.
        room: Maximum number of trainings in all these rounds.
    """
    if len(values) < 2:
        return Verdict((), "alone")
    belief = believe(values, error, searched, shared)
    order = np.argsort(-values.mean(axis=1), kind="stable")
    able = [int(one) for one in order if belief.chances[one] >= SLIM]
    if len(able) < 2:
        return Verdict((), "alone")
    # Each round has a fixed fraction of the candidates of the previous one, plus trainings that earlier rounds saved.
    most = max(2, round(room / sum(NARROWING**later for later in range(rounds))))
    gain = belief.gain(able[:most], rounds)
    if gain < worth:
        return Verdict((), "alike", len(able), gain)
    if room < FEWEST:
        return Verdict((), "spent", len(able), gain)
    return Verdict(tuple(able[:most]), "open", len(able), gain)
