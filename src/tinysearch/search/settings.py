"""What decides the outcome of a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tinysearch.data.dataset import FOLDS
from tinysearch.errors import RunError
from tinysearch.search.strategies.registry import check_name
from tinysearch.space.architecture import Architecture
from tinysearch.space.budget import Budget
from tinysearch.space.scalars import integer
from tinysearch.space.space_spec import current
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

MOST_WORKERS = 256


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What decides the outcome of a run, together with the dataset.

    Args:
        budget: What a candidate may cost.
        recipe: How every candidate is trained.
        strategy: Name of the search strategy.
        trials: How many candidates to train, baselines not counted.
        seed: Seed of the proposals and of every training.
        baselines: Whether the hand-designed baselines that fit are trained first.
        workers: How many candidates are trained at a time; a proposal knows nothing of as many of those before it,
            less one.
        initial_candidates: Candidates for the first trials, as far as they are within the budget, new and not too many.
        space: What narrows the search space, see ``space_spec``; nothing for the whole space. Kept in format 2.
        evaluate: With how many seeds the winner is retrained and scored on the test images when the search is over.
        folds: How many trainings, each with other images held out, the winner must lead by the mean of before it is
            evaluated; 1 for the one of the search.
        tune_recipe: Whether the knobs of the recipe are searched together with the architecture.
        prune: Whether candidates that fall behind those before them are stopped early, see ``pruning``.
        data: What a run keeps of how its data was understood, see ``Dataset.described``: how it was divided, and the
            names of the classes.
        augmentation: How the augmentation of the recipe was chosen, see ``search/augmentation.py``; nothing where it
            was given.
        warm_start_trials: Names of other runs in the store, and how many of their first records the strategy sees too.

    Raises:
        RunError: if trials, seed, workers, evaluate or folds are out of range, the strategy is unknown, or the
            recipe has no knobs to tune.
        SpaceError: if the space is not legal.
    """

    budget: Budget
    recipe: Recipe
    strategy: str = "bayesian"
    trials: int = 20
    seed: int = 0
    baselines: bool = True
    workers: int = 1
    evaluate: int = 3
    folds: int = 3
    initial_candidates: tuple[Candidate, ...] = ()
    space: Mapping[str, Any] = field(default_factory=dict)
    tune_recipe: bool = False
    prune: bool = False
    warm_start_trials: tuple[tuple[str, int], ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    augmentation: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("trials", "seed", "workers", "evaluate", "folds"):
            whole = integer(getattr(self, name))
            if whole is None:
                raise RunError(f"{name} must be a whole number, got {getattr(self, name)!r}")
            object.__setattr__(self, name, whole)
        if self.trials < 0:
            raise RunError(f"a run has at least 0 trials, got {self.trials}")
        if not 0 <= self.seed < 2**31:
            raise RunError(f"a seed is a whole number from 0 to {2**31 - 1:,}, got {self.seed:,}")
        if not 1 <= self.workers <= MOST_WORKERS:
            raise RunError(f"a run has 1 to {MOST_WORKERS} workers, got {self.workers}")
        if self.evaluate < 0:
            raise RunError(f"a winner is evaluated with at least 0 seeds, got {self.evaluate}")
        if not 1 <= self.folds <= FOLDS:
            raise RunError(f"a winner is validated on 1 to {FOLDS} folds, got {self.folds}")
        if self.tune_recipe and (self.recipe.optimizer, self.recipe.schedule) != ("sgd", "one_cycle"):
            raise RunError(
                f"the knobs of a recipe are those of SGD in one cycle, got {self.recipe.optimizer} with schedule "
                f"{self.recipe.schedule}; leave out --tune-recipe, or take the recipe default"
            )
        check_name(self.strategy)
        object.__setattr__(self, "space", current(self.space))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        plain = dataclasses.asdict(dataclasses.replace(self, initial_candidates=()))
        initial_candidates = [
            {"architecture": one.architecture.to_dict(), "recipe": one.recipe.to_dict()}
            for one in self.initial_candidates
        ]
        return {**plain, "recipe": self.recipe.to_dict(), "initial_candidates": initial_candidates}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunSettings:
        """Make settings of plain JSON values.

        Raises:
            RunError: if they are damaged, or of a later version.
            InputError: if a value is out of range.
        """
        try:
            return cls._of(data)
        except (KeyError, TypeError, AttributeError) as error:
            raise RunError(
                f"its settings cannot be read ({type(error).__name__}: {error}); begin a new run with another --name"
            ) from None

    @classmethod
    def _of(cls, data: Mapping[str, Any]) -> RunSettings:
        recipe = Recipe.from_dict(data["recipe"])
        initial_candidates = tuple(
            # Early versions wrote architectures.
            Candidate(Architecture.from_dict(one["architecture"]), Recipe.from_dict(one["recipe"]))
            if "recipe" in one
            else Candidate(Architecture.from_dict(one), recipe)
            for one in data.get("initial_candidates", ())
        )
        warm_start_trials = tuple((str(name), int(count)) for name, count in data.get("warm_start_trials", ()))
        values = {
            "budget": Budget(**data["budget"]),
            "recipe": recipe,
            "initial_candidates": initial_candidates,
            "warm_start_trials": warm_start_trials,
        }
        return cls(**{**data, **values})
