from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinysearch.data.loading import load
from tinysearch.data.readers.reader import Reading
from tinysearch.errors import DatasetError, NoTestImagesError

RNG = np.random.default_rng(0)
X, Y = RNG.integers(0, 256, (40, 6, 5), np.uint8), np.arange(40) % 4
V, W = RNG.integers(0, 256, (12, 6, 5), np.uint8), np.arange(12) % 4
T, U = RNG.integers(0, 256, (8, 6, 5), np.uint8), np.arange(8) % 4


def test_a_pair_of_arrays_is_a_training_part() -> None:
    found = load((X, Y))
    assert (found.name, found.source, len(found.train)) == ("arrays", "arrays in memory", 40)
    with pytest.raises(NoTestImagesError):
        found.test()


@pytest.mark.parametrize(
    ("data", "held"),
    [(((X, Y), (T, U)), 0), (((X, Y), (V, W), (T, U)), 12), ([[X, Y], None, [T, U]], 0)],
    ids=["pairs", "triple", "triple without validation"],
)
def test_parts_are_pairs_of_arrays(data: Any, held: int) -> None:
    found = load(data)
    assert (found.split.held, len(found.train), len(found.test())) == (held, 40 + held, 8)
    assert np.array_equal(found.test().pixels[..., 0], T)


def test_what_numpy_makes_arrays_of_will_do() -> None:
    assert load((X.tolist(), Y.tolist())).train.pixels.dtype == np.float32
    assert load(((X, Y), None, None)).task.classes == 4


def test_groups_come_beside_the_labels_or_apart() -> None:
    groups = [f"p{number // 4}" for number in range(40)]
    beside, apart = load(((X, Y, groups), (T, U))), load((X, Y), groups=groups)
    assert beside.groups is not None
    assert np.array_equal(beside.groups, apart.groups)
    assert (beside.split.kind, len(set(beside.groups.tolist()))) == ("groups", 10)
    with pytest.raises(DatasetError, match=r"groups of shape \(39,\)"):
        load((X, Y), groups=groups[:-1])


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (X, "no reader accepts a ndarray"),
        ({"x": X}, "no reader accepts a dict"),
        ((X,), "got a tuple of 1: an array of shape (40, 6, 5)"),
        ((X, Y, T, U), "got a tuple of 4"),
        (((X, Y), X), "a part of the data is a pair of arrays"),
        (((X, Y), (T, U, U, U)), "a part of the data is a pair of arrays"),
        ((None, (X, Y), (T, U)), "got a tuple of 3: NoneType, tuple, tuple"),
        (([np.zeros((3, 3)), np.zeros((4, 4))], [0, 1]), "all images must have the same size"),
    ],
)
def test_other_values_are_refused_with_what_they_are(data: Any, named: str) -> None:
    with pytest.raises(DatasetError) as caught:
        load(data)
    assert named in str(caught.value)


def test_two_sources_at_once_are_refused() -> None:
    with pytest.raises(DatasetError, match="two sources"):
        load((X, Y), "mine.npz")
    with pytest.raises(DatasetError, match="two sources"):
        load("mine.npz", (X, Y))
    with pytest.raises(DatasetError, match="two datasets were given"):
        load("digits", "mnist")


@pytest.mark.parametrize("batch", [None, 7])
@pytest.mark.parametrize("one_hot", [False, True])
def test_a_stream_is_read_to_its_end(batch: int | None, one_hot: bool) -> None:
    import tensorflow as tf

    labels = np.eye(4, dtype=np.float32)[Y] if one_hot else Y
    stream = tf.data.Dataset.from_tensor_slices((X[..., None], labels))
    stream = stream if batch is None else stream.batch(batch)
    found = load((stream, None, stream.take(1)) if batch else stream)
    assert found.fingerprint == load((X, Y)).fingerprint


@pytest.mark.parametrize("shape", [(6, 5), (30,), (10, 3), (6, 5, 1)], ids=["grey", "flat", "series", "channels"])
@pytest.mark.parametrize("remainder", [False, True], ids=["all", "whole batches only"])
def test_batches_are_known_whatever_is_in_them(shape: tuple[int, ...], remainder: bool) -> None:
    import tensorflow as tf

    x = X.reshape(40, *shape)
    reading = Reading(size=(6, 5)) if shape == (30,) else Reading(layout="tc") if shape == (10, 3) else Reading()
    for labels in (Y, Y[:, None], Y % 2, np.eye(4)[Y]):
        expected = load((x, labels), reading=reading).fingerprint
        for size in (1, 2, 4, 8):
            stream = tf.data.Dataset.from_tensor_slices((x, labels)).batch(size, drop_remainder=remainder)
            assert load(stream, reading=reading).fingerprint == expected


def test_single_images_as_high_as_a_one_hot_row_is_long_are_no_batches() -> None:
    import tensorflow as tf

    x = X[:, :4]
    stream = tf.data.Dataset.from_tensor_slices((x, np.eye(4, dtype=np.float32)[Y]))
    assert load(stream).fingerprint == load((x, Y)).fingerprint


def test_a_stream_that_never_ends_is_refused() -> None:
    import tensorflow as tf

    stream = tf.data.Dataset.from_tensor_slices((X, Y))
    with pytest.raises(DatasetError, match="never ends"):
        load(stream.repeat())
    with pytest.raises(DatasetError, match="pairs of image and label"):
        load(tf.data.Dataset.from_tensor_slices(X))


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        (Reading(groups="subject"), r"`groups='subject'` is for files; with arrays, .* data=\(\(x, y, groups\)"),
        (Reading(label_column="kind"), "`reading=Reading\\(label_column='kind'\\)` has no meaning for arrays; leave"),
        (Reading(color="grey"), "`reading=Reading\\(color='grey'\\)` has no meaning for arrays"),
    ],
)
def test_what_only_files_have_is_refused_for_arrays(reading: Reading, said: str) -> None:
    x, y = np.zeros((20, 8, 8), np.uint8), np.arange(20) % 2
    with pytest.raises(DatasetError, match=said):
        load("auto", (x, y), reading=reading)
