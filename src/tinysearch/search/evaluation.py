"""Evaluations: retraining candidates and scoring them on the test images, once per seed.

The workers train; they never see a test image. What they have trained is scored here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tinysearch.errors import RunError, TrainingError
from tinysearch.results.answers import Answers
from tinysearch.results.leaderboard import by_score
from tinysearch.results.lock import RunLock
from tinysearch.results.record import Epoch, Measurement, Origin, Record
from tinysearch.results.store import Store
from tinysearch.search.backend import load_keras
from tinysearch.search.bench import Bench
from tinysearch.search.best_models import evaluated
from tinysearch.search.candidate import Candidate
from tinysearch.search.datasets import Dataset
from tinysearch.search.images import Images, fingerprint
from tinysearch.search.interrupts import Interrupts
from tinysearch.search.provenance import provenance
from tinysearch.search.recipe import Recipe
from tinysearch.search.workers.worker import Job, Worker
from tinysearch.space.cost import cost


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One training to do, and to score on the test images after its last epoch.

    Args:
        candidate: What to train, and how.
        seed: Seed of the training.
        run, name, origin: Go into the record.
    """

    candidate: Candidate
    seed: int
    run: str
    name: str
    origin: Origin


class EvaluationWatcher:
    """Is told what happens, and ignores it."""

    def on_start(self, position: int, evaluation: Evaluation) -> None:
        """Take note that a training begins."""

    def on_epoch(self, position: int, number: int, epoch: Epoch) -> None:
        """Take note that an epoch is over."""

    def on_record(self, position: int, record: Record) -> None:
        """Take note of a result, which may have been known before."""


def evaluate(
    store: Store,
    planned: Sequence[Evaluation],
    dataset: Dataset,
    worker: Worker,
    size: int,
    watcher: EvaluationWatcher,
) -> list[Record]:
    """Train and score what was not evaluated before; return all records, as they were planned.

    Each record is stored as soon as it is scored; a training that fails is a record of its failure. The trained models
    stay beside the store.

    Args:
        store: Takes the records, and knows those from before.
        planned: What to evaluate.
        dataset: Its test images are read and checked before training, and scored once after each.
        worker: Has the training images; closed at the end.
        size: How many trainings at a time.
        watcher: Is told what happens.

    Raises:
        TrainingError: if a trained model cannot be saved.
        DatasetError: if the dataset has no test images that can be used.
        RunError: if a run was evaluated on other test images, or is being carried out by another process.
        StoreWriteError: if a record cannot be stored.
    """
    test = dataset.test()
    mark = fingerprint(test)
    known = {run: _evaluated(store, run, mark) for run in dict.fromkeys(one.run for one in planned)}
    records: dict[int, Record] = {}
    waiting: list[int] = []
    for position, one in enumerate(planned):
        found = known[one.run].get((one.candidate.key, one.seed))
        if found is None:
            waiting.append(position)
        else:
            records[position] = found
            watcher.on_record(position, found)
    interrupts = Interrupts()
    with contextlib.ExitStack() as stack:
        for run in sorted({planned[position].run for position in waiting}):
            stack.callback(RunLock(store.folder_of(run), run).release)
        stack.enter_context(interrupts)
        bench = stack.enter_context(Bench(worker, size, watcher.on_epoch))

        def begin() -> None:
            position = waiting.pop(0)
            one = planned[position]
            watcher.on_start(position, one)
            path = model_path(store, one)
            path.unlink(missing_ok=True)
            job = Job(one.candidate, one.seed, dataset.fingerprint, path, path.with_suffix(".npz"))
            bench.start(position, job)

        while waiting and bench.busy < size:
            begin()
        while bench.busy:
            load_keras()
            position, measurement = _next(bench)
            if waiting:
                begin()
            one = planned[position]
            record, answers = _scored(store, one, measurement, dataset, test, worker)
            with interrupts.held_back():
                store.append(record, answers)
            records[position] = record
            model_path(store, one).with_suffix(".npz").unlink(missing_ok=True)
            watcher.on_record(position, record)
    return [records[position] for position in range(len(planned))]


def best_of(store: Store, run: str, dataset: Dataset, top: int, seeds: Sequence[int]) -> list[Evaluation]:
    """Plan to evaluate the best candidates of a run by validation accuracy, baselines among them if they are that good.

    Raises:
        RunError: if the run is unknown, has no candidate, or was made on other data.
    """
    store.run(run).check_data(dataset.name, dataset.fingerprint)
    searched = [record for record in store.records(run) if record.purpose == "search" and not record.failed]
    if not searched:
        raise RunError(f"run {run!r} has no trained candidate to evaluate")
    return [
        Evaluation(Candidate(one.architecture, Recipe.from_dict(one.recipe)), seed, run, one.name, one.origin)
        for one in by_score(searched)[:top]
        for seed in seeds
    ]


def model_path(store: Store, evaluation: Evaluation) -> Path:
    """Return where the model of an evaluation is kept."""
    return evaluated(store.folder_of(evaluation.run), evaluation.candidate.key, evaluation.seed)


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


def _next(bench: Bench) -> tuple[int, Measurement]:
    while True:
        heard = bench.wait()
        if heard is not None:
            return heard


def _scored(
    store: Store, one: Evaluation, measurement: Measurement, dataset: Dataset, test: Images, worker: Worker
) -> tuple[Record, Answers | None]:
    answers: Answers | None = None
    accuracy: float | None = None
    if measurement.failure is None:
        predicted = _classified(model_path(store, one), test)
        if predicted is None:
            measurement = replace(measurement, failure="the trained network answers with values that are no numbers")
        else:
            answers, accuracy = Answers.of(test.labels, predicted), float((predicted == test.labels).mean())
    record = Record(
        run=one.run,
        key=one.candidate.key,
        name=one.name,
        origin=one.origin,
        purpose="evaluation",
        trial=None,
        seed=one.seed,
        dataset=dataset.name,
        fingerprint=dataset.fingerprint,
        architecture=one.candidate.architecture,
        cost=cost(one.candidate.architecture, dataset.task),
        recipe=one.candidate.recipe.to_dict(),
        measurement=measurement,
        test_accuracy=accuracy,
        test_fingerprint=fingerprint(test),
        provenance={**provenance(), **worker.described()},
    )
    return record, answers


def _classified(path: Path, test: Images) -> Any:
    """Return what a saved model takes images for, shape ``(images,)``; None if its answers are no numbers."""
    import keras

    from tinysearch.search.training import classified

    if not path.exists():
        raise TrainingError(f"the trained model could not be saved at {path}; free some space or mend the folder")
    return classified(keras.saving.load_model(path), test)
