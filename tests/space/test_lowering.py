from __future__ import annotations

from typing import Any

import pytest

from tinysearch.space.architecture import Architecture, Conv, Dropout, Head, Inception, Layer, Pool, Residual
from tinysearch.space.lowering import lower
from tinysearch.space.task import Task


class Recorder:
    """An interpreter that notes the name of each operation, and what convolutions are told of folding."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.folds: list[bool] = []

    def __getattr__(self, operation: str) -> Any:
        def record(*arguments: Any, **sizes: Any) -> str:
            if operation == "convolution":
                self.folds.append(sizes["folds"])
            self.names.append(arguments[-1])
            return str(arguments[-1])

        return record


def lowered(*layers: Layer, head: Head | None = None) -> Recorder:
    ops = Recorder()
    lower(Architecture(layers, head or Head()), Task(), ops, "images")
    return ops


def test_operations_come_in_order_and_are_named_by_kind_and_place() -> None:
    names = lowered(Conv(4, norm="before"), Pool(), Dropout(0.5), head=Head("average", hidden=8)).names
    assert names == ["conv1", "conv1_norm", "conv1_relu", "pool2", "dropout3", "global_average", "hidden", "classes"]


def test_a_repeated_convolution_keeps_its_name_and_numbers_what_is_not_shared() -> None:
    names = lowered(Conv(4, norm="after", repeat=2)).names
    assert names == ["conv1", "conv1_relu_1", "conv1_norm_1", "conv1", "conv1_relu_2", "conv1_norm_2", *HEAD]


def test_branches_and_bodies_are_lowered_before_they_are_joined() -> None:
    names = lowered(Inception(((Conv(1),), (Residual((Pool("max", 1),)),)))).names
    assert names == [
        "inception1_branch1_conv1",
        "inception1_branch1_conv1_relu",
        "inception1_branch2_residual1_pool1",
        "inception1_branch2_residual1",
        "inception1",
        *HEAD,
    ]


def test_a_single_branch_is_not_joined_to_anything() -> None:
    assert lowered(Inception(((Pool(),),))).names == ["inception1_branch1_pool1", *HEAD]


@pytest.mark.parametrize(
    ("layer", "folds"),
    [
        (Conv(1, norm="before"), True),
        (Conv(1, norm="before", activation="linear"), True),
        (Conv(1, norm="after", activation="linear"), True),
        (Conv(1, norm="after"), False),
        (Conv(1, norm="none"), False),
        (Conv(1, norm="before", repeat=2), False),
    ],
)
def test_normalization_folds_only_if_it_directly_follows_weights_that_nothing_else_shares(
    layer: Conv, folds: bool
) -> None:
    assert set(lowered(layer).folds) == {folds}


HEAD = ["flatten", "classes"]
