"""Revalidations: before a winner is evaluated, it must have kept the lead on images that did not choose it.

The images held out for validation are few, so the best of many candidates by one training is the luckiest as much as
the best: at 99.4 % on 6,000 images the standard error is 0.1 points, more than what candidates differ by. So the
leaders are trained again, with other seeds and other folds of the training images held out, and count by the mean,
until the leader has been validated on as many folds as were asked for (a race in the sense of Maron and Moore, 1994, by
means alone).
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext

from tinysearch.data.dataset import FOLDS, TrainingData
from tinysearch.results.artifacts import BestModels
from tinysearch.results.predictions import Predictions
from tinysearch.results.ranking import ranked
from tinysearch.results.record import Measurement, Record
from tinysearch.runtime.environment import Environment
from tinysearch.search.recording import recorded
from tinysearch.search.retraining import Limits, Retraining, RetrainingWatcher, TimeIsUpError, retrain
from tinysearch.search.reuse import reusable
from tinysearch.search.run import SearchRun
from tinysearch.search.settings import RunSettings
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import Job
from tinysearch.training.recipe import Recipe
from tinysearch.workers.worker import Worker

Shown = Callable[[Sequence[Retraining]], AbstractContextManager[RetrainingWatcher]]
Workers = Callable[[TrainingData, int], Worker]


def fold_of(seed: int) -> int:
    """Return which fold of the training images a revalidation with a seed holds out, counted from the end.

    Never 0, which is the last one: that is held out by the search.

    >>> [fold_of(seed) for seed in (0, 1, 2, 9, 10)]
    [9, 1, 2, 9, 1]
    """
    return 1 + (seed - 1) % (FOLDS - 1)


def next_round(records: Iterable[Record], settings: RunSettings) -> list[Retraining]:
    """Return what is to be trained next, as much as there are workers; nothing if the leader is revalidated.

    Args:
        records: Those of a run.
        settings: Those of the run.
    """
    known = [record for record in records if record.purpose != "evaluation"]
    trained = Counter(record.key for record in known)
    standings = [one.first for one in ranked(known) if not (one.is_shortened or one.first.pruned)]
    if not standings or trained[standings[0].key] >= settings.folds:
        return []
    waiting = [one for one in standings if trained[one.key] < settings.folds]
    return [
        Retraining(
            Candidate(one.architecture, Recipe.from_dict(one.recipe)),
            settings.seed + trained[one.key],
            one.run,
            one.name,
            one.origin,
        )
        for one in waiting[: settings.workers]
    ]


def revalidate(run: SearchRun, workers: Workers, shown: Shown | None = None) -> list[Record]:
    """Train the leaders of a search again, on other folds, until one has led on as many as the run asks for.

    Args:
        run: Its search is over; its lock is held.
        workers: Returns what trains on some data, so many candidates at a time.
        shown: Returns what shows a round of trainings; None for nothing.

    Returns:
        The records of the run, evaluations left out.

    Raises:
        StoreWriteError: if a result cannot be stored.
        WorkerError: if nothing can be trained.
        TimeIsUpError: if the time limit comes, or would before another training is done.
        KeyboardInterrupt: on Ctrl-C; what was trained before is in the store.
    """
    records = [one for one in run.store.records(run.name) if one.purpose != "evaluation"]
    while planned := next_round(records, run.settings):
        leader = ranked(records)[0].first
        if not run.has_time(1, leader):
            raise TimeIsUpError
        # With as many threads each as in the search, however few there are.
        worker = workers(run.dataset.training_data(), run.settings.workers)
        with nullcontext(RetrainingWatcher()) if shown is None else shown(planned) as watcher:
            records += revalidate_round(run, planned, worker, watcher)
    return records


def revalidate_round(
    run: SearchRun, planned: Sequence[Retraining], worker: Worker, watcher: RetrainingWatcher
) -> list[Record]:
    """Train what is planned, all at a time; return its records.

    Each is stored as soon as it is done. What was reused from another run has its revalidations reused too.

    Args:
        run: Its lock is held. No test image of its dataset is looked at.
        planned: See ``next_round``.
        worker: Has the training data as a search has it; closed at the end.
        watcher: Is notified of what happens.

    Raises:
        StoreWriteError: if a record cannot be stored.
        TimeIsUpError: if the time limit comes.
    """
    environment = worker.environment()

    def job(one: Retraining) -> Job:
        checkpoint = BestModels(run.store.folder_of(run.name)).checkpoint(f"{one.candidate.key}-{one.seed}")
        return Job(
            one.candidate,
            one.seed,
            run.dataset.fingerprint,
            checkpoint_path=checkpoint,
            fold=fold_of(one.seed),
            objective=run.settings.objective,
        )

    def as_record(one: Retraining, measurement: Measurement) -> tuple[Record, Predictions | None]:
        record = recorded(
            one.candidate,
            measurement,
            run.dataset,
            environment,
            run=one.run,
            name=one.name,
            origin=one.origin,
            purpose="revalidation",
            seed=one.seed,
            objective=run.settings.objective,
            direction=run.settings.direction,
        )
        return record, None

    def known(one: Retraining) -> Record | None:
        found = run.store.training(run.name, one.candidate.key, one.seed, "revalidation")
        if found is None:
            found = _reused(run, one, environment)
            if found is not None:
                run.store.append(found)
        return found

    limits = Limits(run.until, held=run.lock)
    return retrain(run.store, planned, known, job, as_record, worker, len(planned), watcher, limits)


def _reused(run: SearchRun, one: Retraining, environment: Environment) -> Record | None:
    """Return the revalidation that the run has of a candidate from which it was reused, as one of this run."""
    own = run.store.training(run.name, one.candidate.key, run.settings.seed, "search")
    if own is None or own.reused_from is None:
        return None
    theirs = run.store.training(own.reused_from, one.candidate.key, one.seed, "revalidation")
    if theirs is None or theirs.failed:
        return None
    theirs = theirs.by(run.settings.objective, run.settings.direction)
    reused = reusable([theirs], one.candidate, environment, run.reuse)
    if reused is None:
        return None
    found, elsewhere = reused
    return dataclasses.replace(
        found, run=run.name, name=one.name, reused_from=own.reused_from, other_environment=elsewhere, created_at=""
    )
