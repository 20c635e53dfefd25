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
    drawn = [PlainStages(problem).propose([], np.random.default_rng(seed)) for seed in range(10)]
    assert drawn == [problem.candidate(one.architecture) for one in drawn]
    # One that is too deep for the images has no parameters; a search draws another one.
    sizes = [params for one in drawn if (params := problem.space.params(one.architecture)) is not None]
    assert len(sizes) >= 8
    assert max(sizes) < budget
