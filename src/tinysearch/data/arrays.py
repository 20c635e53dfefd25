"""Datasets made of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinysearch.data.dataset import Dataset
from tinysearch.data.images import Images, validated
from tinysearch.data.loading import dataset_of
from tinysearch.errors import DatasetError, NoTestImagesError


def from_arrays(given: Sequence[Any], name: str = "arrays") -> Dataset:
    """Return a dataset of arrays.

    Args:
        given: ``(x, y)``, or ``((x, y), (x_test, y_test))`` as Keras's datasets are; images of shape ``(images, height,
            width)`` or ``(images, height, width, channels)``, labels of shape ``(images,)``.
        name: What the dataset is called.

    Raises:
        DatasetError: if they cannot be used.
    """
    if len(given) != 2:
        raise DatasetError(f"data in arrays are (x, y) or ((x, y), (x_test, y_test)), got {len(given)} values")
    parted = all(isinstance(part, (tuple, list)) and len(part) == 2 for part in given)
    train = _images(given[0] if parted else given, "training images")
    test = _images(given[1], "test images") if parted else None

    def load_test() -> Images:
        if test is None:
            raise NoTestImagesError(
                "the data are (x, y) and have no test images; give ((x, y), (x_test, y_test)) to have some"
            )
        return test

    # Arrays may be sorted by class; what is held out would then be one class.
    order = np.random.default_rng(0).permutation(len(train))
    shuffled = Images(train.pixels[order], train.labels[order])
    return dataset_of(name, "memory", shuffled, load_test)


def _images(part: Sequence[Any], what: str) -> Images:
    return validated(np.asarray(part[0]), np.asarray(part[1]), what)
