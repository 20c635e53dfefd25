"""What decides the outcome of a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, get_args

from tinysearch.data.splits import FOLDS, Split
from tinysearch.errors import BudgetError, RunError
from tinysearch.results.objective import objective
from tinysearch.results.record import ACCURACY, Direction
from tinysearch.search.strategies.registry import check_name
from tinysearch.space.architecture import Architecture
from tinysearch.space.budget import Budget, several_bounds
from tinysearch.space.scalars import integer
from tinysearch.space.space_spec import current
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe
from tinysearch.training.recipe import recipe as named_recipe

# Trial i is proposed from the results of trials 0 to i - 8. That costs the default strategy nothing that can be seen
# after 20 or 50 trials, and keeps up to four workers busy all the time, see docs/benchmarks.md.
DEFAULT_LAG = 8
MOST_LAG = 100_000
MOST_THREADS = 1_024
_LATER = ("data", "augmentation", "budgets")
# How the augmentation of a run was chosen if nothing was said.
BY_SIZE = "by size"
DEFAULT_BUDGET = 10_000
# What a run that is resumed may have otherwise than it began.
MAY_CHANGE = ("trials", "evaluate", "folds")
Schedule = Literal["lag", "async"]


def _default_recipe() -> Recipe:
    return named_recipe("default")


class WarmStart(NamedTuple):
    """How much of another run in the store a strategy learns from.

    Args:
        run: Its name.
        trials: So many of its first positions, baselines included in the count.
        revalidations: So many of its first revalidations.
    """

    run: str
    trials: int
    revalidations: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class RunSettings:
    """What decides the outcome of a run, together with the dataset.

    Args:
        budget: What a candidate may cost.
        recipe: How every candidate is trained.
        strategy: Name of the search strategy.
        trials: How many candidates to train, baselines not counted.
        seed: Seed of the proposals and of every training.
        baselines: Whether the hand-designed baselines that fit are trained first.
        lag: L of the schedule ``"lag"``: trial i is proposed from the results of trials 0 to i - L, so that up to L
            workers are kept busy. It does not matter how many there are, or how fast.
        schedule: ``"lag"``, or ``"async"`` for proposals from whatever is known at the moment, which keeps any number
            of workers busy. What that was is stored, so that a run that is resumed proposes the same again.
        threads: Threads of each training, on which its last digits depend; None for what the executor gives them that
            begins the run: processes of this machine have equal shares of its cores.
        initial_candidates: Candidates for the first trials, as far as they are within the budget, new and not too many.
        designs: With how many networks drawn by hand a search begins, after those, see ``space/designs.py``; only the
            strategies ``bayesian``, ``evolution`` and ``pareto`` begin so. The first of them is the best network that
            is known from other runs, if the run learns from any.
        space: What narrows the search space, see ``space_spec``; nothing for the whole space. Kept in format 2.
        constraints: Names of constraints of one's own that candidates must meet, ``module:Class`` or entry points.
        own_space: The mark of a ``SearchSpace`` that was given as a value, which only who goes on with the run can give
            again; empty for the spaces that ``space`` describes.
        evaluate: With how many seeds the winner is retrained and scored on the test images when the search is over.
        folds: How many trainings, each with other images held out, a candidate has at the most before the winner is
            evaluated, see ``rounds``; 1 for the one of the search.
        tune_recipe: Whether the knobs of the recipe are searched together with the architecture.
        prune: Whether candidates that fall behind those before them are stopped early, see ``pruning``.
        data: What a run keeps of how its data was understood, see ``Dataset.described``: how it was divided, and the
            names of the classes.
        augmentation: How the augmentation of the recipe was chosen, see ``search/augmentation.py``; nothing where it
            was given.
        warm_start_trials: What the strategy sees of other runs in the store too: as much as there was of them when the
            run began.
        objective: Name of what the search makes as large or as small as possible, see ``results/objective.py``.
        budgets: Bounds on parameters of which each has a winner, revalidated and evaluated, the largest being that of
            the budget, from the smallest to the largest; none for the winner of the budget alone.

    Raises:
        RunError: if a number is out of range, a switch is neither on nor off, the strategy or schedule is unknown, or
            the recipe has no knobs to tune.
        BudgetError: if the budgets are not different whole numbers, or the largest is not that of the budget.
        SpaceError: if the space is not legal.
        InputError: if the objective is unknown.
    """

    budget: Budget = field(default_factory=lambda: Budget(DEFAULT_BUDGET))
    recipe: Recipe = field(default_factory=_default_recipe)
    strategy: str = "bayesian"
    trials: int = 20
    seed: int = 0
    baselines: bool = True
    lag: int = DEFAULT_LAG
    schedule: Schedule = "lag"
    threads: int | None = None
    evaluate: int = 3
    folds: int = 4
    initial_candidates: tuple[Candidate, ...] = ()
    designs: int = 5
    space: Mapping[str, Any] = field(default_factory=dict)
    tune_recipe: bool = False
    prune: bool = False
    warm_start_trials: tuple[WarmStart, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    augmentation: Mapping[str, Any] = field(default_factory=dict)
    constraints: tuple[str, ...] = ()
    own_space: str = ""
    objective: str = ACCURACY
    budgets: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("trials", "seed", "lag", "threads", "evaluate", "folds", "designs"):
            whole = integer(getattr(self, name))
            if whole is None:
                if name == "threads" and self.threads is None:
                    continue
                raise RunError(f"{name} must be a whole number, got {getattr(self, name)!r}")
            object.__setattr__(self, name, whole)
        for name in ("baselines", "tune_recipe", "prune"):
            if not isinstance(getattr(self, name), bool):
                raise RunError(f"`{name}=` is True or False, got {getattr(self, name)!r}")
        if self.trials < 0:
            raise RunError(f"a run has at least 0 trials, got {self.trials}")
        if self.designs < 0:
            raise RunError(f"a search begins with at least 0 designs, got {self.designs}")
        if not 0 <= self.seed < 2**31:
            raise RunError(f"a seed is a whole number from 0 to {2**31 - 1:,}, got {self.seed:,}")
        if not 1 <= self.lag <= MOST_LAG:
            raise RunError(f"a lag is a whole number from 1 to {MOST_LAG:,}, got {self.lag:,}")
        if self.threads is not None and not 1 <= self.threads <= MOST_THREADS:
            raise RunError(f"a training has 1 to {MOST_THREADS:,} threads, got {self.threads:,}")
        if self.schedule not in get_args(Schedule):
            raise RunError(f"a schedule is one of {', '.join(get_args(Schedule))}, got {self.schedule!r}")
        if self.evaluate < 0:
            raise RunError(f"a winner is evaluated with at least 0 seeds, got {self.evaluate}")
        if not 1 <= self.folds <= FOLDS:
            raise RunError(f"candidates are validated on 1 to {FOLDS} folds, got {self.folds}")
        if self.tune_recipe and (self.recipe.optimizer, self.recipe.schedule) != ("sgd", "one_cycle"):
            raise RunError(
                f"the knobs of a recipe are those of SGD in one cycle, got {self.recipe.optimizer} with schedule "
                f"{self.recipe.schedule}; leave out `tune_recipe=`, or take the recipe default"
            )
        for name in ("data", "augmentation"):
            if not isinstance(getattr(self, name), Mapping):
                raise RunError(f"{name} of a run is an object with its fields, got {getattr(self, name)!r}")
        # A part of it that cannot be read is found now, and not by the first training.
        Split.from_dict(self.data.get("split", {}))
        names = self.data.get("class_names", ())
        if not isinstance(names, Sequence) or not all(isinstance(one, str) for one in names):
            raise RunError(f"class_names of a run are texts, got {names!r}")
        object.__setattr__(self, "budgets", tuple(sorted(several_bounds(self.budgets))))
        if self.budgets and self.budgets[-1] != self.budget.params:
            raise BudgetError(
                f"the largest of several budgets is that of the run; got {self.budgets[-1]:,} for one below "
                f"{self.budget.params:,} parameters"
            )
        check_name(self.strategy)
        objective(self.objective)
        object.__setattr__(self, "space", current(self.space))
        object.__setattr__(self, "warm_start_trials", tuple(WarmStart(*one) for one in self.warm_start_trials))

    def __repr__(self) -> str:
        """Show what is not as it is by default."""
        standard = RunSettings()
        changed = [
            f"{one.name}={getattr(self, one.name)!r}"
            for one in dataclasses.fields(self)
            if getattr(self, one.name) != getattr(standard, one.name)
        ]
        return f"RunSettings({', '.join(changed)})"

    @property
    def augments_by_size(self) -> bool:
        """Whether each network is augmented as much as suits its size."""
        return self.augmentation.get("chosen") == BY_SIZE

    @property
    def direction(self) -> Direction:
        """Whether a larger or a smaller value of the objective is better."""
        return objective(self.objective).direction

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; what came later than the first runs is left out where it says nothing."""
        plain = dataclasses.asdict(dataclasses.replace(self, initial_candidates=()))
        plain = {name: value for name, value in plain.items() if value or name not in _LATER}
        initial_candidates = [
            {"architecture": one.architecture.to_dict(), "recipe": one.recipe.to_dict()}
            for one in self.initial_candidates
        ]
        return {
            **plain,
            "budget": self.budget.to_dict(),
            "recipe": self.recipe.to_dict(),
            "initial_candidates": initial_candidates,
            "warm_start_trials": [list(one if one.revalidations else one[:2]) for one in self.warm_start_trials],
            # For those who read results where the objective itself is not at hand.
            "direction": self.direction,
        }

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
                f"its settings cannot be read ({type(error).__name__}: {error}); begin a new run with another `name=`"
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
        # Early versions counted no revalidations.
        warm_start_trials = tuple(
            WarmStart(str(name), int(count), *map(int, more))
            for name, count, *more in data.get("warm_start_trials", ())
        )
        values = {
            "budget": Budget.from_dict(data["budget"]),
            "recipe": recipe,
            "initial_candidates": initial_candidates,
            "warm_start_trials": warm_start_trials,
            "constraints": tuple(map(str, data.get("constraints", ()))),
            "budgets": tuple(data.get("budgets", ())),
            # Runs that do not say so began before there were any.
            "designs": data.get("designs", 0),
        }
        given = {name: value for name, value in data.items() if name != "direction"}
        return cls(**{**given, **values})
