"""Axis layouts of arrays of images and series, given by the user or inferred from the shape."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinysearch.errors import DatasetError
from tinysearch.space.task import MOST_CHANNELS, most_channels

Array = npt.NDArray[np.generic]
# Axes after the first, which counts the images: height, width, channels; steps (time) and channels of a series.
SERIES = ("tc", "ct", "t")
LAYOUTS = ("hw", "hwc", "chw", *SERIES)
WORDS = {
    "hw": "grey images",
    "hwc": "images, channels last",
    "chw": "images, channels first",
    "tc": "series of steps x channels",
    "ct": "series, channels first",
    "t": "series of one channel",
}
# An array with few columns is a recording if it is at least this many times longer than wide.
_LONG = 4


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Interpretation of the axes of an array.

    Args:
        layout: One of ``LAYOUTS``.
        shape: Shape of one image: height, width, channels. A series has its steps as height and a width of 1.
        note: Sentence for users about an inferred interpretation; None if there is none.
    """

    layout: str
    shape: tuple[int, int, int]
    note: str | None = None

    def has_size(self, size: tuple[int, ...]) -> bool:
        """Whether a size matches: height and width, optionally channels; or steps and channels of a series."""
        if self.layout in SERIES:
            return _series_size(size) == (self.shape[0], self.shape[2])
        if self.shape[1] == size[0] == 1:
            # Images of one row are kept on edge, see ``_on_edge``.
            size = (size[1], 1, *size[2:])
        return self.shape[: len(size)] == size

    @property
    def preparation(self) -> tuple[str, ...]:
        """Sentences about how the arrays of a source are converted; empty if they are only reshaped."""
        if self.layout in ("chw", "ct"):
            return ("channels, which are stored as separate planes in the source, are interleaved",)
        return ()

    def apply(self, pixels: Array) -> Array:
        """Return a part of the array as ``(images, height, width, channels)``, as a view if possible."""
        if self.layout == "chw" and pixels.ndim == 2:
            height, width, channels = self.shape
            pixels = pixels.reshape(-1, channels, height, width)
        if self.layout == "ct" and pixels.ndim == 2:
            pixels = pixels.reshape(-1, self.shape[2], self.shape[0])
        if self.layout in ("chw", "ct"):
            pixels = np.moveaxis(pixels, 1, -1)
        return pixels.reshape(len(pixels), *self.shape)


def arranged(
    shape: tuple[int, ...], what: str, layout: str | None = None, size: tuple[int, ...] | None = None
) -> Arrangement:
    """Decide how the axes of an array are interpreted.

    Args:
        shape: Shape of the array; the first axis counts the images.
        what: Name of the images in error messages.
        layout: Layout that the user gave, one of ``LAYOUTS``; None to infer it from the shape.
        size: Size that the user gave for flat rows: height and width, or height, width and channels; steps and channels
            if the layout is that of a series.

    Raises:
        DatasetError: if no interpretation fits, or more than one.
    """
    if layout is not None and layout not in LAYOUTS:
        known = ", ".join(f"{name} ({words})" for name, words in WORDS.items())
        raise DatasetError(f"a layout is one of {known}; got {layout!r}")
    sides = shape[1:]
    if 0 in sides:
        raise DatasetError(f"the {what} have shape {shape}; expected sides of at least 1")
    rank = {"hw": 2, "hwc": 3, "chw": 3, "tc": 2, "ct": 2, "t": 1}
    if len(sides) == 1:
        found = _flat(sides[0], what, layout, size)
    elif layout is not None:
        if len(sides) == rank[layout] + 1 and sides[-1] == 1 and layout in ("hw", "tc", "t"):
            sides = sides[:-1]
        if len(sides) != rank[layout]:
            raise DatasetError(
                f"the {what} have shape {shape}, which cannot be read as {WORDS[layout]} "
                f"(`reading=Reading(layout={layout!r})`); that needs "
                f"{rank[layout] + 1} axes, that of the images included"
            )
        found = Arrangement(layout, _shape(layout, sides))
    elif len(sides) == 2:
        found = _two(sides[0], sides[1], what, shape)
    elif len(sides) == 3:
        found = _three(sides[0], sides[1], sides[2], what, shape)
    else:
        raise DatasetError(
            f"the {what} have shape {shape}; expected (images, height, width), (images, height, width, channels), "
            f"(recordings, steps, channels) or flat rows, (images, pixels)"
        )
    found = _on_edge(found, shape)
    height, width, channels = found.shape
    if channels > most_channels(width):
        raise DatasetError(
            f"the {what} have shape {shape}, read as {WORDS[found.layout]} of {height}x{width} with {channels} "
            f"channels; expected sides of at least 1 and 1 to {most_channels(width)} channels"
        )
    return found


def _shape(layout: str, sides: tuple[int, ...]) -> tuple[int, int, int]:
    if layout == "hw":
        return sides[0], sides[1], 1
    if layout == "hwc":
        return sides[0], sides[1], sides[2]
    if layout == "chw":
        return sides[1], sides[2], sides[0]
    if layout == "tc":
        return sides[0], 1, sides[1]
    return (sides[1], 1, sides[0]) if layout == "ct" else (sides[0], 1, 1)


def _flat_series(length: int, what: str, layout: str, size: tuple[int, ...] | None) -> Arrangement:
    if size is None and layout != "t":
        raise DatasetError(
            f"the {what} are flat rows of {length:,} values; to read them as {WORDS[layout]}, say how many steps and "
            f"channels there are, for example `reading=Reading(layout={layout!r}, size=({max(1, length // 3)}, 3))`"
        )
    said = _series_size(size) if size is not None else (length, 1)
    if said is None or said[0] * said[1] != length or (layout == "t" and said[1] > 1):
        raise DatasetError(
            f"the {what} are flat rows of {length:,} values, which are not {WORDS[layout]} of "
            f"{'x'.join(map(str, size or ()))}, as given by `reading=Reading(layout={layout!r}, size=...)`; the size "
            f"of a series is its steps and channels"
        )
    return Arrangement(layout, (said[0], 1, said[1]))


def _series_size(size: tuple[int, ...]) -> tuple[int, int] | None:
    """Return steps and channels of a size ``(steps, channels)`` or ``(steps, 1, channels)``; None for other sizes."""
    if len(size) == 3 and size[1] == 1:
        return size[0], size[2]
    return (size[0], size[1]) if len(size) == 2 else None


def _flat(length: int, what: str, layout: str | None, size: tuple[int, ...] | None) -> Arrangement:
    if layout in SERIES:
        return _flat_series(length, what, layout, size)
    if size is not None:
        height, width, *rest = size
        area = height * width
        channels = rest[0] if rest else length // area
        if area * channels != length or channels < 1:
            raise DatasetError(
                f"the {what} are flat rows of {length:,} values, which are not images of {'x'.join(map(str, size))}, "
                f"the size given by `reading=Reading(size=...)`"
            )
        if channels > 1 and layout is None:
            raise _ambiguous(
                what,
                f"flat rows of {length:,} values",
                ("hwc", f"the {channels} channels of each pixel together"),
                ("chw", f"{channels} whole images one after the other"),
            )
        return Arrangement(layout if channels > 1 and layout else "hw", (height, width, channels))
    side = math.isqrt(length)
    colour = math.isqrt(length // 3)
    if side * side == length and side > 1 and layout in (None, "hw"):
        note = (
            f"flat rows of {length:,} values were reshaped to {side}x{side} images (`reading=Reading(size=...)`, or "
            f"`reading=Reading(layout='t')`: series)"
        )
        return Arrangement("hw", (side, side, 1), None if layout else note)
    if colour * colour * 3 == length and colour > 1:
        if layout in ("hwc", "chw"):
            note = f"flat rows of {length:,} values were reshaped to {colour}x{colour}x3 images"
            return Arrangement(layout, (colour, colour, 3), note)
        raise _ambiguous(
            what,
            f"flat rows of {length:,} values",
            ("hwc", f"{colour}x{colour} pixels of 3 channels, those of each pixel together"),
            ("chw", f"3 images of {colour}x{colour}, one for each channel"),
        )
    raise DatasetError(
        f"the {what} are flat rows of {length:,} values, which is not a square number; give "
        f"`reading=Reading(size=...)`, height and width, for images, or `reading=Reading(layout='t')` for series of "
        f"{length:,} steps"
    )


def _two(first: int, second: int, what: str, shape: tuple[int, ...]) -> Arrangement:
    few = second <= MOST_CHANNELS
    if few and first >= _LONG * second:
        note = (
            f"shape {shape} was read as series of {first} steps x {second} channels (`reading=Reading(layout='hw')` "
            f"for grey images of {first}x{second})"
        )
        return Arrangement("tc", (first, 1, second), note)
    if few and first > 2 * second and first > MOST_CHANNELS:
        raise _ambiguous(
            what,
            f"shape {shape}",
            ("tc", f"series of {first} steps x {second} channels"),
            ("hw", f"grey images of {first}x{second}"),
        )
    if 1 < first <= MOST_CHANNELS and second >= _LONG * first:
        raise _ambiguous(
            what,
            f"shape {shape}",
            ("ct", f"series of {second} steps, {first} channels first"),
            ("hw", f"grey images of {first}x{second}"),
        )
    return Arrangement("hw", (first, second, 1))


def _three(first: int, second: int, third: int, what: str, shape: tuple[int, ...]) -> Arrangement:
    last, ahead = third <= MOST_CHANNELS, first <= MOST_CHANNELS
    if not last and not ahead:
        raise DatasetError(
            f"the {what} have shape {shape}, with {third} channels if they are last and {first} if they are first; "
            f"expected (images, height, width, channels) with 1 to {MOST_CHANNELS} channels"
        )
    channels_last = Arrangement("hwc", (first, second, third))
    if not ahead or third == 1:
        return channels_last
    note = (
        f"shape {shape} was read as channels first, and transposed to {second}x{third}x{first} "
        f"(`reading=Reading(layout='hwc')` if not)"
    )
    channels_first = Arrangement("chw", (second, third, first), note)
    if not last:
        return channels_first
    if first in (1, 3, 4) and second == third > 4:
        return channels_first
    # Both interpretations are possible. Pictures have at most four channels, and their sides are longer than that.
    if third <= 4 < first or (first == second != third):
        return channels_last
    raise _ambiguous(
        what,
        f"shape {shape}",
        ("hwc", f"images of {first}x{second} with {third} channels last"),
        ("chw", f"images of {second}x{third} with {first} channels first"),
    )


def _on_edge(found: Arrangement, shape: tuple[int, ...]) -> Arrangement:
    """Return images of one row as series, whose steps are the height."""
    height, width, channels = found.shape
    if height == 1 < width:
        note = f"shape {shape} was read as series of {width} steps x {channels} channels"
        return Arrangement(found.layout, (width, 1, channels), note)
    return found


def _ambiguous(what: str, given: str, *readings: tuple[str, str]) -> DatasetError:
    ways = ", or ".join(f"{words} (`reading=Reading(layout={name!r})`)" for name, words in readings)
    return DatasetError(f"the {what}, {given}, can be read in two ways: as {ways}; choose one")
