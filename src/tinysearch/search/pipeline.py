"""From arrays to batches: order, augmentation and prefetching, as a pure function of seed and epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from tinysearch.search.images import Images
from tinysearch.search.recipe import Recipe

_VALIDATION_BATCH = 1_000


class TrainingBatches:
    """Training images, batch by batch, epoch by epoch.

    The order of an epoch and the augmentation of each of its steps depend on seed, epoch and step alone, so that
    any epoch can be had at any time.

    Args:
        images: Training images; they are kept by TensorFlow once for all epochs.
        recipe: Gives batch size and augmentation.
        seed: Seed of order and augmentation.
    """

    def __init__(self, images: Images, recipe: Recipe, seed: int) -> None:
        self.steps = math.ceil(len(images) / recipe.batch_size)
        self._recipe = recipe
        self._seed = seed
        self._fill = float(images.pixels.min())
        self._pixels = tf.constant(images.pixels)
        self._labels = tf.constant(images.labels)

    def epoch(self, number: int) -> tf.data.Dataset:
        """Return the batches of one epoch; the last one is smaller if the batch size does not divide the images.

        Returns:
            Batches of raw pixels, ``float32`` of shape ``(batch, height, width, channels)``, and labels, ``(batch,)``.
        """
        count = self._labels.shape[0]
        order = tf.random.experimental.stateless_shuffle(tf.range(count), seed=[self._seed, number])
        batches = tf.data.Dataset.from_tensor_slices(order).batch(self._recipe.batch_size).enumerate()
        return batches.map(partial(self._load, number), num_parallel_calls=2, deterministic=True).prefetch(4)

    def _load(self, epoch: int, step: tf.Tensor, indices: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        batch = tf.cast(tf.gather(self._pixels, indices), tf.float32)
        if self._recipe.augments:
            # A stream of its own for each epoch: seeds are pairs, of which the second counts steps.
            batch = augment(batch, self._recipe, tf.stack([self._seed + 1_000_003 * (epoch + 1), step]), self._fill)
        return batch, tf.gather(self._labels, indices)


def validation_batches(images: Images) -> tf.data.Dataset:
    """Return all images once, in order, in large batches."""
    batches = tf.data.Dataset.from_tensor_slices((images.pixels, images.labels)).batch(_VALIDATION_BATCH)
    return batches.map(lambda pixels, labels: (tf.cast(pixels, tf.float32), labels)).cache().prefetch(2)


def augment(batch: tf.Tensor, recipe: Recipe, seed: tf.Tensor, fill: float) -> tf.Tensor:
    """Turn and shift each image by amounts of its own, in one bilinear resampling of the batch.

    Args:
        batch: Shape ``(batch, height, width, channels)``.
        recipe: Gives the largest angle in degrees and the largest shift in pixels.
        seed: Two integers.
        fill: Value of pixels that come from outside the image.
    """
    height, width = float(batch.shape[1]), float(batch.shape[2])
    draws = tf.random.stateless_uniform((tf.shape(batch)[0], 3), tf.cast(seed, tf.int64), -1.0, 1.0)
    angle = draws[:, 0] * (recipe.rotation_degrees * math.pi / 180)
    cosine, sine = tf.cos(angle), tf.sin(angle)
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    shift_x = middle_x - cosine * middle_x + sine * middle_y + draws[:, 1] * recipe.shift_pixels
    shift_y = middle_y - sine * middle_x - cosine * middle_y + draws[:, 2] * recipe.shift_pixels
    zero = tf.zeros_like(angle)
    transforms = tf.stack([cosine, -sine, shift_x, sine, cosine, shift_y, zero, zero], axis=1)
    return keras.ops.image.affine_transform(
        batch, transforms, interpolation="bilinear", fill_mode="constant", fill_value=fill, data_format="channels_last"
    )


def pixel_statistics(images: Images) -> tuple[float, float]:
    """Return mean and standard deviation over all pixels of all images; the deviation is never 0."""
    total, squares, count = 0.0, 0.0, images.pixels.size
    for chunk in _chunks(images):
        total += float(chunk.sum(dtype="float64"))
        squares += float((chunk.astype("float64") ** 2).sum())
    mean = total / count
    return mean, math.sqrt(max(squares / count - mean**2, 0.0)) or 1.0


def _chunks(images: Images) -> Iterator[Any]:
    for start in range(0, len(images), 4_096):
        yield images.pixels[start : start + 4_096]
