"""How long a run takes: what there is to train, and how fast it is trained."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from tinysearch.results.record import Measurement, Record

# An image costs as much as this many MACs beside those of the network: augmentation, and the overhead of each step.
# Fitted to the trainings of the reference archive, where it predicts the time of one to 20 to 30 %.
OVERHEAD_MACS = 500_000
# Of the revalidations that a run may carry out, it carries out this fraction, roughly: 0.6 to 0.9 on MNIST, none where
# the validation images show no difference; see docs/revalidation.md. A round has at least two of them.
REVALIDATED = 0.6
# Seconds in which worker processes load their framework.
START_SECONDS = 10.0
# MACs a second of one training on CPUs of which nothing is known, from slow to fast.
SLOW, FAST = 2e9, 8e9
# Seconds of a training outside of its epochs, where they are not known.
SETUP = 5.0


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one training took.

    Args:
        macs: Multiply-accumulates of the network for one image.
        images: Training images of an epoch.
        measurement: Its curve of at least two epochs, and the time of the whole training if that is over.
    """

    macs: int
    images: int
    measurement: Measurement

    @property
    def epoch_seconds(self) -> float:
        """Seconds of one epoch, the median; the first one, which compiles, is left out."""
        return statistics.median(after.seconds - one.seconds for one, after in pairwise(self.measurement.curve))


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast trainings are.

    Args:
        speed: MACs a second in one training, ``OVERHEAD_MACS`` of each image included.
        setup: Seconds of a training that do not depend on the number of epochs.
    """

    speed: float
    setup: float

    @classmethod
    def of(cls, timings: Sequence[Timing]) -> Pace | None:
        """Return the pace of some trainings; None if there are none that can be timed."""
        timed = [one for one in timings if len(one.measurement.curve) > 1 and one.epoch_seconds > 0]
        if not timed:
            return None
        work = sum(one.images * (one.macs + OVERHEAD_MACS) for one in timed)
        return cls(
            work / sum(one.epoch_seconds for one in timed),
            statistics.median(_setup(one) for one in timed),
        )

    def seconds(self, macs: float, images: int, epochs: int) -> float:
        """Return how long a training takes."""
        return self.setup + epochs * images * (macs + OVERHEAD_MACS) / self.speed


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run has left to train, and how fast trainings are on this machine.

    Args:
        images: Training images of an epoch.
        epochs: Of each training.
        known: MACs of the networks that are trained in any case: the baselines.
        trials: How many candidates are searched.
        macs: Of a candidate, on average.
        revalidations: How many there are at the most.
        rounds: In how many rounds, at the most.
        evaluations: How many there are.
        workers: How many trainings there are at a time.
        revalidated: Fraction of the revalidations that is expected.
        pace: That of earlier trainings on this machine; None if there are none.
        accelerated: Whether a GPU is used, for which there is no rough figure.
        limit: Seconds after which the run ends, whatever is left; None for no limit.
    """

    images: int
    epochs: int
    known: tuple[int, ...]
    trials: int
    macs: float
    revalidations: int
    rounds: int
    evaluations: int
    workers: int
    revalidated: float = REVALIDATED
    pace: Pace | None = None
    accelerated: bool = False
    limit: float | None = None

    def seconds(self, pace: Pace) -> float:
        """Return how long all of it takes, from the start of the workers to the last evaluation."""
        return START_SECONDS + self.search_seconds(pace) + self.later_seconds(pace, self.macs)

    def search_seconds(self, pace: Pace) -> float:
        """Return how long the search takes."""
        known = [pace.seconds(macs, self.images, self.epochs) for macs in self.known]
        count = len(known) + self.trials
        return self._together(sum(known) + self.trials * self._one(pace, self.macs), count)

    def later_seconds(self, pace: Pace, macs: float) -> float:
        """Return how long revalidation and evaluation take.

        Args:
            pace: See ``Pace``.
            macs: Of the leaders, on average.
        """
        count = self.revalidated * self.revalidations
        again = self.rounds_seconds(pace, macs, count, self.rounds)
        return again + self.evaluation_seconds(pace, macs, self.evaluations)

    def rounds_seconds(self, pace: Pace, macs: float, count: float, most: int) -> float:
        """Return how long revalidations take in at most so many rounds, one after another."""
        if count <= 0 or most <= 0:
            return 0.0
        rounds = min(most, max(1, int(count / 2)))
        return rounds * self._together(count / rounds * self._one(pace, macs), count / rounds)

    def evaluation_seconds(self, pace: Pace, macs: float, count: int) -> float:
        """Return how long so many evaluations take."""
        return math.ceil(count / self.workers) * self._one(pace, macs)

    def bounds(self) -> tuple[float, float] | None:
        """Return the least and the most seconds where the machine is not known; None if nothing can be said.

        The least is without revalidations, which are left out where the validation images show no difference.
        """
        if self.accelerated:
            return None
        return replace(self, revalidated=0.0).seconds(Pace(FAST, SETUP)), self.seconds(Pace(SLOW, SETUP))

    def _one(self, pace: Pace, macs: float) -> float:
        return pace.seconds(macs, self.images, self.epochs)

    def _together(self, seconds: float, count: float) -> float:
        """Return how long trainings take that take ``seconds`` one after another; the last ones leave workers idle."""
        if count <= self.workers:
            return seconds / max(count, 1)
        return seconds / self.workers + seconds / count * (self.workers - 1) / (2 * self.workers)


def is_perfect(record: Record) -> bool:
    """Whether a candidate classifies all validation images correctly: others will too, and no race is held."""
    return record.purpose == "search" and record.val_accuracy == 1.0


def _setup(timing: Timing) -> float:
    curve, total = timing.measurement.curve, timing.measurement.train_seconds
    # Of a training that is not over the first epoch says it: it has compiled.
    spent, epochs = (total, len(curve)) if total else (curve[0].seconds, 1)
    return max(0.0, spent - epochs * timing.epoch_seconds)
