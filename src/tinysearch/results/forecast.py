"""Forecasts of the duration of a run, from the remaining trainings and the speed of earlier ones."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from tinysearch.results.record import Measurement, Record

# Overhead of augmentation and of each training step, in MACs per image in addition to those of the network. Fitted to
# the trainings of the reference archive, where it predicts the time of a training to within 20 to 30 %.
OVERHEAD_MACS = 500_000
# Rough fraction of the possible revalidations that a run performs: 0.6 to 0.9 on MNIST, 0 if the validation images show
# no difference; see docs/revalidation.md. A round has at least two revalidations.
REVALIDATED = 0.6
# Seconds that worker processes need to load their framework.
START_SECONDS = 10.0
# MACs per second of one training on an unknown CPU: lower and upper estimate.
SLOW, FAST = 2e9, 8e9
# Seconds of a training outside its epochs, if nothing was measured.
SETUP = 5.0


@dataclass(frozen=True, slots=True)
class Timing:
    """The measured time of one training.

    Args:
        macs: Multiply-accumulates of the network for one image.
        images: Number of training images in an epoch.
        measurement: Curve of at least two epochs, and the time of the whole training if it has finished.
    """

    macs: int
    images: int
    measurement: Measurement

    @property
    def epoch_seconds(self) -> float:
        """Median seconds of one epoch, without the first epoch, which includes compilation."""
        return statistics.median(after.seconds - one.seconds for one, after in pairwise(self.measurement.curve))


@dataclass(frozen=True, slots=True)
class Pace:
    """The speed of trainings.

    Args:
        speed: MACs per second of one training, including ``OVERHEAD_MACS`` for each image.
        setup: Seconds of a training that do not depend on the number of epochs.
    """

    speed: float
    setup: float

    @classmethod
    def of(cls, timings: Sequence[Timing]) -> Pace | None:
        """Return the pace of some trainings; None if none of them has two epochs with measured time."""
        timed = [one for one in timings if len(one.measurement.curve) > 1 and one.epoch_seconds > 0]
        if not timed:
            return None
        work = sum(one.images * (one.macs + OVERHEAD_MACS) for one in timed)
        return cls(
            work / sum(one.epoch_seconds for one in timed),
            statistics.median(_setup(one) for one in timed),
        )

    def seconds(self, macs: float, images: int, epochs: int) -> float:
        """Return the seconds that a training takes."""
        return self.setup + epochs * images * (macs + OVERHEAD_MACS) / self.speed


@dataclass(frozen=True, slots=True)
class Forecast:
    """The trainings that a run has left, and the speed of trainings on this machine.

    Args:
        images: Number of training images in an epoch.
        epochs: Number of epochs of each training.
        known: MACs of each network that is trained in any case: the baselines.
        trials: Number of candidates to search.
        macs: Average MACs of a candidate.
        revalidations: Maximum number of revalidations.
        rounds: Maximum number of rounds of revalidations.
        evaluations: Number of evaluations.
        workers: Number of parallel trainings.
        revalidated: Expected fraction of the revalidations.
        pace: Pace of earlier trainings on this machine; None if there are none.
        accelerated: Whether a GPU is used, for which no rough estimate exists.
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
        """Return the seconds from the start of the workers to the last evaluation."""
        return START_SECONDS + self.search_seconds(pace) + self.later_seconds(pace, self.macs)

    def search_seconds(self, pace: Pace) -> float:
        """Return the seconds that the search takes."""
        known = [pace.seconds(macs, self.images, self.epochs) for macs in self.known]
        count = len(known) + self.trials
        return self._together(sum(known) + self.trials * self._one(pace, self.macs), count)

    def later_seconds(self, pace: Pace, macs: float) -> float:
        """Return the seconds that revalidations and evaluations take.

        Args:
            pace: The speed of trainings.
            macs: Average MACs of the leaders.
        """
        count = self.revalidated * self.revalidations
        again = self.rounds_seconds(pace, macs, count, self.rounds)
        return again + self.evaluation_seconds(pace, macs, self.evaluations)

    def rounds_seconds(self, pace: Pace, macs: float, count: float, most: int) -> float:
        """Return the seconds that ``count`` revalidations take in at most ``most`` consecutive rounds."""
        if count <= 0 or most <= 0:
            return 0.0
        rounds = min(most, max(1, int(count / 2)))
        return rounds * self._together(count / rounds * self._one(pace, macs), count / rounds)

    def evaluation_seconds(self, pace: Pace, macs: float, count: int) -> float:
        """Return the seconds that ``count`` evaluations take."""
        return math.ceil(count / self.workers) * self._one(pace, macs)

    def bounds(self) -> tuple[float, float] | None:
        """Return a lower and an upper estimate in seconds for an unknown machine; None if a GPU is used.

        The lower one is without revalidations, which are left out if the validation images show no difference.
        """
        if self.accelerated:
            return None
        return replace(self, revalidated=0.0).seconds(Pace(FAST, SETUP)), self.seconds(Pace(SLOW, SETUP))

    def _one(self, pace: Pace, macs: float) -> float:
        return pace.seconds(macs, self.images, self.epochs)

    def _together(self, seconds: float, count: float) -> float:
        """Return the seconds that ``count`` trainings take in parallel if they take ``seconds`` one after another.

        The last trainings leave workers idle.
        """
        if count <= self.workers:
            return seconds / max(count, 1)
        return seconds / self.workers + seconds / count * (self.workers - 1) / (2 * self.workers)


def is_perfect(record: Record) -> bool:
    """Whether a candidate classifies all validation images correctly: others will too, and no race takes place."""
    return record.purpose == "search" and record.val_accuracy == 1.0


def _setup(timing: Timing) -> float:
    curve, total = timing.measurement.curve, timing.measurement.train_seconds
    # For an unfinished training, take the setup time from its first epoch, which includes compilation.
    spent, epochs = (total, len(curve)) if total else (curve[0].seconds, 1)
    return max(0.0, spent - epochs * timing.epoch_seconds)
