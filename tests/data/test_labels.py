from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinysearch.data.labels import classes_of
from tinysearch.errors import DatasetError


def numbers(labels: Any, given: Any = None) -> tuple[list[int], tuple[str, ...], str]:
    array = np.asarray(labels)
    classes = classes_of(array, "train images", given)
    return classes.numbers(array, "train images", given).tolist(), classes.names, classes.kind


@pytest.mark.parametrize(
    ("labels", "encoded", "names"),
    [
        ([0, 1, 2, 0, 1, 2], [0, 1, 2, 0, 1, 2], ("0", "1", "2")),
        (np.array([0, 1, 2, 0, 1, 2], np.uint8), [0, 1, 2, 0, 1, 2], ("0", "1", "2")),
        ([[0], [1], [0], [1]], [0, 1, 0, 1], ("0", "1")),
        ([7, -1, 7, -1, 10_000, 10_000], [1, 0, 1, 0, 2, 2], ("-1", "7", "10000")),
        ([1.0, 2.0, 1.0, 2.0], [0, 1, 0, 1], ("1", "2")),
        ([True, False, True, False], [1, 0, 1, 0], ("false", "true")),
        (["dog", "cat", "dog", "cat"], [1, 0, 1, 0], ("cat", "dog")),
        (["10", "9", "10", "9"], [1, 0, 1, 0], ("9", "10")),
        ([" dog", "dog", "cat", "cat"], [1, 1, 0, 0], ("cat", "dog")),
        (np.array([b"b", b"a", b"b", b"a"]), [1, 0, 1, 0], ("a", "b")),
        (np.array(["b", "a", "b", "a"], object), [1, 0, 1, 0], ("a", "b")),
        (np.array([b"b", b"a", b"b", b"a"], object), [1, 0, 1, 0], ("a", "b")),
        (np.array([3, 1, 3, 1], object), [1, 0, 1, 0], ("1", "3")),
        (np.eye(3)[[2, 0, 1, 2, 0, 1]], [2, 0, 1, 2, 0, 1], ("0", "1", "2")),
        (np.eye(3, dtype=bool)[[2, 0, 2, 0]], [1, 0, 1, 0], ("0", "2")),
        (np.eye(2)[[1, 0, 1, 0]], [1, 0, 1, 0], ("0", "1")),
    ],
)
def test_labels_of_every_kind_become_numbers_from_0_and_keep_their_names(
    labels: Any, encoded: list[int], names: tuple[str, ...]
) -> None:
    found = numbers(labels)
    assert (found[0], found[1]) == (encoded, names)


def test_names_that_the_data_has_for_its_numbers_are_the_names_of_the_classes() -> None:
    assert numbers([1, 0, 1, 0], ("cat", "dog"))[1] == ("cat", "dog")
    for labels in ([1, 2, 1, 2], [-1, 0, -1, 0]):
        with pytest.raises(DatasetError, match=r"2 names of classes \('cat', 'dog'\), for the labels 0 to 1"):
            numbers(labels, ("cat", "dog"))


def test_the_kind_of_labels_is_said() -> None:
    kinds = [
        numbers(labels)[2]
        for labels in ([0, 0, 1, 1], [0.0, 0.0, 1.0, 1.0], ["a", "a", "b", "b"], np.eye(2)[[0, 0, 1, 1]])
    ]
    assert kinds == ["whole numbers", "whole numbers as floats", "texts", "one-hot rows of 2"]


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        ([0.5, 1.0, 0.5, 1.0], "have fractions, such as 0.5"),
        ([np.nan, 1.0, 0.0, 1.0], "1 labels of the train images are not numbers, the first is number 0"),
        ([1e300, 1e300, 0.0, 0.0], "too large to be exact"),
        ([[0.9, 0.1], [0.1, 0.9]], "row 0 is not one-hot"),
        ([[1, 1], [0, 1]], "row 0 is not one-hot"),
        ([["a", "b"], ["b", "a"]], "type <U1"),
        (np.zeros((4, 2, 2)), "have shape (4, 2, 2)"),
        (["a", "", "b", "b"], "1 of the train images have an empty label, the first is number 1"),
        (np.array(["a", None, "a", None], object), "number 1 is None"),
        (np.array([b"\xff", b"a"]), "not UTF-8 text"),
        ([1, 1, 1, 1], "the same label, '1'"),
        (np.arange(3_000) % 1_001, "1,001 different labels"),
        ([0, 1, 2, 3, 4], "5 different labels"),
    ],
)
def test_labels_that_are_no_classes_are_refused(labels: Any, named: str) -> None:
    with pytest.raises(DatasetError) as caught:
        numbers(labels)
    assert named in str(caught.value)


def test_labels_of_another_part_are_matched_by_their_names_whatever_their_kind() -> None:
    classes = classes_of(np.array(["3", "5", "3", "5"]), "train images")
    assert classes.numbers(np.array([5, 3]), "test images").tolist() == [1, 0]
    with pytest.raises(DatasetError, match=r"the label '4' \(first at number 1\), which no training image has"):
        classes.numbers(np.array([5, 4]), "test images")
