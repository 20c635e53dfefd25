"""Evaluations: retraining a candidate and scoring it on the test images, once per seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tinysearch.errors import DatasetError, RunError, TrainingError
from tinysearch.results.record import Epoch, Origin, Record
from tinysearch.results.store import Store
from tinysearch.search.candidate import Candidate
from tinysearch.search.datasets import Dataset
from tinysearch.search.provenance import provenance
from tinysearch.search.quiet import load_tensorflow
from tinysearch.search.recipe import Recipe
from tinysearch.search.workers import EpochWatcher
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
        dataset: Its test images are read here, after training.
        seed: Seed of the training.
        run, name, origin: Go into the record.
        hold_out: Whether the last tenth of the training images is held out for validation, as in a search, or all
            of them are trained on.
        on_epoch: Called after each epoch.

    Raises:
        TrainingError: if the loss is no longer a finite number.
        DatasetError: if the dataset has no test images.
    """
    if not dataset.has_test:
        raise DatasetError(f"{dataset.name} has no test images (x_test and y_test), which an evaluation needs")
    load_tensorflow()
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
        test_accuracy=accuracy(model, dataset.test()),
        provenance=provenance(),
    )


def best_of(store: Store, run: str, dataset: Dataset, top: int) -> list[Record]:
    """Return the best candidates of a run by validation accuracy, baselines among them if they are that good.

    Raises:
        RunError: if the run is unknown, has no candidate, or was made on other data.
    """
    known = store.run(run)
    if known.fingerprint != dataset.fingerprint:
        raise RunError(
            f"run {run!r} was made on {known.dataset} with fingerprint {known.fingerprint}, the dataset given is "
            f"{dataset.name} with {dataset.fingerprint}; evaluate it on the data it was made on"
        )
    searched = [record for record in store.records(run) if record.purpose == "search" and not record.failed]
    if not searched:
        raise RunError(f"run {run!r} has no trained candidate to evaluate")
    return sorted(searched, key=lambda record: (-record.score, record.cost.params))[:top]


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
    runs = {one.run for one in chosen}
    done = {
        (record.run, record.key, record.seed): record
        for run in runs
        for record in store.records(run)
        if record.purpose == "evaluation"
    }
    evaluated = []
    for one in chosen:
        candidate = Candidate(one.architecture, Recipe.from_dict(one.recipe))
        for seed in seeds:
            record = done.get((one.run, one.key, seed))
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
