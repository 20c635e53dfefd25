"""Compiled epochs for JAX: the images stay on the device, and no step returns to Python.

An epoch is one call: ``lax.scan`` over its steps. Each step gathers its images, augments them, and runs Keras's own
``train_step`` with metrics. If copies of the images of the last, smaller batch fill a whole step, the step uses these
copies: means over them are the same, and no second program must be compiled. Validation is a second call. The random
draws of an epoch are transferred to the device at once, while the previous epoch runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import numpy.typing as npt

from tinysearch.runtime.memory import MOST_IN_MEMORY
from tinysearch.training.epochs import Course, Epochs
from tinysearch.training.on_device import Drawn, Resident, in_like_steps, in_steps, shown
from tinysearch.training.pipeline import large_batch
from tinysearch.training.recipe import Recipe

# Maximum bytes of images on a device with its own memory; also bounds the noise drawn for an epoch.
MOST_ON_DEVICE = 2**31


def on_a_processor() -> bool:
    """Return whether JAX computes on the CPU, in the memory of this process."""
    return bool(jax.default_backend() == "cpu")


def fits_the_device(course: Course, recipe: Recipe) -> bool:
    """Return whether the images and the random draws of an epoch fit into the memory of the device."""
    most = MOST_IN_MEMORY if on_a_processor() else MOST_ON_DEVICE
    training = course.batches.images.pixels
    noise = training.size * np.dtype(np.float32).itemsize if recipe.jitter else 0
    validation = 0 if course.validation is None else course.validation.pixels.nbytes
    if max(training.nbytes, validation) > most or noise > 2 * most:
        return False
    memory = memory_of_device()
    # The draws of two epochs exist at a time, and half of the memory is left for the network.
    return memory is None or training.nbytes + validation + 2 * noise <= memory // 2


def memory_of_device() -> int | None:
    """Return the bytes of device memory that this process may use; None on a CPU or if JAX does not know."""
    if on_a_processor():
        return None
    found = (jax.local_devices()[0].memory_stats() or {}).get("bytes_limit")
    return None if found is None else int(found)


class CompiledEpochs(Epochs):
    """Epochs that each are one compiled call.

    Args:
        model: The model to train.
        course: The data to train on.
        recipe: Recipe with the batch size.
    """

    def __init__(self, model: keras.Model, course: Course, recipe: Recipe) -> None:
        super().__init__(model, course)
        self._batch_size = recipe.batch_size
        self._images = Resident.of(course.batches.images)
        self._validation = None if course.validation is None else Resident.of(course.validation)
        self._guesses: Any = None
        self._blank = course.batches.changes.blank if recipe.cutout else None
        self._weights: Any = None
        if course.class_weight is not None:
            self._weights = jnp.asarray([course.class_weight[number] for number in sorted(course.class_weight)])
        # The state is donated: the next state reuses its memory.
        self._train = jax.jit(self._epoch, donate_argnums=0)
        self._validate = jax.jit(self._scored)

    def run(self, first: int, end: int, callbacks: Sequence[keras.callbacks.Callback]) -> None:
        """Train; call the callbacks only between epochs."""
        model = self.model
        called = keras.callbacks.CallbackList(
            list(callbacks), model=model, epochs=end, steps=self.course.batches.steps, verbose=0
        )
        model.stop_training = False
        called.on_train_begin()
        drawn = self._drawn(first)
        for epoch in range(first, end):
            model.reset_metrics()
            called.on_epoch_begin(epoch)
            state = self._train(self._state(), self._images, drawn, self._blank, self._weights)
            if epoch + 1 < end:
                drawn = self._drawn(epoch + 1)
            self._take(state)
            logs = _numbers(model.get_metrics_result())
            if self._validation is not None:
                called.on_test_begin()
                scores = self._evaluate()
                called.on_test_end(scores)
                logs.update({f"val_{name}": value for name, value in scores.items()})
            called.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
        called.on_train_end(logs)

    def guesses(self) -> npt.NDArray[np.int64]:
        """Return the predicted classes of the last validation."""
        return np.asarray(self._guesses, np.int64)

    def _drawn(self, epoch: int) -> Drawn:
        """Draw an epoch; transfer the draws to the device."""
        batches = self.course.batches
        order, moves = batches.drawn(epoch)
        found = Drawn(order, moves if len(moves) else None, batches.changes.drawn(epoch))
        return Drawn(*jax.device_put(tuple(found)))

    def _epoch(self, state: Any, images: Resident, drawn: Drawn, blank: Any, weights: Any) -> Any:
        """Return the state after an epoch. This function is compiled."""
        *trained, metrics = state
        none = jax.tree.map(jnp.zeros_like, metrics)

        def step(trained: Any, drawn: Drawn) -> tuple[Any, Any]:
            pixels, labels = shown(images, drawn, blank, self.course.batches.fill)
            given = (pixels, labels) if weights is None else (pixels, labels, weights[labels])
            _, (*after, sums) = self.model.train_step((*trained, none), given)
            return after, sums

        whole, rest, share = in_like_steps(drawn, self._batch_size)
        if whole is not None:
            trained, sums = jax.lax.scan(step, trained, whole)
            # All metrics are sums over images, from which Keras computes means in the end.
            metrics = jax.tree.map(lambda one, each: one + each[:-1].sum(0) + each[-1] * share, metrics, sums)
        if rest is not None:
            trained, sums = step(trained, rest)
            metrics = jax.tree.map(jnp.add, metrics, sums)
        return (*trained, metrics)

    def _evaluate(self) -> dict[str, float]:
        """Score the model on the validation images."""
        model = self.model
        model.reset_metrics()
        trainable, fixed, _, metrics = self._state()
        metrics, self._guesses = self._validate((trainable, fixed, metrics), self._validation)
        for variable, value in zip(model.metrics_variables, metrics, strict=True):
            variable.assign(value)
        return _numbers(model.get_metrics_result())

    def _scored(self, state: Any, images: Resident) -> tuple[Any, Any]:
        """Return the metrics and the predicted classes of images. This function is compiled."""
        trainable, fixed, metrics = state

        def step(metrics: Any, given: Resident) -> tuple[Any, Any]:
            pixels = given.pixels.astype(jnp.float32)
            _, (_, _, after) = self.model.test_step((trainable, fixed, metrics), (pixels, given.labels))
            probabilities, _ = self.model.stateless_call(trainable, fixed, pixels, training=False)
            return after, jnp.argmax(probabilities, axis=1)

        found = []
        whole, rest = in_steps(images, large_batch(images.pixels.shape))
        if whole is not None:
            metrics, classes = jax.lax.scan(step, metrics, whole)
            found.append(classes.reshape(-1))
        if rest is not None:
            metrics, classes = step(metrics, rest)
            found.append(classes)
        return metrics, jnp.concatenate(found)

    def _state(self) -> tuple[list[Any], ...]:
        return tuple([variable.value for variable in part] for part in self._variables())

    def _take(self, state: Any) -> None:
        for part, values in zip(self._variables(), state, strict=True):
            for variable, value in zip(part, values, strict=True):
                variable.assign(value)

    def _variables(self) -> tuple[list[Any], ...]:
        """Return all variables in the order of Keras's ``train_step``."""
        model = self.model
        trained = model.trainable_variables, model.non_trainable_variables
        return (*trained, model.optimizer.variables, model.metrics_variables)


def _numbers(logs: Any) -> dict[str, float]:
    return {name: float(value) for name, value in logs.items()}
