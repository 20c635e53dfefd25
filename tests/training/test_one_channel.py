from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tinysearch.runtime.preparation import prepare_to_train
from tinysearch.space.architecture import Architecture, Conv, Dropout, Head, Inception, SeparableConv
from tinysearch.space.keras_builder import build
from tinysearch.space.task import Task
from tinysearch.training import one_channel
from tinysearch.training.backends import layers
from tinysearch.training.predictions import probabilities

prepare_to_train()

CONV, DEPTHWISE, SEPARABLE = "Conv2D", "DepthwiseConv2D", "SeparableConv2D"
LAYERS = [
    (CONV, {"filters": 3, "kernel_size": 1}),
    (CONV, {"filters": 1, "kernel_size": 1, "strides": 2, "padding": "same", "activation": "relu"}),
    (CONV, {"filters": 4, "kernel_size": 3}),
    (DEPTHWISE, {"kernel_size": 1, "strides": 2}),
    (DEPTHWISE, {"kernel_size": (3, 1), "padding": "same", "depth_multiplier": 3, "activation": "relu"}),
    (DEPTHWISE, {"kernel_size": 5, "strides": 2, "padding": "same", "use_bias": False}),
    (SEPARABLE, {"filters": 1, "kernel_size": 1}),
    (SEPARABLE, {"filters": 6, "kernel_size": 1, "strides": 3, "use_bias": False}),
    (SEPARABLE, {"filters": 4, "kernel_size": (3, 2), "strides": 2, "padding": "same", "activation": "relu"}),
    (SEPARABLE, {"filters": 5, "kernel_size": 3}),
]


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("kind", "options"), LAYERS)
def test_results_and_gradients_are_those_of_keras(kind: str, options: dict[str, Any], channels: int) -> None:
    images = np.random.default_rng(0).normal(size=(2, 9, 8, channels))
    keras.utils.set_random_seed(0)
    # Double precision is not computed by the kernels that fail.
    theirs = getattr(keras.layers, kind)(**options, dtype="float64")
    ours = getattr(one_channel, f"OneChannel{kind}")(**options)
    for layer in (theirs, ours):
        layer.build(images.shape)
    ours.set_weights([np.random.default_rng(1).normal(size=one.shape) for one in theirs.get_weights()])
    theirs.set_weights(ours.get_weights())
    for one, other in zip(outcome(theirs, images), outcome(ours, images.astype(np.float32)), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def outcome(layer: Any, pixels: Any) -> list[Any]:
    """Return results, and the gradients of the sum of their squares with respect to weights and images."""
    images = tf.constant(pixels)
    with tf.GradientTape() as tape:
        tape.watch(images)
        results = layer(images)
        total = tf.reduce_sum(results**2)
    return [results, *tape.gradient(total, [*(one.value for one in layer.trainable_variables), images])]


@pytest.mark.parametrize("kernel", [(1, 1), (3, 3)])
@pytest.mark.parametrize("first", [(), (Conv(1, padding="same"),)], ids=["images", "features"])
def test_networks_with_one_channel_can_be_trained(first: tuple[Conv, ...], kernel: tuple[int, int]) -> None:
    # TensorFlow's kernels fail with this network of Keras's layers.
    single = SeparableConv(1, kernel=kernel, padding="same", activation="leaky_relu")
    other = Conv(2, padding="same", activation="leaky_relu")
    network = Architecture((*first, Inception(((single,), (other,)))), Head())
    keras.utils.set_random_seed(0)
    model = build(network, Task(), instead=layers())
    model.compile("sgd", "sparse_categorical_crossentropy", jit_compile=False)
    images = np.random.default_rng(0).normal(size=(64, 28, 28, 1)).astype(np.float32)
    found = model.fit(images, np.arange(64) % 10, batch_size=32, epochs=1, verbose=0)
    assert np.isfinite(found.history["loss"]).all()


def test_saved_networks_with_one_channel_can_predict() -> None:
    # TensorFlow's kernels fail with this network of Keras's layers, once it is compiled.
    single = SeparableConv(1, kernel=(1, 1), padding="same", norm="before")
    model = build(Architecture((Inception(((single,), (Dropout(0.1),))),), Head("average")), Task())
    images = np.random.default_rng(0).integers(0, 255, size=(64, 28, 28, 1)).astype(np.uint8)
    expected = model(images.astype(np.float32), training=False)
    np.testing.assert_allclose(probabilities(model, images), expected, atol=1e-5)
