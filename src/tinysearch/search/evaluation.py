"""Evaluation: retraining candidates and scoring them on the test images, once per seed.

Workers train and predict the classes of the test images. They never see the test labels: predictions are scored here.
"""

from __future__ import annotations

import contextlib
import functools
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tinysearch.data.dataset import Dataset
from tinysearch.data.images import fingerprint
from tinysearch.errors import RunError, TrainingError
from tinysearch.results.artifacts import evaluated, write
from tinysearch.results.callback import Callback, Stage
from tinysearch.results.lock import RunLock
from tinysearch.results.objective import measured, objective
from tinysearch.results.predictions import Predictions, pack, unpack
from tinysearch.results.ranking import best_below, ranked
from tinysearch.results.record import Record
from tinysearch.results.store import Store
from tinysearch.results.training import Training
from tinysearch.search.coordinator import Coordinator
from tinysearch.search.plan import Plan, candidate_of
from tinysearch.search.recording import recorded
from tinysearch.training.job import Job, Outcome, Resources
from tinysearch.workers.executor import Executor
from tinysearch.workers.sharing import share


def evaluate(
    store: Store,
    planned: Sequence[Training],
    dataset: Dataset,
    executor: Executor,
    callback: Callback,
    stage: Stage,
    *,
    resources: Resources | None = None,
    held: RunLock | None = None,
    until: float | None = None,
) -> list[Record]:
    """Run the planned evaluations that are not in the store yet; return all records in planned order.

    Each record is stored as soon as it is scored; a failed training gives a record of its failure. The trained models
    are saved in the folders of their runs.

    Args:
        store: Store that receives the records, and holds earlier ones.
        planned: Evaluations to run, see ``best_of``.
        dataset: Dataset; its test images are read and checked before training, and scored once after each training.
        executor: Executor that trains the candidates.
        callback: Callback that receives events.
        stage: Stage that is passed to the callback.
        resources: Resources that each training may use.
        held: Lock of a run that the caller already holds; None for no run.
        until: Deadline on the clock of ``time.monotonic``; None for no limit.

    Raises:
        TrainingError: if a trained model cannot be saved.
        DatasetError: if the dataset has no usable test images.
        RunError: if a run was evaluated on other test images, or is in use by another process.
        StoreWriteError: if a record cannot be stored.
        TimeIsUpError: if the time limit is reached.
    """
    with contextlib.ExitStack() as stack:
        locks = [] if held is None else [held]
        for run in sorted({one.run for one in planned} - {lock.run for lock in locks}):
            locks.append(RunLock(store.folder_of(run), run))
            stack.callback(locks[-1].release)
        plan = EvaluationPlan(store, planned, dataset, executor, resources or Resources(), locks)
        callback.on_stage_start(stage)
        stack.callback(callback.on_stage_end, stage)
        Coordinator(store, executor, callback, until).carry_out(plan)
    return [plan.records[one] for one in map(_identity, planned)]


class EvaluationPlan(Plan):
    """Plan that trains candidates on all training images, or all but one fold, and scores them on the test images.

    Args:
        store: Store with earlier evaluations.
        planned: Evaluations to run.
        dataset: Dataset to train and score on.
        executor: Executor that receives the images.
        resources: Resources that each training may use.
        locks: Locks of the runs, which are held.

    Raises:
        DatasetError: if the dataset has no usable test images.
    """

    def __init__(
        self,
        store: Store,
        planned: Sequence[Training],
        dataset: Dataset,
        executor: Executor,
        resources: Resources,
        locks: Sequence[RunLock],
    ) -> None:
        self.locks = locks
        self.records: dict[tuple[str, str, int], Record] = {}
        self._store = store
        self._dataset = dataset
        self._resources = resources
        self._waiting = deque(planned)
        test = dataset.test()
        self._labels = test.labels
        self._mark = fingerprint(test)
        self._data = share(executor, dataset, test=(self._mark, test.pixels))
        self._evaluated_in = functools.cache(self._evaluated)
        # Objectives are loaded first: one that cannot be loaded must not waste a finished training.
        self._objectives = {run: objective(store.run(run).objective) for run in {one.run for one in planned}}

    def next(self) -> Training | None:
        """Return the next evaluation; None after the last one."""
        return self._waiting.popleft() if self._waiting else None

    def known(self, training: Training) -> Record | None:
        """Return the stored record of an evaluation; None if it was not run yet.

        Raises:
            RunError: if evaluations of the run were scored on other test images.
        """
        return self._evaluated_in(training.run).get((training.key, training.seed))

    def job(self, training: Training) -> Job:
        """Return the job of an evaluation, and remove a model that an earlier attempt saved."""
        self._model_path(training).unlink(missing_ok=True)
        return Job(candidate_of(training), training.seed, self._data, training.fold, self._resources, keep_model=True)

    def recorded(self, training: Training, outcome: Outcome) -> tuple[Record, Predictions | None]:
        """Score a training on the test images and save its model.

        Raises:
            TrainingError: if the model cannot be saved.
        """
        predictions: Predictions | None = None
        accuracy: float | None = None
        metrics: dict[str, float] = {}
        measurement, wanted = outcome.measurement, self._objectives[training.run]
        if measurement.failure is None:
            path = self._model_path(training)
            try:
                if outcome.model is None or measurement.predicted is None:
                    raise OSError("there was no room for it where it was trained")
                write(path, outcome.model)
            except OSError as error:
                raise TrainingError(
                    f"the trained model could not be saved at {path} ({error}); free some space or fix the folder"
                ) from None
            predictions = Predictions(pack(self._labels), measurement.predicted)
            accuracy = float(predictions.right.mean())
            metrics = measured(self._labels, unpack(measurement.predicted), wanted)
        record = recorded(
            training,
            outcome,
            self._dataset,
            test_accuracy=accuracy,
            test_fingerprint=self._mark,
            test_metrics=metrics,
            objective=wanted.name,
            direction=wanted.direction,
        )
        return record, predictions

    def checkpoint(self, training: Training) -> Path:
        """Return the path at which the state of an evaluation is saved."""
        return self._model_path(training).with_suffix(".npz")

    def finished(self, training: Training, record: Record, model: bytes | None) -> None:
        """Note the record of an evaluation."""
        self.records[_identity(training)] = record

    def _model_path(self, training: Training) -> Path:
        return evaluated(self._store.folder_of(training.run), training.key, training.seed)

    def _evaluated(self, run: str) -> dict[tuple[str, int], Record]:
        """Return the stored evaluations of a run, by key of the candidate and seed.

        Raises:
            RunError: if they were scored on other test images, whose scores must not be averaged with new ones.
        """
        done = {(one.key, one.seed): one for one in self._store.records(run, purpose="evaluation")}
        for record in done.values():
            if not record.failed and record.test_fingerprint != self._mark:
                raise RunError(
                    f"run {run!r} was evaluated on test images with fingerprint {record.test_fingerprint}, those given "
                    f"have {self._mark}; give the test images it was evaluated on, or another `store=`"
                )
        return done


def best_of(store: Store, run: str, dataset: Dataset, top: int, seeds: Sequence[int]) -> list[Training]:
    """Return the evaluations of the best candidates of a run, baselines included, see ``ranking``.

    Raises:
        RunError: if the run is unknown, has no candidate, or was made on other data.
    """
    best = [standing.first for standing in ranked(_trained(store, run, dataset))[:top]]
    return [Training.again(one, "evaluation", seed, None) for one in best for seed in seeds]


def winners_of(store: Store, run: str, dataset: Dataset, seeds: Sequence[int]) -> list[Training]:
    """Return the evaluations of the winners of a run: the best below each of several budgets, or the best of all.

    Raises:
        RunError: if the run is unknown, has no candidate, or was made on other data.
    """
    budgets = store.run(run).settings.get("budgets")
    if not budgets:
        return best_of(store, run, dataset, 1, seeds)
    found = best_below(_trained(store, run, dataset), budgets).values()
    winners = {one.first.key: one.first for one in found}
    return [Training.again(one, "evaluation", seed, None) for one in winners.values() for seed in seeds]


def with_other_seeds(store: Store, planned: Sequence[Training]) -> list[Training]:
    """Return planned evaluations, with the next free seeds instead of those whose evaluation failed before.

    A failure stays recorded. A failure of the machine, such as a lack of memory, must not prevent an evaluation.
    """
    failed = {
        (one.run, one.key, one.seed)
        for run in sorted({one.run for one in planned})
        for one in store.summaries(run)
        if one.purpose == "evaluation" and one.failure is not None
    }
    taken = failed | set(map(_identity, planned))
    found = []
    for training in planned:
        seed = training.seed
        while (training.run, training.key, seed) in (taken if seed != training.seed else failed):
            seed += 1
        taken.add((training.run, training.key, seed))
        found.append(replace(training, seed=seed))
    return found


def _trained(store: Store, run: str, dataset: Dataset) -> list[Record]:
    """Return the records of trainings that a run has validated.

    Raises:
        RunError: if the run is unknown, has no candidate, or was made on other data.
    """
    store.run(run).check_data(dataset.name, dataset.fingerprint)
    searched = [record for record in store.records(run) if record.purpose != "evaluation" and not record.failed]
    if not searched:
        raise RunError(f"run {run!r} has no trained candidate to evaluate")
    return searched


def _identity(training: Training) -> tuple[str, str, int]:
    return training.run, training.key, training.seed
