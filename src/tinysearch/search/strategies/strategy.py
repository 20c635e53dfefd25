"""The interface of search strategies, the problem that they solve, and the candidates that a run begins with."""

from __future__ import annotations

import abc
import functools
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tinysearch.errors import PluginError, ShapeError, SpaceError
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
# Number of designs that are considered, and the factor by which networks may use their weights more often than these.
_FIRST, _NEAR = 5, 1.3
# If the recipe is tuned: fraction of new candidates whose recipe differs from that of the problem or the parent.
_OTHERS = 0.5


@dataclass(frozen=True)
class Problem:
    """The search problem that every strategy receives.

    Args:
        space: Search space of the architectures.
        budget: Bounds on their costs.
        recipe: Recipe that candidates are trained with.
        tune_recipe: Whether the knobs of the recipe are searched too, see ``recipe_choices``.
        constraints: Further constraints that must accept an architecture.
        augment_by_size: Whether the strength of the augmentation depends on the size of each network, see
            ``training.augmentation.by_size``. Ignored if the recipe is tuned.
        images: Number of images that each training is validated on, which determines the error of its score.
        budgets: Bounds on parameters; a good network is wanted below each of them. If empty, only the bound of the
            budget counts.
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
            PluginError: if a constraint does not return a verdict.
        """
        verdict = self.budget.check(cost)
        if self.constraints and not cost.layers:
            # The costs in the records of a history have no layers.
            cost = self.space.cost(architecture) or cost
        for constraint in self.constraints:
            if not verdict.accepted:
                return verdict
            verdict = constraint.check(architecture, cost)
            if not isinstance(verdict, Verdict):
                raise PluginError(f"the constraint {name_of(constraint)}: {returns('check', Verdict, verdict)}")
        return verdict

    def new_candidate(self, architecture: Architecture, rng: np.random.Generator) -> Candidate:
        """Return a candidate with the recipe of the problem; if it is tuned, half of the time with a random recipe."""
        if self.tune_recipe and rng.random() < _OTHERS:
            return Candidate(architecture, sampled(self.recipe, rng))
        return self.candidate(architecture)

    def candidate(self, architecture: Architecture) -> Candidate:
        """Return a candidate with the recipe of the problem, with the augmentation for the size of the network."""
        if self.tune_recipe or not self.augment_by_size:
            return Candidate(architecture, self.recipe)
        found = self.space.params(architecture)
        params = self.budget.params if found is None else found
        return Candidate(architecture, by_size(self.recipe, params)[1])

    def child_of(self, architecture: Architecture, parent: Record | Candidate, rng: np.random.Generator) -> Candidate:
        """Return a candidate with the recipe of the problem; if it is tuned, with the parent's, often mutated."""
        if not self.tune_recipe:
            return self.candidate(architecture)
        inherited = parent.recipe if isinstance(parent, Candidate) else Recipe.from_dict(parent.recipe)
        inherited = replace(inherited, epochs=self.recipe.epochs)
        return Candidate(architecture, mutated(inherited, rng) if rng.random() < _OTHERS else inherited)

    def mutant(self, architecture: Architecture, rng: np.random.Generator, again: float) -> Architecture:
        """Return an architecture after one or more mutations; unchanged if the space has no mutant of it.

        Args:
            architecture: An architecture of the space.
            rng: Random generator.
            again: Probability that each mutation is followed by another one.
        """
        try:
            changed = self.space.mutate(architecture, rng)
            while rng.random() < again:
                changed = self.space.mutate(changed, rng)
        except SpaceError:
            # A candidate may still have another recipe.
            return architecture
        return changed

    def is_low_mac(self, architecture: Architecture) -> bool:
        """Return whether an architecture needs few MACs for its number of parameters.

        There may be, per parameter, as many MACs as a quarter of the input's pixels or, if that is more, 1.3 times as
        many as in the first designs.

        A wide network that never shrinks its images takes many times longer to train than one that does and has the
        same number of parameters, and it is seldom better. The baselines are such networks. A small network gains by
        using its weights more often and still trains quickly: below 4,000 parameters, a network may compute as much as
        one with 4,000.
        """
        found = self.space.cost(architecture)
        return found is not None and found.macs <= self._uses * max(found.params, _SMALL)

    @functools.cached_property
    def _uses(self) -> float:
        """Maximum number of times that a weight may be used, on average."""
        height, width, _ = self.space.task.input_shape
        plain = map(self.space.cost, itertools.islice(designs(self.space, self.budget.params, self.fits), _FIRST))
        uses = [one.macs / max(one.params, _SMALL) for one in plain if one is not None]
        return max(height * width / 4, _NEAR * max(uses, default=0.0))

    def fits(self, architecture: Architecture) -> bool:
        """Return whether an architecture can be built for the task, is within the budget, and meets all constraints."""
        found = self.space.cost(architecture)
        return found is not None and self.check(architecture, found).accepted


class Strategy(abc.ABC):
    """A search algorithm: a function from the history to the next candidate.

    Args:
        problem: Space, budget and recipe.

    Attributes:
        begins_with_designs: Whether the first trials of a run are hand-drawn designs (see ``space/designs.py``), before
            the strategy is asked. If there are several budgets, there are designs for each.
        replicates: Whether the strategy supports several records of one candidate, with other seeds and other images
            held out, such as the revalidations of the runs that it learns from.
        uses_history: Whether the strategy uses the history at all. If not, its run learns from no other run unless a
            warm start is requested.
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

        The result depends only on the arguments: not on disk, clock, global generators or state of the strategy.

        Args:
            history: The known records of the run, baselines and failures included, in the order in which they were
                proposed, after those of the runs that it learns from. The ``score`` of a record is that of the
                objective of the run, the larger the better.
            rng: The generator of this trial. If a proposal is rejected, the strategy is asked again with the same
                generator, which has advanced.
            pending: Candidates that were proposed after those of the history and whose records may not be known yet,
                in order: up to lag - 1, whatever the number of workers; with the schedule ``"async"``, all that are
                running.
        """


def suited_to(problem: Problem, given: Candidate) -> Candidate:
    """Return an initial candidate; if it has the recipe of the problem, with the augmentation for its size."""
    return problem.candidate(given.architecture) if given.recipe == problem.recipe else given


def left_out(problem: Problem, given: Sequence[Candidate]) -> list[str]:
    """Return a message for each initial candidate that cannot be trained, with the reason."""
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
    """Return the candidates that a run begins with: the best known network, then designs.

    A strategy never proposes a known candidate, so without this the best network of the runs that it learns from would
    be missing from the candidates of the new run.

    Args:
        strategy: Strategy of the run.
        number: Maximum number of candidates, for each budget if there are several.
        known: Records of other runs that the run learns from.
        splits: By run, a description of the images held out for validation.

    Returns:
        An empty list if the strategy does not begin with designs.
    """
    problem = strategy.problem
    if not strategy.begins_with_designs:
        return []
    bounds = problem.budgets or (problem.budget.params,)
    found = [itertools.islice(_promising(problem, bound, known, splits), number) for bound in bounds]
    # The first candidate of every budget, then the second of every budget, and so on.
    turns = (one for turn in itertools.zip_longest(*found) for one in turn if one is not None)
    return [problem.candidate(architecture) for architecture in dict.fromkeys(turns)]


def _promising(
    problem: Problem, bound: int, known: Sequence[Record], splits: Mapping[str, str] | None
) -> Iterator[Architecture]:
    """Yield the best known network that is below a bound on parameters and has at least half of it, then designs.

    The best is chosen as in a leaderboard: by the mean of all its trainings, so that one lucky training does not count.
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
    """Return the number of records that belong to trials, those of other runs included, rather than to baselines."""
    return sum(record.origin != "baseline" for record in history)
