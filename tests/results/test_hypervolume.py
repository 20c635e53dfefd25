from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysearch.errors import InputError
from tinysearch.results.hypervolume import BEYOND, LEAST_ERROR, hypervolume, of_networks

SIDE = 9
points = st.lists(st.tuples(st.integers(0, SIDE + 2), st.integers(0, SIDE + 2)), max_size=12)


@given(points)
def test_it_is_the_number_of_unit_squares_that_a_point_dominates(given: list[tuple[int, int]]) -> None:
    squares = ((x, y) for x in range(SIDE) for y in range(SIDE))
    dominated = sum(any(a <= x and b <= y for a, b in given) for x, y in squares)
    assert hypervolume(given, (SIDE, SIDE)) == dominated


@given(points, st.tuples(st.integers(0, SIDE), st.integers(0, SIDE)))
def test_a_further_point_takes_nothing_away_and_a_dominated_one_adds_nothing(
    given: list[tuple[int, int]], one: tuple[int, int]
) -> None:
    before, after = hypervolume(given, (SIDE, SIDE)), hypervolume([*given, one], (SIDE, SIDE))
    assert after >= before
    if any(a <= one[0] and b <= one[1] for a, b in given):
        assert after == before


@pytest.mark.parametrize("bad", [(math.nan, 1.0), (1.0, math.inf)])
def test_costs_that_are_not_finite_are_refused(bad: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="finite"):
        hypervolume([bad], (2.0, 2.0))
    with pytest.raises(InputError, match="finite"):
        hypervolume([], bad)


def test_of_networks_it_is_the_area_below_the_steps_of_error_rates() -> None:
    # From 1,000 to 2,000 parameters an error rate of 10 %, from there to 20,000 one of 1 %.
    found = of_networks([(1_000, 0.9), (2_000, 0.99), (5_000, 0.98)], [10_000, 1_000])
    assert found == pytest.approx(math.log10(2) * 1 + math.log10(10) * 2)


def test_tiny_networks_and_lucky_ones_count_as_the_least_that_counts() -> None:
    assert of_networks([(10, 0.9)], [1_000]) == of_networks([(1_000, 0.9)], [1_000])
    assert of_networks([(1_000, 1.0)], [1_000]) == pytest.approx(-math.log10(LEAST_ERROR) * math.log10(BEYOND))
    assert of_networks([], [1_000]) == 0
