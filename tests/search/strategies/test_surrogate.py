"""The surrogate model of Bayesian optimization."""

from __future__ import annotations

import numpy as np
import pytest

from tinysearch.search.strategies.surrogate import fit


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(60, 4))


def test_it_predicts_a_smooth_function(points: np.ndarray) -> None:
    def function(x: np.ndarray) -> np.ndarray:
        return 5 + 3 * x[:, 0] - x[:, 1] ** 2

    mean, _ = fit(points[:50], function(points[:50]))(points[50:])
    assert np.corrcoef(mean, function(points[50:]))[0, 1] > 0.9


def test_it_is_less_sure_of_what_is_far_away(points: np.ndarray) -> None:
    _, spread = fit(points, points[:, 0])(np.stack([points[0], points[0] + 30.0]))
    assert spread[0] < spread[1]


def test_the_unit_of_results_makes_no_difference(points: np.ndarray) -> None:
    mean, spread = fit(points, points[:, 0])(points)
    other_mean, other_spread = fit(points, 7 + 100 * points[:, 0])(points)
    np.testing.assert_allclose(other_mean, 7 + 100 * mean)
    np.testing.assert_allclose(other_spread, 100 * spread)


def test_a_result_that_errs_less_counts_for_more(points: np.ndarray) -> None:
    results = np.append(points[:, 0], [4.0, 4.0])
    sure, unsure = np.full(62, 0.01), np.full(62, 0.01)
    unsure[60:] = 9.0
    there = np.append(points, points[:2] + 0.1, axis=0)
    believed, _ = fit(there, results, np.diag(sure))(there[60:])
    doubted, _ = fit(there, results, np.diag(unsure))(there[60:])
    assert (believed > doubted + 0.3).all()
    np.testing.assert_allclose(doubted, points[:2, 0] + 0.1, atol=0.5)


def test_what_errs_together_is_not_taken_for_a_difference_of_networks(points: np.ndarray) -> None:
    # The second half was measured on a fold that is harder by 2.
    folds = np.repeat([[1.0, 0.0], [0.0, 1.0]], 30, axis=0)
    results = points[:, 0] - 2 * folds[:, 1]
    own = np.diag(np.full(60, 0.01))
    known, _ = fit(points, results, own + 2 * folds @ folds.T)(points)
    ignored, _ = fit(points, results, own)(points)
    assert np.corrcoef(known, points[:, 0])[0, 1] > np.corrcoef(ignored, points[:, 0])[0, 1] + 0.02


def test_it_is_surer_near_what_is_pending_and_expects_the_same(points: np.ndarray) -> None:
    results, errors = points[:40, 0], np.diag(np.full(40, 0.05))
    before_mean, before = fit(points[:40], results, errors)(points[40:])
    mean, spread = fit(points[:40], results, errors, points[40:50])(points[40:])
    assert (spread[:10] < 0.95 * before[:10]).all()
    assert (spread[10:] <= before[10:] * 1.001).all()
    np.testing.assert_allclose(mean, before_mean)


@pytest.mark.parametrize("number", [1, 2, 30])
def test_equal_results_and_features_do_no_harm(number: int) -> None:
    mean, spread = fit(np.ones((number, 3)), np.full(number, 2.0))(np.ones((5, 3)))
    np.testing.assert_allclose(mean, 2.0)
    assert np.isfinite(spread).all()
