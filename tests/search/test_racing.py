from __future__ import annotations

import numpy as np
import pytest

from tinysearch.search.racing import Belief, believe, decide, error_of

SEARCHED = np.linspace(0.98, 0.995, 20)[::-1]


def test_the_error_is_that_of_the_luck_of_seeds_and_images() -> None:
    # Seeds of networks of 99.4 % differ by 0.06 points, see the docs; fewer images add to it.
    assert error_of(0.994, 10**9) == pytest.approx(0.00054, rel=0.01)
    assert error_of(0.994, 600) > 2 * error_of(0.994, 60_000)
    assert error_of(0.98, 6_000) > error_of(0.99, 6_000)
    assert error_of(1.0, 180) > 0


def test_the_gain_is_that_of_draws() -> None:
    belief = Belief(np.array([0.0, -0.1, -0.5]), spread=0.6, folds=2, error=0.4)
    deviation = belief.deviation
    assert deviation == pytest.approx((1 / 0.6**2 + 2 / 0.4**2) ** -0.5)
    rise = np.sqrt(deviation**2 - 1 / (1 / deviation**2 + 2 / 0.4**2))
    drawn = belief.means + rise * np.random.default_rng(0).normal(size=(200_000, 3))
    assert belief.gain([0, 1, 2], 2) == pytest.approx(drawn.max(axis=1).mean(), abs=0.003)
    assert belief.gain([0], 2) == pytest.approx(0, abs=1e-4)
    assert belief.gain([0, 1], 1) < belief.gain([0, 1], 2) < belief.gain([0, 1, 2], 2)


def test_chances_are_those_of_draws() -> None:
    belief = Belief(np.array([0.2, 0.1]), spread=0.6, folds=2, error=0.4)
    drawn = belief.means + belief.deviation * np.random.default_rng(0).normal(size=(200_000, 2))
    assert belief.chances[1] == pytest.approx((drawn[:, 1] > drawn[:, 0]).mean(), abs=0.005)
    assert belief.chances[0] == pytest.approx(0.5)


def test_a_fold_that_is_harder_for_all_changes_nothing() -> None:
    values = np.array([[0.995, 0.993], [0.994, 0.994]])
    harder = values - np.array([0, 0.01])
    one, other = believe(values, 0.001, SEARCHED), believe(harder, 0.001, SEARCHED)
    assert np.diff(one.means) == pytest.approx(np.diff(other.means))
    assert (one.deviation, one.error) == pytest.approx((other.deviation, other.error))


def test_more_folds_make_more_certain_and_draw_together_less() -> None:
    pair = np.array([[0.995], [0.994]])
    once, thrice = believe(pair, 0.001, SEARCHED), believe(np.repeat(pair, 3, axis=1), 0.001, SEARCHED)
    assert thrice.deviation < once.deviation
    assert 0 < once.means[0] - once.means[1] < thrice.means[0] - thrice.means[1] < 0.001


def test_luck_with_images_that_all_trainings_share_does_not_go_away() -> None:
    rng = np.random.default_rng(0)
    spread, shared, error, folds = 1.0, 0.6, 0.5, 4
    quality = rng.normal(0, spread, 4_000)
    luck = rng.normal(0, shared, 4_000)
    values = (quality + luck)[:, None] + rng.normal(0, error, (4_000, folds))
    # What a search sees has the luck of one training.
    belief = believe(values, error, values[:, 0], shared)
    assert belief.spread == pytest.approx(spread, rel=0.05)
    assert belief.error == pytest.approx(error, rel=0.05)
    assert np.std(quality - belief.means) == pytest.approx(belief.deviation, rel=0.05)
    unaware = believe(values, error, values[:, 0])
    assert np.std(quality - unaware.means) > 1.5 * unaware.deviation
    assert belief.gain([0, 1], 2) < 0.7 * Belief(belief.means, spread, folds, error).gain([0, 1], 2)


def test_folds_that_disagree_raise_the_error() -> None:
    agreeing = np.array([[0.995, 0.995, 0.995], [0.994, 0.994, 0.994]])
    torn = np.array([[0.995, 0.985, 0.995], [0.994, 0.999, 0.994]])
    assert believe(agreeing, 0.001, SEARCHED).error < 0.001 < believe(torn, 0.001, SEARCHED).error


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_a_race_does_not_depend_on_the_unit(scale: float) -> None:
    values = SEARCHED[:, None]
    one = decide(values, 0.001, SEARCHED, worth=1e-5, rounds=3, room=10)
    other = decide(scale * values, scale * 0.001, scale * SEARCHED, worth=scale * 1e-5, rounds=3, room=10)
    assert (one.chosen, one.why, one.able) == (other.chosen, other.why, other.able)
    assert other.gain == pytest.approx(scale * one.gain)


def test_what_is_chosen_are_the_first_and_as_many_as_there_is_room_for() -> None:
    values = np.full((30, 1), 0.99)
    for rounds in range(1, 10):
        for room in (2, 3, 10, 500):
            verdict = decide(values, 0.001, values[:, 0], worth=0.0, rounds=rounds, room=room)
            assert verdict.chosen == tuple(range(len(verdict.chosen)))
            assert 2 <= len(verdict.chosen) <= room
    assert decide(values, 0.001, values[:, 0], worth=0.0, rounds=3, room=1).why == "spent"
    assert decide(values[:1], 0.001, values[:, 0], worth=0.0, rounds=3, room=9).why == "alone"
