"""Evaluations: retraining a candidate and scoring it on the test images, once per seed."""

from __future__ import annotations

from tinysearch.errors import TrainingError
from tinysearch.results.record import Origin, Record
from tinysearch.search.candidate import Candidate
from tinysearch.search.datasets import Dataset
from tinysearch.search.provenance import provenance
from tinysearch.search.quiet import load_tensorflow
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
    on_epoch: EpochWatcher | None = None,
) -> Record:
    """Train a candidate once and score its last epoch on the test images.

    The last tenth of the training images is held out for validation, as in a search.

    Args:
        candidate: What to train, and how.
        dataset: Its test images are read here, after training.
        seed: Seed of the training.
        run, name, origin: Go into the record.
        on_epoch: Called after each epoch.

    Raises:
        TrainingError: if the loss is no longer a finite number.
        DatasetError: if the dataset has no test images.
    """
    load_tensorflow()
    from tinysearch.search.training import accuracy, fit

    model, measurement = fit(candidate, dataset.training_data(), seed, on_epoch)
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
