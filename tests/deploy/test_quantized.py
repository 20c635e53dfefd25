from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysearch.deploy.entry import Entry
from tinysearch.deploy.int8 import calibration_images, int8_network
from tinysearch.deploy.litert import Interpreter, convert
from tinysearch.deploy.plan import Plan, Step, Tensor
from tinysearch.deploy.quantized import Scale, factor, quantized, scaled
from tinysearch.deploy.scaling import AS_IT_IS, Scaling
from tinysearch.deploy.weights import Weights
from tinysearch.errors import WorkError
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.space.task import Task


@given(st.floats(1e-6, 100), st.integers(-(2**20), 2**20))
def test_a_factor_multiplies_to_within_one(real: float, value: int) -> None:
    assert abs(scaled(value, factor(real)) - real * value) <= 1


def test_a_factor_too_small_for_any_difference_is_none() -> None:
    assert factor(2.0**-40) == (0, 0)


@pytest.mark.parametrize(("scale", "offset"), [(1 / 255, 0.0), (1 / 78.6, -33.3 / 78.6)])
def test_bytes_are_the_input_where_they_take_up_its_whole_range(scale: float, offset: float) -> None:
    low, high = offset, 255 * scale + offset
    step = (high - low) / 255
    entry = Entry(Scale(step, round(-128 - low / step)), Scaling((scale,), (offset,)))
    assert entry.direct
    assert list(entry.values(np.arange(256, dtype=np.uint8))) == list(range(-128, 128))


def test_bytes_of_another_range_are_scaled_and_reals_rounded_to_the_nearest() -> None:
    entry = Entry(Scale(2 / 255, -10), Scaling((1 / 255,)))
    assert not entry.direct
    pixels = np.arange(256)
    exact = pixels / 2 - 10
    for values in (entry.values(pixels.astype(np.uint8)), entry.values(pixels.astype(np.float32))):
        assert np.abs(values - exact).max() <= 0.5 + 1e-3


def test_each_channel_is_scaled_in_its_own_way() -> None:
    scaling = Scaling.of([1 / 255, 1 / 100], [0.0, -1.0])
    entry = Entry(Scale(2 / 255, -10), scaling)
    assert not entry.direct
    pixels = np.arange(512).reshape(4, 64, 2) % 256
    exact = np.clip(scaling.values(pixels) * 127.5 - 10, -128, 127)
    for values in (entry.values(pixels.astype(np.uint8)), entry.values(pixels.astype(np.float32))):
        assert np.abs(values - exact).max() <= 0.5 + 1e-3


def test_channels_that_are_scaled_alike_need_no_tables() -> None:
    entry = Entry(Scale(2 / 255, -10), Scaling.of([0.5, 0.5, 0.5], 1.0))
    assert entry.conversion(bytes_in=True).tables == ()
    assert [one.name for one in Entry(entry.to, Scaling.of([0.5, 0.25], 1)).conversion(bytes_in=True).tables] == [
        "input_offsets",
        "input_multipliers",
        "input_shifts",
    ]


def test_calibration_takes_up_all_bytes_where_nearly_all_are_there_and_leaves_the_images_as_they_are() -> None:
    pixels = np.full((700, 4, 4, 1), 7, np.uint8)
    pixels[::50, 1] = 250
    chosen = calibration_images(pixels, Scaling())
    assert (len(chosen), chosen.min(), chosen.max()) == (500, 0, 255)
    assert (pixels.min(), pixels.max()) == (7, 250)


def test_calibration_leaves_bytes_of_a_smaller_range_and_of_channels_scaled_apart_as_they_are() -> None:
    few = np.arange(2 * 700 * 16).reshape(700, 4, 4, 2).astype(np.uint8) % 2
    assert calibration_images(few, Scaling()).max() == 1
    many = few * 250
    assert calibration_images(many, Scaling()).max() == 255
    assert calibration_images(many, Scaling.of([0.5, 0.25], 0)).max() == 250


def small_plan(**window: Any) -> tuple[Plan, dict[str, Weights]]:
    image, middle, end = Tensor(0, (6, 40, 3), 0), Tensor(1, (3, 10, 6), 1), Tensor(2, (1, 1, 4), 2)
    steps = (
        Step("depthwise", "d", (image,), middle, weights="d", layer="d", relu=True, **window),
        Step("dense", "c", (middle,), end, weights="c", layer="c"),
    )
    rng = np.random.default_rng(0)
    weights = {
        "d": Weights(rng.normal(size=(2, 5, 3, 2)).astype(np.float32), np.ones(6, np.float32), np.ones(6, np.float32)),
        "c": Weights(rng.normal(size=(180, 4)).astype(np.float32), np.ones(4, np.float32), np.zeros(4, np.float32)),
    }
    return Plan(steps, image, (0, 720, 0), 900), weights


def test_strides_may_differ_in_their_directions() -> None:
    plan, weights = small_plan(kernel=(2, 5), strides=(2, 4), same=True)
    images = np.random.default_rng(1).uniform(0, 1, (20, 6, 40, 3)).astype(np.float32)
    content = convert(plan, weights, calibration=images)
    numbers = quantized(plan, weights, content)
    assert numbers["d"].weights.shape == (1, 2, 5, 6)
    entry = Entry(numbers["d"].inputs[0], AS_IT_IS)
    assert Interpreter(content).logits(entry.values(images)).shape == (20, 4)


def test_a_file_that_does_something_else_than_the_plan_is_refused() -> None:
    plan, weights = small_plan(kernel=(2, 5), strides=(2, 4), same=True)
    content = convert(plan, weights, calibration=np.ones((2, 6, 40, 3), np.float32))
    other = Plan((Step("max_pool", "p", (plan.input,), plan.steps[0].output),), plan.input, (0, 720), 900)
    with pytest.raises(WorkError, match="an unexpected operation from the max_pool p"):
        quantized(other, {}, content)


def test_a_file_that_litert_cannot_run_is_an_error_with_a_remedy(make_trained: Any) -> None:
    # The hidden unit is 0 for all images, so the converter gives it the least of all scales.
    architecture = Architecture((Conv(2, kernel=1),), Head("flatten", hidden=1))
    trained = make_trained(architecture, Task((4, 4, 1), 3), scaling=(1.0, 0.0))
    hidden = trained.model.layers[-2]
    hidden.set_weights([np.full((32, 1), 1e4), np.array([-1e9])])
    images = np.random.default_rng(0).integers(0, 256, (24, 4, 4, 1), np.uint8)
    with pytest.raises(WorkError, match=r"LiteRT cannot run .*dtype=\"float32\"` works"):
        int8_network(trained, images)
