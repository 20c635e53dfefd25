"""How what was deployed compares with the Keras model, on the same images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.data.dataset import Dataset
from tinysearch.data.images import Images
from tinysearch.deploy.trained import Trained
from tinysearch.errors import NoTestImagesError

# Images that stand in where there are no test images.
_STAND_INS = 1_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """Answers of a network in another form beside those of Keras.

    Args:
        accuracy: Fraction of images that are classified correctly.
        agreement: Fraction of images for which the answer is that of Keras.
        largest_difference: Of any logit, in its real value.
    """

    accuracy: float
    agreement: float
    largest_difference: float

    def to_dict(self) -> dict[str, float]:
        """Return plain JSON values."""
        return {
            "accuracy": self.accuracy,
            "agreement": self.agreement,
            "largest_difference": self.largest_difference,
        }


def compared(
    logits: npt.NDArray[Any], keras_logits: npt.NDArray[np.float32], labels: npt.NDArray[np.int32]
) -> Comparison:
    """Compare logits, each of shape ``(images, classes)`` and in their real values."""
    answers = np.argmax(logits, axis=1)
    return Comparison(
        accuracy=float((answers == labels).mean()),
        agreement=float((answers == np.argmax(keras_logits, axis=1)).mean()),
        largest_difference=float(np.abs(logits - keras_logits).max()),
    )


def scored_in_int8(trained: Trained, dataset: Dataset) -> Comparison:
    """Return how a network scores in int8 on the test images, as LiteRT's reference kernels compute it, beside Keras.

    Raises:
        DatasetError: if there are no test images.
    """
    from tinysearch.deploy.int8 import int8_network

    test = dataset.test()
    int8 = int8_network(trained, dataset.train.pixels)
    return compared(int8.real(int8.logits(test.pixels)), trained.logits(test.pixels), test.labels)


def images_to_compare(dataset: Dataset) -> tuple[Images, str]:
    """Return the test images and what they are in words; training images where there are none."""
    try:
        return dataset.test(), "test images"
    except NoTestImagesError:
        train = dataset.train
        return Images(train.pixels[-_STAND_INS:], train.labels[-_STAND_INS:]), "training images (there are no others)"
