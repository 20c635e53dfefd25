from __future__ import annotations

import dataclasses
import math

import keras
import numpy as np
import pytest

from tinysearch.data.images import Channel, Images, pixel_statistics
from tinysearch.training.pipeline import TrainingBatches, apply_affine, draw_affine
from tinysearch.training.recipe import Recipe

PLAIN = Recipe(batch_size=8, rotation_degrees=0.0, shift_pixels=0.0)
AUGMENTED = Recipe(batch_size=8)


@pytest.fixture
def images() -> Images:
    """Thirty images whose pixels all hold the image's number, which is also its label."""
    numbers = np.arange(30)
    pixels = np.broadcast_to(numbers[:, None, None, None], (30, 12, 10, 2)).astype(np.uint8)
    return Images(np.ascontiguousarray(pixels), numbers.astype(np.int32))


def labels(batches: TrainingBatches, epoch: int) -> list[int]:
    return [int(label) for _, batch in batches.epochs(epoch, epoch + 1) for label in batch]


def test_every_epoch_has_every_image_once_in_an_order_of_its_own(images: Images) -> None:
    batches = TrainingBatches(images, PLAIN, seed=0)
    orders = [labels(batches, epoch) for epoch in range(3)]
    assert all(sorted(order) == list(range(30)) for order in orders)
    assert len({tuple(order) for order in orders}) == 3


def test_the_last_batch_is_what_is_left(images: Images) -> None:
    batches = TrainingBatches(images, PLAIN, seed=0)
    assert [len(batch) for _, batch in batches.epochs(0, 1)] == [8, 8, 8, 6]
    assert batches.steps == 4


def test_pixels_stay_with_their_labels_and_are_raw(images: Images) -> None:
    for pixels, batch in TrainingBatches(images, PLAIN, seed=1).epochs(0, 1):
        assert pixels.shape[1:] == (12, 10, 2)
        assert pixels.dtype == "float32"
        np.testing.assert_array_equal(pixels[:, 5, 5, 1], batch)


@pytest.mark.parametrize("recipe", [PLAIN, AUGMENTED])
def test_an_epoch_is_a_function_of_seed_and_number(recipe: Recipe, images: Images) -> None:
    def epoch(seed: int, number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        batches = TrainingBatches(images, recipe, seed).epochs(number, number + 1)
        return np.concatenate([pixels for pixels, _ in batches])

    np.testing.assert_array_equal(epoch(0, 4), epoch(0, 4))
    assert not np.array_equal(epoch(0, 4), epoch(0, 5))
    assert not np.array_equal(epoch(0, 4), epoch(1, 4))


def test_epochs_come_one_after_the_other(images: Images) -> None:
    batches = TrainingBatches(images, PLAIN, seed=0)
    in_one = [int(label) for _, batch in batches.epochs(1, 4) for label in batch]
    assert in_one == labels(batches, 1) + labels(batches, 2) + labels(batches, 3)


def test_augmentation_differs_from_step_to_step_and_epoch_to_epoch() -> None:
    rng = np.random.default_rng(0)
    one = rng.integers(0, 256, (1, 12, 12, 1)).astype(np.uint8)
    same = Images(np.repeat(one, 24, axis=0), np.zeros(24, np.int32))
    batches = TrainingBatches(same, AUGMENTED, seed=0)
    seen = {pixels.tobytes() for batch, _ in batches.epochs(0, 2) for pixels in batch.numpy()}
    assert len(seen) == 48


def all_moved(picture: np.ndarray[tuple[int, ...], np.dtype[np.float32]], recipe: Recipe, fill: float) -> np.ndarray:
    batch = np.repeat(picture[None, :, :, None], 200, axis=0)
    transforms = draw_affine(200, batch.shape, recipe, np.random.default_rng(1))
    return np.asarray(apply_affine(batch, transforms, fill))[..., 0]


def test_a_shift_moves_by_at_most_the_recipes_pixels_and_fills_with_the_background() -> None:
    picture = np.full((9, 9), -3.0, np.float32)
    picture[4, 4] = 5.0
    shifts = dataclasses.replace(AUGMENTED, rotation_degrees=0.0, shift_pixels=2.0)
    shifted = all_moved(picture, shifts, fill=-3.0) + 3.0
    np.testing.assert_allclose(shifted.sum(axis=(1, 2)), 8.0, rtol=1e-4)
    rows = (shifted.sum(axis=2) * np.arange(9)).sum(axis=1) / 8.0 - 4
    columns = (shifted.sum(axis=1) * np.arange(9)).sum(axis=1) / 8.0 - 4
    for offsets in (rows, columns):
        assert np.abs(offsets).max() <= 2.0001
        assert offsets.min() < -1.5 < 1.5 < offsets.max()


def test_a_rotation_turns_about_the_middle_by_at_most_the_recipes_degrees() -> None:
    picture = np.zeros((41, 41), np.float32)
    picture[20, 36] = 1.0
    turns = dataclasses.replace(AUGMENTED, rotation_degrees=30.0, shift_pixels=0.0)
    turned = all_moved(picture, turns, fill=0.0)
    mass = turned.sum(axis=(1, 2))
    rows = (turned.sum(axis=2) * np.arange(41)).sum(axis=1) / mass - 20
    columns = (turned.sum(axis=1) * np.arange(41)).sum(axis=1) / mass - 20
    angles = np.degrees(np.arctan2(rows, columns))
    np.testing.assert_allclose(np.hypot(rows, columns), 16.0, atol=0.5)
    assert np.abs(angles).max() <= 31
    assert angles.min() < -25 < 25 < angles.max()


def test_a_zoom_stretches_and_shrinks_height_and_width_apart_by_at_most_the_recipes_share() -> None:
    picture = np.zeros((41, 41), np.float32)
    picture[10:31, 10:31] = 1.0
    zooms = dataclasses.replace(PLAIN, zoom=0.2)
    zoomed = all_moved(picture, zooms, fill=0.0)
    for sides in (zoomed[:, 20, :].sum(axis=1), zoomed[:, :, 20].sum(axis=1)):
        assert 21 / 1.2 - 0.5 <= sides.min() < 19 < 24 < sides.max() <= 21 / 0.8 + 0.5
    assert abs(np.corrcoef(zoomed[:, 20, :].sum(axis=1), zoomed[:, :, 20].sum(axis=1))[0, 1]) < 0.3
    # About the middle.
    np.testing.assert_allclose(zoomed, zoomed[:, ::-1, ::-1], atol=1e-3)


def test_a_shear_slants_by_at_most_the_recipes_degrees() -> None:
    picture = np.zeros((41, 41), np.float32)
    picture[4, 20] = 1.0
    slanted = all_moved(picture, dataclasses.replace(PLAIN, shear_degrees=30.0), fill=0.0)
    columns = (slanted.sum(axis=1) * np.arange(41)).sum(axis=1) - 20
    np.testing.assert_allclose(slanted[:, 4].sum(axis=1), 1.0, atol=1e-3)
    angles = np.degrees(np.arctan(columns / 16))
    assert np.abs(angles).max() <= 30.1
    assert angles.min() < -25 < 25 < angles.max()


def test_the_last_epochs_may_show_images_as_they_are(images: Images) -> None:
    recipe = dataclasses.replace(AUGMENTED, epochs=5, no_augment_final_epochs=2)
    batches = TrainingBatches(images, recipe, 3)
    still = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]
    plain = [np.allclose(batches.drawn(epoch)[1], still) for epoch in range(5)]
    assert plain == [False, False, False, True, True]
    before = TrainingBatches(images, dataclasses.replace(recipe, no_augment_final_epochs=0), 3)
    for epoch in range(5):
        assert np.array_equal(batches.drawn(epoch)[0], before.drawn(epoch)[0])


@pytest.mark.parametrize("recipe", [PLAIN, AUGMENTED])
def test_what_has_no_pipeline_of_its_own_is_shown_the_same(
    recipe: Recipe, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = TrainingBatches(images, recipe, seed=3)
    streamed = list(batches.epochs(2, 4))
    monkeypatch.setattr(keras.backend, "backend", lambda: "another")
    one_by_one = batches.epochs(2, 4)
    assert len(one_by_one) == len(streamed)
    for index, (pixels, classes) in enumerate(streamed):
        np.testing.assert_allclose(one_by_one[index][0], pixels, atol=1e-4)
        np.testing.assert_array_equal(one_by_one[index][1], classes)


def test_statistics_are_those_of_all_pixels() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (5_000, 3, 3, 1)).astype(np.uint8)
    (found,) = pixel_statistics(Images(pixels, np.zeros(5_000, np.int32)))
    assert math.isclose(found.mean, float(pixels.mean()), rel_tol=1e-9)
    assert math.isclose(found.deviation, float(pixels.std()), rel_tol=1e-9)
    assert (found.low, found.high) == (pixels.min(), pixels.max())
    flat = Images(np.full((4, 2, 2, 1), 7, np.uint8), np.zeros(4, np.int32))
    assert pixel_statistics(flat) == (Channel(7.0, 0.0, 7.0, 7.0),)


def test_a_constant_channel_has_no_deviation_whatever_its_value() -> None:
    for value in np.random.default_rng(0).uniform(-100, 100, 100):
        pixels = np.full((600, 60, 1, 1), value, np.float32)
        assert pixel_statistics(Images(pixels, np.zeros(600, np.int32)))[0].deviation == 0.0


def test_each_channel_has_statistics_of_its_own() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.normal((5, -100), (2, 30), (5_000, 4, 4, 2)).astype(np.float32)
    first, second = pixel_statistics(Images(pixels, np.zeros(5_000, np.int32)))
    for channel, found in enumerate((first, second)):
        assert math.isclose(found.mean, float(pixels[..., channel].astype(np.float64).mean()), rel_tol=1e-9)
        assert math.isclose(found.deviation, float(pixels[..., channel].astype(np.float64).std()), rel_tol=1e-9)


def test_what_comes_from_outside_of_images_of_several_channels_is_their_edge() -> None:
    rng = np.random.default_rng(0)
    pixels = np.broadcast_to(rng.normal((0, 1_000), 1, (12, 1, 1, 2)), (12, 9, 9, 2)).astype(np.float32)
    images = Images(pixels, np.zeros(12, np.int32))
    for shown, _ in TrainingBatches(images, Recipe(batch_size=12, shift_pixels=4.0, epochs=1), 0).epochs(0, 1):
        assert np.allclose(np.ptp(np.asarray(shown), axis=(1, 2)), 0, atol=1e-3)


def test_series_are_moved_along_time_alone() -> None:
    steps = np.arange(60, dtype=np.float32)[None, :, None, None]
    pixels = np.concatenate([steps, 5 * steps], axis=3).repeat(16, axis=0)
    recipe = Recipe(batch_size=16, rotation_degrees=30.0, shift_pixels=5.0, epochs=1)
    for shown, _ in TrainingBatches(Images(pixels, np.zeros(16, np.int32)), recipe, 0).epochs(0, 1):
        moved = np.asarray(shown)[:, 10:50] - pixels[:, 10:50]
        assert np.allclose(moved, moved[:, :1], atol=1e-3)
        assert np.allclose(moved[..., 1], 5 * moved[..., 0], atol=1e-2)
        assert 2 < np.abs(moved[..., 0]).max() <= 5
