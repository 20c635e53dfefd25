"""Retraining of a candidate whose model was not kept, in a worker process so that no state of the caller changes."""

from __future__ import annotations

from typing import Any

from tinysearch.data.dataset import Dataset
from tinysearch.errors import TrainingError
from tinysearch.runtime.backend import load_keras
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import Job, Resources
from tinysearch.workers.local.executor import LocalExecutor
from tinysearch.workers.outcomes import outcomes
from tinysearch.workers.sharing import share


def trained_again(candidate: Candidate, dataset: Dataset, seed: int = 0, threads: int | None = None) -> Any:
    """Train a candidate on all training images of a dataset, and return the Keras model, which takes raw pixels.

    Args:
        candidate, dataset, seed: The candidate, the dataset and the seed of the training.
        threads: Number of threads, on which the last digits of the weights depend; None for all cores.

    Raises:
        TrainingError: if the training fails, or its model cannot be saved.
        WorkerError: if no worker can train on this machine.
    """
    load_keras()
    from tinysearch.training.saving import loaded

    with LocalExecutor(1) as executor:
        where = share(executor, dataset)
        resources = Resources(threads or executor.threads_per_job())
        job = Job(candidate, seed, where, None, resources, keep_model=True)
        ((_, outcome),) = outcomes(executor, [job])
    if outcome.measurement.failure is not None:
        raise TrainingError(f"the network could not be trained again: {outcome.measurement.failure}")
    if outcome.model is None:
        raise TrainingError("the network was trained again, but there was no room to save it; free some space")
    return loaded(outcome.model)
