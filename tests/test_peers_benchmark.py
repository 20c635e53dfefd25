"""The sides of the benchmark of peers differ in what they propose and in nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from tinysearch.search.strategies.strategy import Problem
from tinysearch.space.budget import Budget
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.recipe import Recipe


@pytest.mark.parametrize("budget", [1_000, 3_000, 10_000])
def test_plain_networks_are_trained_by_the_recipe_of_all_other_sides(
    budget: int, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.syspath_prepend(request.config.rootpath / "benchmarks")
    from plain_stages import PlainStages

    problem = Problem(SearchSpace(), Budget(budget), Recipe(), augment_by_size=True)
    for seed in range(10):
        proposed = PlainStages(problem).propose([], np.random.default_rng(seed))
        assert proposed == problem.candidate(proposed.architecture)
        assert SearchSpace().cost(proposed.architecture).params < budget
