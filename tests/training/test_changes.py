from __future__ import annotations

import numpy as np
import pytest

from tinysearch.data.images import Images
from tinysearch.training.changes import Changes
from tinysearch.training.pipeline import TrainingBatches, large_batch, validation_of
from tinysearch.training.recipe import Recipe

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(1, 256, (64, 12, 10, 2)).astype(np.uint8)
IMAGES = Images(PIXELS, (np.arange(64) % 4).astype(np.int32))
BATCH = PIXELS.astype(np.float32)
STILL = Recipe(batch_size=64, rotation_degrees=0.0, shift_pixels=0.0)


def changed(seed: int = 0, epoch: int = 0, step: int = 0, images: Images = IMAGES, **amounts: float) -> np.ndarray:
    recipe = Recipe(**{"batch_size": 64, "rotation_degrees": 0.0, "shift_pixels": 0.0, **amounts})  # type: ignore[arg-type]
    return Changes(images, recipe, seed).apply(np.asarray(images.pixels, np.float32), epoch, step)


def test_without_amounts_nothing_changes() -> None:
    assert changed() is not None
    assert np.array_equal(changed(), BATCH)
    assert not STILL.augments


def test_about_the_share_of_images_that_was_asked_for_is_mirrored() -> None:
    shown = changed(mirroring=0.5)
    mirrored = [np.array_equal(one, other[:, ::-1]) for one, other in zip(shown, BATCH, strict=True)]
    same = [np.array_equal(one, other) for one, other in zip(shown, BATCH, strict=True)]
    assert sum(mirrored) + sum(same) == 64
    assert 20 < sum(mirrored) < 44
    assert np.array_equal(changed(mirroring=1.0), BATCH[:, :, ::-1])


def test_a_square_of_at_most_that_size_is_blanked() -> None:
    shown = changed(cutout=0.5)
    blank = np.isclose(shown, BATCH.mean(axis=(0, 1, 2))).all(axis=3)
    for one in blank:
        rows, columns = np.flatnonzero(one.any(axis=1)), np.flatnonzero(one.any(axis=0))
        assert len(rows) <= 6
        assert len(columns) <= 5
        if len(rows):
            assert one[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
    assert blank.any(axis=(1, 2)).sum() > 32
    assert np.array_equal(np.where(blank[..., None], BATCH, shown), BATCH)


def test_brightness_moves_all_values_of_an_image_alike() -> None:
    moved = changed(brightness=0.5) - BATCH
    spread = PIXELS.reshape(-1, 2).std(axis=0)
    for one in moved:
        for channel in range(2):
            assert np.ptp(one[..., channel]) < 1e-3
    assert np.abs(moved / spread).max() <= 0.5 + 1e-3
    assert len({float(np.round(one[0, 0, 0], 3)) for one in moved}) > 50


def test_scaling_multiplies_each_channel_by_a_factor_of_its_own() -> None:
    factors = changed(scaling=0.3) / BATCH
    assert np.allclose(factors, factors[:, :1, :1])
    assert 0.7 <= factors.min() < 0.75
    assert 1.25 < factors.max() <= 1.3
    assert not np.allclose(factors[..., 0], factors[..., 1])


def test_jitter_is_noise_of_that_share_of_the_spread_of_each_channel() -> None:
    pixels = (RNG.normal(size=(200, 20, 1, 2)) * (1, 100)).astype(np.float32)
    images = Images(pixels, np.zeros(200, np.int32))
    noise = changed(images=images, jitter=0.1) - pixels
    assert np.allclose(noise.std(axis=(0, 1, 2)) / pixels.std(axis=(0, 1, 2)), 0.1, rtol=0.1)
    assert abs(noise.mean()) < 1


def test_a_stretch_of_time_is_blanked_in_series() -> None:
    pixels = np.ones((50, 40, 1, 3), np.float32)
    pixels[0, :, 0, 1] = -1
    shown = changed(images=Images(pixels, np.zeros(50, np.int32)), cutout=0.4, mirroring=1.0)
    blank = np.isclose(shown[1:, :, 0, 1], pixels[..., 1].mean())
    assert (shown[1:, :, 0, 0] == 1).all()
    assert 0 < blank.sum(axis=1).max() <= 16


def test_what_is_shown_depends_on_seed_epoch_and_step_alone() -> None:
    amounts = {"mirroring": 0.5, "cutout": 0.3, "brightness": 0.3, "scaling": 0.1, "jitter": 0.1}
    shown = changed(1, 2, 3, **amounts)
    assert np.array_equal(changed(1, 2, 3, **amounts), shown)
    for other in ((0, 2, 3), (1, 1, 3), (1, 2, 2)):
        assert not np.array_equal(changed(*other, **amounts), shown)


def test_the_last_epochs_may_show_images_as_they_are() -> None:
    amounts = {"jitter": 0.5, "epochs": 5, "no_augment_final_epochs": 2}
    assert not np.array_equal(changed(epoch=2, **amounts), BATCH)
    assert np.array_equal(changed(epoch=3, **amounts), BATCH)


@pytest.mark.parametrize("moved", [False, True])
def test_the_pipeline_shows_changed_images_with_their_own_labels(moved: bool) -> None:
    pixels = np.broadcast_to(np.arange(40)[:, None, None, None], (40, 6, 6, 1)).astype(np.float32)
    labels = np.arange(40, dtype=np.int32)
    recipe = Recipe(batch_size=16, rotation_degrees=3.0 * moved, shift_pixels=0.0, brightness=0.02, epochs=2)
    batches = TrainingBatches(Images(pixels, labels), recipe, 0)
    seen = []
    for shown, numbers in batches.epochs(0, 2):
        assert np.abs(np.asarray(shown)[:, 3, 3, 0] - np.asarray(numbers)).max() < 0.5
        seen += np.asarray(numbers).tolist()
    assert sorted(seen) == sorted([*range(40), *range(40)])


def test_large_images_are_taken_from_where_they_are_and_give_the_same_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe(batch_size=16, epochs=1)
    small = [np.asarray(pixels) for pixels, _ in TrainingBatches(IMAGES, recipe, 3).epochs(0, 1)]
    monkeypatch.setattr("tinysearch.data.images.MOST_IN_MEMORY", 100)
    rows = np.flatnonzero(np.arange(64) % 2)
    picked = IMAGES.selected(rows)
    assert not isinstance(picked.pixels, np.ndarray)
    large = [np.asarray(pixels) for pixels, _ in TrainingBatches(IMAGES, recipe, 3).epochs(0, 1)]
    for one, other in zip(small, large, strict=True):
        assert np.array_equal(one, other)
    few = [np.asarray(pixels) for pixels, _ in TrainingBatches(picked, recipe, 3).epochs(0, 1)]
    monkeypatch.undo()
    copied = [np.asarray(pixels) for pixels, _ in TrainingBatches(IMAGES.selected(rows), recipe, 3).epochs(0, 1)]
    for one, other in zip(few, copied, strict=True):
        assert np.array_equal(one, other)


def test_large_images_are_validated_batch_after_batch_and_give_the_same_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = validation_of(IMAGES)
    for module in ("data.images", "training.pipeline"):
        monkeypatch.setattr(f"tinysearch.{module}.MOST_IN_MEMORY", 100)
    monkeypatch.setattr("tinysearch.training.pipeline._LARGE_BATCH", 25)
    large = validation_of(IMAGES.selected(np.arange(64)[::2].copy()))
    assert len(large) == 2
    parts = [large[number] for number in range(len(large))]
    assert np.array_equal(np.concatenate([pixels for pixels, _ in parts]), small[0][::2])
    assert np.array_equal(np.concatenate([labels for _, labels in parts]), small[1][::2])


@pytest.mark.parametrize(
    ("shape", "images"),
    [
        ((28, 28, 1), 1_000),
        ((32, 32, 3), 1_000),
        ((96, 96, 3), 111),
        ((60_000, 96, 96, 3), 111),
        ((4_000, 3_000, 3), 1),
    ],
)
def test_a_model_is_asked_about_fewer_images_at_a_time_where_they_are_larger(
    shape: tuple[int, ...], images: int
) -> None:
    assert large_batch(shape) == images
