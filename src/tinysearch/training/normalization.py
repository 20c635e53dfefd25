"""Batch normalization by TensorFlow's fused kernels, in a layout that suits the CPU.

Keras 3 normalizes by separate operations, on which a candidate spends up to half of its time. TensorFlow has one kernel
for all of them, but it reads channels in fours: if their number is no multiple of four, it is slower than the separate
operations. In that case neighbouring pixels are treated here as one pixel with two or four times the channels, and
their statistics are combined.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

_LANES = 4


class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Keras's layer for images with channels last: the same results up to rounding, in half the time."""

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Normalize, shape ``(batch, height, width, channels)``; if training, update the moving statistics."""
        scale, offset, mean, variance = (
            tf.convert_to_tensor(one) for one in (self.gamma, self.beta, self.moving_mean, self.moving_variance)
        )
        if not (training and self.trainable):
            return _in_lanes(inputs, lambda x, times: _apply(x, times, scale, offset, mean, variance, self.epsilon))
        results, mean, variance = _in_lanes(inputs, lambda x, times: _normalize(x, times, scale, offset, self.epsilon))
        for moving, seen in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + seen * (1.0 - self.momentum))
        return results


def _in_lanes(x: tf.Tensor, normalize: Callable[[tf.Tensor, int], Any]) -> Any:
    """Call ``normalize`` with images and the number of pixels to treat as one."""
    times = _LANES // math.gcd(x.shape[-1], _LANES)
    if times == 1 or tf.config.list_physical_devices("GPU"):
        return normalize(x, 1)
    known = x.shape.num_elements()
    if known is not None:
        return normalize(x, times if known % (times * x.shape[-1]) == 0 else 1)
    fits = tf.size(x) % (times * x.shape[-1]) == 0
    return tf.cond(fits, lambda: normalize(x, times), lambda: normalize(x, 1))


def _apply(
    x: tf.Tensor, times: int, scale: tf.Tensor, offset: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor, epsilon: float
) -> tf.Tensor:
    """Normalize with a given mean and variance, each of shape ``(channels,)``."""
    scale, offset, mean, variance = (tf.tile(one, [times]) for one in (scale, offset, mean, variance))
    normalized, *_ = tf.raw_ops.FusedBatchNormV3(
        x=_wide(x, times),
        scale=scale,
        offset=offset,
        mean=mean,
        variance=variance,
        epsilon=epsilon,
        is_training=False,
    )
    return tf.reshape(normalized, tf.shape(x))


def _normalize(
    x: tf.Tensor, times: int, scale: tf.Tensor, offset: tf.Tensor, epsilon: float
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Normalize with the mean and variance of ``x``; return these as well, each of shape ``(channels,)``."""
    channels = x.shape[-1]
    pixels = tf.cast(tf.size(x) // channels, tf.float32)
    none, one = tf.zeros(times * channels), tf.ones(times * channels)
    # The kernel divides by the number of pixels minus one, Keras by the number of pixels.
    biased = 1.0 - times / pixels
    if times == 1:
        normalized, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=x, scale=scale, offset=offset, mean=none, variance=one, epsilon=epsilon, is_training=True
        )
        return normalized, mean, variance * biased

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def normalize(x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor) -> Any:
        _, means, variances, *_ = tf.raw_ops.FusedBatchNormV3(
            x=_wide(x, times), scale=one, offset=none, mean=none, variance=one, epsilon=epsilon, is_training=True
        )
        means, variances = tf.reshape(means, (times, channels)), tf.reshape(variances, (times, channels))
        mean = tf.reduce_mean(means, axis=0)
        variance = tf.reduce_mean(variances * biased, axis=0) + tf.reduce_mean(tf.square(means - mean), axis=0)

        def gradient(upstream: tf.Tensor, *_: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            # Ioffe and Szegedy (2015): the gradient for constant mean and variance, minus their share for every pixel.
            direct, by_scale, by_offset, *_unused = tf.raw_ops.FusedBatchNormGradV3(
                y_backprop=_wide(upstream, times),
                x=_wide(x, times),
                scale=tf.tile(scale, [times]),
                reserve_space_1=tf.tile(mean, [times]),
                reserve_space_2=tf.tile(variance, [times]),
                reserve_space_3=none,
                epsilon=epsilon,
                is_training=False,
            )
            by_scale = tf.reduce_sum(tf.reshape(by_scale, (times, channels)), axis=0)
            by_offset = tf.reduce_sum(tf.reshape(by_offset, (times, channels)), axis=0)
            share = -scale * tf.math.rsqrt(variance + epsilon) / pixels
            taken = _apply(x, times, share * by_scale, share * by_offset, mean, variance, epsilon)
            return tf.reshape(direct, tf.shape(x)) + taken, by_scale, by_offset

        return (_apply(x, times, scale, offset, mean, variance, epsilon), mean, variance), gradient

    results: tuple[tf.Tensor, tf.Tensor, tf.Tensor] = normalize(x, scale, offset)
    return results


def _wide(x: tf.Tensor, times: int) -> tf.Tensor:
    """Treat ``times`` neighbouring pixels as one; return shape ``(1, 1, pixels, channels)``."""
    return tf.reshape(x, (1, 1, -1, times * x.shape[-1]))
