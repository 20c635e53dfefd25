from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from jax_layers import normalization


@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 1.0), (3.0, 2.0), (-5.0, 0.1), (1_000.0, 1.0)])
def test_results_gradients_and_moving_statistics_are_as_defined(
    mean: float, deviation: float, on_jax: Callable[..., Any]
) -> None:
    far = on_jax(normalization, mean, deviation)
    assert set(far) == {"results", "gradients", "moving", "answers"}
    assert max(far.values()) < 1e-5


def test_a_layer_that_is_not_to_be_trained_uses_its_moving_statistics(on_jax: Callable[..., Any]) -> None:
    assert max(on_jax(normalization, 3.0, 2.0, False).values()) < 1e-5
