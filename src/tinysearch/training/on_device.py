"""Training images on the JAX device, and their augmentation in a step, as part of the compiled epoch.

The batches equal those of ``TrainingBatches`` up to rounding: the draws are the same ones, made by NumPy.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from tinysearch.data.images import Images
from tinysearch.training.changes import Draws, within


class Drawn(NamedTuple):
    """The random draws of an epoch, one row per image, in the order of the epoch.

    Args:
        order: Indices of the images, shape ``(images,)``.
        moves: Affine transform of each image, shape ``(images, 8)``; None if the recipe moves no images.
        draws: Other changes of each image, which come before the transform.
    """

    order: npt.NDArray[np.int32]
    moves: npt.NDArray[np.float32] | None
    draws: Draws


class Resident(NamedTuple):
    """Images on the device: raw pixels, shape ``(images, height, width, channels)``, and labels."""

    pixels: Any
    labels: Any

    @classmethod
    def of(cls, images: Images) -> Resident:
        """Transfer images to the device."""
        return cls(jnp.asarray(np.asarray(images.pixels)), jnp.asarray(images.labels))


def in_steps(values: Any, size: int) -> tuple[Any, Any]:
    """Divide arrays into whole steps and the rest.

    Args:
        values: A tree of arrays of shape ``(images, ...)``.
        size: Images per step.

    Returns:
        The whole steps, arrays of shape ``(steps, size, ...)``, and the rest, ``(rest, ...)``; None if empty.
    """
    count = len(jax.tree.leaves(values)[0])
    steps, rest = divmod(count, size)
    whole = jax.tree.map(lambda one: one[: steps * size].reshape(steps, size, *one.shape[1:]), values)
    return whole if steps else None, jax.tree.map(lambda one: one[steps * size :], values) if rest else None


def in_like_steps(values: Any, size: int) -> tuple[Any, Any, float]:
    """Divide arrays into whole steps; repeat the rows of a smaller last step if copies of them fill it.

    Args:
        values: A tree of arrays of shape ``(images, ...)``.
        size: Images per step.

    Returns:
        The same as ``in_steps``, where the rest remains only if its copies do not fill a step or no step is whole; and
        the fraction of rows in the last step that are not copies.
    """
    whole, rest = in_steps(values, size)
    left = 0 if rest is None else len(jax.tree.leaves(rest)[0])
    if whole is None or not left or size % left:
        return whole, rest, 1.0

    def joined(steps: Any, last: Any) -> Any:
        return jnp.concatenate([steps, jnp.concatenate([last] * (size // left))[None]])

    return jax.tree.map(joined, whole, rest), None, left / size


def shown(images: Resident, drawn: Drawn, blank: Any, fill: float | None) -> tuple[Any, Any]:
    """Return the augmented pixels, ``float32``, and the labels of a step.

    Args:
        images: All training images.
        drawn: The draws for the images of the step.
        blank: Value of blanked pixels, shape ``(channels,)``.
        fill: See ``moved``.
    """
    batch = images.pixels[drawn.order].astype(jnp.float32)
    draws = drawn.draws
    if draws.mirrored is not None:
        batch = jnp.where(draws.mirrored[:, None, None, None], batch[:, :, ::-1], batch)
    if draws.cut is not None:
        batch = jnp.where(within(draws.cut, batch.shape), blank, batch)
    if draws.factors is not None:
        batch = batch * draws.factors
    if draws.added is not None:
        batch = batch + draws.added
    if draws.noise is not None:
        batch = batch + draws.noise
    if drawn.moves is not None:
        batch = moved(batch, drawn.moves, fill)
    return batch, images.labels[drawn.order]


def moved(batch: Any, transforms: Any, fill: float | None) -> Any:
    """Move images as ``apply_affine`` does, with four reads per pixel.

    Args:
        batch: Shape ``(batch, height, width, channels)``.
        transforms: Affine transforms, shape ``(batch, 8)``.
        fill: Value of pixels from outside the image; None for the value of the nearest pixel inside.
    """
    count, height, width, channels = batch.shape
    y, x = jnp.arange(height, dtype=jnp.float32)[:, None], jnp.arange(width, dtype=jnp.float32)[None, :]
    xx, xy, shift_x, yx, yy, shift_y = (transforms[:, number, None, None] for number in range(6))
    border = 0
    if fill is not None:
        # Everything more than one pixel outside has the same value.
        border = 1
        batch = jnp.pad(batch, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=fill)
    rows = height + 2 * border
    columns = width + 2 * border
    across = jnp.clip(xx * x + xy * y + shift_x + border, 0, columns - 1)
    down = jnp.clip(yx * x + yy * y + shift_y + border, 0, rows - 1)
    left, top = jnp.floor(across), jnp.floor(down)
    flat = batch.reshape(count, rows * columns, channels)

    def read(row: Any, column: Any) -> Any:
        at = (row * columns + column).astype(jnp.int32).reshape(count, -1, 1)
        found = jnp.take_along_axis(flat, at, axis=1, mode="promise_in_bounds")
        return found.reshape(count, height, width, channels)

    right, bottom = jnp.minimum(left + 1, columns - 1), jnp.minimum(top + 1, rows - 1)
    by_x, by_y = (across - left)[..., None], (down - top)[..., None]
    upper = read(top, left) * (1 - by_x) + read(top, right) * by_x
    lower = read(bottom, left) * (1 - by_x) + read(bottom, right) * by_x
    return upper * (1 - by_y) + lower * by_y
