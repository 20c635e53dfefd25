from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from jax_layers import divided, evened, moved

from tinysearch.runtime.preparation import prepare_to_train
from tinysearch.training.pipeline import apply_affine, draw_affine
from tinysearch.training.recipe import Recipe

STRONG = Recipe(rotation_degrees=50.0, shift_pixels=5.0, zoom=0.4, shear_degrees=20.0)


@pytest.mark.parametrize("fill", [None, 0.0, 7.5])
@pytest.mark.parametrize("shape", [(40, 12, 12, 1), (40, 9, 14, 3), (40, 30, 1, 2)])
def test_images_are_moved_as_by_tensorflow(
    shape: tuple[int, ...], fill: float | None, on_jax: Callable[..., Any]
) -> None:
    prepare_to_train()
    rng = np.random.default_rng(0)
    batch = rng.uniform(0, 1, shape).astype(np.float32)
    transforms = draw_affine(len(batch), shape, STRONG, rng)
    expected = np.asarray(apply_affine(batch, transforms, fill))
    np.testing.assert_allclose(on_jax(moved, batch, transforms, fill), expected, atol=2e-5)
    assert not np.allclose(expected, batch, atol=0.1)


@pytest.mark.parametrize(
    ("count", "expected"),
    [(7, [[0, 1, 2], [3, 4, 5], [6]]), (6, [[0, 1, 2], [3, 4, 5], []]), (2, [[0, 1]])],
)
def test_steps_are_whole_and_the_last_is_what_is_left(
    count: int, expected: list[list[int]], on_jax: Callable[..., Any]
) -> None:
    assert on_jax(divided, count, 3) == expected


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (8, ([[0, 1, 2, 3], [4, 5, 6, 7]], [], 1.0)),
        (6, ([[0, 1, 2, 3], [4, 5, 4, 5]], [], 0.5)),
        (5, ([[0, 1, 2, 3], [4, 4, 4, 4]], [], 0.25)),
        (7, ([[0, 1, 2, 3]], [4, 5, 6], 1.0)),
        (2, ([], [0, 1], 1.0)),
    ],
)
def test_a_last_step_has_its_images_several_times_where_that_makes_a_whole_one(
    count: int, expected: tuple[list[list[int]], list[int], float], on_jax: Callable[..., Any]
) -> None:
    assert on_jax(evened, count, 4) == expected
