"""Comparisons of deployed networks with the Keras model on the same images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tinysearch.data.dataset import Dataset
from tinysearch.data.images import Images
from tinysearch.deploy.trained import Trained
from tinysearch.errors import NoTestImagesError

# Number of training images to use if there are no test images.
_STAND_INS = 1_000


@dataclass(frozen=True, slots=True)
class Sample:
    """Images on which networks are compared.

    Args:
        dataset: Name of the dataset that they come from.
        images: The images with their labels.
        kind: ``"test images"`` or ``"training images"``.
    """

    dataset: str
    images: Images
    kind: Literal["test images", "training images"] = "test images"

    @property
    def words(self) -> str:
        """The number, kind and dataset of the images, in words."""
        return f"{len(self.images):,} {self.kind} of {self.dataset}"

    @property
    def caution(self) -> str | None:
        """A caution about accuracies on these images; None for test images."""
        if self.kind == "test images":
            return None
        return (
            f"{self.dataset} has no test part, so accuracy is measured on images that the network was trained on: it "
            f"shows whether predictions agree with Keras, but not how good the network is on new images."
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Comparison of a deployed network with Keras.

    Args:
        accuracy: Fraction of images that are classified correctly.
        agreement: Fraction of images with the same prediction as Keras.
        largest_difference: Largest absolute difference of any logit, in real values.
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
    """Compare logits with those of Keras, both as real values of shape ``(images, classes)``."""
    answers = np.argmax(logits, axis=1)
    return Comparison(
        accuracy=float((answers == labels).mean()),
        agreement=float((answers == np.argmax(keras_logits, axis=1)).mean()),
        largest_difference=float(np.abs(logits - keras_logits).max()),
    )


def scored_in_int8(trained: Trained, dataset: Dataset) -> Comparison:
    """Score a network in int8 on the test images, computed by LiteRT's reference kernels, and compare it with Keras.

    Raises:
        DatasetError: if there are no test images.
    """
    from tinysearch.deploy.int8 import int8_network

    test = dataset.test()
    int8 = int8_network(trained, dataset.train.pixels)
    return compared(int8.real(int8.logits(test.pixels)), trained.logits(test.pixels), test.labels)


def sample_of(dataset: Dataset) -> Sample:
    """Return the test images of a dataset; if there are none, images that a search trains on.

    Test images are cast to the type of the training images, which is the type of the values on a device, if no value
    changes. The types can differ because a table is read as bytes if all its values are whole numbers from 0 to 255,
    which may hold for one part by chance.
    """
    try:
        return Sample(dataset.name, _of_type(dataset.test(), dataset.train.pixels.dtype))
    except NoTestImagesError:
        train = dataset.training_data().train
        some = Images(np.asarray(train.pixels[-_STAND_INS:]), train.labels[-_STAND_INS:])
        return Sample(dataset.name, some, "training images")


def _of_type(images: Images, kind: np.dtype[Any]) -> Images:
    pixels = images.pixels
    if pixels.dtype == kind:
        return images
    cast = pixels.astype(kind)
    return Images(cast, images.labels) if (cast == pixels).all() else images
