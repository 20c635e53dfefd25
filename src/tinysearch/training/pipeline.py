"""Batches from arrays: order, augmentation and prefetching, as a pure function of seed and epoch.

NumPy makes all random draws, so a candidate is trained on the same images with every Keras backend.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from tinysearch.data.images import Images, lowest
from tinysearch.runtime.memory import MOST_IN_MEMORY
from tinysearch.training.changes import Changes
from tinysearch.training.recipe import Recipe

_AHEAD = 4
# Maximum number of images in a batch for inference. It is lower for images that are larger than CIFAR's, because the
# activations of the whole batch are in memory at the same time.
_LARGE_BATCH = 1_000
_LARGE_BATCH_VALUES = _LARGE_BATCH * 32 * 32 * 3


class TrainingBatches:
    """Batches of training images for each epoch.

    The order of an epoch and the movement of each image depend only on seed and epoch, so that any epoch can be created
    at any time.

    Args:
        images: Training images.
        recipe: Recipe with batch size and augmentation.
        seed: Seed of order and augmentation.
    """

    def __init__(self, images: Images, recipe: Recipe, seed: int) -> None:
        self.steps = math.ceil(len(images) / recipe.batch_size)
        self.images = images
        self._recipe = recipe
        self._seed = seed
        # Grey images have a background, the lowest value. Channels differ in scale, and photographs have no background.
        self.fill = lowest(images) if images.pixels.shape[-1] == 1 and images.pixels.shape[2] > 1 else None
        self.changes = Changes(images, recipe, seed)

    def epochs(self, first: int, end: int) -> Any:
        """Return the batches of the epochs from ``first`` to before ``end``, one after the other.

        Returns:
            Training data for Keras: ``steps`` batches per epoch, the last of which is smaller if the batch size does
            not divide the number of images. Each batch has raw pixels, ``float32`` of shape ``(batch, height, width,
            channels)``, and labels, ``(batch,)``. TensorFlow prepares them in parallel to the training.
        """
        if keras.backend.backend() == "tensorflow":
            return self._stream(first, end)
        return _Batches(self, first, end)

    def drawn(self, epoch: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Draw an epoch: indices of the images in order, and their transforms, shape ``(images, 8)`` or ``(0, 8)``."""
        rng = np.random.default_rng([self._seed, epoch])
        order = rng.permutation(len(self.images)).astype(np.int32)
        if not self._recipe.moves:
            return order, np.empty((0, 8), np.float32)
        recipe = self._recipe
        if epoch >= recipe.epochs - recipe.no_augment_final_epochs:
            recipe = dataclasses.replace(recipe, rotation_degrees=0.0, shift_pixels=0.0, zoom=0.0, shear_degrees=0.0)
        return order, draw_affine(len(order), self.images.pixels.shape, recipe, rng)

    def batch(
        self, epoch: int, step: int, order: npt.NDArray[np.int32], moves: npt.NDArray[np.float32]
    ) -> tuple[Any, Any]:
        """Return one batch of a drawn epoch."""
        part = slice(step * self._recipe.batch_size, (step + 1) * self._recipe.batch_size)
        pixels = self._taken(epoch, step, order[part])
        if self._recipe.moves:
            pixels = keras.ops.convert_to_numpy(apply_affine(pixels, moves[part], self.fill))
        return pixels, self.images.labels[order[part]]

    def _taken(self, epoch: int, step: int, rows: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        """Return the pixels of a batch with the changes of the recipe, but not yet moved."""
        return self.changes.apply(np.asarray(self.images.pixels[rows], np.float32), int(epoch), int(step))

    def _stream(self, first: int, end: int) -> Any:
        import tensorflow as tf

        labels, size = tf.constant(self.images.labels), len(self.images)
        # Large images stay in their file. NumPy gathers them, and also images that it changes.
        by_numpy = self._recipe.changes or self.images.is_large
        pixels = None if by_numpy else tf.constant(self.images.pixels)
        shape = (None, *self.images.pixels.shape[1:])

        def epoch(number: Any) -> Any:
            order, moves = tf.numpy_function(self.drawn, [number], (tf.int32, tf.float32))
            order.set_shape((size,))
            moves.set_shape((None, 8))

            def load(step: Any) -> tuple[Any, Any]:
                begin = step * self._recipe.batch_size
                stop = tf.minimum(begin + self._recipe.batch_size, size)
                indices = order[begin:stop]
                if pixels is None:
                    found = tf.numpy_function(self._taken, [number, step, indices], tf.float32)
                    found.set_shape(shape)
                else:
                    found = tf.cast(tf.gather(pixels, indices), tf.float32)
                if self._recipe.moves:
                    found = apply_affine(found, moves[begin:stop], self.fill)
                return found, tf.gather(labels, indices)

            steps = tf.data.Dataset.range(self.steps, output_type=tf.int32)
            return steps.map(load, num_parallel_calls=2, deterministic=True)

        # Disabled, because nothing needs tuning, and the end of an iterator waits seconds for the tuning thread.
        options = tf.data.Options()
        options.autotune.enabled = False
        return tf.data.Dataset.range(first, end).flat_map(epoch).prefetch(_AHEAD).with_options(options)


class _Batches(keras.utils.PyDataset):
    """Batches one by one, for backends without a data pipeline."""

    def __init__(self, batches: TrainingBatches, first: int, end: int) -> None:
        super().__init__()
        self._batches = batches
        self._first = first
        self._end = end
        self._epoch = -1
        self._drawn: Any = None

    def __len__(self) -> int:
        return (self._end - self._first) * self._batches.steps

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        passed, step = divmod(index, self._batches.steps)
        if self._epoch != self._first + passed:
            self._epoch = self._first + passed
            self._drawn = self._batches.drawn(self._epoch)
        return self._batches.batch(self._epoch, step, *self._drawn)


def large_batch(shape: Sequence[int]) -> int:
    """Return the batch size for inference on images of a shape, at least 1.

    Args:
        shape: ``(height, width, channels)``, or the shape of an array of images.
    """
    return max(1, min(_LARGE_BATCH, _LARGE_BATCH_VALUES // math.prod(shape[-3:])))


def validation_of(images: Images) -> Any:
    """Return validation data for Keras: arrays, or batches if the images are too large to be copied as floats."""
    if images.pixels.size * np.dtype(np.float32).itemsize > MOST_IN_MEMORY:
        return _InOrder(images)
    return np.asarray(images.pixels, np.float32), images.labels


class _InOrder(keras.utils.PyDataset):
    """Unchanged images in order, in large batches."""

    def __init__(self, images: Images) -> None:
        super().__init__()
        self._images = images
        self._size = large_batch(images.pixels.shape)

    def __len__(self) -> int:
        return math.ceil(len(self._images) / self._size)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        part = slice(index * self._size, (index + 1) * self._size)
        return np.asarray(self._images.pixels[part], np.float32), self._images.labels[part]


def draw_affine(
    count: int, shape: tuple[int, ...], recipe: Recipe, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Draw a random transform for each image: scaling, shear and rotation about the centre, and a shift.

    Args:
        count: Number of images.
        shape: ``(images, height, width, channels)``.
        recipe: Recipe with the maximum amounts.
        rng: Random number generator.

    Returns:
        Projective transforms from positions in the result to positions in the image, shape ``(count, 8)``.
    """
    draws = rng.uniform(-1.0, 1.0, (count, 3))
    angle = draws[:, 0] * math.radians(recipe.rotation_degrees)
    cosine, sine, one, zero = np.cos(angle), np.sin(angle), np.ones(count), np.zeros(count)
    wide, high, slant = one, one, zero
    if recipe.zoom or recipe.shear_degrees:
        more = rng.uniform(-1.0, 1.0, (count, 3))
        wide, high = one + more[:, 0] * recipe.zoom, one + more[:, 1] * recipe.zoom
        slant = np.tan(more[:, 2] * math.radians(recipe.shear_degrees))
    # A rotation after a shear after a scaling.
    if shape[2] == 1 < shape[1]:
        # A series has one direction: it is shifted and stretched along time.
        cosine, sine, slant, wide = one, zero, zero, one
        draws[:, 1] = 0
    xx, xy = cosine * wide, (cosine * slant - sine) * high
    yx, yy = sine * wide, (sine * slant + cosine) * high
    middle_y, middle_x = (shape[1] - 1) / 2, (shape[2] - 1) / 2
    shift_x = middle_x - xx * middle_x - xy * middle_y + draws[:, 1] * recipe.shift_pixels
    shift_y = middle_y - yx * middle_x - yy * middle_y + draws[:, 2] * recipe.shift_pixels
    return np.stack([xx, xy, shift_x, yx, yy, shift_y, zero, zero], axis=1).astype(np.float32)


def apply_affine(batch: Any, transforms: Any, fill: float | None) -> Any:
    """Move each image of a batch, in one bilinear resampling.

    Args:
        batch: Shape ``(batch, height, width, channels)``.
        transforms: Transforms of these images from ``draw_affine``, shape ``(batch, 8)``.
        fill: Value of pixels from outside the image; None for the value of the nearest pixel inside.
    """
    return keras.ops.image.affine_transform(
        batch,
        transforms,
        interpolation="bilinear",
        fill_mode="nearest" if fill is None else "constant",
        fill_value=0.0 if fill is None else fill,
        data_format="channels_last",
    )
