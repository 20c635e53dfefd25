"""Choice of the augmentation by short trainings of one small network before a search begins.

The levels are compared in pairs: all use the same network, initial weights, order of the images and held-out images.
Any augmentation must beat "none" by more than a standard error, because an augmentation takes longer to pay off than
these trainings last, and because a simpler recipe is easier to trust.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinysearch.data.dataset import Dataset
from tinysearch.errors import RunError, TinySearchWarning, TrainingError
from tinysearch.results.record import Measurement
from tinysearch.runtime.paths import local
from tinysearch.search.settings import BY_SIZE, RunSettings
from tinysearch.space.architecture import Architecture
from tinysearch.space.budget import Budget
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.task import Task
from tinysearch.training.augmentation import FIELDS, augmented, levels, read_augmentation, suited
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import Job, Resources
from tinysearch.training.recipe import Recipe
from tinysearch.workers.executor import Executor
from tinysearch.workers.outcomes import outcomes
from tinysearch.workers.sharing import share

# Epochs of all trainings together, in multiples of the epochs of one trial.
TRIALS = 2
_DRAWS = 12

Train = Callable[[Candidate, int], Measurement]


class TrainedBy:
    """Callable that trains candidates on an executor, one at a time.

    Args:
        executor: Executor that runs the trainings.
        dataset: Dataset to train on.
        resources: Resources that each training may use.
        until: Deadline for all trainings, on the clock of ``time.monotonic``; None for no limit.
    """

    def __init__(self, executor: Executor, dataset: Dataset, resources: Resources, until: float | None = None) -> None:
        self._executor = executor
        self._dataset = dataset
        self._resources = resources
        self._until = until

    def __call__(self, candidate: Candidate, seed: int) -> Measurement:
        """Train a candidate; return its measurement.

        Raises:
            TrainingError: if the deadline passes before the training has finished.
        """
        data = share(self._executor, self._dataset)
        job = Job(candidate, seed, data, resources=self._resources)
        for _, outcome in outcomes(self._executor, [job], self._until):
            return outcome.measurement
        raise TrainingError(
            "the time limit was reached before the augmentations were compared; give a larger `time_limit=`, or an "
            "augmentation, such as `augment='none'`"
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Result of comparing augmentations.

    Args:
        chosen: Name of the chosen level.
        recipe: The recipe of the run, with the chosen augmentation.
        epochs: Epochs of each training.
        network: Key of the architecture that was trained.
        accuracies: Validation accuracy by level; None if the training failed.
        standard_error: Standard error of one accuracy.
    """

    chosen: str
    recipe: Recipe
    epochs: int
    network: str
    accuracies: dict[str, float | None]
    standard_error: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values without the recipe."""
        plain = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        del plain["recipe"]
        return plain

    @property
    def words(self) -> str:
        """The chosen level and the reason, in a sentence."""
        scores = ", ".join(
            f"{name} {'failed' if score is None else f'{100 * score:.2f} %'}" for name, score in self.accuracies.items()
        )
        return (
            f"augmentation {self.chosen}: {scores} (validation accuracy after {self.epochs} epochs of one small "
            f"network, standard error {100 * self.standard_error:.2f} points)"
        )


def settled(
    settings: RunSettings,
    dataset: Dataset,
    space: SearchSpace,
    augment: str | Path | Mapping[str, float] | None,
    train: Train,
) -> RunSettings:
    """Return the settings of a new run with its augmentation decided.

    Args:
        settings: Settings of the run so far.
        dataset: Dataset of the run.
        space: Search space of the run.
        augment: ``"none"``; ``"auto"`` to compare the levels; a JSON file or a mapping with amounts; ``"recipe"`` for
            the augmentation of the recipe, as far as it suits the task. None means ``"recipe"``, except that with the
            default recipe the amount depends on the size of each network.
        train: Function that trains a candidate on the dataset with a seed.

    Raises:
        RecipeError: if amounts are invalid.
        TrainingError: if all trainings fail.
    """
    if augment != "auto":
        recipe = _as_said(settings.recipe, dataset.task, augment)
        usual = dataclasses.replace(settings.recipe, class_weight="none").name == "default"
        ruled = augment is None and usual and recipe.moves and not settings.tune_recipe
        return _with_recipe(settings, recipe, {"chosen": BY_SIZE} if ruled else {})
    count = len(levels(dataset.task))
    warnings.warn(
        TinySearchWarning(f"{count} augmentations are compared by short trainings before the search begins"),
        stacklevel=2,
    )
    held_out = len(dataset.training_data().validation or ())
    found = compare(space, settings.budget, settings.recipe, seed=settings.seed, held_out=held_out, train=train)
    warnings.warn(TinySearchWarning(found.words), stacklevel=2)
    return _with_recipe(settings, found.recipe, found.to_dict())


def settled_again(
    settings: RunSettings, before: RunSettings, task: Task, augment: str | Path | Mapping[str, float] | None
) -> RunSettings:
    """Return the settings of a resumed run with the augmentation that it began with.

    A recipe given on resuming is taken as the one given at the start, before the augmentation was decided.

    Args:
        settings: Settings given now; those not given have the values stored with the run.
        before: Settings stored with the run.
        task: Task of the run.
        augment: The ``augment`` argument given now, see ``settled``.

    Raises:
        RecipeError: if amounts are invalid.
        RunError: if ``augment`` is given and the run chose its augmentation by the size of each network, or if one of
            the two compares augmentations and the other does not.
    """
    recipe, chosen = settings.recipe, before.augmentation.get("chosen")
    compared = chosen not in (None, BY_SIZE)
    if augment is not None and (chosen == BY_SIZE or (augment == "auto") != compared):
        how = {None: "as given", BY_SIZE: "by the size of each network"}.get(chosen, "chosen by comparison")
        raise RunError(
            f"the run was started with augmentation {how}, now it is {augment!r}; leave out `augment=` to resume the "
            f"run, or start a new one with another `name=`"
        )
    if compared:
        recipe = augmented(recipe, {name: getattr(before.recipe, name) for name in FIELDS})
    elif augment is not None or recipe != before.recipe:
        recipe = _as_said(recipe, task, augment)
    return _with_recipe(settings, recipe, settings.augmentation)


def _as_said(recipe: Recipe, task: Task, augment: str | Path | Mapping[str, float] | None) -> Recipe:
    """Return a recipe with the augmentation that ``augment`` names, without comparing any."""
    if augment is None or augment == "recipe":
        return suited(recipe, task)
    if augment == "none":
        return augmented(recipe, {})
    amounts = augment if isinstance(augment, Mapping) else read_augmentation(local(augment, "an augmentation"))
    return augmented(recipe, amounts)


def _with_recipe(settings: RunSettings, recipe: Recipe, augmentation: Mapping[str, Any]) -> RunSettings:
    """Return settings with another recipe, which also replaces the former one in the initial candidates."""
    given = [
        dataclasses.replace(one, recipe=recipe) if one.recipe == settings.recipe else one
        for one in settings.initial_candidates
    ]
    return dataclasses.replace(settings, recipe=recipe, augmentation=augmentation, initial_candidates=tuple(given))


def compare(
    space: SearchSpace, budget: Budget, recipe: Recipe, *, seed: int, held_out: int, train: Train
) -> Comparison:
    """Compare augmentations for the task of a space.

    Args:
        space: Search space that the network is drawn from.
        budget: Budget of the network.
        recipe: Recipe of the run; only its augmentation and its number of epochs are changed.
        seed: Seed of the network and of all trainings.
        held_out: Number of validation images of a training.
        train: Function that trains a candidate with a seed.

    Raises:
        TrainingError: if all trainings fail.
    """
    network = _network(space, budget, seed)
    choices = levels(space.task)
    epochs = max(1, TRIALS * recipe.epochs // len(choices))
    accuracies: dict[str, float | None] = {}
    for name, amounts in choices.items():
        short = dataclasses.replace(augmented(recipe, amounts), epochs=epochs)
        accuracies[name] = train(Candidate(network, short), seed).val_accuracy
    known = {name: score for name, score in accuracies.items() if score is not None}
    if not known:
        raise TrainingError("all trainings that compare augmentations failed; start the run with `augment='none'`")
    best = max(known.values())
    error = math.sqrt(max(best * (1 - best), 1 / held_out) / held_out)
    chosen = next(name for name, score in known.items() if score >= best - (error if name == "none" else 0.0))
    return Comparison(chosen, augmented(recipe, choices[chosen]), epochs, network.key, accuracies, error)


def _network(space: SearchSpace, budget: Budget, seed: int) -> Architecture:
    """Return the network with the fewest MACs among random networks between half the budget and the budget."""
    rng = np.random.default_rng([seed, 0])
    drawn = [space.sample_between(budget.params // 2, budget.params, rng) for _ in range(_DRAWS)]
    costs = [(space.cost(one), one) for one in drawn if one is not None]
    fitting = [(found.macs, one) for found, one in costs if found is not None and budget.check(found).accepted]
    if fitting:
        return min(fitting, key=lambda pair: pair[0])[1]
    return space.scaled_below(space.sample(rng), budget.params)
