from __future__ import annotations

import inspect
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysearch.deploy.plan import Plan, plan
from tinysearch.space.architecture import (
    Architecture,
    Conv,
    DepthwiseConv,
    Dropout,
    Head,
    Inception,
    Layer,
    Pool,
    Residual,
    SeparableConv,
)
from tinysearch.space.cost import cost
from tinysearch.space.lowering import LayerOps
from tinysearch.space.task import Task


def kinds(*layers: Layer, head: Head | None = None) -> list[str]:
    return [step.kind for step in plan(Architecture(layers, head or Head("average")), Task()).steps]


def test_the_plan_interprets_every_operation_that_there_is() -> None:
    wanted = {name for name, _ in inspect.getmembers(LayerOps, inspect.isfunction) if not name.startswith("_")}
    assert all(hasattr(type(plan_ops()), name) for name in wanted)


def plan_ops() -> object:
    from tinysearch.deploy import plan as module

    return module._PlanOps((28, 28, 1))


@pytest.mark.parametrize(
    ("layer", "wanted"),
    [
        (Conv(4), ["convolution"]),
        (Conv(4, norm="before"), ["convolution"]),
        (Conv(4, norm="after"), ["convolution", "depthwise"]),
        (Conv(4, norm="after", activation="linear"), ["convolution"]),
        (Conv(4, norm="before", activation="leaky_relu"), ["convolution", "leaky_relu"]),
        (SeparableConv(4), ["depthwise", "convolution"]),
        (DepthwiseConv(2), ["depthwise"]),
        (Pool("max"), ["max_pool"]),
        (Pool("average"), ["average_pool"]),
        (Dropout(0.5), []),
        (Residual((Conv(1),)), ["convolution", "add"]),
        (Inception(((Conv(1),), (Pool("max", 3, 1, "same"),))), ["convolution", "max_pool", "concatenate"]),
    ],
)
def test_what_a_layer_becomes(layer: Layer, wanted: list[str]) -> None:
    assert kinds(layer) == [*wanted, "average", "dense"]


def test_normalization_between_shared_convolutions_is_part_of_each() -> None:
    assert kinds(Conv(1, norm="before", repeat=3)) == ["convolution"] * 3 + ["average", "dense"]


def test_a_hidden_layer_ends_in_its_relu_and_the_classes_do_not() -> None:
    steps = plan(Architecture((Pool(),), Head("max", hidden=8)), Task()).steps
    assert [(step.kind, step.relu) for step in steps[1:]] == [("max_pool", False), ("dense", True), ("dense", False)]


@given(st.data())
def test_the_arena_is_the_peak_of_the_cost_and_no_two_tensors_that_are_needed_at_once_overlap(
    free_form: st.SearchStrategy[tuple[Architecture, Task]], data: st.DataObject
) -> None:
    architecture, task = data.draw(free_form)
    made = plan(architecture, task)
    assert made.arena == cost(architecture, task).peak_activation_bytes
    assert_nothing_is_overwritten(made)


def assert_nothing_is_overwritten(made: Plan) -> None:
    """Run a plan on an arena whose cells know which buffer was written to them last."""
    cells = [-1] * made.arena
    write(cells, made, made.input)
    for step in made.steps:
        for x in step.inputs:
            begin = made.offset(x)
            assert set(cells[begin : begin + math.prod(x.shape)]) == {x.buffer}
        write(cells, made, step.output)


def write(cells: list[int], made: Plan, tensor: object) -> None:
    begin = made.offset(tensor)  # type: ignore[arg-type]
    size = math.prod(tensor.shape)  # type: ignore[attr-defined]
    assert begin + size <= made.arena
    cells[begin : begin + size] = [tensor.buffer] * size  # type: ignore[attr-defined]
