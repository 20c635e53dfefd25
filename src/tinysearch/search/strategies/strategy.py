"""The interface of every search strategy."""

from __future__ import annotations

import abc
import functools
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tinysearch.errors import PluginError, ShapeError
from tinysearch.results.ranking import ranked
from tinysearch.results.record import Record
from tinysearch.runtime.plugins import name_of, returns
from tinysearch.search.recipe_choices import mutated, sampled
from tinysearch.space.architecture import Architecture
from tinysearch.space.budget import Budget, Verdict
from tinysearch.space.constraint import Constraint
from tinysearch.space.cost import Cost, cost
from tinysearch.space.designs import designs
from tinysearch.space.notation import notation
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.augmentation import by_size
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

_SMALL = 4_000
# So many designs are looked at, and networks may use their weights this many times as often as these do.
_FIRST, _NEAR = 5, 1.3
# Where the recipe is tuned, which share of new candidates has another one than the problem's or the parent's.
_OTHERS = 0.5


@dataclass(frozen=True)
class Problem:
    """What every strategy is given.

    Args:
        space: Where architectures come from.
        budget: What they may cost.
        recipe: How candidates are trained.
        tune_recipe: Whether the knobs of the recipe are searched too, see ``recipe_choices``.
        constraints: What else must accept an architecture.
        augment_by_size: Whether the recipe augments each network as much as suits its size, see
            ``training.augmentation.by_size``; never where it is tuned.
        images: How many images each training is validated on, which says how far it is off by luck.
        budgets: Bounds on parameters, below each of which a good network is wanted; none for the one of the budget.
    """

    space: SearchSpace
    budget: Budget
    recipe: Recipe
    tune_recipe: bool = False
    constraints: tuple[Constraint, ...] = ()
    augment_by_size: bool = False
    images: int = 1_000
    budgets: tuple[int, ...] = ()

    def check(self, architecture: Architecture, cost: Cost) -> Verdict:
        """Accept or reject an architecture by its cost: by the budget, then by each constraint.

        Raises:
            PluginError: if a constraint gives no verdict.
        """
        verdict = self.budget.check(cost)
        if self.constraints and not cost.layers:
            # The records of a history have no layers.
            cost = self.space.cost(architecture) or cost
        for constraint in self.constraints:
            if not verdict.accepted:
                return verdict
            verdict = constraint.check(architecture, cost)
            if not isinstance(verdict, Verdict):
                raise PluginError(f"the constraint {name_of(constraint)}: {returns('check', Verdict, verdict)}")
        return verdict

    def new_candidate(self, architecture: Architecture, rng: np.random.Generator) -> Candidate:
        """Return a candidate with the recipe of the problem, or if that is tuned often with one drawn at random."""
        if self.tune_recipe and rng.random() < _OTHERS:
            return Candidate(architecture, sampled(self.recipe, rng))
        return self.candidate(architecture)

    def candidate(self, architecture: Architecture) -> Candidate:
        """Return a candidate with the recipe of the problem, as it suits the architecture."""
        if self.tune_recipe or not self.augment_by_size:
            return Candidate(architecture, self.recipe)
        found = self.space.params(architecture)
        params = self.budget.params if found is None else found
        return Candidate(architecture, by_size(self.recipe, params)[1])

    def child_of(self, architecture: Architecture, parent: Record | Candidate, rng: np.random.Generator) -> Candidate:
        """Return a candidate with the recipe of the problem, or if that is tuned with a parent's, often mutated."""
        if not self.tune_recipe:
            return self.candidate(architecture)
        inherited = parent.recipe if isinstance(parent, Candidate) else Recipe.from_dict(parent.recipe)
        inherited = replace(inherited, epochs=self.recipe.epochs)
        return Candidate(architecture, mutated(inherited, rng) if rng.random() < _OTHERS else inherited)

    def is_low_mac(self, architecture: Architecture) -> bool:
        """Whether a weight is used, on average, at no more than a quarter of the input's pixels, or as in designs.

        A wide network that never shrinks its images takes many times longer to train than one of as many parameters
        that does, and is seldom the better one. The baselines are such networks. A small network gains by using its
        weights more often and is quick to train all the same: one of fewer than 4,000 parameters may compute as much
        as one of 4,000.
        """
        found = self.space.cost(architecture)
        return found is not None and found.macs <= self._uses * max(found.params, _SMALL)

    @functools.cached_property
    def _uses(self) -> float:
        """How often a weight may be used, on average."""
        height, width, _ = self.space.task.input_shape
        plain = map(self.space.cost, itertools.islice(designs(self.space, self.budget.params, self.fits), _FIRST))
        uses = [one.macs / max(one.params, _SMALL) for one in plain if one is not None]
        return max(height * width / 4, _NEAR * max(uses, default=0.0))

    def fits(self, architecture: Architecture) -> bool:
        """Whether an architecture can be built for the task, is within the budget, and meets all constraints."""
        found = self.space.cost(architecture)
        return found is not None and self.check(architecture, found).accepted


class Strategy(abc.ABC):
    """A search algorithm: a function from the history to the next candidate.

    Args:
        problem: Space, budget and recipe.

    Attributes:
        begins_with_designs: Whether the first trials of a run are networks drawn by hand, see ``space/designs.py``,
            before the strategy is asked. Where there are several budgets, they are for each.
        replicates: Whether it can do with several records of one candidate, of other seeds and other images held out:
            the revalidations of the runs that it learns from.
        uses_history: Whether it looks at the history at all; a run by one that does not learns from no other run unless
            it is told to.
    """

    begins_with_designs: ClassVar[bool] = False
    replicates: ClassVar[bool] = False
    uses_history: ClassVar[bool] = True

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    @abc.abstractmethod
    def propose(
        self, history: Sequence[Record], rng: np.random.Generator, pending: Sequence[Candidate] = ()
    ) -> Candidate:
        """Return the next candidate.

        It depends on nothing but the arguments: no disk, no clock, no global generator, no state of its own.

        Args:
            history: The records of the run that may be known, baselines and failures included, in the order in which
                they were proposed, and before them those of the runs that it learns from. The ``score`` of a record is
                by the objective of the run, the larger the better.
            rng: The generator of this trial; it is asked again, further on, if a proposal was rejected.
            pending: Candidates that were proposed after those of the history and whose records may not be known yet,
                in order: up to lag - 1, however many workers there are; all under way with the schedule ``"async"``.
        """


def suited_to(problem: Problem, given: Candidate) -> Candidate:
    """Return a candidate that was given; one with the recipe of the problem as that suits its architecture."""
    return problem.candidate(given.architecture) if given.recipe == problem.recipe else given


def left_out(problem: Problem, given: Sequence[Candidate]) -> list[str]:
    """Return which of the candidates that were given for the first trials cannot be trained, and why."""
    found = []
    for number, candidate in enumerate(given, start=1):
        try:
            verdict = problem.check(candidate.architecture, cost(candidate.architecture, problem.space.task))
        except ShapeError as error:
            verdict = Verdict(False, "shape", str(error))
        if verdict.accepted:
            continue
        words = f"initial candidate {number}, {notation(candidate.architecture)}"
        why = verdict.message or verdict.reason or "a constraint"
        found.append(f"{words}, is not trained: {why}; the strategy proposes another one in its place")
    return found


def begun_with(
    strategy: Strategy, number: int, known: Sequence[Record] = (), splits: Mapping[str, str] | None = None
) -> list[Candidate]:
    """Return what a run by a strategy begins with: the best known network, then designs; none if it wants none.

    A strategy never proposes what it knows, so the best network of the runs that it learns from would otherwise be
    missing among the candidates of a run that learns from them.

    Args:
        strategy: Of the run.
        number: How many at the most, for each budget if there are several.
        known: Records of other runs that the run learns from.
        splits: By run, what these held out for validation, in words.
    """
    problem = strategy.problem
    if not strategy.begins_with_designs:
        return []
    bounds = problem.budgets or (problem.budget.params,)
    found = [itertools.islice(_promising(problem, bound, known, splits), number) for bound in bounds]
    # The first of every budget, then the second.
    turns = (one for turn in itertools.zip_longest(*found) for one in turn if one is not None)
    return [problem.candidate(architecture) for architecture in dict.fromkeys(turns)]


def _promising(
    problem: Problem, bound: int, known: Sequence[Record], splits: Mapping[str, str] | None
) -> Iterator[Architecture]:
    """Yield the best known network of at least half a bound on parameters, if there is one, then designs.

    Which is the best is decided as in a leaderboard: by the mean of all its trainings, and not by a lucky one.
    """
    able = [
        record
        for record in known
        if bound <= 2 * record.cost.params < 2 * bound
        and math.isfinite(record.score)
        and problem.fits(record.architecture)
    ]
    best = next((one.first for one in ranked(able, splits)), None)
    first = [best.architecture] if best is not None and best.architecture in problem.space else []
    yield from dict.fromkeys(itertools.chain(first, designs(problem.space, bound, problem.fits)))


def searched_of(history: Sequence[Record]) -> int:
    """Return how many records are of trials, those of other runs included, and not of hand-designed baselines."""
    return sum(record.origin != "baseline" for record in history)
