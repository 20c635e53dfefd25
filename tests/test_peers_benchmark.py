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


def test_results_are_of_the_longest_search_of_a_seed_and_say_what_is_not_measured(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.syspath_prepend(request.config.rootpath / "benchmarks")
    from peers import Results, Searched, Trial

    def searched(*validation: float) -> Searched:
        trials = [Trial(f"{value}", "c4", 100, value) for value in validation]
        return Searched("short", "bayesian", 0, "", trials)

    results = Results([searched(97.0, 98.0, 98.5), searched(97.0, 98.0)], {"98.0": [97.0, 98.0]})
    (first,) = results.first(2)
    assert [one.validation for one in first.leaders] == [97.0, 98.0]
    assert results.has("bayesian", 0, 3)
    assert not results.has("bayesian", 0, 4)
    assert not results.has("bayesian", 1, 3)
    # The first is too far behind to be measured.
    assert [one.key for one in results.unmeasured(3)] == ["98.5"]
    assert [results.quality(one) for one in first.leaders] == [97.0, 97.5]
