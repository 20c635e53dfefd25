"""Augmentation that changes values of training images (mirroring, cutout, brightness, scaling, noise), in NumPy."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tinysearch.data.images import Channel, Images, pixel_statistics
from tinysearch.training.recipe import Recipe

Pixels = npt.NDArray[np.float32]
# Makes these draws independent of those of order and movements.
_STREAM = 1


class Draws(NamedTuple):
    """Random changes of images, applied in this order; None for a change that the recipe does not use.

    Args:
        mirrored: Whether each image is mirrored, shape ``(images,)``.
        cut: The blanked region of each image: first row and end row (exclusive), then the same for columns, shape
            ``(images, 4)``.
        factors: Factor of each channel, shape ``(images, 1, 1, channels)``.
        added: Value added to each channel, shape ``(images, 1, 1, channels)``.
        noise: Value added to each pixel value, of the shape of the images.
    """

    mirrored: npt.NDArray[np.bool_] | None = None
    cut: npt.NDArray[np.int32] | None = None
    factors: Pixels | None = None
    added: Pixels | None = None
    noise: Pixels | None = None


class Changes:
    """Random changes of batches, as a pure function of seed, epoch and step.

    Args:
        images: All training images; mean and standard deviation of each channel are computed from them.
        recipe: Recipe with the maximum amounts.
        seed: Seed of the draws.
    """

    def __init__(self, images: Images, recipe: Recipe, seed: int) -> None:
        self._images = images
        self._recipe = recipe
        self._seed = seed

    def apply(self, batch: Pixels, epoch: int, step: int) -> Pixels:
        """Return a batch, shape ``(batch, height, width, channels)``, with the changes for a step of an epoch."""
        if not self._at_work(epoch):
            return batch
        draws = self._drawn(len(batch), epoch, step)
        if draws.mirrored is not None:
            batch = np.where(draws.mirrored[:, None, None, None], batch[:, :, ::-1], batch)
        if draws.cut is not None:
            batch = np.where(within(draws.cut, batch.shape), self.blank, batch)
        if draws.factors is not None:
            batch = batch * draws.factors
        if draws.added is not None:
            batch = batch + draws.added
        if draws.noise is not None:
            batch = batch + draws.noise
        return batch

    def drawn(self, epoch: int) -> Draws:
        """Draw the changes of a whole epoch: those of ``apply`` in all steps, one image after the other.

        In an epoch without augmentation the drawn values change nothing.
        """
        size, count = self._recipe.batch_size, len(self._images)
        counts = [min(size, count - begin) for begin in range(0, count, size)]
        if not self._recipe.changes:
            return Draws()
        if not self._at_work(epoch):
            return self._nothing(count)
        steps = [self._drawn(number, epoch, step) for step, number in enumerate(counts)]
        return Draws(*(None if parts[0] is None else np.concatenate(parts) for parts in zip(*steps, strict=True)))

    @cached_property
    def blank(self) -> Pixels:
        """Value of blanked pixels: the mean of each channel, which carries no information."""
        return np.array([one.mean for one in self._channels], np.float32)

    def _at_work(self, epoch: int) -> bool:
        recipe = self._recipe
        return recipe.changes and epoch < recipe.epochs - recipe.no_augment_final_epochs

    def _drawn(self, count: int, epoch: int, step: int) -> Draws:
        recipe, shape = self._recipe, self._images.pixels.shape
        rng = np.random.default_rng([self._seed, epoch, step, _STREAM])
        # All values are drawn in the same order, whether or not the recipe uses them.
        mirrored = rng.random(count) < recipe.mirroring
        corners, sides = rng.random((count, 2)), rng.random((count, 1)) * recipe.cutout
        lighter = rng.uniform(-1, 1, (count, 1, 1, 1)) * recipe.brightness
        louder = rng.uniform(-1, 1, (count, 1, 1, shape[3])) * recipe.scaling
        noise = None
        if recipe.jitter:
            noise = rng.standard_normal((count, *shape[1:]), np.float32) * (np.float32(recipe.jitter) * self._spread)
        return Draws(
            mirrored if recipe.mirroring else None,
            _cut(shape, corners, sides) if recipe.cutout else None,
            (1 + louder).astype(np.float32) if recipe.scaling else None,
            lighter.astype(np.float32) * self._spread if recipe.brightness else None,
            noise,
        )

    def _nothing(self, count: int) -> Draws:
        recipe, shape = self._recipe, self._images.pixels.shape
        return Draws(
            np.zeros(count, np.bool_) if recipe.mirroring else None,
            np.zeros((count, 4), np.int32) if recipe.cutout else None,
            np.ones((count, 1, 1, shape[3]), np.float32) if recipe.scaling else None,
            np.zeros((count, 1, 1, shape[3]), np.float32) if recipe.brightness else None,
            np.zeros((count, *shape[1:]), np.float32) if recipe.jitter else None,
        )

    @cached_property
    def _channels(self) -> tuple[Channel, ...]:
        return pixel_statistics(self._images)

    @cached_property
    def _spread(self) -> Pixels:
        return np.array([one.deviation for one in self._channels], np.float32)


def within(cut: Any, shape: tuple[int, ...]) -> Any:
    """Return the mask of blanked pixels, shape ``(images, height, width, 1)``, for arrays of NumPy or JAX.

    Args:
        cut: See ``Draws``.
        shape: ``(images, height, width, channels)``.
    """
    rows, columns = np.arange(shape[1])[None, :, None, None], np.arange(shape[2])[None, None, :, None]
    top, bottom, left, right = (cut[:, number, None, None, None] for number in range(4))
    return (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)


def _cut(
    shape: tuple[int, ...], corners: npt.NDArray[np.float64], sides: npt.NDArray[np.float64]
) -> npt.NDArray[np.int32]:
    """Return the blanked region, see ``Draws``: pixels whose centre is inside. An axis of length 1 is blanked whole."""
    begin = corners * (1 - sides)
    bounds: list[npt.NDArray[Any]] = []
    for axis, length in enumerate(shape[1:3]):
        if length == 1:
            bounds += [np.zeros(len(begin)), np.ones(len(begin))]
            continue
        middles = (np.arange(length) + 0.5) / length
        bounds += [np.searchsorted(middles, edge[:, axis]) for edge in (begin, begin + sides)]
    return np.stack(bounds, axis=1).astype(np.int32)
