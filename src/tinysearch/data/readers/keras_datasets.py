"""Datasets that are loaded by name: those that Keras downloads, and scikit-learn's digits."""

from __future__ import annotations

import numpy as np

from tinysearch.data.download import keras_arrays
from tinysearch.data.readers.reader import Contents, Part
from tinysearch.runtime.backend import generators_kept

KERAS_DATASETS = ("mnist", "fashion_mnist", "cifar10", "cifar100")

# Names by the authors of the datasets (Xiao, Rasul and Vollgraf, 2017; Krizhevsky, 2009).
CLASS_NAMES: dict[str, tuple[str, ...]] = {
    "fashion_mnist": (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
}


def downloaded(name: str) -> Contents:
    """Return a dataset that Keras downloads or has in its cache.

    Raises:
        OSError: if it cannot be downloaded.
    """
    train, test = keras_arrays(name)
    return Contents(
        name=name,
        source="the datasets of Keras",
        train=Part(*train),
        read_test=lambda: Part(*test),
        class_names=CLASS_NAMES.get(name),
        layout="hw" if np.ndim(train[0]) == 3 else None,
        in_order=True,
    )


def digits(fallback: str | None = None) -> Contents:
    """Return scikit-learn's digits, scaled up to MNIST's size; the last fifth is for tests."""
    from scipy.ndimage import zoom

    with generators_kept():
        from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    small = pixels.reshape(-1, 8, 8)
    large = zoom(small, (1, 3.5, 3.5), order=1, mode="nearest", grid_mode=True)
    images = np.rint(large * (255 / 16)).astype(np.uint8)
    cut = len(images) - len(images) // 5
    return Contents(
        name="digits",
        source="scikit-learn",
        train=Part(images[:cut], labels[:cut]),
        read_test=lambda: Part(images[cut:], labels[cut:]),
        layout="hw",
        preparation=(
            "images of 8x8 pixels from 0 to 16 are scaled up to 28x28 by scipy.ndimage.zoom (order 1, mode nearest, "
            "grid_mode), multiplied by 255 / 16 and rounded",
        ),
        in_order=True,
        fallback=fallback,
    )
