from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tinysearch.errors import CostMismatchError, ShapeError
from tinysearch.space import keras_builder
from tinysearch.space.architecture import (
    Architecture,
    Conv,
    DepthwiseConv,
    Dropout,
    Head,
    Inception,
    Pool,
    Residual,
    SeparableConv,
)
from tinysearch.space.cost import cost
from tinysearch.space.keras_builder import build
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.task import Task

fuzz = settings(
    # Keras takes a tenth of a second to build one.
    max_examples=settings.default.max_examples // 2,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(autouse=True)
def _fresh_keras() -> Iterator[None]:
    yield
    keras.backend.clear_session()


@given(seed=st.integers(0, 2**32 - 1))
@fuzz
def test_cost_agrees_with_keras_on_members_of_the_space(tasks: tuple[Task, ...], seed: int) -> None:
    for task in tasks:
        check_against_keras(SearchSpace(task).sample(np.random.default_rng(seed)), task)


@given(data=st.data())
@fuzz
def test_cost_agrees_with_keras_on_free_form_architectures(
    tasks: tuple[Task, ...], free_form: st.SearchStrategy[Architecture], data: st.DataObject
) -> None:
    architecture = data.draw(free_form)
    for task in tasks:
        check_against_keras(architecture, task)


def check_against_keras(architecture: Architecture, task: Task) -> None:
    model = build(architecture, task)
    counted = cost(architecture, task)
    assert counted.params == model.count_params()
    assert counted.trainable_params == sum(math.prod(weight.shape) for weight in model.trainable_weights)
    assert counted.non_trainable_params == sum(math.prod(weight.shape) for weight in model.non_trainable_weights)
    shapes = traced_shapes(model)
    assert counted.macs == traced_macs(model, shapes)
    calls: Counter[str] = Counter()
    for row in counted.layers:
        assert row.output_shape == shapes.pop((row.name, calls[row.name])), row.name
        calls[row.name] += 1
    assert list(shapes) == [("images", 0)]
    assert model.output_shape == (None, task.classes)


def traced_shapes(model: keras.Model) -> dict[tuple[str, int], tuple[int, ...]]:
    """Return the shape that Keras traced for each call of each layer, without the batch axis."""
    config = model.get_config()
    shapes = {(config["output_layers"][0], 0): model.output_shape[1:]}
    for layer in config["layers"]:
        for tensor in tensors(layer["inbound_nodes"]):
            name, call, _ = tensor["keras_history"]
            shapes[name, call] = tuple(tensor["shape"][1:])
    return shapes


def tensors(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        if part.get("class_name") == "__keras_tensor__":
            yield part["config"]
        else:
            yield from tensors(list(part.values()))
    elif isinstance(part, (list, tuple)):
        for inner in part:
            yield from tensors(inner)


def traced_macs(model: keras.Model, shapes: dict[tuple[str, int], tuple[int, ...]]) -> int:
    """Every kernel weight is used once for each pixel of what a call gives; a dense layer gives one pixel."""
    total = 0
    for (name, _), shape in shapes.items():
        kernels = [w for w in model.get_layer(name).weights if w.name.endswith("kernel")]
        total += math.prod(shape[:-1]) * sum(math.prod(kernel.shape) for kernel in kernels)
    return total


def test_layers_of_a_repeated_convolution_share_weights_but_not_normalization() -> None:
    model = build(Architecture((Conv(4), Conv(4, norm="before", repeat=3))), Task())
    kinds = Counter(type(layer).__name__ for layer in model.layers)
    assert kinds["Conv2D"] == 2
    assert kinds["BatchNormalization"] == 3
    assert kinds["ReLU"] == 4


@pytest.mark.parametrize(
    ("norm", "expected"),
    [
        ("none", ["Conv2D", "LeakyReLU"]),
        ("before", ["Conv2D", "BatchNormalization", "LeakyReLU"]),
        ("after", ["Conv2D", "LeakyReLU", "BatchNormalization"]),
    ],
)
def test_normalization_stands_where_the_architecture_says(norm: str, expected: list[str]) -> None:
    model = build(Architecture((Conv(2, norm=norm, activation="leaky_relu"),)), Task())
    assert [type(layer).__name__ for layer in model.layers[1:-2]] == expected


def test_linear_layers_have_no_activation_and_leaky_relu_has_slope_a_fifth() -> None:
    layers = (Conv(2, activation="linear"), Conv(2, activation="leaky_relu"))
    model = build(Architecture(layers), Task())
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["InputLayer", "Conv2D", "Conv2D", "LeakyReLU", "Flatten", "Dense"]
    assert model.layers[3].negative_slope == pytest.approx(0.2)


def test_the_model_gives_probabilities() -> None:
    block = Inception(((Conv(2),), (SeparableConv(3), Pool("max", 3, 1, "same"))))
    model = build(Architecture((block, Residual((Conv(5),))), Head("average", hidden=4)), Task((9, 8, 3), 5))
    probabilities = np.asarray(model(np.random.default_rng(0).random((2, 9, 8, 3), np.float32)))
    assert probabilities.shape == (2, 5)
    assert probabilities.sum(axis=1) == pytest.approx([1, 1], abs=1e-5)


def test_a_residual_block_adds_its_input() -> None:
    architecture = Architecture((Residual((Conv(1, kernel=1, activation="linear"),)),))
    model = build(architecture, Task((2, 2, 1), 2))
    model.layers[1].set_weights([np.full((1, 1, 1, 1), 3.0), np.zeros(1)])
    body = keras.Model(model.input, model.get_layer("residual1").output)
    assert np.asarray(body(np.ones((1, 2, 2, 1), np.float32))).ravel() == pytest.approx([4] * 4)


def test_pixels_are_rescaled_without_parameters() -> None:
    architecture = Architecture((Conv(2),))
    model = build(architecture, Task(), scale=1 / 255, offset=-0.5)
    assert model.count_params() == cost(architecture, Task()).params
    scaled = keras.Model(model.input, model.get_layer("scale").output)
    pixels = np.full((1, 28, 28, 1), 255, np.uint8)
    assert np.asarray(scaled(pixels)).max() == pytest.approx(0.5)


def test_pixels_are_left_alone_unless_asked() -> None:
    assert "scale" not in {layer.name for layer in build(Architecture((Conv(2),)), Task()).layers}


def test_normalization_takes_the_momentum_given() -> None:
    model = build(Architecture((Conv(2, norm="before"),)), Task(), norm_momentum=0.9)
    assert model.get_layer("conv1_norm").momentum == pytest.approx(0.9)


@pytest.fixture(params=[("float64", "channels_last"), ("float16", "channels_first")])
def _set_otherwise(request: pytest.FixtureRequest) -> Iterator[None]:
    config = keras.config
    before = config.floatx(), config.image_data_format(), config.dtype_policy()
    config.set_floatx(request.param[0])
    config.set_image_data_format(request.param[1])
    config.set_dtype_policy(request.param[0])
    yield
    config.set_floatx(before[0])
    config.set_image_data_format(before[1])
    config.set_dtype_policy(before[2])


EVERY_LAYER = Architecture(
    (
        Conv(4, norm="before"),
        Inception(((SeparableConv(3),), (Pool("average", 3, 1, "same"), DepthwiseConv(2)))),
        Residual((Conv(11, activation="leaky_relu"),)),
        Dropout(0.1),
        Pool(),
    ),
    Head("flatten", hidden=4),
)


@pytest.mark.parametrize("head", ["flatten", "average", "max"])
@pytest.mark.usefixtures("_set_otherwise")
def test_a_model_does_not_depend_on_what_keras_is_set_to(head: Any) -> None:
    architecture, task = replace(EVERY_LAYER, head=Head(head, hidden=4)), Task((8, 6, 3), 5)
    model = build(architecture, task, scale=1 / 255, offset=-0.5)
    assert {model.dtype, *(layer.dtype for layer in model.layers)} == {"float32"}
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert model.count_params() == cost(architecture, task).params
    assert model.predict(np.zeros((2, 8, 6, 3), np.float32), verbose=0).dtype == np.float32
    shapes = [(one.name, one.output_shape) for one in cost(architecture, task).layers if one.name == "conv1"]
    assert [(name, model.get_layer(name).output.shape[1:]) for name, _ in shapes] == shapes


def test_what_does_not_fit_is_refused_before_keras_sees_it() -> None:
    with pytest.raises(ShapeError, match="5x5 window without padding over an image of 4x4"):
        build(Architecture((Conv(2, kernel=5, padding="valid"),)), Task((4, 4, 1)))


def test_a_count_that_differs_from_keras_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def miscount(architecture: Architecture, task: Task) -> Any:
        right = cost(architecture, task)
        return replace(right, params=right.params + 1)

    monkeypatch.setattr(keras_builder, "cost", miscount)
    with pytest.raises(CostMismatchError, match=r"Keras counts 15,710 .* gives 15,711"):
        build(Architecture((Conv(2),)), Task())
