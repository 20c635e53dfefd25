"""A trainer for worker processes that loads no Keras and stands still where a test wants it to.

Workers wait while they start until the file that ``$TEST_MAY_START`` names is there, and after each epoch of the stage
that ``$TEST_STAGE`` names until there is that of ``$TEST_MAY_GO_ON``. What is not set is not waited for. A worker that
waits has put its number behind the name of the file, as a file of its own. An epoch takes ``$TEST_EPOCH_SECONDS``.
Scores are up to ``$TEST_APART`` apart, see ``FakeWorker``.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from stand_ins import Untrained

from tinysearch.data.dataset import TrainingData
from tinysearch.results.predictions import pack
from tinysearch.results.record import Epoch
from tinysearch.training.job import EpochWatcher, Job, Outcome

# Runs the command line with this trainer.
MAIN = (
    "import sys; sys.argv[0] = 'tinysearch'; "
    "from tinysearch.workers.local.executor import LocalExecutor; "
    "LocalExecutor.__init__.__kwdefaults__['trainer'] = 'gated:train'; "
    "from tinysearch.cli.app import main; main()"
)


def _pass(gate: str) -> None:
    file = os.environ.get(gate)
    if file:
        Path(f"{file}.{os.getpid()}").touch()
    while file and not Path(file).exists():
        time.sleep(0.01)


def train(job: Job, data: TrainingData, on_epoch: EpochWatcher) -> Outcome:
    """Give scores that are made of the key."""

    stage = "evaluation" if data.validation is None else "revalidation" if job.fold else "search"

    def watched(number: int, epoch: Epoch, state: bytes | None) -> None:
        on_epoch(number, epoch, state)
        time.sleep(float(os.environ.get("TEST_EPOCH_SECONDS", "0")))
        if stage == os.environ.get("TEST_STAGE", "search"):
            _pass("TEST_MAY_GO_ON")

    outcome = Untrained(apart=float(os.environ.get("TEST_APART", "1"))).train_on(
        replace(job, keep_model=False), data, watched
    )
    if data.test is None:
        return outcome
    predicted = pack(np.zeros(len(data.test), np.int64))
    return replace(outcome, measurement=replace(outcome.measurement, predicted=predicted), model=b"no model")


_pass("TEST_MAY_START")
