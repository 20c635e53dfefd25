from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinysearch.api.inputs import load_data
from tinysearch.data.checks import check, checked
from tinysearch.data.loading import load
from tinysearch.errors import DatasetError

Part = tuple[Any, Any]


def part(count: int, seed: int, classes: int = 3, shape: tuple[int, ...] = (6, 5)) -> Part:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, *shape), np.uint8), np.arange(count) % classes


TRAIN, TEST = part(60, 0), part(30, 1)


def found(train: Part = TRAIN, test: Part | None = TEST, validation: Part | None = None) -> dict[str, tuple[str, str]]:
    """Return severity and text of all findings by kind."""
    return {one.kind: (one.severity, one.text) for one in check(load((train, validation, test))).found}


def test_there_is_nothing_to_find_in_good_data() -> None:
    assert found() == {}
    assert found(test=None) == {}
    assert found(validation=part(30, 2)) == {}
    assert checked(load((TRAIN, TEST))).warnings == ()


@pytest.mark.parametrize("test", [TEST, None])
def test_a_dataset_that_was_checked_is_not_checked_again(test: Part | None) -> None:
    once = load_data((TRAIN, None, test))
    assert once.test_images == (0 if test is None else 30)
    assert load_data(once) is once


@pytest.mark.parametrize(
    ("test", "named"),
    [
        ((TEST[0][:, :5], TEST[1]), "have shape (5, 5, 1), the training images (6, 5, 1)"),
        ((TEST[0], TEST[1] + 1), "have the label '3'"),
        ((TEST[0], np.array(["a"] * 30)), "have the label 'a'"),
        ((TEST[0] * np.nan, TEST[1]), "NaN or infinite"),
        ((TEST[0], TEST[1][:-1]), "labels of shape (29,)"),
    ],
)
def test_a_test_part_that_cannot_be_used_is_an_error_before_any_training(test: Part, named: str) -> None:
    severity, text = found(test=test)["test part"]
    assert severity == "error"
    assert named in text
    with pytest.raises(DatasetError) as caught:
        checked(load((TRAIN, test)))
    assert named in str(caught.value)


def test_parts_of_different_scales_are_an_error() -> None:
    severity, text = found(test=(TEST[0] / 255, TEST[1]))["range"]
    assert severity == "error"
    assert "training images go from 0 to 255, test images from 0 to 1" in text
    assert found(validation=(TEST[0] / 255, TEST[1]))["range"][0] == "error"


def test_parts_that_are_spread_differently_are_a_warning() -> None:
    assert found(test=(TEST[0] // 6, TEST[1]))["range"][0] == "warning"
    assert found(test=(np.float32(500) + TEST[0], TEST[1]))["range"][0] == "warning"


@pytest.mark.parametrize(("shared", "severity"), [(1, "warning"), (14, "warning"), (15, "error"), (30, "error")])
def test_images_in_two_parts_are_counted_and_named(shared: int, severity: str) -> None:
    pixels = TEST[0].copy()
    pixels[:shared] = TRAIN[0][:shared]
    got, text = found(test=(pixels, TEST[1]))["overlap"]
    assert got == severity
    assert f"{shared} test image" in text
    assert f"{100 * shared / 30:.1f} %" in text


@pytest.mark.parametrize(("shared", "severity"), [(14, "warning"), (30, "error")])
def test_test_images_in_the_validation_part_are_found_too(shared: int, severity: str) -> None:
    pixels, labels = part(30, 2)
    pixels[:shared] = TEST[0][:shared]
    got, text = found(validation=(pixels, labels))["overlap"]
    assert got == severity
    assert f"{shared} test images are among the validation images too, {100 * shared / 30:.1f} % of them" in text
    assert "(test number 0 is 0, 1 is 1, 2 is 2, ...)" in text


def test_the_same_image_is_found_whatever_its_type() -> None:
    pixels = TEST[0].astype(np.float32)
    pixels[3] = TRAIN[0][7]
    assert "1 test image is among" in found(test=(pixels, TEST[1]))["overlap"][1]


def test_examples_of_an_overlap_are_numbers_of_equal_images() -> None:
    from tinysearch.data.comparison import copies

    pixels = TEST[0].copy()
    pixels[[3, 9]] = TRAIN[0][[40, 7]]
    data = load((TRAIN, (pixels, TEST[1])))
    shared = copies(data.train).shared_with(copies(data.test()))
    assert [there for _, there in shared.examples] == [3, 9]
    for here, there in shared.examples:
        assert np.array_equal(data.train.pixels[here], data.test().pixels[there])


def test_images_are_named_by_their_numbers_in_the_source() -> None:
    pixels = TEST[0].copy()
    pixels[[3, 9]] = TRAIN[0][[40, 7]]
    assert "(test number 3 is 40, 9 is 7)" in found(test=(pixels, TEST[1]))["overlap"][1]
    again = TRAIN[0].copy()
    again[59] = again[11]
    text = found((again, TRAIN[1]))["duplicates"][1]
    assert "59 and 11" in text or "11 and 59" in text


def test_images_that_are_there_twice_are_counted() -> None:
    pixels = TRAIN[0].copy()
    pixels[[3, 6, 9]] = pixels[0]
    severity, text = found((pixels, TRAIN[1]))["duplicates"]
    assert (severity, "3 training images occur more than once" in text) == ("warning", True)
    assert "labels" not in found((pixels, TRAIN[1]))


def test_one_image_under_two_labels_is_named() -> None:
    pixels = TRAIN[0].copy()
    pixels[1] = pixels[0]
    severity, text = found(
        (pixels, np.array(["cat", "dog", "emu"])[TRAIN[1]]), (TEST[0], np.array(["cat", "dog", "emu"])[TEST[1]])
    )["labels"]
    assert severity == "warning"
    assert "'cat'" in text
    assert "'dog'" in text


def test_images_of_one_value_are_counted() -> None:
    pixels = TRAIN[0].copy()
    pixels[[5, 8]] = [[[7]], [[9]]]
    assert found((pixels, TRAIN[1]))["constant"][0] == "warning"
    assert "2 training images are constant" in found((pixels, TRAIN[1]))["constant"][1]
    flat = np.broadcast_to(np.arange(60, dtype=np.uint8)[:, None, None], (60, 6, 5))
    assert found((flat, TRAIN[1]), None)["constant"][0] == "error"


def test_classes_that_a_part_lacks_are_named() -> None:
    severity, text = found(test=(TEST[0], np.zeros(30, int)))["missing classes"]
    assert (severity, text) == ("warning", "the test part has no image of 2 classes: '1', '2'")
    assert "validation part" in found(validation=(TEST[0], np.zeros(30, int)))["missing classes"][1]


def test_classes_of_few_images_are_named() -> None:
    labels = np.zeros(60, int)
    labels[:30], labels[30:33] = 1, 2
    severity, text = found((TRAIN[0], labels))["few images"]
    assert severity == "warning"
    assert "1 class has fewer than 10 training images: '2' (3)" in text


@pytest.mark.parametrize(
    ("share", "classes", "warned"), [(0.95, 2, True), (0.6, 2, False), (0.7, 3, True), (0.5, 3, False)]
)
def test_the_share_of_a_large_class_is_the_score_to_beat(share: float, classes: int, warned: bool) -> None:
    labels = np.zeros(200, int)
    labels[round(200 * share) :] = 1 + np.arange(200 - round(200 * share)) % (classes - 1)
    findings = found((part(200, 5)[0], labels), None)
    assert ("imbalance" in findings) == warned
    if warned:
        assert f"{100 * share:.1f} % of the training images are of class '0'" in findings["imbalance"][1]
        assert "`objective='balanced_accuracy'`" in findings["imbalance"][1]
        assert "`class_weight='balanced'`" in findings["imbalance"][1]


def test_all_errors_are_said_at_once() -> None:
    flat = np.zeros((60, 6, 5), np.uint8)
    with pytest.raises(DatasetError) as caught:
        checked(load(((flat, TRAIN[1]), (TEST[0][:, :5], TEST[1]))))
    assert "every training image is constant" in str(caught.value)
    assert "have shape (5, 5, 1)" in str(caught.value)


def test_a_class_that_a_split_by_groups_leaves_out_of_training_is_named() -> None:
    labels = np.repeat([0, 1, 2], 20)
    groups = [f"p{number % 10}" for number in range(40)] + ["q"] * 20
    (text,) = (
        one.text
        for one in check(load(((TRAIN[0], labels), TEST), groups=groups)).found
        if one.kind == "missing classes" and "trained" in one.text
    )
    assert text == (
        "the split by groups leaves no image of 1 class in the part that candidates are trained on: '2'; give images "
        "of more groups"
    )
    spread = [f"p{number % 10}" for number in range(60)]
    assert not check(load(((TRAIN[0], labels), TEST), groups=spread)).found


def test_groups_that_have_images_in_two_parts_are_named() -> None:
    people = np.array([f"p{number % 10}" for number in range(60)])

    def groups_found(test: list[str], validation: list[str] | None = None) -> list[str]:
        brought = None if validation is None else (*part(30, 2), np.array(validation))
        data = ((*TRAIN, people), brought, (*TEST, np.array(test)))
        return [one.text for one in check(load(data)).found if one.kind == "groups"]

    assert groups_found(["p10"] * 30) == []
    assert groups_found(["p3"] * 3 + ["p11"] * 27) == [
        "1 group has images in the training part and in the test part (p3): 3 test images are of them, 10.0 %; if they "
        "are the same ones, scores are too optimistic for new groups"
    ]
    between = groups_found(["q1", "q2", "p11"] * 10, ["q1", "q2", "q3"] * 10)
    assert [text[:70] for text in between] == [
        "2 groups have images in the validation part and in the test part (q1, "[:70]
    ]


def test_groups_of_a_part_for_tests_must_be_one_for_each_image() -> None:
    dataset = load(((*TRAIN, np.arange(60)), (*TEST, np.arange(29))))
    assert [one.kind for one in check(dataset).found] == ["test part"]


@pytest.mark.parametrize(
    ("train", "test", "shared"),
    [
        (np.arange(60) % 10, np.arange(30) % 3 + 0.0, 3),
        (np.arange(60) % 10, np.array(["1", "x", "y"] * 10), 1),
        (np.array([1, "a"] * 30, object), np.array([[b"a"]] * 30), 1),
        (np.array([b"\xff", b"a"] * 30), np.array([b"\xff"] * 30), 1),
        (np.array([np.nan, 1.0] * 30), np.full(30, np.nan), 0),
    ],
)
def test_groups_are_compared_whatever_their_type(train: np.ndarray, test: np.ndarray, shared: int) -> None:
    for data in (((*TRAIN, train), (*TEST, test)), ((*TRAIN, train), (*TEST, test), None)):
        texts = [one.text for one in check(load(data)).found if one.kind == "groups"]
        assert [text.split()[0] for text in texts] == ([str(shared)] if shared else [])


def test_grey_images_in_colour_are_found() -> None:
    grey, labels = part(60, 0, shape=(6, 5, 1))
    assert "red, green and blue are equal in all images" in found((np.repeat(grey, 3, axis=3), labels), None)["grey"][1]
    assert "grey" not in found(part(60, 0, shape=(6, 5, 3)), None)
    assert "grey" not in found((np.repeat(grey, 4, axis=3), labels), None)
