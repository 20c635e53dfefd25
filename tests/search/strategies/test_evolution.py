"""What evolution is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tinysearch.results.record import Record
from tinysearch.search.strategies.registry import strategy
from tinysearch.search.strategies.strategy import Problem, Strategy

History = Callable[[int], list[Record]]


def test_evolution_goes_on_from_the_best_of_the_recent(history: History, problem: Callable[..., Problem]) -> None:
    evolution = strategy("evolution", problem())
    past = history(60)
    best = max(past[-24:], key=lambda record: record.score)
    rng = np.random.default_rng(0)
    near_best = sum(is_near(evolution, past, rng, best) for _ in range(40))
    assert near_best >= 5


def test_evolution_forgets_what_is_old(history: History, problem: Callable[..., Problem]) -> None:
    past = history(60)
    star = replace(past[0], measurement=replace(past[0].measurement, curve=past[-1].measurement.curve))
    evolution = strategy("evolution", problem())
    with_star = [evolution.propose([star, *past[1:]], np.random.default_rng(seed)) for seed in range(10)]
    without = [evolution.propose(past, np.random.default_rng(seed)) for seed in range(10)]
    assert with_star == without


def is_near(evolution: Strategy, past: list[Record], rng: np.random.Generator, best: Record) -> bool:
    """Whether a proposal shares at least half of the choices of the best record."""
    space = evolution.problem.space
    proposal = space.encode(evolution.propose(past, rng).architecture)
    parent = space.encode(best.architecture)
    return sum(proposal.get(name) == value for name, value in parent.items()) >= 0.5 * len(parent)
