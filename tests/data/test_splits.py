from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinysearch.data.loading import load
from tinysearch.data.splits import FOLDS, Split
from tinysearch.errors import DatasetError

KINDS: list[dict[str, Any]] = [
    {"kind": "last"},
    {"kind": "stratified"},
    {"kind": "groups"},
    {"kind": "given", "held": 9},
]


def some(count: int = 200, classes: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return labels, a third of which are 0, and groups of some five images each."""
    rng = np.random.default_rng(seed)
    labels = np.where(rng.random(count) < 1 / 3, 0, rng.integers(0, classes, count))
    return labels, rng.integers(0, count // 5, count)


@pytest.mark.parametrize("fields", KINDS, ids=lambda fields: str(fields["kind"]))
@pytest.mark.parametrize("fold", [0, 1, 9])
def test_every_split_divides_all_images_in_two_and_always_alike(fields: dict[str, Any], fold: int) -> None:
    labels, groups = some()
    split = Split(**fields)
    train, held = split.parts(fold, labels, groups)
    assert sorted([*train, *held]) == list(range(200))
    assert (np.diff(train) > 0).all()
    assert (np.diff(held) > 0).all()
    again = Split.from_dict(split.to_dict()).parts(fold, labels.copy(), groups.copy())
    assert np.array_equal(again[0], train)
    assert np.array_equal(again[1], held)


@pytest.mark.parametrize("fields", KINDS, ids=lambda fields: str(fields["kind"]))
def test_without_a_fold_all_images_are_trained_on(fields: dict[str, Any]) -> None:
    train, held = Split(**fields).parts(None, *some())
    assert (len(train), len(held)) == (200, 0)


def test_the_last_tenth_is_what_keras_would_take() -> None:
    train, held = Split().parts(0, np.zeros(60_000, int))
    assert (train[-1], held[0], held[-1]) == (53_999, 54_000, 59_999)
    assert Split().parts(1, np.zeros(60_000, int))[1][0] == 48_000


@pytest.mark.parametrize("count", [20, 37, 200, 1_003])
@pytest.mark.parametrize("seed", [0, 1])
def test_stratified_folds_have_each_class_and_all_images_alike(count: int, seed: int) -> None:
    labels, _ = some(count)
    folds = [Split("stratified", seed=seed).parts(fold, labels)[1] for fold in range(FOLDS)]
    assert sorted(np.concatenate(folds)) == list(range(count))
    assert max(map(len, folds)) - min(map(len, folds)) <= 1
    for one in np.unique(labels):
        counts = [int((labels[rows] == one).sum()) for rows in folds]
        assert max(counts) - min(counts) <= 1


def test_stratified_folds_are_as_even_as_those_of_scikit_learn() -> None:
    from sklearn.model_selection import StratifiedKFold

    labels, _ = some(500)
    theirs = [held for _, held in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(labels, labels)]
    ours = [Split("stratified").parts(fold, labels)[1] for fold in range(FOLDS)]
    for one in np.unique(labels):
        spread = [[int((labels[rows] == one).sum()) for rows in folds] for folds in (ours, theirs)]
        assert np.ptp(spread[0]) <= np.ptp(spread[1])


def test_the_seed_decides_which_images_are_in_which_fold() -> None:
    labels, groups = some()
    for kind in ("stratified", "groups"):
        first, second = (Split(kind, seed=seed).parts(0, labels, groups)[1] for seed in (0, 1))  # type: ignore[arg-type]
        assert not np.array_equal(first, second)


@pytest.mark.parametrize("seed", range(5))
def test_no_group_is_in_two_folds(seed: int) -> None:
    labels, groups = some(seed=seed)
    folds = [Split("groups", seed=seed).parts(fold, labels, groups)[1] for fold in range(FOLDS)]
    assert sorted(np.concatenate(folds)) == list(range(200))
    members = [set(groups[rows].tolist()) for rows in folds]
    assert sum(map(len, members)) == len(set(groups.tolist()))


def test_fewer_groups_than_folds_come_round_again() -> None:
    labels, _ = some()
    groups = np.repeat(["ann", "ben", "cem"], [80, 60, 60])
    held = [Split("groups").parts(fold, labels, groups)[1] for fold in range(FOLDS)]
    assert {groups[rows[0]] for rows in held} == {"ann", "ben", "cem"}
    assert np.array_equal(held[0], held[3])
    for rows in held:
        assert len(set(groups[rows])) == 1


@pytest.mark.parametrize(("people", "folds"), [(2, 2), (3, 3), (10, 10), (12, 10)])
def test_data_of_few_groups_has_as_many_folds(people: int, folds: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (120, 6, 5), np.uint8)
    data = load(((pixels, np.arange(120) % 3, np.arange(120) // 3 % people), None))
    assert data.split == Split("groups", folds=folds)
    # A run that was begun when there were always ten keeps them.
    assert data.as_in({"split": Split("groups").to_dict()}).split == Split("groups")
    assert data.as_in({}).split == data.split


def test_a_part_that_the_data_brought_is_held_out_whatever_the_fold() -> None:
    for fold in range(FOLDS):
        _, held = Split("given", held=30).parts(fold, np.zeros(100, int))
        assert held.tolist() == list(range(70, 100))


@pytest.mark.parametrize(
    ("fields", "fold", "named"),
    [
        ({"kind": "first"}, 0, "a split is one of last, stratified, groups, given"),
        ({"kind": "given"}, 0, "held of a split"),
        ({"seed": -1}, 0, "seed of a split"),
        ({"folds": 1}, 0, "folds of a split"),
        ({}, 10, "a number from 0 to 9"),
        ({"kind": "groups"}, 0, "needs the group of each"),
        ({"kind": "given", "held": 20}, 0, "nothing to train on"),
        ({"kind": "stratified", "folds": 30}, 29, "nothing to validate on"),
    ],
)
def test_what_cannot_be_split_is_refused(fields: dict[str, Any], fold: int, named: str) -> None:
    with pytest.raises(DatasetError) as caught:
        Split(**fields).parts(fold, np.zeros(20, int))
    assert named in str(caught.value)


def test_images_of_one_group_cannot_be_split_by_groups() -> None:
    with pytest.raises(DatasetError, match="all training images are of one group, 'ann'"):
        Split("groups").parts(0, np.arange(20) % 2, np.full(20, "ann"))


def test_a_split_of_a_later_version_is_refused() -> None:
    assert Split.from_dict({}) == Split("last")
    with pytest.raises(DatasetError, match="no field 'size'"):
        Split.from_dict({"size": 3})
