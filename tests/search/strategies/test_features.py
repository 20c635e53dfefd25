"""Architectures as numbers."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tinysearch.baselines.models import architectures
from tinysearch.search.strategies.features import FEATURES, features
from tinysearch.space.architecture import Architecture, Conv, Dropout, Head, Inception, Pool, Residual, SeparableConv
from tinysearch.space.canonical import canonical
from tinysearch.space.cost import cost
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.task import Task


def described(*layers: object, head: Head | None = None) -> dict[str, float]:
    architecture = Architecture(layers, head or Head())  # type: ignore[arg-type]
    return dict(zip(FEATURES, features(architecture, cost(architecture, Task())), strict=True))


def test_there_is_one_finite_number_for_each_name() -> None:
    space = SearchSpace()
    rng = np.random.default_rng(0)
    networks = [*architectures().values(), *(space.sample(rng) for _ in range(100))]
    described = np.array([features(network, cost(network, space.task)) for network in networks])
    assert described.shape == (103, len(FEATURES))
    assert np.isfinite(described).all()
    assert len(set(FEATURES)) == len(FEATURES)


def test_equal_networks_have_equal_features() -> None:
    space = SearchSpace()
    rng = np.random.default_rng(1)
    for _ in range(50):
        network = space.sample(rng)
        same = canonical(network)
        assert features(network, cost(network, space.task)) == features(same, cost(same, space.task))
    written_twice = described(Conv(4, kernel=1, padding="valid"), Dropout(0.0)), described(Conv(4, kernel=1))
    assert written_twice[0] == written_twice[1]


def test_every_feature_tells_some_networks_apart() -> None:
    space = SearchSpace()
    rng = np.random.default_rng(2)
    networks = [space.sample(rng) for _ in range(300)]
    # Few random networks have a shortcut: it needs padding, and as many channels after a layer as before.
    networks.append(Architecture((Conv(4), Residual((Conv(4),))), Head()))
    rows = [features(network, cost(network, space.task)) for network in networks]
    spread = np.std(rows, axis=0)
    assert [name for name, value in zip(FEATURES, spread, strict=True) if value == 0] == []


def test_the_receptive_field_grows_with_kernels_and_steps() -> None:
    assert described(Conv(4, kernel=3), Conv(4, kernel=3))["field"] == pytest.approx(math.log(5))
    assert described(Conv(4, kernel=3), Pool(), Conv(4, kernel=3))["field"] == pytest.approx(math.log(8))
    assert described(Conv(4, kernel=3), Conv(4, kernel=3, repeat=3))["field"] == pytest.approx(math.log(9))


def test_places_of_shrinking_count_the_convolutions_before() -> None:
    found = described(Conv(4), Conv(4), Pool(), Conv(4, stride=2), Conv(4))
    assert (found["first_shrinking"], found["second_shrinking"], found["depth"]) == (2, 2, 4)
    assert found["shrinking"] == pytest.approx(math.log(4))


def test_branches_are_side_by_side_and_bodies_in_line() -> None:
    branches = ((Conv(3), Conv(4)), (Conv(5, kernel=5),))
    found = described(Inception(branches), Residual((Conv(9),)))
    assert found["depth"] == 3
    assert found["first_width"] == pytest.approx(math.log(9))
    assert found["field"] == pytest.approx(math.log(7))
    assert (found["inception"], found["shortcuts"]) == (1, 1)


def test_options_are_shares_of_the_convolutions() -> None:
    plain = Conv(4, norm="none", bias=True)
    found = described(plain, SeparableConv(4, bias=False), replace(plain, kernel=1), replace(plain, norm="before"))
    assert (found["separable"], found["pointwise"], found["norm_before"], found["bias"]) == (0.25, 0.25, 0.25, 0.75)
