"""Changes of the values of training images: mirroring, cutout, brightness, scaling and noise, by NumPy alone."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from tinysearch.data.images import Channel, Images, pixel_statistics
from tinysearch.training.recipe import Recipe

Pixels = npt.NDArray[np.float32]
# Sets these draws apart from those of order and movements.
_STREAM = 1


class Changes:
    """Changes batches at random, as a pure function of seed, epoch and step.

    Args:
        images: All training images, of which the spread of each channel is taken.
        recipe: Gives the largest amounts.
        seed: Seed of the draws.
    """

    def __init__(self, images: Images, recipe: Recipe, seed: int) -> None:
        self._images = images
        self._recipe = recipe
        self._seed = seed

    def apply(self, batch: Pixels, epoch: int, step: int) -> Pixels:
        """Return a batch, shape ``(batch, height, width, channels)``, as it is shown in a step of an epoch."""
        recipe = self._recipe
        if not recipe.changes or epoch >= recipe.epochs - recipe.no_augment_final_epochs:
            return batch
        rng = np.random.default_rng([self._seed, epoch, step, _STREAM])
        count = len(batch)
        # All are drawn in one order, whatever the recipe does with them.
        mirrored = rng.random(count) < recipe.mirroring
        corners, sides = rng.random((count, 2)), rng.random((count, 1)) * recipe.cutout
        lighter = rng.uniform(-1, 1, (count, 1, 1, 1)) * recipe.brightness
        louder = rng.uniform(-1, 1, (count, 1, 1, batch.shape[3])) * recipe.scaling
        batch = np.where(mirrored[:, None, None, None], batch[:, :, ::-1], batch)
        if recipe.cutout:
            batch = np.where(_cut(batch.shape, corners, sides), self._blank, batch)
        if recipe.scaling:
            batch = batch * (1 + louder).astype(np.float32)
        if recipe.brightness:
            batch = batch + lighter.astype(np.float32) * self._spread
        if recipe.jitter:
            batch = batch + rng.standard_normal(batch.shape, np.float32) * (np.float32(recipe.jitter) * self._spread)
        return batch

    @cached_property
    def _channels(self) -> tuple[Channel, ...]:
        return pixel_statistics(self._images)

    @property
    def _spread(self) -> Pixels:
        return np.array([one.deviation for one in self._channels], np.float32)

    @property
    def _blank(self) -> Pixels:
        """What is cut out has the mean of its channel: it says nothing."""
        return np.array([one.mean for one in self._channels], np.float32)


def _cut(
    shape: tuple[int, ...], corners: npt.NDArray[np.float64], sides: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """Return which pixels are blanked, ``(batch, height, width, 1)``; all across, where the width is 1."""
    count, height, width, _ = shape
    begin = corners * (1 - sides)
    end = begin + sides
    inside = []
    for axis, length in enumerate((height, width)):
        middles = (np.arange(length) + 0.5) / length
        within = (middles >= begin[:, axis : axis + 1]) & (middles < end[:, axis : axis + 1])
        inside.append(within if length > 1 else np.ones((count, 1), bool))
    return (inside[0][:, :, None] & inside[1][:, None, :])[..., None]
