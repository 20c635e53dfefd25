"""Evaluations: retraining a candidate and scoring it on the test images, once per seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tinysearch.errors import RunError, TrainingError
from tinysearch.results.leaderboard import by_score
from tinysearch.results.record import Epoch, Origin, Record
from tinysearch.results.store import Store
from tinysearch.search.backend import load_keras
from tinysearch.search.candidate import Candidate
from tinysearch.search.datasets import Dataset
from tinysearch.search.images import fingerprint
from tinysearch.search.provenance import provenance
from tinysearch.search.recipe import Recipe
from tinysearch.search.workers.worker import EpochWatcher
from tinysearch.space.cost import cost


def evaluate(
    candidate: Candidate,
    dataset: Dataset,
    seed: int,
    *,
    run: str,
    name: str,
    origin: Origin,
    hold_out: bool = True,
    on_epoch: EpochWatcher | None = None,
) -> Record:
    """Train a candidate once and score its last epoch on the test images.

    Args:
        candidate: What to train, and how.
        dataset: Its test images are read and checked before training, and scored once after it.
        seed: Seed of the training.
        run, name, origin: Go into the record.
        hold_out: Whether the last tenth of the training images is held out for validation, as in a search, or all
            of them are trained on.
        on_epoch: Called after each epoch.

    Raises:
        TrainingError: if the loss is no longer a finite number.
        DatasetError: if the dataset has no test images that can be used.
    """
    test = dataset.test()
    load_keras()
    from tinysearch.search.training import accuracy, fit

    data = dataset.training_data() if hold_out else dataset.all_training_data()
    model, measurement = fit(candidate, data, seed, on_epoch)
    if measurement.failure is not None:
        raise TrainingError(f"{name} could not be trained with seed {seed}: {measurement.failure}")
    return Record(
        run=run,
        key=candidate.key,
        name=name,
        origin=origin,
        purpose="evaluation",
        trial=None,
        seed=seed,
        dataset=dataset.name,
        fingerprint=dataset.fingerprint,
        architecture=candidate.architecture,
        cost=cost(candidate.architecture, dataset.task),
        recipe=candidate.recipe.to_dict(),
        measurement=measurement,
        test_accuracy=accuracy(model, test),
        test_fingerprint=fingerprint(test),
        provenance=provenance(),
    )


def best_of(store: Store, run: str, dataset: Dataset, top: int) -> list[Record]:
    """Return the best candidates of a run by validation accuracy, baselines among them if they are that good.

    Raises:
        RunError: if the run is unknown, has no candidate, or was made on other data.
    """
    store.run(run).check_data(dataset.name, dataset.fingerprint)
    searched = [record for record in store.records(run) if record.purpose == "search" and not record.failed]
    if not searched:
        raise RunError(f"run {run!r} has no trained candidate to evaluate")
    return by_score(searched)[:top]


def evaluated_before(store: Store, run: str, dataset: Dataset) -> dict[tuple[str, int], Record]:
    """Return the evaluations of a run that are in the store, by key of the candidate and seed.

    Raises:
        RunError: if they were scored on other test images, with which new figures must not be averaged.
        DatasetError: if the dataset has no test images that can be used.
    """
    done = {(one.key, one.seed): one for one in store.records(run) if one.purpose == "evaluation"}
    test = fingerprint(dataset.test())
    for record in done.values():
        if record.test_fingerprint != test:
            raise RunError(
                f"run {run!r} was evaluated on test images with fingerprint {record.test_fingerprint}, those given "
                f"have {test}; give the test images it was evaluated on, or another --store"
            )
    return done


def evaluate_all(
    store: Store,
    chosen: Sequence[Record],
    dataset: Dataset,
    seeds: Sequence[int],
    *,
    on_start: Callable[[Record, int], None] | None = None,
    on_epoch: Callable[[int, Epoch], None] | None = None,
    on_record: Callable[[Record], None] | None = None,
) -> list[Record]:
    """Retrain candidates on all training images and score them on the test images.

    What was evaluated already is taken from the store.

    Args:
        store: Takes the records.
        chosen: Records of a search, of the candidates to evaluate.
        dataset: What the search was made on.
        seeds: One training for each.
        on_start: Called with the candidate's record and the seed before each training.
        on_epoch: Called after each epoch.
        on_record: Called after each training.

    Raises:
        DatasetError: if the dataset has no test images.
        TrainingError: if a training fails.
    """
    done = {run: evaluated_before(store, run, dataset) for run in {one.run for one in chosen}}
    evaluated = []
    for one in chosen:
        candidate = Candidate(one.architecture, Recipe.from_dict(one.recipe))
        for seed in seeds:
            record = done[one.run].get((one.key, seed))
            if record is None:
                if on_start is not None:
                    on_start(one, seed)
                record = evaluate(
                    candidate,
                    dataset,
                    seed,
                    run=one.run,
                    name=one.name,
                    origin=one.origin,
                    hold_out=False,
                    on_epoch=on_epoch,
                )
                store.append(record)
            evaluated.append(record)
            if on_record is not None:
                on_record(record)
    return evaluated
