"""The settings of a run."""

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

# Trial i is proposed from the results of trials 0 to i - 8. This has no measurable cost for the default strategy after
# 20 or 50 trials, and keeps up to four workers busy all the time, see docs/benchmarks.md.
DEFAULT_LAG = 8
MOST_LAG = 100_000
MOST_THREADS = 1_024
_LATER = ("data", "augmentation", "budgets")
# How the augmentation of a run is chosen by default.
BY_SIZE = "by size"
DEFAULT_BUDGET = 10_000
# Settings that may differ when a run is resumed.
MAY_CHANGE = ("trials", "evaluate", "folds")
Schedule = Literal["lag", "async"]


def _default_recipe() -> Recipe:
    return named_recipe("default")


class WarmStart(NamedTuple):
    """The part of another run in the store that a strategy learns from.

    Args:
        run: Name of the other run.
        trials: Number of its first positions to use, baselines included in the count.
        revalidations: Number of its first revalidations to use.
    """

    run: str
    trials: int
    revalidations: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class RunSettings:
    """Settings of a run, which together with the dataset determine its outcome.

    Args:
        budget: Limits on the cost of a candidate.
        recipe: How every candidate is trained.
        strategy: Name of the search strategy.
        trials: Number of candidates to train, baselines not counted.
        seed: Seed of the proposals and of every training.
        baselines: Whether the hand-designed baselines that fit are trained first.
        lag: L of the schedule ``"lag"``: trial i is proposed from the results of trials 0 to i - L, which keeps up to L
            workers busy. The proposals do not depend on the number or the speed of the workers.
        schedule: ``"lag"``, or ``"async"`` for proposals from all records that exist at the moment, which keeps any
            number of workers busy. Which records these were is stored, so that a resumed run repeats its proposals.
        threads: Threads of each training, which affect the last digits of its numbers; None for the default of the
            executor that begins the run: local processes have equal shares of the cores.
        initial_candidates: Candidates for the first trials; those outside the limits, duplicates, and those beyond the
            number of trials are not trained.
        designs: Number of networks drawn by hand that the search begins with after these, for each budget if there are
            several, see ``space/designs.py``. If the run learns from other runs and has no initial candidates, the
            first of them is the best network of these runs. Only the strategies ``bayesian``, ``evolution`` and
            ``pareto`` begin with designs.
        space: Description that narrows the search space, see ``space_spec``; empty for the whole space. Stored in
            format 2.
        constraints: Names of custom constraints that candidates must meet, as ``module:Class`` or entry points.
        own_space: Hash of a ``SearchSpace`` that was given as a value, and that must be given again to resume the run;
            empty for a space that ``space`` describes.
        evaluate: Number of seeds with which the winner is retrained and scored on the test images after the search.
        folds: Maximum number of trainings of a candidate, each with other images held out, before the winner is
            evaluated, see ``rounds``; 1 for the training of the search alone.
        tune_recipe: Whether the knobs of the recipe are searched together with the architecture.
        prune: Whether candidates that fall behind earlier ones are stopped early, see ``pruning``.
        data: Description of how the data was read, see ``Dataset.described``: the split and the names of the classes.
        augmentation: How the augmentation of the recipe was chosen, see ``search/augmentation.py``; empty if it was
            given.
        warm_start_trials: Parts of other runs in the store that the strategy also learns from: the records that they
            had when the run began.
        objective: Name of the objective that the search maximizes or minimizes, see ``results/objective.py``.
        budgets: Bounds on parameters, in ascending order, each with its own winner, which is revalidated and evaluated.
            The largest is the bound of ``budget``. Empty for one winner within ``budget``.

    Raises:
        RunError: if a number is out of range, a switch is not a boolean, the strategy or schedule is unknown, ``data``
            or ``augmentation`` is damaged, or the recipe has no knobs to tune.
        BudgetError: if the budgets are not different whole numbers, or the largest is not the bound of ``budget``.
        SpaceError: if the space is invalid.
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

    @property
    def split(self) -> Split:
        """Division of the training images into folds."""
        return Split.from_dict(self.data.get("split", {}))

    @property
    def rounds(self) -> int:
        """Maximum number of rounds of revalidation: each holds out another fold, if the split makes the folds."""
        return (self.folds if self.split.kind == "given" else min(self.folds, self.split.folds)) - 1

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
                f"`tune_recipe=` needs a recipe with SGD and the one-cycle schedule, got {self.recipe.optimizer} with "
                f"schedule {self.recipe.schedule}; leave out `tune_recipe=`, or give `recipe='default'`"
            )
        for name in ("data", "augmentation"):
            if not isinstance(getattr(self, name), Mapping):
                raise RunError(f"{name} of a run is an object with its fields, got {getattr(self, name)!r}")
        # An unreadable split raises an error now and not in the first training.
        _ = self.split
        names = self.data.get("class_names", ())
        if not isinstance(names, Sequence) or not all(isinstance(one, str) for one in names):
            raise RunError(f"class_names of a run are texts, got {names!r}")
        object.__setattr__(self, "budgets", tuple(sorted(several_bounds(self.budgets))))
        if self.budgets and self.budgets[-1] != self.budget.params:
            raise BudgetError(
                f"the largest of several budgets must be the budget of the run, {self.budget.params:,} parameters; got "
                f"{self.budgets[-1]:,}"
            )
        check_name(self.strategy)
        objective(self.objective)
        object.__setattr__(self, "space", current(self.space))
        object.__setattr__(self, "warm_start_trials", tuple(WarmStart(*one) for one in self.warm_start_trials))

    def __repr__(self) -> str:
        """Show the settings that differ from their defaults."""
        standard = RunSettings()
        changed = [
            f"{one.name}={getattr(self, one.name)!r}"
            for one in dataclasses.fields(self)
            if getattr(self, one.name) != getattr(standard, one.name)
        ]
        return f"RunSettings({', '.join(changed)})"

    @property
    def augments_by_size(self) -> bool:
        """Whether the amount of augmentation depends on the size of each network."""
        return self.augmentation.get("chosen") == BY_SIZE

    @property
    def direction(self) -> Direction:
        """Whether a larger or a smaller value of the objective is better."""
        return objective(self.objective).direction

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; settings that the first versions did not have are left out if they are empty."""
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
            # For readers of results that cannot load the objective itself.
            "direction": self.direction,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunSettings:
        """Return settings from plain JSON values.

        Raises:
            RunError: if the values are damaged, or from a later version.
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
        # Early versions did not count revalidations.
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
            # Runs without this value began before designs existed.
            "designs": data.get("designs", 0),
        }
        given = {name: value for name, value in data.items() if name != "direction"}
        return cls(**{**given, **values})
