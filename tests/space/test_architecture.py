from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinysearch.errors import ArchitectureError
from tinysearch.space.architecture import (
    LAYER_KINDS,
    Architecture,
    Conv,
    DepthwiseConv,
    Dropout,
    Head,
    Inception,
    Pool,
    Residual,
    SeparableConv,
    layer_from_dict,
)
from tinysearch.space.task import Task


@given(data=st.data())
@settings(deadline=None, derandomize=True)
def test_any_architecture_survives_json(free_form: st.SearchStrategy[Architecture], data: st.DataObject) -> None:
    architecture = data.draw(free_form)
    again = Architecture.from_dict(json.loads(json.dumps(architecture.to_dict())))
    assert again == architecture
    assert again.key == architecture.key
    assert hash(again) == hash(architecture)


def test_fields_at_their_default_are_left_out_of_the_dict() -> None:
    architecture = Architecture((Conv(20, kernel=7), Pool(), Dropout(0.5)))
    assert architecture.to_dict() == {
        "layers": [
            {"kind": "conv", "filters": 20, "kernel": [7, 7]},
            {"kind": "pool"},
            {"kind": "dropout", "rate": 0.5},
        ],
        "head": {},
    }


def test_the_head_may_be_left_out_of_the_dict() -> None:
    assert Architecture.from_dict({"layers": [{"kind": "pool"}]}) == Architecture((Pool(),))


def test_the_key_is_the_same_in_every_process_and_release() -> None:
    assert Architecture((Conv(4),)).key == "319a29811c98"


def test_different_architectures_have_different_keys() -> None:
    layers = [Conv(4), Conv(5), Conv(4, bias=False), Conv(4, kernel=(3, 1)), SeparableConv(4), DepthwiseConv(4), Pool()]
    architectures = [Architecture((layer,), head) for layer in layers for head in (Head(), Head("max"), Head(hidden=4))]
    assert len({architecture.key for architecture in architectures}) == len(architectures)


def test_equal_ways_to_write_a_layer_are_equal() -> None:
    assert Conv(4, kernel=5) == Conv(4, kernel=(5, 5)) == Conv(4, kernel=[5, 5])  # type: ignore[arg-type]
    assert Pool("max", 2, stride=2) == Pool("max", 2)
    assert Architecture([Pool()]) == Architecture((Pool(),))  # type: ignore[arg-type]
    assert Architecture((Dropout(0),)).key == Architecture((Dropout(0.0),)).key


@pytest.mark.parametrize("kind", [*LAYER_KINDS.values(), Head, Architecture, Task])
def test_everything_is_frozen(kind: type) -> None:
    examples: dict[type, Any] = {
        Conv: Conv(1),
        SeparableConv: SeparableConv(1),
        DepthwiseConv: DepthwiseConv(),
        Pool: Pool(),
        Dropout: Dropout(0.1),
        Inception: Inception(((Conv(1),),)),
        Residual: Residual((Conv(1),)),
        Head: Head(),
        Architecture: Architecture((Conv(1),)),
        Task: Task(),
    }
    value = examples[kind]
    for item in dataclasses.fields(value):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, item.name, getattr(value, item.name))


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Conv(0), "filters must be an integer from 1 to 4096, got 0"),
        (lambda: Conv(4097), "got 4097"),
        (lambda: Conv(2.0), "got 2.0"),
        (lambda: Conv(True), "got True"),
        (lambda: Conv("8"), "got '8'"),
        (lambda: SeparableConv(-1), "filters must be an integer from 1 to 4096, got -1"),
        (lambda: DepthwiseConv(65), "multiplier must be an integer from 1 to 64, got 65"),
        (lambda: Conv(1, kernel=0), "kernel must be an integer from 1 to 11, got 0"),
        (lambda: Conv(1, kernel=(3, 12)), "got 12"),
        (lambda: Conv(1, kernel=(3, 3, 3)), "height and a width, got (3, 3, 3)"),
        (lambda: Conv(1, kernel="3"), "got '3'"),
        (lambda: Conv(1, stride=5), "stride must be an integer from 1 to 4, got 5"),
        (lambda: Conv(1, repeat=0), "repeat must be an integer from 1 to 16, got 0"),
        (lambda: Conv(1, padding="full"), "padding must be one of same, valid; got 'full'"),
        (lambda: Conv(1, activation="gelu"), "activation must be one of relu, leaky_relu, linear; got 'gelu'"),
        (lambda: Conv(1, norm=None), "norm must be one of none, before, after; got None"),
        (lambda: Conv(1, bias=1), "bias must be true or false, got 1"),
        (lambda: Pool("min"), "mode must be one of max, average; got 'min'"),
        (lambda: Pool("max", 12), "size must be an integer from 1 to 11, got 12"),
        (lambda: Pool("max", 2, -1), "stride must be an integer from 0 to 11, got -1"),
        (lambda: Pool("max", 2, 1, "full"), "got 'full'"),
        (lambda: Dropout(1), "at least 0 and below 1, got 1"),
        (lambda: Dropout(-0.1), "got -0.1"),
        (lambda: Dropout(math.nan), "got nan"),
        (lambda: Dropout("0.5"), "got '0.5'"),
        (lambda: Dropout(False), "got False"),
        (lambda: Inception(()), "needs at least one branch, got ()"),
        (lambda: Inception(((),)), "a branch needs at least one layer, got ()"),
        (lambda: Residual(()), "the body of a residual block needs at least one layer, got ()"),
        (lambda: Head("mean"), "head pooling must be one of flatten, average, max; got 'mean'"),
        (lambda: Head(hidden=-1), "hidden units must be an integer from 0 to 4096, got -1"),
        (lambda: Architecture(()), "an architecture needs at least one layer, got ()"),
        (lambda: Architecture((Head(),)), "an architecture must consist of layers"),
        (lambda: Architecture((Conv(1),), "flatten"), "is a Head, got 'flatten'"),
        (lambda: Task((28, 28)), "got (28, 28)"),
        (lambda: Task((28, 28, 17)), "got (28, 28, 17)"),
        (lambda: Task((0, 28, 1)), "got (0, 28, 1)"),
        (lambda: Task((28.5, 28, 1)), "got (28.5, 28, 1)"),
        (lambda: Task((28, 28, True)), "got (28, 28, True)"),
        (lambda: Task(("28", 28, 1)), "got ('28', 28, 1)"),
        (lambda: Task(28), "got 28"),
        (lambda: Task(classes=1), "at least 2 classes, got 1"),
        (lambda: Task(classes=10.0), "at least 2 classes, got 10.0"),
        (lambda: Task(classes=None), "at least 2 classes, got None"),
    ],
)
def test_a_bad_value_is_refused_by_name(make: Callable[[], object], named: str) -> None:
    with pytest.raises(ArchitectureError) as caught:
        make()
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (None, "got None"),
        ([], "got []"),
        ({}, "expected the layers of an architecture as a list, got None"),
        ({"layers": []}, "at least one layer"),
        ({"layers": "conv"}, "got 'conv'"),
        ({"layers": ["conv"]}, "a layer is an object with named fields, got 'conv'"),
        ({"layers": [{}]}, "a layer's kind is one of conv, separable"),
        ({"layers": [{"kind": "dense"}]}, "got 'dense'"),
        ({"layers": [{"kind": ["conv"]}]}, "got ['conv']"),
        ({"layers": [{"kind": "conv"}]}, "a layer of kind conv cannot be created from {}"),
        ({"layers": [{"kind": "conv", "filters": 1, "dilation": 2}]}, "a layer of kind conv has no field 'dilation'"),
        ({"layers": [{"kind": "conv", "filters": 1.5}]}, "got 1.5"),
        ({"layers": [{"kind": "conv", "filters": 1, "kernel": {}}]}, "got {}"),
        ({"layers": [{"kind": "inception"}]}, "a layer of kind inception cannot be created from"),
        ({"layers": [{"kind": "inception", "branches": 3}]}, "the branches of an inception block as a list, got 3"),
        ({"layers": [{"kind": "inception", "branches": [3]}]}, "a branch as a list, got 3"),
        ({"layers": [{"kind": "residual", "body": {}}]}, "the body of a residual block as a list, got {}"),
        ({"layers": [{"kind": "residual", "body": [{"kind": "x"}]}]}, "got 'x'"),
        ({"layers": [{"kind": "pool"}], "tail": {}}, "an architecture has no field 'tail'"),
        ({"layers": [{"kind": "pool"}], "head": []}, "the head of an architecture is an object"),
        ({"layers": [{"kind": "pool"}], "head": {"units": 3}}, "has no field 'units'; its fields are hidden, pooling"),
        ({"layers": [{"kind": "pool"}], "head": {"hidden": None}}, "got None"),
    ],
)
def test_a_bad_dict_is_refused_by_name(data: object, named: str) -> None:
    with pytest.raises(ArchitectureError) as caught:
        Architecture.from_dict(data)
    assert named in str(caught.value)


def test_reading_a_layer_leaves_the_dict_as_it_was() -> None:
    data = {"kind": "conv", "filters": 3}
    layer_from_dict(data)
    assert data == {"kind": "conv", "filters": 3}


def test_a_task_takes_numpy_integers_and_keeps_plain_ones() -> None:
    shape = Task(tuple(np.array([8, 9, 3]))).input_shape
    assert shape == (8, 9, 3)
    assert {type(side) for side in shape} == {int}
