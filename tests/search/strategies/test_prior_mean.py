"""What a model knows before a run has results."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import numpy as np
import pytest

from tinysearch.results.record import Record
from tinysearch.search.strategies.bayesian import Bayesian
from tinysearch.search.strategies.features import FEATURES, features
from tinysearch.search.strategies.prior_mean import ENOUGH, FILE, SLOPE, prior_mean, slope
from tinysearch.search.strategies.strategy import Problem
from tinysearch.space.architecture import Architecture, Conv, Head, Pool, SeparableConv
from tinysearch.space.cost import cost
from tinysearch.space.network_choices import network_choices
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.task import Task

EXPECTED = np.linspace(-1.0, 1.0, 30)
SURE = 1e-4 * np.eye(30)


def plain(*widths: int) -> Architecture:
    """Return a plain network: a convolution, separable ones, and a pooling after the second."""
    first, second, *rest = widths
    layers = [Conv(first, norm="before", bias=False), SeparableConv(second, norm="before", bias=False), Pool()]
    layers += [SeparableConv(width, norm="before", bias=False) for width in rest]
    return Architecture(tuple(layers), Head("average"))


def expected(network: Architecture) -> float:
    return float(prior_mean()(np.array([features(network, cost(network, Task()))]))[0])


def test_it_knows_each_feature() -> None:
    assert tuple(json.loads(FILE.read_text(encoding="utf-8"))["features"]) == FEATURES


def test_it_thinks_more_of_what_has_been_good() -> None:
    first, second, pool, *rest = plain(5, 8, 10, 10, 10).layers
    late = Architecture((first, second, *rest, pool), Head("average"))
    assert expected(plain(5, 8, 10, 10, 10)) > expected(late) + 0.05
    assert expected(plain(10, 20, 20, 20, 20)) > expected(plain(5, 8, 10, 10, 10)) + 0.2


def test_what_it_has_never_seen_says_no_more_than_the_most_it_has() -> None:
    row = np.array([features(plain(5, 8, 10), cost(plain(5, 8, 10), Task()))])
    large, huge = row.copy(), row.copy()
    large[0, 1], huge[0, 1] = 25.0, 40.0
    assert prior_mean()(large) == prior_mean()(huge)
    assert np.isfinite(prior_mean()(huge)).all()


def test_features_of_the_recipe_are_not_looked_at() -> None:
    row = features(plain(5, 8, 10), cost(plain(5, 8, 10), Task()))
    assert prior_mean()(np.array([[*row, 3.0, 5.0]])) == prior_mean()(np.array([row]))


def test_results_that_do_not_follow_it_are_not_made_to() -> None:
    half = ENOUGH / (ENOUGH + 30)
    assert slope(EXPECTED, EXPECTED, SURE) == pytest.approx(half, rel=0.02)
    assert slope(EXPECTED, 0 * EXPECTED, SURE) < 0.02
    assert slope(EXPECTED, -EXPECTED, SURE) == 0.0


def test_few_results_or_unsure_ones_change_little() -> None:
    few = slice(0, 2)
    assert slope(EXPECTED[few], 0 * EXPECTED[few], SURE[few, few]) > 0.6 * SLOPE
    assert slope(EXPECTED, 0 * EXPECTED, 1e6 * SURE) > 0.3 * SLOPE


def test_a_search_begins_with_what_it_thinks_most_of(problem: Callable[..., Problem]) -> None:
    def mean(choice: int) -> float:
        # Plain networks are much alike; there are none in a space that pads all layers.
        space = SearchSpace(tree=network_choices(paddings={"same": 1.0}))
        strategy = Bayesian(problem(space=space), choice=choice)
        found = [strategy.propose((), np.random.default_rng(seed)).architecture for seed in range(12)]
        return math.fsum(map(expected, found)) / len(found)

    assert mean(8) > mean(0) + 0.1


def test_the_model_ranks_by_it_before_results_say_otherwise(
    problem: Callable[..., Problem], as_record: Callable[..., Record]
) -> None:
    networks = [plain(5, 8, 10), plain(4, 6, 6, 6), plain(8, 12)]
    space, rng = problem().space, np.random.default_rng(0)
    others = [space.scaled_below(space.sample(rng), 3_000) for _ in range(3)]
    past = [as_record(network, 0.95, trial) for trial, network in enumerate([*networks, *others])]
    told, blank = (Bayesian(problem(), choice=choice).expected(past) for choice in (8, 0))
    keys = [record.key for record in past]
    order = sorted(keys, key=told.__getitem__)
    assert order == sorted(keys, key=lambda key: expected(past[keys.index(key)].architecture))
    assert max(blank.values()) - min(blank.values()) < 0.1 * (max(told.values()) - min(told.values()))


def test_scores_that_are_no_shares_have_no_error_rate_that_it_could_know(
    problem: Callable[..., Problem], as_record: Callable[..., Record]
) -> None:
    space, rng = problem().space, np.random.default_rng(1)
    past = [as_record(space.sample(rng), 5.0 + trial, trial) for trial in range(6)]
    told, blank = (Bayesian(problem(), choice=choice).expected(past) for choice in (8, 0))
    assert told == blank
