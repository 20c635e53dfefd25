"""Reproducing the hand-designed baselines: train by a recipe, score on the test set, compare."""

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
    """Documented against measured, for one model.

    Args:
        model: The hand-designed baseline.
        counted: Its cost by our arithmetic, which Keras confirmed.
        test_accuracies: One per seed, fractions.
        val_accuracies: One per seed, fractions.
        train_seconds: Wall-clock time of all trainings.
    """

    model: Baseline
    counted: Cost
    test_accuracies: tuple[float, ...]
    val_accuracies: tuple[float, ...]
    train_seconds: float

    def __repr__(self) -> str:
        """Show what was measured beside what is documented."""
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
        """How many standard errors of the mean the documented figure lies above the mean; None if unknown."""
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
    """Train hand-designed baselines and compare with what is documented.

    What the run has trained already is taken from the store.

    Args:
        names: Any of ``"conv"``, ``"separable"`` and ``"inception"``.
        dataset: Images.
        recipe: How to train; ``recipe("documented")`` is the MNIST Challenge's.
        seeds: One training for each; where one failed before, the next seed is taken.
        store: Where the records go.
        run: Name of the run that the records belong to; made if it does not exist.
        executor: Where they are trained.
        callback: Is notified of what happens.
        resources: What each training may use.

    Raises:
        CandidateError: if a name is unknown.
        CostMismatchError: if a count differs from the documented one.
        RunError: if the run exists and was made on other data.
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
    """Return the cost of a hand-designed baseline on MNIST's task.

    Raises:
        CostMismatchError: if it is not the documented one.
    """
    counted = cost(model.architecture, Task())
    if (counted.params, counted.trainable_params) != (model.params, model.trainable_params):
        raise CostMismatchError(
            f"{model.name} is documented with {model.params:,} parameters, {model.trainable_params:,} trainable; "
            f"we count {counted.params:,} and {counted.trainable_params:,}"
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
    """Train what was trained before again, on all training images, and score it.

    What was trained again before is taken from the store.

    Args:
        known: See ``recorded``.
        dataset, seeds, store, executor, callback, resources: See ``reproduce``.

    Returns:
        As many records for each as there are seeds; of a training that failed, the failure.

    Raises:
        RunError: if it was trained again on other data before.
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
    """Make a run for evaluations, unless there is one; return what each of its trainings may use.

    The threads of a training decide its last digits: those of the first command go for all that follow.

    Raises:
        RunError: if there is a run that was made on other data.
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
    """Return what the trainings of a run may use: as many threads as it began with, if that is known."""
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
