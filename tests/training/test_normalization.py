from __future__ import annotations

from functools import partial
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tinysearch.runtime.preparation import prepare_to_train
from tinysearch.training.normalization import FusedBatchNormalization

prepare_to_train()

# Multiples of four, of two and odd; the pixels of the last two make whole groups of four or do not.
SHAPES = [(6, 5, 5, 8), (4, 3, 3, 6), (8, 4, 2, 7), (2, 3, 4, 1), (3, 3, 3, 5)]


def layers(channels: int) -> tuple[Any, Any]:
    """Return Keras's layer and ours with the same variables."""
    rng = np.random.default_rng(0)
    both = keras.layers.BatchNormalization(momentum=0.7), FusedBatchNormalization(momentum=0.7)
    for layer in both:
        layer.build((None, None, None, channels))
    weights = [rng.uniform(0.5, 2.0, channels) for _ in range(4)]
    for layer in both:
        layer.set_weights(weights)
    return both


def images(shape: tuple[int, ...]) -> Any:
    return tf.constant(np.random.default_rng(1).normal(3.0, 2.0, shape), tf.float32)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_results_and_moving_statistics_are_those_of_keras(shape: tuple[int, ...]) -> None:
    theirs, ours = layers(shape[-1])
    for training in (True, True, False):
        np.testing.assert_allclose(
            ours(images(shape), training=training), theirs(images(shape), training=training), atol=1e-5
        )
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


@pytest.mark.parametrize("known", [True, False], ids=["batch known", "batch not known"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_gradients_are_those_of_keras(shape: tuple[int, ...], known: bool) -> None:
    upstream = tf.constant(np.random.default_rng(2).normal(size=shape), tf.float32)
    like = tf.TensorSpec(shape if known else (None, *shape[1:]), tf.float32)
    theirs, ours = (
        tf.function(partial(gradients, layer), input_signature=[like, like])(images(shape), upstream)
        for layer in layers(shape[-1])
    )
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def gradients(layer: Any, x: Any, upstream: Any) -> Any:
    with tf.GradientTape() as tape:
        tape.watch(x)
        results = layer(x, training=True)
    return tape.gradient(results, [x, *[variable.value for variable in layer.trainable_variables]], upstream)


def test_a_layer_that_is_not_to_be_trained_uses_its_moving_statistics() -> None:
    theirs, ours = layers(6)
    theirs.trainable = ours.trainable = False
    x = images((4, 3, 3, 6))
    np.testing.assert_allclose(ours(x, training=True), theirs(x, training=True), atol=1e-5)
