from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinysearch.errors import ShapeError
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
from tinysearch.space.cost import Cost, cost
from tinysearch.space.parameters import params
from tinysearch.space.task import Task

GREY_4X4 = Task((4, 4, 1), 2)


def cost_of(*layers: Layer, task: Task = GREY_4X4, head: Head | None = None) -> Cost:
    return cost(Architecture(layers, head or Head("average")), task)


@pytest.mark.parametrize(
    ("layer", "params", "non_trainable", "macs"),
    [
        (Conv(4), 9 * 2 * 4 + 4, 0, 36 * 72),
        (Conv(4, bias=False), 9 * 2 * 4, 0, 36 * 72),
        (Conv(4, kernel=(1, 5)), 5 * 2 * 4 + 4, 0, 36 * 40),
        (Conv(4, padding="valid"), 9 * 2 * 4 + 4, 0, 16 * 72),
        (Conv(4, stride=4), 9 * 2 * 4 + 4, 0, 4 * 72),
        (Conv(4, norm="before"), 9 * 2 * 4 + 4 + 4 * 4, 2 * 4, 36 * 72),
        (Conv(2, repeat=3), 9 * 2 * 2 + 2, 0, 3 * 36 * 36),
        (Conv(2, repeat=3, norm="after"), 9 * 2 * 2 + 2 + 3 * 4 * 2, 3 * 2 * 2, 3 * 36 * 36),
        (SeparableConv(4), 9 * 2 + 2 * 4 + 4, 0, 36 * (18 + 8)),
        (SeparableConv(4, kernel=5, stride=2, bias=False), 25 * 2 + 2 * 4, 0, 9 * (50 + 8)),
        (DepthwiseConv(3), 9 * 6 + 6, 0, 36 * 54),
        (Pool(), 0, 0, 0),
        (Dropout(0.5), 0, 0, 0),
    ],
)
def test_params_and_macs_of_one_layer(layer: Layer, params: int, non_trainable: int, macs: int) -> None:
    alone = cost_of(layer, task=Task((6, 6, 2), 2))
    row = alone.layers[-1]
    assert alone.params - row.params == params
    assert alone.non_trainable_params == non_trainable
    assert alone.trainable_params == alone.params - non_trainable
    assert alone.macs - row.macs == macs


def test_the_head_counts_its_dense_layers() -> None:
    flat = cost_of(Pool(), head=Head("flatten", hidden=3))
    assert (flat.params, flat.macs) == (4 * 3 + 3 + 3 * 2 + 2, 4 * 3 + 3 * 2)
    assert cost_of(Pool(), head=Head("max")).params == 1 * 2 + 2


def test_peak_activations_of_a_chain() -> None:
    # Input 16; convolution 4x4x2 = 32; pooling 2x2x2 = 8; classes 2.
    chain = cost_of(Conv(2, norm="after"), Pool(), Dropout(0.5), head=Head("flatten"))
    assert chain.peak_activation_bytes == 16 + 32


def test_peak_activations_of_a_chain_that_widens_at_its_end() -> None:
    # Input 16 -> 16 -> 4x4x4 = 64 -> hidden 100 -> classes: the peak is at the hidden layer.
    chain = cost_of(Conv(1), Conv(4), head=Head("flatten", hidden=100))
    assert chain.peak_activation_bytes == 64 + 100


def test_a_separable_convolution_holds_its_depthwise_half() -> None:
    # Input 4x4x4 = 64; depthwise half 64; result 4x4x8 = 128. The input is gone when the result is made.
    assert cost_of(SeparableConv(8), task=Task((4, 4, 4), 2)).peak_activation_bytes == 64 + 128


def test_peak_activations_of_a_residual_block() -> None:
    # Input 16; conv 4x4x4 = 64 stays for the addition; inside, 4x4x8 = 128, then 64 again.
    block = cost_of(Conv(4), Residual((Conv(8), Conv(4))))
    assert block.peak_activation_bytes == 64 + 128 + 64


def test_peak_activations_of_a_residual_block_at_its_addition() -> None:
    # The input of the block, the end of its body and their sum are alive at once: 3 x 64.
    assert cost_of(Conv(4), Residual((Conv(4),))).peak_activation_bytes == 64 + 64 + 64


def test_peak_activations_of_an_inception_block() -> None:
    # Input 16; first branch 4x4x2 = 32, kept; second branch 4x4x8 = 128, then 32, when the input is gone.
    block = cost_of(Inception(((Conv(2),), (Conv(8), Conv(2)))))
    assert block.peak_activation_bytes == 32 + 128 + 32


def test_peak_activations_of_an_inception_block_at_its_concatenation() -> None:
    # Three branches of 32 and their concatenation, 96.
    assert cost_of(Inception(((Conv(2),), (Conv(2),), (Conv(2),)))).peak_activation_bytes == 3 * 32 + 96


@pytest.mark.parametrize(
    ("layer", "weight_bytes"),
    [
        (Conv(4), 36 + 4 * 4),
        (Conv(4, bias=False), 36),
        (Conv(4, bias=False, norm="before"), 36 + 4 * 4),
        (Conv(4, norm="before"), 36 + 4 * 4),
        (Conv(4, norm="after"), 36 + 4 * 4 + 8 * 4),
        (Conv(4, norm="after", activation="linear"), 36 + 4 * 4),
        (Conv(1, norm="before", repeat=2), 9 + 4 * 1 + 2 * 8 * 1),
        (SeparableConv(4), 9 + 4 + 4 * 4),
        (DepthwiseConv(2), 18 + 4 * 2),
        (Pool(), 0),
    ],
)
def test_int8_weight_bytes(layer: Layer, weight_bytes: int) -> None:
    counted = cost_of(layer)
    channels = counted.layers[-1].params // 2 - 1
    assert counted.int8_weight_bytes == weight_bytes + 2 * channels + 4 * 2


@given(data=st.data())
@settings(deadline=None, derandomize=True)
def test_layers_add_up_and_survive_json(
    free_form: st.SearchStrategy[Architecture], tasks: tuple[Task, ...], data: st.DataObject
) -> None:
    architecture = data.draw(free_form)
    for task in tasks:
        counted = cost(architecture, task)
        assert counted.params == sum(layer.params for layer in counted.layers) == params(architecture, task)
        assert counted.trainable_params == sum(layer.trainable_params for layer in counted.layers)
        assert counted.macs == sum(layer.macs for layer in counted.layers)
        assert Cost.from_dict(json.loads(json.dumps(counted.to_dict()))) == counted


@pytest.mark.parametrize("repeat", [2, 3])
def test_shared_weights_stand_at_their_first_use(repeat: int) -> None:
    rows = [row for row in cost_of(Conv(1, repeat=repeat)).layers if row.kind == "conv"]
    assert [row.params for row in rows] == [10] + [0] * (repeat - 1)
    assert [row.macs for row in rows] == [16 * 9] * repeat


@pytest.mark.parametrize(
    ("layers", "named"),
    [
        ((Conv(1, kernel=5, padding="valid"),), "conv1 slides a 5x5 window without padding over an image of 4x4"),
        ((Pool("max", 2), Pool("max", 3)), "pool2 slides a 3x3 window without padding over an image of 2x2"),
        ((Conv(1, kernel=(1, 5), padding="valid"),), "a 1x5 window"),
        ((Conv(2, repeat=2),), "conv1 is repeated with shared weights"),
        ((SeparableConv(2, repeat=2),), "it has 2 output channels"),
        ((DepthwiseConv(2, repeat=2),), "depthwise1 is repeated"),
        ((Residual((Conv(2),)),), "residual1 adds shape (4, 4, 2) to shape (4, 4, 1)"),
        ((Residual((Pool("max", 2),)),), "adds shape (2, 2, 1) to shape (4, 4, 1)"),
        ((Inception(((Conv(1),), (Conv(1, stride=2),))),), "images of different sizes: 2x2, 4x4"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(layers: tuple[Layer, ...], named: str) -> None:
    with pytest.raises(ShapeError) as caught:
        cost_of(*layers)
    assert named in str(caught.value)
    with pytest.raises(ShapeError) as counting_less:
        params(Architecture(layers, Head("average")), GREY_4X4)
    assert str(counting_less.value) == str(caught.value)


def test_a_window_as_large_as_the_image_fits() -> None:
    assert cost_of(Conv(3, kernel=4, padding="valid")).layers[0].output_shape == (1, 1, 3)
