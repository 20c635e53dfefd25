from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import keras_tuner
import numpy as np
import pytest

from tinysearch.errors import SpaceError
from tinysearch.space.leaves import Choice, Integers, Leaf, Numbers, Size


def drawn(leaf: Leaf, times: int = 2_000) -> Counter[object]:
    rng = np.random.default_rng(0)
    return Counter(leaf.draw(rng) for _ in range(times))


def test_options_and_numbers_are_drawn_by_their_weights() -> None:
    assert drawn(Choice({"red": 3, "blue": 1}))["red"] / 2_000 == pytest.approx(0.75, abs=0.03)
    assert drawn(Numbers({32: 1, 8: 3}))[8] / 2_000 == pytest.approx(0.75, abs=0.03)


def test_a_range_is_drawn_uniformly_or_most_often_near_its_mode() -> None:
    uniform, peaked = drawn(Integers(8, 32, step=8)), drawn(Integers(8, 32, 24, step=8))
    assert set(uniform) == set(peaked) == {8, 16, 24, 32}
    assert min(uniform.values()) > 400
    assert peaked.most_common(1)[0][0] == 24
    assert min(peaked.values()) < 100


@pytest.mark.parametrize("leaf", [Integers(1, 5), Integers(1, 5, 2), Integers(4, 12, 8, step=4), Numbers({4: 1, 9: 1})])
def test_what_is_drawn_is_a_plain_number_and_legal(leaf: Size) -> None:
    numbers = set(drawn(leaf, 200))
    assert numbers == set(leaf.options)
    assert {type(number) for number in numbers} == {int}
    assert all(leaf.is_legal(number) for number in numbers)
    assert leaf.smallest(np.random.default_rng(0)) == min(numbers)


def test_a_range_ends_at_its_last_step() -> None:
    assert Integers(8, 31, step=8) == Integers(8, 24, step=8)
    assert Integers(8, 31, step=8).high == 24


@pytest.mark.parametrize(
    ("leaf", "expected"),
    [
        (Integers(1, 5), {-3.0: 1, 2.4: 2, 2.6: 3, 99.0: 5}),
        (Integers(8, 32, step=8), {0.0: 8, 11.0: 8, 13.0: 16, 31.0: 32, 1e9: 32}),
        (Integers(1, 9, step=4), {0.0: 1, 2.0: 1, 4.0: 5, 8.0: 9}),
        (Numbers({8: 1, 16: 1, 64: 1}), {0.0: 8, 12.0: 8, 13.0: 16, 41.0: 64, 99.0: 64}),
    ],
)
def test_the_nearest_number_is_always_legal(leaf: Size, expected: dict[float, int]) -> None:
    assert {number: leaf.nearest(number) for number in expected} == expected


def test_numbers_have_an_order_whatever_that_of_their_weights() -> None:
    assert Numbers({32: 1, 8: 3}) == Numbers({8: 3, 32: 1})
    assert Numbers({32: 1, 8: 3}).options == (8, 32)


@pytest.mark.parametrize(
    ("leaf", "words"),
    [
        (Integers(1, 32), "1 to 32"),
        (Integers(8, 30, step=8), "8 to 24 in steps of 8"),
        (Numbers({32: 1, 8: 1}), "8, 32"),
        (Choice({False: 1, True: 1}), "no, yes"),
        (Choice({0.0: 1, 0.5: 1}), "0.0, 0.5"),
        (Choice(dict.fromkeys(range(0, 65, 4), 1.0)), "0 to 64 in steps of 4"),
    ],
)
def test_leaves_are_described_in_words(leaf: Leaf, words: str) -> None:
    assert leaf.describe() == words


@pytest.mark.parametrize("value", [4.0, "4", True, None, np.int64(4), 5, 33])
@pytest.mark.parametrize("leaf", [Integers(4, 32, step=4), Numbers({4: 1, 8: 1}), Choice({4: 1, 8: 1})])
def test_what_is_not_an_option_of_the_same_type_is_not_legal(leaf: Leaf, value: object) -> None:
    assert leaf.is_legal(4)
    assert not leaf.is_legal(value)


@pytest.mark.parametrize("leaf", [Integers(8, 32, step=8), Numbers({8: 1, 12: 1, 64: 1}), Numbers({8: 1})])
def test_keras_tuner_draws_the_same_numbers(leaf: Size) -> None:
    hyperparameters = keras_tuner.HyperParameters()
    leaf.register(hyperparameters, "width")
    (declared,) = hyperparameters.space
    numbers = {declared.random_sample(seed) for seed in range(100)}
    assert numbers == set(leaf.options)
    assert all(leaf.is_legal(number) for number in numbers)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Choice({}), "at least one option"),
        (lambda: Choice({"a": 0}), "positive weight; got {'a': 0}"),
        (lambda: Choice({"a": 1, "b": -1}), "positive weight"),
        (lambda: Integers(3, 2), "got 3 to 2"),
        (lambda: Integers(-1, 2), "got -1 to 2"),
        (lambda: Integers(1, 2, 3), "got 3"),
        (lambda: Integers(1, 2, step=0), "at least 1, got 0"),
        (lambda: Numbers({}), "at least one option"),
        (lambda: Numbers({-1: 1}), "at least 0, got -1"),
        (lambda: Numbers({1: 0}), "positive weight"),
    ],
)
def test_a_bad_leaf_is_refused_by_value(make: Callable[[], object], named: str) -> None:
    with pytest.raises(SpaceError) as caught:
        make()
    assert named in str(caught.value)
