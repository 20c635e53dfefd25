from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinysearch.data.arrays import from_arrays
from tinysearch.errors import DatasetError, NoTestImagesError

Part = tuple[Any, Any]


def part(count: int = 40, shape: tuple[int, ...] = (6, 5), classes: int = 4) -> Part:
    """Return images that show their label, sorted by class."""
    labels = np.sort(np.arange(count) % classes)
    pixels = np.zeros((count, *shape), np.uint8) + labels.reshape(-1, *(1 for _ in shape)).astype(np.uint8)
    return pixels, labels


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 1), (6, 5, 3)])
def test_arrays_are_a_dataset(shape: tuple[int, ...]) -> None:
    found = from_arrays(part(shape=shape))
    assert (found.name, found.source, found.fallback, found.full_scale) == ("arrays", "memory", None, 255.0)
    assert (found.task.input_shape, found.task.classes) == ((*shape, 1)[:3], 4)
    assert len(found.train) == 40


def test_images_are_shuffled_with_their_labels_and_always_in_the_same_way() -> None:
    one, other = from_arrays(part()), from_arrays(part())
    validation = one.training_data().validation
    assert validation is not None
    assert len(set(validation.labels.tolist())) > 1
    np.testing.assert_array_equal(one.train.pixels[:, 0, 0, 0], one.train.labels)
    assert one.fingerprint == other.fingerprint
    assert one.fingerprint != from_arrays(part(classes=5)).fingerprint


def test_test_images_are_those_of_the_second_pair() -> None:
    tested = from_arrays((part(), part(8)))
    assert tested.fingerprint == from_arrays(part()).fingerprint
    np.testing.assert_array_equal(tested.test().labels, part(8)[1])
    np.testing.assert_array_equal(tested.test().pixels[..., 0], part(8)[0])


def test_without_a_second_pair_there_are_no_test_images() -> None:
    with pytest.raises(NoTestImagesError, match=r"\(\(x, y\), \(x_test, y_test\)\)"):
        from_arrays(part()).test()


def test_lists_are_arrays_too() -> None:
    pixels, labels = part()
    found = from_arrays([pixels.tolist(), labels.tolist()])
    assert found.task.classes == 4
    assert len(found.train) == 40


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((part()[0],), "got 1 values"),
        ((*part(), *part()), "got 4 values"),
        ((part()[0], part()[1][:-1]), "39"),
        (part(10), "at least 20"),
        ((part()[0], np.zeros(40, int)), "at least 2 classes"),
        ((np.zeros((40, 6)), part()[1]), r"\(40, 6\)"),
        ((part(), part(shape=(2, 2))), None),
    ],
)
def test_arrays_that_make_no_dataset_are_refused(given: Any, words: str | None) -> None:
    if words is None:
        with pytest.raises(DatasetError, match="test images"):
            from_arrays(given).test()
        return
    with pytest.raises(DatasetError, match=words):
        from_arrays(given)
