"""Reproduction of hand-designed baselines and recorded candidates: training, test accuracy, comparison."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tinysearch.baselines.models import PREFIX, Baseline, baseline
from tinysearch.baselines.recorded import AGAIN, Recorded
from tinysearch.data.dataset import Dataset
from tinysearch.errors import CostMismatchError, TrainingError
from tinysearch.results.callback import Callback, Stage
from tinysearch.results.record import Record
from tinysearch.results.run import Run
from tinysearch.results.store import Store
from tinysearch.results.training import Training
from tinysearch.search.evaluation import evaluate, with_other_seeds
from tinysearch.space.cost import Cost, cost
from tinysearch.space.scalars import integer
from tinysearch.space.task import Task
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import Resources
from tinysearch.training.recipe import Recipe
from tinysearch.workers.executor import Executor


@dataclass(frozen=True, slots=True, repr=False)
class Reproduction:
    """Documented and measured figures of one hand-designed baseline.

    Args:
        model: The hand-designed baseline.
        counted: Its cost by the arithmetic of ``cost``, which Keras confirmed.
        test_accuracies: Test accuracies as fractions, one per seed.
        val_accuracies: Validation accuracies as fractions, one per seed.
        train_seconds: Wall-clock time of all trainings in seconds.
    """

    model: Baseline
    counted: Cost
    test_accuracies: tuple[float, ...]
    val_accuracies: tuple[float, ...]
    train_seconds: float

    def __repr__(self) -> str:
        """Show the measured and the documented accuracy."""
        seeds = len(self.test_accuracies)
        measured = f"test accuracy {self.mean:.4f} ({seeds} seed{'' if seeds == 1 else 's'})"
        return f"<Reproduction {self.model.name}: {measured}, documented {self.model.test_accuracy:.4f} on MNIST>"

    @property
    def mean(self) -> float:
        """Mean test accuracy."""
        return statistics.fmean(self.test_accuracies)

    @property
    def std(self) -> float | None:
        """Sample standard deviation of the test accuracy; None for a single seed."""
        return statistics.stdev(self.test_accuracies) if len(self.test_accuracies) > 1 else None

    @property
    def standard_errors(self) -> float | None:
        """Number of standard errors by which the documented accuracy is above the measured mean; None if unknown."""
        if not self.std:
            return None
        return (self.model.test_accuracy - self.mean) / (self.std / math.sqrt(len(self.test_accuracies)))


def reproduce(
    names: Iterable[str],
    dataset: Dataset,
    recipe: Recipe,
    seeds: Sequence[int],
    store: Store,
    *,
    run: str,
    executor: Executor,
    callback: Callback,
    resources: Resources | None = None,
) -> list[Reproduction]:
    """Train hand-designed baselines and compare them with their documented figures.

    Finished trainings of the run are taken from the store.

    Args:
        names: Any of ``"conv"``, ``"separable"`` and ``"inception"``.
        dataset: Images.
        recipe: Training recipe; ``recipe("documented")`` is that of the MNIST Challenge.
        seeds: Seeds, one training for each; if a training failed with one before, the next seed replaces it.
        store: Store for the records.
        run: Name of the run that the records belong to; created if it does not exist.
        executor: Executor that runs the trainings.
        callback: Callback that receives events.
        resources: Resources that each training may use.

    Raises:
        CandidateError: if a name is unknown.
        CostMismatchError: if a count differs from the documented one.
        RunError: if the run exists and was created with other data.
        TrainingError: if a training fails.
    """
    models = list(dict.fromkeys(baseline(name) for name in names))
    if not models:
        return []
    for model in models:
        check_count(model)
    resources = ensure_run(store, run, dataset, {"kind": "reproduce", "recipe": recipe.to_dict()}, resources)
    planned = [
        Training(
            run=run,
            key=Candidate(model.architecture, recipe).key,
            name=PREFIX + model.name,
            origin="baseline",
            purpose="evaluation",
            seed=seed,
            architecture=model.architecture,
            cost=cost(model.architecture, dataset.task),
            recipe=recipe.to_dict(),
        )
        for model in models
        for seed in seeds
    ]
    stage = Stage("reproduction", run, len(planned), recipe.epochs, min(executor.capacity, len(planned)))
    planned = with_other_seeds(store, planned)
    records = evaluate(store, planned, dataset, executor, callback, stage, resources=resources)
    for record in records:
        if record.failed:
            raise TrainingError(
                f"{record.name} could not be trained with seed {record.seed}: {record.measurement.failure}; the "
                f"next reproduction takes another seed in its place"
            )
    count = len(seeds)
    return [_compared(model, records[index * count : (index + 1) * count]) for index, model in enumerate(models)]


def check_count(model: Baseline) -> Cost:
    """Return the cost of a hand-designed baseline on the task of MNIST.

    Raises:
        CostMismatchError: if its numbers of parameters differ from the documented ones.
    """
    counted = cost(model.architecture, Task())
    if (counted.params, counted.trainable_params) != (model.params, model.trainable_params):
        raise CostMismatchError(
            f"{model.name} is documented with {model.params:,} parameters, {model.trainable_params:,} trainable; "
            f"the arithmetic gives {counted.params:,} and {counted.trainable_params:,}"
        )
    return counted


def reproduce_found(
    known: Sequence[Recorded],
    dataset: Dataset,
    seeds: Sequence[int],
    store: Store,
    *,
    executor: Executor,
    callback: Callback,
    resources: Resources | None = None,
) -> list[Record]:
    """Train recorded candidates again on all training images, and score them.

    Finished reproductions are taken from the store.

    Args:
        known: Candidates from ``recorded``.
        dataset, seeds, store, executor, callback, resources: See ``reproduce``.

    Returns:
        One record per candidate and seed; the record of a failed training holds its failure.

    Raises:
        RunError: if the run of reproductions was created with other data.
    """
    if not known:
        return []
    run = AGAIN + dataset.name
    resources = ensure_run(store, run, dataset, {"kind": "again"}, resources)
    planned = [
        Training(
            run=run,
            key=one.candidate.key,
            name=one.name,
            origin=one.origin,
            purpose="evaluation",
            seed=seed,
            architecture=one.candidate.architecture,
            cost=cost(one.candidate.architecture, dataset.task),
            recipe=one.candidate.recipe.to_dict(),
            fold=None,
        )
        for one in known
        for seed in seeds
    ]
    epochs = max(one.epochs for one in planned)
    stage = Stage("reproduction", run, len(planned), epochs, min(executor.capacity, len(planned)))
    planned = with_other_seeds(store, planned)
    return evaluate(store, planned, dataset, executor, callback, stage, resources=resources)


def ensure_run(
    store: Store, run: str, dataset: Dataset, settings: Mapping[str, Any], resources: Resources | None = None
) -> Resources:
    """Create a run for evaluations unless it exists, and return the resources of each of its trainings.

    The number of threads affects the last digits of a result, so that of the first command applies to all later ones.

    Raises:
        RunError: if the run exists and was created with other data.
    """
    wanted = resources or Resources()
    if not store.has(run):
        kept = {**settings, "threads": wanted.threads}
        store.create_run(run, dataset.name, dataset.fingerprint, kept, dataset.read_from.to_dict())
        return wanted
    found = store.run(run)
    found.check_data(dataset.name, dataset.fingerprint)
    return resources_of(found, wanted)


def resources_of(run: Run, wanted: Resources) -> Resources:
    """Return the resources for the trainings of a run: with the number of threads that it began with, if known."""
    threads = integer(run.settings.get("threads"))
    return wanted if threads is None or threads < 1 else replace(wanted, threads=threads)


def _compared(model: Baseline, records: Sequence[Record]) -> Reproduction:
    return Reproduction(
        model=model,
        counted=records[0].cost,
        test_accuracies=tuple(record.test_accuracy for record in records if record.test_accuracy is not None),
        val_accuracies=tuple(record.val_accuracy or 0.0 for record in records),
        train_seconds=sum(record.measurement.train_seconds for record in records),
    )
