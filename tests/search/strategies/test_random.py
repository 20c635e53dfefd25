"""What random search is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tinysearch.search.strategies.random import RandomSearch
from tinysearch.search.strategies.registry import strategy
from tinysearch.search.strategies.strategy import Problem
from tinysearch.space.architecture import Architecture, Conv, Pool, SeparableConv
from tinysearch.space.budget import Budget
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.space_spec import tree_of
from tinysearch.space.task import Task
from tinysearch.training.recipe import Recipe


@pytest.mark.parametrize("budget", [600, 10_000])
def test_random_search_spreads_over_the_whole_budget(budget: int, problem: Callable[..., Problem]) -> None:
    random = strategy("random", problem(budget))
    rng = np.random.default_rng(0)
    space = random.problem.space
    shares = [costs.params / budget for _ in range(100) if (costs := space.cost(random.propose([], rng).architecture))]
    fifths, _ = np.histogram(shares, bins=5, range=(0, 1))
    assert len(shares) == 100
    assert fifths.min() >= 10


def test_slices_that_no_network_reaches_are_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = tree_of({"format": 2, "depth": "3..6", "filters": "16..64", "kinds": ["conv"]}, 5_020, Task())
    space = SearchSpace(Task(), tree)
    random = RandomSearch(Problem(space, Budget(space.smallest().params + 100), Recipe()))
    random.propose([], np.random.default_rng(0))
    asked = []
    real = space.sample_between
    monkeypatch.setattr(space, "sample_between", lambda *given: asked.append(given[:2]) or real(*given))
    for seed in range(3):
        random.propose([], np.random.default_rng(seed))
    assert all(high > space.smallest().params for _, high in asked)


def test_random_search_keeps_other_bounds_of_the_budget_too() -> None:
    tight = Problem(SearchSpace(), Budget(10_000, macs=200_000, peak_activation_bytes=5_000), Recipe())
    random = strategy("random", tight)
    rng = np.random.default_rng(0)
    assert all(tight.fits(random.propose([], rng).architecture) for _ in range(10))


LAYERS = {kind(1, kernel=(3, 3), padding="valid", norm="before", bias=False) for kind in (Conv, SeparableConv)}


def is_plain(architecture: Architecture) -> bool:
    layers = list(architecture.layers)
    # The last ones are padded where images have become too small.
    for place, one in list(enumerate(layers))[-2:]:
        if isinstance(one, (Conv, SeparableConv)):
            layers[place] = replace(one, padding="valid")
    return all(
        isinstance(one, Pool) or (isinstance(one, (Conv, SeparableConv)) and replace(one, filters=1) in LAYERS)
        for one in layers
    )


@pytest.mark.parametrize(("name", "least", "most"), [("bayesian", 34, 40), ("pareto", 34, 40), ("evolution", 12, 28)])
def test_what_other_strategies_begin_with_is_plain_or_about_half_of_it(
    name: str, least: int, most: int, problem: Callable[..., Problem]
) -> None:
    given, rng = strategy(name, problem(10_000)), np.random.default_rng(0)
    assert least <= sum(is_plain(given.propose((), rng).architecture) for _ in range(40)) <= most


def test_its_own_draws_are_hardly_ever_plain(problem: Callable[..., Problem]) -> None:
    given, rng = RandomSearch(problem(10_000)), np.random.default_rng(0)
    assert sum(is_plain(given.propose((), rng).architecture) for _ in range(40)) < 10
