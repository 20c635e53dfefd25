"""Interpreter that builds a Keras model. This is the only module of ``space`` that loads Keras."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import keras

from tinysearch.errors import CostMismatchError
from tinysearch.space.architecture import Architecture, Conv, Convolution, DepthwiseConv, Pool, SeparableConv
from tinysearch.space.convolution import Activation
from tinysearch.space.cost import cost
from tinysearch.space.lowering import lower
from tinysearch.space.task import Task

# Passed to every layer, because callers can change the defaults of Keras.
_DTYPE = "float32"
_FORMAT = "channels_last"

# One number for all channels, or one per channel.
Scale = float | list[float]
# Replacements of Keras layers, by layer class.
Instead = Mapping[Any, Callable[..., Any]]


def build(
    architecture: Architecture,
    task: Task,
    *,
    scale: Scale = 1.0,
    offset: Scale = 0.0,
    norm_momentum: float = 0.99,
    instead: Instead = MappingProxyType({}),
) -> keras.Model:
    """Build an uncompiled Keras model with ``float32`` and channels last, whatever the settings of Keras.

    Args:
        architecture: The architecture to build.
        task: Input shape ``(height, width, channels)`` and number of classes.
        scale, offset: A first layer without parameters multiplies raw pixels by ``scale`` and adds ``offset``; each is
            one number for all channels or a list with one per channel. With 1 and 0 the model has no such layer.
        norm_momentum: Momentum of the moving statistics of batch normalization.
        instead: Replacements of Keras layers by layer class, with the same variables and results.

    Returns:
        A model from images, shape ``(batch, height, width, channels)``, to class probabilities, shape
        ``(batch, classes)``. Initial weights come from Keras's global generator (``keras.utils.set_random_seed``).

    Raises:
        InputError: if ``architecture`` or ``task`` has another type.
        ShapeError: if the architecture does not fit the task.
        CostMismatchError: if the parameter counts of Keras and ``cost`` differ, which is a bug in tinysearch.
    """
    expected = cost(architecture, task)
    images = keras.Input(task.input_shape, name="images", dtype=_DTYPE)
    x = images
    if scale != 1.0 or offset != 0.0:
        x = keras.layers.Rescaling(scale, offset, name="scale", dtype=_DTYPE)(x)
    probabilities = lower(architecture, task, _KerasOps(norm_momentum, instead), x)
    model = keras.Model(images, probabilities, name=f"tinysearch_{architecture.key}")
    model.dtype_policy = keras.DTypePolicy(_DTYPE)
    if model.count_params() != expected.params:
        raise CostMismatchError(
            f"Keras counts {model.count_params():,} parameters where the arithmetic gives {expected.params:,} for "
            f"architecture {architecture.key}; please report this with {architecture.to_dict()}"
        )
    return model


class _KerasOps:
    """Interpreter that calls Keras layers; layers of the same name are created once and shared."""

    def __init__(self, norm_momentum: float, instead: Instead) -> None:
        self._norm_momentum = norm_momentum
        self._instead = instead
        self._layers: dict[str, Any] = {}

    def _layer(self, name: str, create: Callable[..., Any], **arguments: Any) -> Any:
        if name not in self._layers:
            self._layers[name] = self._instead.get(create, create)(name=name, dtype=_DTYPE, **arguments)
        return self._layers[name]

    def convolution(self, x: Any, name: str, *, layer: Convolution, folds: bool) -> Any:
        sizes: dict[str, Any] = {
            "kernel_size": layer.kernel,
            "strides": layer.stride,
            "padding": layer.padding,
            "use_bias": layer.bias,
            "data_format": _FORMAT,
        }
        match layer:
            case Conv():
                return self._layer(name, keras.layers.Conv2D, filters=layer.filters, **sizes)(x)
            case SeparableConv():
                return self._layer(name, keras.layers.SeparableConv2D, filters=layer.filters, **sizes)(x)
            case DepthwiseConv():
                return self._layer(name, keras.layers.DepthwiseConv2D, depth_multiplier=layer.multiplier, **sizes)(x)

    def batch_normalization(self, x: Any, name: str, *, folds: bool) -> Any:
        return self._layer(name, keras.layers.BatchNormalization, axis=-1, momentum=self._norm_momentum)(x)

    def activation(self, x: Any, name: str, *, kind: Activation) -> Any:
        if kind == "leaky_relu":
            return self._layer(name, keras.layers.LeakyReLU, negative_slope=0.2)(x)
        return self._layer(name, keras.layers.ReLU)(x)

    def pool(self, x: Any, name: str, *, layer: Pool) -> Any:
        create = keras.layers.MaxPooling2D if layer.mode == "max" else keras.layers.AveragePooling2D
        return self._layer(
            name, create, pool_size=layer.size, strides=layer.step, padding=layer.padding, data_format=_FORMAT
        )(x)

    def dropout(self, x: Any, name: str, *, rate: float) -> Any:
        return self._layer(name, keras.layers.Dropout, rate=rate)(x)

    def concatenate(self, xs: Sequence[Any], name: str) -> Any:
        return self._layer(name, keras.layers.Concatenate, axis=-1)(list(xs))

    def add(self, x: Any, y: Any, name: str) -> Any:
        return self._layer(name, keras.layers.Add)([x, y])

    def flatten(self, x: Any, name: str) -> Any:
        return self._layer(name, keras.layers.Flatten, data_format=_FORMAT)(x)

    def global_pool(self, x: Any, name: str, *, average: bool) -> Any:
        create = keras.layers.GlobalAveragePooling2D if average else keras.layers.GlobalMaxPooling2D
        return self._layer(name, create, data_format=_FORMAT)(x)

    def dense(self, x: Any, name: str, *, units: int, activation: str) -> Any:
        return self._layer(name, keras.layers.Dense, units=units, activation=activation)(x)
