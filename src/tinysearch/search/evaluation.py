"""Evaluations: retraining candidates and scoring them on the test images, once per seed.

The workers train, and predict the classes of the test images, whose labels they never see: these are compared here.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tinysearch.data.dataset import Dataset
from tinysearch.data.images import Images, fingerprint
from tinysearch.errors import RunError, TrainingError
from tinysearch.results.artifacts import evaluated
from tinysearch.results.objective import Objective, measured, objective
from tinysearch.results.predictions import Predictions, pack, unpack
from tinysearch.results.ranking import ranked
from tinysearch.results.record import Measurement, Record
from tinysearch.results.store import Store
from tinysearch.search.recording import recorded
from tinysearch.search.retraining import Limits, Retraining, RetrainingWatcher, retrain
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import Job
from tinysearch.training.recipe import Recipe
from tinysearch.workers.worker import Worker


def evaluate(
    store: Store,
    planned: Sequence[Retraining],
    dataset: Dataset,
    worker: Worker,
    size: int,
    watcher: RetrainingWatcher,
    limits: Limits | None = None,
) -> list[Record]:
    """Train and score what was not evaluated before; return all records, as they were planned.

    Each record is stored as soon as it is scored; a training that fails is a record of its failure. The trained models
    stay beside the store.

    Args:
        store: Takes the records, and knows those from before.
        planned: What to evaluate.
        dataset: Its test images are read and checked before training, and scored once after each.
        worker: Has the images, see ``Dataset.evaluation_data``; closed at the end.
        size: How many trainings at a time.
        watcher: Is notified of what happens.
        limits: What bounds the trainings; None for nothing.

    Raises:
        TrainingError: if a trained model cannot be saved.
        DatasetError: if the dataset has no test images that can be used.
        RunError: if a run was evaluated on other test images, or is being carried out by another process.
        StoreWriteError: if a record cannot be stored.
        TimeIsUpError: if the time limit comes.
    """
    test = dataset.test()
    mark = fingerprint(test)
    objectives = {run: objective(store.run(run).objective) for run in {one.run for one in planned}}

    @functools.cache
    def evaluated_in(run: str) -> dict[tuple[str, int], Record]:
        return _evaluated(store, run, mark)

    def job(one: Retraining) -> Job:
        path = model_path(store, one)
        path.unlink(missing_ok=True)
        return Job(one.candidate, one.seed, dataset.fingerprint, path, path.with_suffix(".npz"))

    return retrain(
        store,
        planned,
        lambda one: evaluated_in(one.run).get((one.candidate.key, one.seed)),
        job,
        lambda one, measurement: _scored(store, one, measurement, dataset, test, worker, objectives[one.run]),
        worker,
        size,
        watcher,
        limits,
    )


def best_of(store: Store, run: str, dataset: Dataset, top: int, seeds: Sequence[int]) -> list[Retraining]:
    """Plan to evaluate the best candidates of a run, see ``ranking``, baselines among them if they are that good.

    Raises:
        RunError: if the run is unknown, has no candidate, or was made on other data.
    """
    store.run(run).check_data(dataset.name, dataset.fingerprint)
    searched = [record for record in store.records(run) if record.purpose != "evaluation" and not record.failed]
    if not searched:
        raise RunError(f"run {run!r} has no trained candidate to evaluate")
    return [
        Retraining(Candidate(one.architecture, Recipe.from_dict(one.recipe)), seed, run, one.name, one.origin)
        for one in [standing.first for standing in ranked(searched)[:top]]
        for seed in seeds
    ]


def model_path(store: Store, one: Retraining) -> Path:
    """Return where the model of an evaluation is kept."""
    return evaluated(store.folder_of(one.run), one.candidate.key, one.seed)


def _evaluated(store: Store, run: str, mark: str) -> dict[tuple[str, int], Record]:
    """Return the evaluations of a run that are in the store, by key of the candidate and seed.

    Raises:
        RunError: if they were scored on other test images, with which new figures must not be averaged.
    """
    done = {(one.key, one.seed): one for one in store.records(run) if one.purpose == "evaluation"}
    for record in done.values():
        if record.test_fingerprint != mark:
            raise RunError(
                f"run {run!r} was evaluated on test images with fingerprint {record.test_fingerprint}, those given "
                f"have {mark}; give the test images it was evaluated on, or another --store"
            )
    return done


def _scored(
    store: Store,
    one: Retraining,
    measurement: Measurement,
    dataset: Dataset,
    test: Images,
    worker: Worker,
    wanted: Objective,
) -> tuple[Record, Predictions | None]:
    predictions: Predictions | None = None
    accuracy: float | None = None
    metrics: dict[str, float] = {}
    if measurement.failure is None:
        if measurement.predicted is None:
            path = model_path(store, one)
            raise TrainingError(f"the trained model could not be saved at {path}; free some space or fix the folder")
        predictions = Predictions(pack(test.labels), measurement.predicted)
        accuracy = float(predictions.right.mean())
        metrics = measured(test.labels, unpack(measurement.predicted), wanted)
    record = recorded(
        one.candidate,
        replace(measurement, predicted=None),
        dataset,
        worker.environment(),
        run=one.run,
        name=one.name,
        origin=one.origin,
        purpose="evaluation",
        seed=one.seed,
        test_accuracy=accuracy,
        test_fingerprint=fingerprint(test),
        test_metrics=metrics,
        objective=wanted.name,
        direction=wanted.direction,
    )
    return record, predictions
