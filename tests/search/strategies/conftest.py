"""Problems and loops for tests of strategies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from tinysearch.results.record import Record
from tinysearch.search.candidate import Candidate
from tinysearch.search.recipe import Recipe
from tinysearch.search.strategies import Problem, Strategy
from tinysearch.space.architecture import Architecture
from tinysearch.space.budget import Budget
from tinysearch.space.network_choices import network_choices
from tinysearch.space.search_space import SearchSpace

Run = Callable[..., list[Candidate]]


@pytest.fixture
def problem() -> Callable[..., Problem]:
    """Return a function that makes a problem: the default space and recipe, unless told otherwise."""

    def make(
        budget: int = 10_000, *, epochs: int = 10, space: SearchSpace | None = None, tune_recipe: bool = False
    ) -> Problem:
        return Problem(space or SearchSpace(), Budget(budget), Recipe(epochs=epochs), tune_recipe)

    return make


@pytest.fixture(scope="session")
def small() -> SearchSpace:
    """A space that KerasTuner walks quickly."""
    tree = network_choices(depth=(1, 4), kinds={"conv": 1, "separable": 1, "depthwise": 1}, repeats={1: 3, 2: 1})
    return SearchSpace(tree=tree)


@pytest.fixture
def as_record(as_record: Callable[..., Record]) -> Callable[..., Record]:
    """Return a function that makes a record of an architecture, a score, a trial, and perhaps a recipe."""

    def make(architecture: Architecture, score: float, trial: int = 0, recipe: Recipe | None = None) -> Record:
        record = as_record(architecture, score, trial)
        if recipe is None:
            return record
        return replace(record, key=Candidate(architecture, recipe).key, recipe=recipe.to_dict())

    return make


@pytest.fixture
def proposals(as_record: Callable[..., Record]) -> Run:
    """Return a function that runs a strategy as a search does, with scores that are made of the trial's number."""

    def run(strategy: Strategy, trials: int, past: Sequence[Record] = (), asks: int = 300) -> list[Candidate]:
        problem = strategy.problem
        history = list(past)
        known = {record.key for record in history}
        accepted: list[Candidate] = []
        for trial in range(trials):
            rng = np.random.default_rng([0, trial])
            for _ in range(asks):
                candidate = strategy.propose(history, rng)
                if problem.fits(candidate.architecture) and candidate.key not in known:
                    break
            else:
                raise AssertionError(f"nothing new within the budget in {asks} asks for trial {trial}")
            known.add(candidate.key)
            accepted.append(candidate)
            score = 0.5 + 0.4 * (trial * 7 % 11) / 11
            history.append(as_record(candidate.architecture, score, trial, candidate.recipe))
        return accepted

    return run
