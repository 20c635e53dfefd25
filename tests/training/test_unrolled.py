from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from jax_layers import differences, pooled

LAYERS = [
    ("Conv2D", {"filters": 5, "kernel_size": 3}),
    ("Conv2D", {"filters": 3, "kernel_size": (1, 3), "strides": 2, "padding": "same", "activation": "relu"}),
    ("Conv2D", {"filters": 4, "kernel_size": 4, "strides": (3, 2), "use_bias": False, "padding": "same"}),
    ("DepthwiseConv2D", {"kernel_size": 3}),
    ("DepthwiseConv2D", {"kernel_size": (5, 1), "padding": "same", "depth_multiplier": 3, "activation": "relu"}),
    ("DepthwiseConv2D", {"kernel_size": 3, "strides": 2, "padding": "same", "use_bias": False}),
    ("SeparableConv2D", {"filters": 6, "kernel_size": 3}),
    ("SeparableConv2D", {"filters": 4, "kernel_size": (3, 2), "strides": 2, "padding": "same", "activation": "relu"}),
    ("MaxPooling2D", {"pool_size": 2}),
    ("MaxPooling2D", {"pool_size": 3, "strides": 1, "padding": "same"}),
    ("MaxPooling2D", {"pool_size": (3, 2), "strides": (2, 1), "padding": "valid"}),
]


# Among numbers that are alike, only a maximum has a choice.
@pytest.mark.parametrize(
    ("kind", "options", "alike"),
    [
        *((*layer, False) for layer in LAYERS),
        *(pytest.param(*layer, True, marks=() if layer[0] == "MaxPooling2D" else pytest.mark.slow) for layer in LAYERS),
    ],
)
def test_results_and_gradients_are_those_of_keras(
    kind: str, options: dict[str, Any], alike: bool, on_jax: Callable[..., Any]
) -> None:
    far = on_jax(differences, kind, options, (2, 9, 8, 3), alike)
    assert far["results"] < 1e-5
    assert far["gradients"] < 1e-5


def test_what_is_no_number_stays_one_wherever_it_is(on_jax: Callable[..., Any]) -> None:
    images = np.tile(np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)[None, :, :, None], (4, 1, 1, 1))
    for number in range(4):
        images[number, number // 2, number % 2] = np.nan
    assert np.isnan(on_jax(pooled, images)).all()
