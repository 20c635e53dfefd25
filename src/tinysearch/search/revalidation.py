"""Revalidations: before a winner is evaluated, it must have kept the lead on images that did not choose it.

The images held out for validation are few, so the best of many candidates by one training is the luckiest as much as
the best: at 99.4 % on 6,000 images the standard error is 0.1 points, more than what candidates differ by. So the
leaders are trained again, with other seeds and other folds of the training images held out, and count by the mean,
until the leader has been validated as often as was asked for (a race in the sense of Maron and Moore, 1994, by means
alone).
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence

from tinysearch.data.datasets import FOLDS, Dataset
from tinysearch.results.artifacts import BestModels
from tinysearch.results.leaderboard import by_score
from tinysearch.results.predictions import Predictions
from tinysearch.results.record import Measurement, Record
from tinysearch.results.store import Store
from tinysearch.runtime.provenance import provenance
from tinysearch.search.retraining import Retraining, RetrainingWatcher, retrain
from tinysearch.search.settings import RunSettings
from tinysearch.space.cost import cost
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import Job
from tinysearch.training.recipe import Recipe
from tinysearch.workers.worker import Worker


def fold_of(seed: int) -> int:
    """Return which tenth of the training images a revalidation with a seed holds out, counted from the end.

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
    standings = [one for one in by_score(known) if not one.failed and not one.pruned]
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


def revalidate(
    store: Store, planned: Sequence[Retraining], dataset: Dataset, worker: Worker, watcher: RetrainingWatcher
) -> list[Record]:
    """Train what is planned, all at a time; return its records.

    Each is stored as soon as it is done. What was reused from another run has its revalidations reused too.

    Args:
        store: Takes the records.
        planned: See ``next_round``.
        dataset: No test image of it is looked at.
        worker: Has the training data as a search has it; closed at the end.
        watcher: Is notified of what happens.

    Raises:
        RunError: if the run is being carried out by another process.
        StoreWriteError: if a record cannot be stored.
    """

    def job(one: Retraining) -> Job:
        checkpoint = BestModels(store.folder_of(one.run)).checkpoint(f"{one.candidate.key}-{one.seed}")
        fold = fold_of(one.seed)
        return Job(one.candidate, one.seed, dataset.fingerprint, checkpoint_path=checkpoint, fold=fold)

    def recorded(one: Retraining, measurement: Measurement) -> tuple[Record, Predictions | None]:
        record = Record(
            run=one.run,
            key=one.candidate.key,
            name=one.name,
            origin=one.origin,
            purpose="revalidation",
            trial=None,
            seed=one.seed,
            dataset=dataset.name,
            fingerprint=dataset.fingerprint,
            architecture=one.candidate.architecture,
            cost=cost(one.candidate.architecture, dataset.task),
            recipe=one.candidate.recipe.to_dict(),
            measurement=measurement,
            provenance={**provenance(), **worker.described()},
        )
        return record, None

    for one in planned:
        taken = _taken(store, one)
        if taken is not None:
            store.append(taken)
    done = {
        (record.key, record.seed): record
        for record in store.records(planned[0].run)
        if record.purpose == "revalidation"
    }
    return retrain(
        store,
        planned,
        lambda one: done.get((one.candidate.key, one.seed)),
        job,
        recorded,
        worker,
        len(planned),
        watcher,
    )


def _taken(store: Store, one: Retraining) -> Record | None:
    """Return the revalidation that another run has of a candidate that was reused from it."""
    own = [record for record in store.records(one.run) if record.key == one.candidate.key]
    sources = {record.reused_from for record in own if record.purpose == "search"} - {None}
    for source in sources:
        for record in store.records(source):
            if (record.purpose, record.key, record.seed) == ("revalidation", one.candidate.key, one.seed):
                return dataclasses.replace(record, run=one.run, name=one.name, reused_from=source, created_at="")
    return None
