"""Batch normalization for JAX with a minimum of passes over the images.

The compiled code of Keras's layer reads its input about ten times: for the mean, for the variance, and for each term of
their gradients. With networks of this size, a GPU spends most of its time on launching such passes. Therefore one pass
computes mean and variance here, and another one the gradients of scale and offset, which determine the gradient of the
images.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import keras

_PIXELS = (0, 1, 2)


class OnePassBatchNormalization(keras.layers.BatchNormalization):
    """Keras's layer for images with channels last: the same results, and the same gradients up to rounding."""

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Normalize, shape ``(batch, height, width, channels)``; if training, update the moving statistics."""
        scale, offset = self.gamma.value, self.beta.value
        moving_mean, moving_variance = self.moving_mean.value, self.moving_variance.value
        if not (training and self.trainable):
            factor = scale * jax.lax.rsqrt(moving_variance + self.epsilon)
            return inputs * factor + (offset - moving_mean * factor)
        found, mean, variance = normalized(inputs, scale, offset, self.epsilon)
        for moving, before, seen in (
            (self.moving_mean, moving_mean, mean),
            (self.moving_variance, moving_variance, variance),
        ):
            moving.assign(before * self.momentum + seen * (1.0 - self.momentum))
        return found


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def normalized(images: Any, scale: Any, offset: Any, epsilon: float) -> tuple[Any, Any, Any]:
    """Normalize images with their own mean and variance; return these too, each of shape ``(channels,)``.

    Args:
        images: Shape ``(batch, height, width, channels)``.
        scale, offset: Factor of the normalized images and value added after it, each of shape ``(channels,)``.
        epsilon: Added to the variance.

    No gradients flow through the returned mean and variance.
    """
    return _forward(images, scale, offset, epsilon)[0]


def _forward(images: Any, scale: Any, offset: Any, epsilon: float) -> tuple[tuple[Any, Any, Any], Any]:
    # Deviations are from a value of the images: squares of deviations from a distant value lose all digits (Chan, Golub
    # and LeVeque, 1983, https://doi.org/10.1080/00031305.1983.10483115).
    near = images[0, images.shape[1] // 2, images.shape[2] // 2]
    deviations = images - near
    away = jnp.mean(deviations, axis=_PIXELS)
    variance = jnp.maximum(jnp.mean(jnp.square(deviations), axis=_PIXELS) - jnp.square(away), 0.0)
    inverse = jax.lax.rsqrt(variance + epsilon)
    found = (deviations - away) * (scale * inverse) + offset
    return (found, near + away, variance), (images, scale, near, away, inverse)


def _backward(epsilon: float, kept: Any, upstream: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
    """Return the gradients by Ioffe and Szegedy (2015), https://arxiv.org/abs/1502.03167."""
    images, scale, near, away, inverse = kept
    by_results, *_ = upstream
    normal = (images - near - away) * inverse
    by_offset = jnp.sum(by_results, axis=_PIXELS)
    by_scale = jnp.sum(by_results * normal, axis=_PIXELS)
    pixels = images.size // images.shape[-1]
    by_images = (scale * inverse) * (by_results - (by_offset + normal * by_scale) / pixels)
    return by_images, by_scale, by_offset


normalized.defvjp(_forward, _backward)
