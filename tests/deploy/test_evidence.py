from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from tinysearch.data.dataset import Dataset
from tinysearch.data.images import Images
from tinysearch.deploy.evidence import compared, sample_of, scored_in_int8
from tinysearch.deploy.trained import Trained
from tinysearch.space.architecture import Architecture, Conv, Head


def test_a_comparison_counts_right_and_equal_answers() -> None:
    keras = np.array([[1, 0], [0, 1], [0, 1]], np.float32)
    other = np.array([[1, 0], [0, 1], [0.75, 0.5]], np.float32)
    found = compared(other, keras, np.array([0, 0, 0], np.int32))
    assert (found.accuracy, found.agreement, found.largest_difference) == (2 / 3, 2 / 3, 0.75)


def test_images_are_compared_in_the_type_of_those_for_training_where_it_can_hold_them(dataset: Dataset) -> None:
    real = dataset.train.pixels.astype(np.float32)

    def kind(train: np.ndarray, test: np.ndarray) -> np.dtype[Any]:
        labels = dataset.train.labels
        of = replace(dataset, train=Images(train, labels), load_test=lambda: Images(test, labels))
        return sample_of(of).images.pixels.dtype

    assert kind(real / 3, dataset.train.pixels) == np.float32
    assert kind(dataset.train.pixels, real) == np.uint8
    assert kind(dataset.train.pixels, real + 0.5) == kind(dataset.train.pixels, real * 100) == np.float32


def test_a_network_is_scored_in_int8_on_the_test_images(make_trained: Callable[..., Trained], dataset: Dataset) -> None:
    trained = make_trained(Architecture((Conv(3),), Head("average")))
    found = scored_in_int8(trained, dataset)
    own = np.argmax(trained.logits(dataset.test().pixels), axis=1)
    assert found.agreement > 0.9
    assert abs(found.accuracy - (own == dataset.test().labels).mean()) <= 1 - found.agreement
    assert 0 < found.largest_difference < 1
