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


def pooled(images: np.ndarray) -> np.ndarray:
    """Return images after our max pooling by 2."""
    from tinysearch.training.unrolled import UnrolledMaxPooling2D

    return np.asarray(UnrolledMaxPooling2D(2)(images))


def moved(batch: np.ndarray, transforms: np.ndarray, fill: float | None) -> np.ndarray:
    """Return images as a compiled step moves them."""
    import jax

    from tinysearch.training.on_device import moved

    return np.asarray(jax.jit(lambda *given: moved(*given, fill))(batch, transforms))


def divided(count: int, size: int) -> list[list[int]]:
    """Return the numbers of images in whole steps and in the rest."""
    from tinysearch.training.on_device import in_steps

    whole, rest = in_steps(np.arange(count), size)
    return [*([] if whole is None else np.asarray(whole).tolist()), [] if rest is None else np.asarray(rest).tolist()]
