"""What tests of layers and images on JAX compute, in a process where Keras is on it."""

from __future__ import annotations

from typing import Any

import numpy as np


def differences(kind: str, options: dict[str, Any], shape: tuple[int, ...], alike: bool) -> dict[str, float]:
    """Return how far a layer of ours is from Keras's: results and gradients, by the largest value of Keras's.

    Args:
        kind: Name of Keras's layer.
        options: Of the layer.
        shape: Of the images.
        alike: Whether many values of the images are equal.
    """
    import jax
    import jax.numpy as jnp
    import keras

    from tinysearch.training.unrolled import INSTEAD

    rng = np.random.default_rng(0)
    images = jnp.asarray((rng.integers(0, 3, shape) if alike else rng.normal(size=shape)).astype(np.float32))
    theirs = getattr(keras.layers, kind)(**options)
    ours = INSTEAD[type(theirs)](**options)
    for layer in (theirs, ours):
        layer.build(images.shape)
    ours.set_weights([rng.normal(size=value.shape) for value in theirs.get_weights()])
    theirs.set_weights(ours.get_weights())
    upstream = jnp.asarray(rng.normal(size=theirs.compute_output_shape(shape)).astype(np.float32))

    def pulled(layer: Any) -> Any:
        def call(variables: list[Any], images: Any) -> Any:
            return layer.stateless_call(variables, [], images)[0]

        # Compiled as one program, as in a training: one operation after the other takes longer.
        @jax.jit
        def both(variables: list[Any], images: Any) -> Any:
            results, back = jax.vjp(call, variables, images)
            return {"results": results, "gradients": back(upstream)}

        return jax.device_get(both([variable.value for variable in layer.trainable_variables], images))

    found, expected = pulled(ours), pulled(theirs)
    far = {}
    for name in found:
        pairs = zip(jax.tree.leaves(found[name]), jax.tree.leaves(expected[name]), strict=True)
        far[name] = max(float(np.abs(one - other).max() / (1e-6 + np.abs(other).max())) for one, other in pairs)
    return far


def normalization(mean: float, deviation: float, trainable: bool = True) -> dict[str, float]:
    """Return how far our batch normalization is from its definition in ``float64``, by the largest value of that.

    Args:
        mean, deviation: Of the images.
        trainable: Whether the layer is to be trained.

    Returns:
        Of what a step of training gives, of the gradients, of the moving statistics after it, and of what is given
        without training.
    """
    import jax
    import jax.numpy as jnp

    from tinysearch.training.jax_normalization import OnePassBatchNormalization

    rng = np.random.default_rng(0)
    images = rng.normal(mean, deviation, (4, 5, 3, 6)).astype(np.float32)
    # One channel is all alike.
    images[..., 0] = mean
    upstream = rng.normal(size=images.shape).astype(np.float32)
    weights = [rng.uniform(0.5, 2.0, 6), rng.uniform(-1.0, 1.0, 6), rng.uniform(-1.0, 1.0, 6), rng.uniform(0.5, 2.0, 6)]
    layer = OnePassBatchNormalization(momentum=0.7)
    layer.build(images.shape)
    layer.set_weights(weights)
    layer.trainable = trainable

    def ours(training: bool, variables: list[Any], images: Any) -> tuple[Any, list[Any]]:
        moving = [layer.moving_mean.value, layer.moving_variance.value]
        given = (variables, moving) if trainable else ([], [*variables, *moving])
        results, after = layer.stateless_call(*given, images, training=training)
        return results, after[-2:]

    def defined(training: bool, variables: list[Any], images: Any) -> tuple[Any, list[Any]]:
        scale, offset = variables
        moving = [jnp.asarray(one) for one in weights[2:]]
        seen = moving
        if training and trainable:
            seen = [images.mean((0, 1, 2)), images.var((0, 1, 2))]
            moving = [0.7 * before + 0.3 * now for before, now in zip(moving, seen, strict=True)]
        return (images - seen[0]) / jnp.sqrt(seen[1] + layer.epsilon) * scale + offset, moving

    def computed(function: Any, dtype: str) -> Any:
        variables = [jnp.asarray(one, dtype) for one in weights[:2]]

        @jax.jit
        def all_of_it(variables: list[Any], images: Any) -> Any:
            results, back, moving = jax.vjp(lambda *given: function(True, *given), variables, images, has_aux=True)
            answers, _ = function(False, variables, images)
            return {
                "results": results,
                "gradients": back(jnp.asarray(upstream, dtype)),
                "moving": moving,
                "answers": answers,
            }

        return jax.device_get(all_of_it(variables, jnp.asarray(images, dtype)))

    found = computed(ours, "float32")
    with jax.enable_x64(True):
        exact = computed(defined, "float64")
    assert all(one.dtype == np.float64 for one in jax.tree.leaves(exact))
    far = {}
    for name in found:
        pairs = zip(jax.tree.leaves(found[name]), jax.tree.leaves(exact[name]), strict=True)
        far[name] = max(float(np.abs(one - other).max() / (1e-6 + np.abs(other).max())) for one, other in pairs)
    return far


def clipped(gradients: list[np.ndarray], most: float) -> dict[str, Any]:
    """Return what our optimizer and Keras's make of variables of ones, in two steps, and what ours is configured as."""
    import keras

    from tinysearch.training.optimization import ClippedSGD

    found = {}
    for name, kind in (("ours", ClippedSGD), ("theirs", keras.optimizers.SGD)):
        variables = [keras.Variable(np.ones(one.shape, np.float32)) for one in gradients]
        optimizer = kind(0.1, momentum=0.9, nesterov=True, global_clipnorm=most)
        optimizer.build(variables)
        values, state = [one.value for one in variables], [one.value for one in optimizer.variables]
        for _ in range(2):
            values, state = optimizer.stateless_apply(state, gradients, values)
        found[name] = [np.asarray(one) for one in values]
        found[f"{name} limit"] = optimizer.get_config()["global_clipnorm"]
    return found


def pooled(images: np.ndarray) -> np.ndarray:
    """Return images after our max pooling by 2."""
    from tinysearch.training.unrolled import UnrolledMaxPooling2D

    return np.asarray(UnrolledMaxPooling2D(2)(images))


def moved(batch: np.ndarray, transforms: np.ndarray, fill: float | None) -> np.ndarray:
    """Return images as a compiled step moves them."""
    import jax

    from tinysearch.training.on_device import moved

    return np.asarray(jax.jit(lambda *given: moved(*given, fill))(batch, transforms))


def evened(count: int, size: int) -> tuple[list[list[int]], list[int], float]:
    """Return the numbers of images in like steps, in the rest, and the part of the last step that is not repeated."""
    from tinysearch.training.on_device import in_like_steps

    whole, rest, share = in_like_steps(np.arange(count), size)
    steps = [] if whole is None else np.asarray(whole).tolist()
    return steps, [] if rest is None else np.asarray(rest).tolist(), share


def divided(count: int, size: int) -> list[list[int]]:
    """Return the numbers of images in whole steps and in the rest."""
    from tinysearch.training.on_device import in_steps

    whole, rest = in_steps(np.arange(count), size)
    return [*([] if whole is None else np.asarray(whole).tolist()), [] if rest is None else np.asarray(rest).tolist()]
