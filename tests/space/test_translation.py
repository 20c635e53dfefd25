from __future__ import annotations

import numpy as np
import pytest
from plain_block import PLAIN

from tinysearch.errors import SpaceError
from tinysearch.space import choices
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
from tinysearch.space.network_choices import network_choices
from tinysearch.space.translation import BRANCH_POOLS, POOLS, from_architecture, to_architecture

CONV = Conv(4, kernel=(3, 1), stride=2, padding="valid", activation="leaky_relu", norm="after", bias=False)


def test_a_block_is_a_convolution_then_a_pooling_then_dropout() -> None:
    value = {"blocks": [{**PLAIN, "pool": "max 2x2", "dropout": 0.25}], "head": {"pooling": "max", "hidden": 8}}
    architecture = Architecture((CONV, Pool("max", 2), Dropout(0.25)), Head("max", 8))
    assert to_architecture(value) == architecture
    assert from_architecture(architecture) == value


def test_a_shortcut_is_a_residual_of_one_layer() -> None:
    value = {"blocks": [{**PLAIN, "shortcut": True}], "head": {"pooling": "flatten", "hidden": 0}}
    assert to_architecture(value) == Architecture((Residual((CONV,)),))
    assert from_architecture(Architecture((Residual((CONV,)),))) == value


def test_steps_of_an_inception_block_share_activation_norm_and_bias() -> None:
    value = {
        "kind": "inception",
        "branches": [
            {"steps": [{"kind": "conv", "filters": 2, "kernel": "1x1"}], "dropout": 0.5},
            {
                "steps": [{"kind": "pool", "window": "max 3x3"}, {"kind": "separable", "filters": 3, "kernel": "5x5"}],
                "dropout": 0.0,
            },
        ],
        "activation": "linear",
        "norm": "before",
        "bias": False,
        "pool": "none",
        "dropout": 0.0,
    }
    unit = {"activation": "linear", "norm": "before", "bias": False}
    block = Inception(
        (
            (Conv(2, kernel=1, **unit), Dropout(0.5)),
            (Pool("max", 3, 1, "same"), SeparableConv(3, kernel=5, **unit)),
        )
    )
    network = {"blocks": [value], "head": {"pooling": "flatten", "hidden": 0}}
    assert to_architecture(network) == Architecture((block,))
    assert from_architecture(Architecture((block,))) == network


@pytest.mark.parametrize("seed", range(200))
def test_any_value_makes_an_architecture_that_makes_the_value_again(seed: int) -> None:
    tree = network_choices()
    architecture = to_architecture(choices.draw(tree, choices.random_chooser(np.random.default_rng(seed))))
    value = from_architecture(architecture)
    choices.flatten(tree, value)
    assert to_architecture(value) == architecture


@pytest.mark.parametrize("pool", [pool for pool in POOLS.values() if pool])
def test_every_pooling_of_the_space_is_found_again(pool: Pool) -> None:
    assert to_architecture(from_architecture(Architecture((Conv(1), pool)))) == Architecture((Conv(1), pool))


@pytest.mark.parametrize("pool", BRANCH_POOLS.values())
def test_every_pooling_of_a_branch_is_found_again(pool: Pool) -> None:
    architecture = Architecture((Inception(((pool,), (Conv(1),))),))
    assert to_architecture(from_architecture(architecture)) == architecture


@pytest.mark.parametrize(
    ("layers", "named"),
    [
        ((Pool(),), "no block of the space begins with Pool"),
        ((Dropout(0.1),), "no block of the space begins with Dropout"),
        ((Conv(1), Pool(), Pool()), "no block of the space begins with Pool"),
        ((Conv(1), Dropout(0.1), Pool()), "no block of the space begins with Pool"),
        ((Conv(1), Dropout(0.1), Dropout(0.1)), "no block of the space begins with Dropout"),
        ((Conv(1), Pool("max", 5)), "is not a pooling of the space; those are none, max 2x2"),
        ((Residual((Conv(1), Conv(1))),), "no block of the space begins with Residual"),
        ((Residual((Inception(((Conv(1),),)),)),), "no shortcut"),
        ((Inception(((Conv(1),), (Conv(1, bias=False),))),), "one activation, norm and bias"),
        ((Inception(((Dropout(0.1), Conv(1)),)),), "no layer may follow dropout"),
        ((Inception(((Conv(1, stride=2),),)),), "no branch of the space has the step Conv"),
        ((Inception(((DepthwiseConv(),),)),), "no branch of the space has the step DepthwiseConv"),
        ((Inception(((Inception(((Conv(1),),)),),)),), "no branch of the space has the step Inception"),
        ((Inception(((Pool("max", 2),),)),), "is not a pooling of the space; those are max 2x2, max 3x3"),
    ],
)
def test_what_is_no_list_of_blocks_is_refused_by_name(layers: tuple[Layer, ...], named: str) -> None:
    with pytest.raises(SpaceError) as caught:
        from_architecture(Architecture(layers))
    assert named in str(caught.value)
