"""Optimizer, learning-rate schedule and loss of a recipe."""

from __future__ import annotations

import math
from typing import Any

import keras

from tinysearch.training.recipe import Recipe

_WARM_UP = 0.2


@keras.saving.register_keras_serializable("tinysearch")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up to ``peak`` over the first fifth of ``steps``, then a cosine to zero at the last step."""

    def __init__(self, peak: float, steps: int) -> None:
        self.peak = peak
        self.steps = steps
        self.warm_up = max(1, round(_WARM_UP * steps))

    def __call__(self, step: Any) -> Any:
        step = keras.ops.cast(step, "float32")
        rise = self.peak * (step + 1) / self.warm_up
        passed = (step + 1 - self.warm_up) / max(1, self.steps - self.warm_up)
        fall = self.peak * 0.5 * (1 + keras.ops.cos(math.pi * keras.ops.minimum(passed, 1.0)))
        return keras.ops.where(step + 1 <= self.warm_up, rise, fall)

    def get_config(self) -> dict[str, Any]:
        return {"peak": self.peak, "steps": self.steps}


def loss_of(recipe: Recipe) -> Any:
    """Return the cross-entropy of class probabilities, with labels smoothed if the recipe says so."""
    if not recipe.label_smoothing:
        return "sparse_categorical_crossentropy"
    smoothed = keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing)

    def loss(labels: Any, probabilities: Any) -> Any:
        classes = keras.ops.shape(probabilities)[-1]
        return smoothed.call(keras.ops.one_hot(keras.ops.reshape(labels, (-1,)), classes), probabilities)

    return loss


class _ClippedAtOnce:
    """Mixin for optimizers that computes the gradient norm for clipping in one pass instead of one per variable.

    The meaning of ``global_clipnorm`` is unchanged. A network of this size has dozens of variables, and a GPU needs as
    long to launch a pass as to run it. The mixin affects JAX, whose training steps call ``stateless_apply``.
    """

    global_clipnorm: float | None

    def stateless_apply(self, optimizer_variables: Any, grads: Any, trainable_variables: Any) -> Any:
        """Clip the gradients, then apply them as Keras's optimizer does.

        Args:
            optimizer_variables: Values of the optimizer's variables.
            grads: List of gradients with the shapes of ``trainable_variables``.
            trainable_variables: Values of the trainable variables.

        Returns:
            New values of ``trainable_variables`` and of ``optimizer_variables``.
        """
        most = self.global_clipnorm
        if most:
            ops = keras.ops
            norm = ops.norm(ops.concatenate([ops.ravel(one) for one in grads]))
            # Values that are not finite must not be hidden: they make the factor NaN.
            factor = most / ops.maximum(norm, most) + (norm - norm)
            grads = [one * factor for one in grads]
        self.global_clipnorm = None
        try:
            return super().stateless_apply(optimizer_variables, grads, trainable_variables)  # type: ignore[misc]
        finally:
            self.global_clipnorm = most


@keras.saving.register_keras_serializable("tinysearch")
class ClippedSGD(_ClippedAtOnce, keras.optimizers.SGD):
    """``SGD`` that clips in one pass on JAX."""


@keras.saving.register_keras_serializable("tinysearch")
class ClippedAdam(_ClippedAtOnce, keras.optimizers.Adam):
    """``Adam`` that clips in one pass on JAX."""


def optimizer_of(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """Return the optimizer of a recipe, with its learning-rate schedule for ``steps`` steps per epoch."""
    rate: Any = recipe.learning_rate
    if recipe.schedule == "one_cycle":
        rate = OneCycle(recipe.learning_rate, steps * recipe.epochs)
    options: dict[str, Any] = {"global_clipnorm": recipe.clip_norm or None}
    if recipe.weight_decay:
        options["weight_decay"] = recipe.weight_decay
    if recipe.ema_momentum:
        options.update(use_ema=True, ema_momentum=recipe.ema_momentum)
    if recipe.optimizer == "adam":
        optimizer: keras.optimizers.Optimizer = ClippedAdam(rate, **options)
    else:
        optimizer = ClippedSGD(rate, momentum=0.9, nesterov=True, **options)
    if recipe.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
