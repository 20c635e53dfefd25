from __future__ import annotations

import numpy as np
import pytest

from tinysearch.data.layout import arranged
from tinysearch.errors import DatasetError


@pytest.mark.parametrize(
    ("shape", "layout", "read", "noted"),
    [
        ((9, 28, 28), "hw", (28, 28, 1), False),
        ((9, 17, 31), "hw", (17, 31, 1), False),
        ((9, 28, 28, 1), "hwc", (28, 28, 1), False),
        ((9, 1, 1), "hw", (1, 1, 1), False),
        ((9, 49, 40), "hw", (49, 40, 1), False),
        ((9, 32, 32, 3), "hwc", (32, 32, 3), False),
        ((9, 32, 32, 16), "hwc", (32, 32, 16), False),
        ((9, 8, 8, 6), "hwc", (8, 8, 6), False),
        ((9, 3, 32, 32), "chw", (32, 32, 3), True),
        ((9, 1, 28, 28), "chw", (28, 28, 1), True),
        ((9, 3, 8, 8), "chw", (8, 8, 3), True),
        ((9, 12, 40, 50), "chw", (40, 50, 12), True),
        ((9, 121, 6), "tc", (121, 1, 6), True),
        ((9, 64, 16), "tc", (64, 1, 16), True),
        ((9, 784), "hw", (28, 28, 1), True),
        ((9, 100, 1, 6), "hwc", (100, 1, 6), False),
        ((9, 1, 100, 1), "hwc", (100, 1, 1), True),
        ((9, 1, 784), "hw", (784, 1, 1), True),
    ],
)
def test_shapes_that_can_be_read_in_one_way_are(
    shape: tuple[int, ...], layout: str, read: tuple[int, int, int], noted: bool
) -> None:
    found = arranged(shape, "images")
    assert (found.layout, found.shape, found.note is not None) == (layout, read, noted)


@pytest.mark.parametrize(
    ("shape", "ways"),
    [
        ((9, 6, 5, 5), ("hwc", "chw")),
        ((9, 10, 10, 10), ("hwc", "chw")),
        ((9, 2, 12, 6), ("hwc", "chw")),
        ((9, 1, 100, 6), ("hwc", "chw")),
        ((9, 3_072), ("hwc", "chw")),
        ((9, 40, 15), ("tc", "hw")),
        ((9, 6, 121), ("ct", "hw")),
    ],
)
def test_shapes_that_can_be_read_in_two_ways_are_refused_and_each_way_can_be_said(
    shape: tuple[int, ...], ways: tuple[str, ...]
) -> None:
    with pytest.raises(DatasetError) as caught:
        arranged(shape, "images")
    for way in ways:
        assert f"(`reading=Reading(layout={way!r})`)" in str(caught.value)
        assert arranged(shape, "images", way).layout == way


@pytest.mark.parametrize(
    ("shape", "layout", "size", "named"),
    [
        ((9, 10), None, None, "not a square number"),
        ((9, 784), None, (20, 30), "not images of 20x30"),
        ((9, 28, 28), "hwc", None, "cannot be read as images, channels last"),
        ((9, 28, 28), "xyz", None, "a layout is one of hw"),
        ((9, 28, 28, 28, 3), None, None, "expected (images, height, width)"),
        ((9,), None, None, "expected (images, height, width)"),
        ((9, 50, 50, 50), None, None, "1 to 16 channels"),
        ((9, 0, 28), None, None, "sides of at least 1"),
        ((9, 28, 28, 17), "hwc", None, "1 to 16 channels"),
        ((9, 600, 513), "tc", None, "1 to 512 channels"),
        ((9, 192), None, (8, 8), "can be read in two ways"),
        ((9, 120), "tc", None, "how many steps and channels there are, for example `reading=Reading(layout='tc', size"),
        ((9, 120), "tc", (40, 4), "are not series of steps x channels of 40x4"),
        ((9, 120), "tc", (40, 3, 1), "the size of a series is its steps and channels"),
        ((9, 120), "t", (40, 3), "are not series of one channel of 40x3"),
    ],
)
def test_shapes_that_cannot_be_read_are_refused(
    shape: tuple[int, ...], layout: str | None, size: tuple[int, ...] | None, named: str
) -> None:
    with pytest.raises(DatasetError) as caught:
        arranged(shape, "images", layout, size)
    assert named in str(caught.value)


def test_every_reading_puts_each_value_where_it_belongs() -> None:
    pixels = np.arange(2 * 4 * 5 * 3).reshape(2, 4, 5, 3)
    assert np.array_equal(arranged((2, 4, 5, 3), "", "hwc").apply(pixels), pixels)
    first = np.moveaxis(pixels, 3, 1)
    assert np.array_equal(arranged(first.shape, "", "chw").apply(first), pixels)
    flat = first.reshape(2, -1)
    assert np.array_equal(arranged(flat.shape, "", "chw", (4, 5)).apply(flat), pixels)
    flat = pixels.reshape(2, -1)
    assert np.array_equal(arranged(flat.shape, "", "hwc", (4, 5, 3)).apply(flat), pixels)
    series = np.arange(2 * 30 * 3).reshape(2, 30, 3)
    assert np.array_equal(arranged((2, 30, 3), "").apply(series), series[:, :, None])
    turned = np.moveaxis(series, 2, 1)
    assert np.array_equal(arranged(turned.shape, "", "ct").apply(turned), series[:, :, None])
    for kind, rows in (("tc", series.reshape(2, -1)), ("ct", turned.reshape(2, -1))):
        found = arranged(rows.shape, "", kind, (30, 3))
        assert found == arranged(rows.shape, "", kind, (30, 1, 3))
        assert (found.shape, found.has_size((30, 3)), found.has_size((30, 1))) == ((30, 1, 3), True, False)
        assert np.array_equal(found.apply(rows), series[:, :, None])
    for shape, size in (((2, 30), (1, 30)), ((2, 30), (1, 30, 1)), ((2, 1, 30, 1), (1, 30))):
        found = arranged(shape, "", None, size)
        assert (found.shape[:2], found.has_size(size), found.has_size((1, 29))) == ((30, 1), True, False)
    one = np.arange(2 * 30).reshape(2, 30)
    assert np.array_equal(arranged((2, 30), "", "t").apply(one), one[:, :, None, None])


def test_what_is_in_order_is_not_copied() -> None:
    pixels = np.zeros((2, 28, 28), np.uint8)
    assert np.shares_memory(arranged(pixels.shape, "").apply(pixels), pixels)
