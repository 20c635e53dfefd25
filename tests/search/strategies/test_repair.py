"""Repairing what cannot be trained."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tinysearch.search.strategies.repair import repaired
from tinysearch.search.strategies.strategy import Problem
from tinysearch.space.architecture import Architecture, Conv, Head, Layer, Pool, Residual
from tinysearch.space.budget import Budget
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.recipe import Recipe


def small(*layers: Layer) -> Architecture:
    return Architecture(layers, Head("average"))


def test_what_is_within_the_budget_stays_as_it_is(problem: Callable[..., Problem]) -> None:
    network = small(Conv(4), Residual((Conv(4, repeat=2),)), Pool())
    assert repaired(network, problem()) == network


@pytest.mark.parametrize(
    ("broken", "fixed"),
    [
        (Residual((Conv(8),)), Conv(8)),
        (Conv(8, repeat=2), Conv(8)),
        (Residual((Conv(8, repeat=3),)), Conv(8)),
        (Residual((Conv(4, stride=2),)), Conv(4, stride=2)),
    ],
)
def test_what_does_not_fit_is_taken_away(broken: Layer, fixed: Layer, problem: Callable[..., Problem]) -> None:
    assert repaired(small(Conv(4), broken, Conv(6)), problem()) == small(Conv(4), fixed, Conv(6))


def test_a_window_larger_than_its_image_is_padded_or_left_out(problem: Callable[..., Problem]) -> None:
    shrunk = [layer for _ in range(4) for layer in (Conv(4), Pool())]
    assert repaired(small(*shrunk, Conv(4, padding="valid")), problem()) == small(*shrunk, Conv(4))
    assert repaired(small(*shrunk, Conv(4), Pool()), problem()) == small(*shrunk, Conv(4))


def test_widths_are_scaled_down_to_the_budget(problem: Callable[..., Problem]) -> None:
    tight = problem(2_000)
    found = repaired(small(Conv(32), Conv(32), Conv(32)), tight)
    assert found is not None
    assert tight.fits(found)
    assert [layer.kind for layer in found.layers] == ["conv"] * 3


def test_what_cannot_be_repaired_is_none(problem: Callable[..., Problem]) -> None:
    network = small(Conv(4), Conv(4))
    assert repaired(network, problem(30)) is None
    assert repaired(small(Pool(), Conv(4)), problem()) is None
    assert repaired(network, Problem(SearchSpace(), Budget(10_000, macs=10), Recipe())) is None
