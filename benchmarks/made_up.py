"""Made-up trainings for workers on a cluster: they take no time, or as long as real ones.

``$MADE_UP_SECONDS`` is the mean duration of a training, which sleeps for that time. The ratio of its duration to the
mean is taken from the searches of the reference archive, chosen by the key of its candidate.
"""

from __future__ import annotations

import hashlib
import os
import time

from utilisation import training_times

from tinysearch.data.dataset import TrainingData
from tinysearch.results.archive import REFERENCE
from tinysearch.results.record import Epoch, Measurement
from tinysearch.training.job import EpochWatcher, Job, Outcome

EPOCHS = 10
TIMES = training_times(REFERENCE)


def curve(job: Job) -> list[Epoch]:
    """Return ten epochs, with a score derived from the candidate's key."""
    score = int(hashlib.sha256(job.candidate.key.encode()).hexdigest()[:8], 16) / 2**32
    return [
        Epoch(1.0 / number, score, 1.0, score * number / EPOCHS, 0.1, float(number)) for number in range(1, EPOCHS + 1)
    ]


def train(job: Job, data: TrainingData, on_epoch: EpochWatcher) -> Outcome:
    """Report the epochs of a job, spread evenly over its duration."""
    points, began = curve(job), time.monotonic()
    takes = _seconds(job)
    for number, point in enumerate(points, start=1):
        time.sleep(max(0.0, began + takes * number / EPOCHS - time.monotonic()) if takes else 0.0)
        on_epoch(number, point, None)
    return Outcome(Measurement(tuple(points), takes or 10.0))


def _seconds(job: Job) -> float:
    mean = float(os.environ.get("MADE_UP_SECONDS", "0"))
    if not mean:
        return 0.0
    drawn = int(hashlib.sha256(f"time {job.candidate.key}".encode()).hexdigest()[:8], 16)
    return mean * TIMES[drawn % len(TIMES)]
