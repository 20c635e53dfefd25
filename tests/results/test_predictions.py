from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from tinysearch.results.predictions import Predictions, compare, pack, unpack


@given(st.lists(st.integers(0, 999)))
def test_classes_survive_packing(classes: list[int]) -> None:
    assert unpack(pack(np.array(classes, int))).tolist() == classes


def predictions(right: str) -> Predictions:
    """Make predictions of a text that says of each image whether it was classified correctly."""
    labels = np.arange(len(right)) % 10
    wrong = np.array([letter == "-" for letter in right])
    return Predictions.of(labels, (labels + wrong) % 10)


def test_a_pair_is_judged_by_the_images_on_which_the_two_disagree() -> None:
    found = compare({0: predictions("+++++++++-+-")}, {0: predictions("--------+++-")})
    assert found.difference == pytest.approx((10 - 3) / 12)
    # Eight wins, one loss: P(X <= 1 or X >= 8) of nine fair coins.
    assert found.p_values == (pytest.approx(2 * (1 + 9) / 2**9),)
    assert found.standard_error is None
    assert found.verdict == "unclear"


def test_several_seeds_that_agree_make_it_clear() -> None:
    good, bad = "+" * 58 + "--", "+" * 48 + "-" * 12
    other_good, other_bad = "+" * 59 + "-", "+" * 47 + "-" * 13
    found = compare(
        {0: predictions(good), 1: predictions(other_good)}, {0: predictions(bad), 1: predictions(other_bad)}
    )
    back = compare({0: predictions(bad), 1: predictions(other_bad)}, {0: predictions(good), 1: predictions(other_good)})
    assert (found.verdict, back.verdict) == ("better", "worse")


def test_equal_answers_leave_it_unclear() -> None:
    found = compare({0: predictions("++-")}, {0: predictions("++-")})
    assert (found.p_values, found.difference, found.verdict) == ((1.0,), 0.0, "unclear")


def test_pairs_are_of_the_seeds_that_both_have_and_means_of_all() -> None:
    found = compare(
        {0: predictions("++"), 1: predictions("+-"), 5: predictions("--")}, {1: predictions("++"), 0: predictions("--")}
    )
    assert found.accuracies == (1.0, 0.5, 0.0)
    assert found.others == (0.0, 1.0)
    assert len(found.p_values) == 2
    assert found.difference == 0.0
    apart = compare({0: predictions("+")}, {1: predictions("-")})
    assert (apart.p_values, apart.difference, apart.verdict) == ((), 1.0, "unclear")


def test_the_test_of_the_means_is_that_of_welch() -> None:
    good, bad = {0: 0.9950, 1: 0.9946, 2: 0.9949, 3: 0.9951, 4: 0.9947}, {0: 0.9941, 7: 0.9930, 8: 0.9946}
    expected = ttest_ind(list(good.values()), list(bad.values()), equal_var=False)
    found = compare(good, bad)
    assert found.difference / (found.standard_error or 1.0) == pytest.approx(expected.statistic)
    assert (found.verdict == "better") == (expected.pvalue < 0.05)
    better = compare(good, {seed: accuracy - 0.002 for seed, accuracy in bad.items()})
    assert better.verdict == "better"


def test_networks_that_never_vary_differ_or_are_equal() -> None:
    assert compare({0: 0.9, 1: 0.9}, {0: 0.8, 1: 0.8}).verdict == "better"
    assert compare({0: 0.9, 1: 0.9}, {0: 0.9, 1: 0.9}).verdict == "unclear"


def test_a_difference_within_the_spread_over_seeds_is_unclear_whatever_a_pair_says() -> None:
    much, little = "+" * 60, "+" * 50 + "-" * 10
    found = compare({0: predictions(much), 1: predictions(little)}, {0: predictions(little), 1: predictions(much)})
    assert all(p < 0.05 for p in found.p_values)
    assert found.verdict == "unclear"


def test_where_only_accuracies_are_known_the_spread_over_seeds_decides() -> None:
    good, bad = {0: 0.991, 1: 0.992, 2: 0.990}, {0: 0.981, 1: 0.983, 2: 0.982}
    found = compare(good, bad)
    assert (found.p_values, found.median_p, found.verdict) == ((), None, "better")
    close = compare(good, {0: 0.990, 1: 0.993, 2: 0.989})
    assert close.verdict == "unclear"
    mixed = compare({0: predictions("++"), 1: 1.0}, {0: predictions("--"), 1: 0.0})
    assert (mixed.p_values, mixed.accuracies, mixed.others) == ((), (1.0, 1.0), (0.0, 0.0))
