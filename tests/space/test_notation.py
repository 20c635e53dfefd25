from __future__ import annotations

import pytest

from tinysearch.baselines.models import BASELINES
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
from tinysearch.space.notation import notation


@pytest.mark.parametrize(
    ("layer", "short"),
    [
        (Conv(12), "c12"),
        (SeparableConv(8, kernel=5), "s8k5"),
        (DepthwiseConv(2, stride=2), "d2/2"),
        (Conv(4, kernel=(3, 1), stride=2, repeat=3), "c4k3x1/2x3"),
        (Pool(), "M"),
        (Pool("average", 3), "A3"),
        (Pool("max", 2, 1), "M/1"),
        (Pool("max", 3, 2), "M3/2"),
        (Residual((Conv(4), Dropout(0.5), Pool("max", 1))), "+(c4 M1)"),
        (Inception(((Conv(1), Dropout(0.1)), (Residual((Conv(2),)), Pool()))), "[c1|+(c2) M]"),
    ],
)
def test_a_layer_in_short(layer: Layer, short: str) -> None:
    assert notation(Architecture((layer,))) == short


def test_dropout_is_left_out_and_a_hidden_layer_is_not() -> None:
    architecture = Architecture((Conv(4), Dropout(0.5), Pool()), Head("average", hidden=16))
    assert notation(architecture) == "c4 M h16"


def test_the_documented_models_in_short() -> None:
    short = {name: notation(model.architecture) for name, model in BASELINES.items()}
    assert short == {
        "conv": "c20k7 M c10k5 M",
        "separable": "s28 M s16 M",
        "inception": "[s2 M/1 c1k1|c2k1 s2k5|c2k1|c2k1 s2] s2/2 M/1",
    }
