from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from jax_layers import clipped

RNG = np.random.default_rng(3)
GRADIENTS = [RNG.normal(size=shape).astype(np.float32) for shape in ((3, 3, 1, 4), (4,), (4, 10), (10,))]


@pytest.mark.parametrize("most", [0.5, 100.0])
def test_clipping_at_once_is_clipping_by_the_global_norm(most: float, on_jax: Callable[..., Any]) -> None:
    found = on_jax(clipped, GRADIENTS, most)
    for ours, theirs in zip(found["ours"], found["theirs"], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert found["ours limit"] == found["theirs limit"] == most


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_gradients_that_are_no_numbers_are_not_hidden(value: float, on_jax: Callable[..., Any]) -> None:
    gradients = [*GRADIENTS[:-1], np.full(10, value, np.float32)]
    found = on_jax(clipped, gradients, 1.0)
    assert all(np.isnan(one).all() for one in [*found["theirs"], *found["ours"]])
