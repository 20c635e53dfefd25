"""Conversion of picture files to one form with Pillow; ``Form.preparation`` lists the steps, for use on a device."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinysearch.data.readers.reader import Array, Reading
from tinysearch.data.storage import allocate
from tinysearch.errors import DatasetError

# EXIF field of the orientation: from 5 on, height and width are swapped; at 1, a picture is upright.
_ORIENTATION, _ON_ITS_SIDE, _UPRIGHT = 0x0112, 5, 1
_ORIENTATIONS = range(1, 9)
_MOST_NAMED, _MOST_FAULTS = 3, 100
_CHANNELS = {"grey": 1, "rgb": 3, "rgba": 4}
_MODES = {"grey": "L", "rgb": "RGB", "rgba": "RGBA"}
_ORDER = {
    "rgb": "the channels of a pixel are red, green and blue, in this order",
    "rgba": "the channels of a pixel are red, green, blue and alpha, in this order",
}
_LUMA = "colour becomes grey in whole numbers: (19595 R + 38470 G + 7471 B + 32768) >> 16"
_REPEATED = "the value of a grey pixel is used for red, green and blue"
_FILLED = "pictures without transparency get an alpha of 255"
_OPAQUE = "transparency is left out: a transparent pixel has the colour that is stored with it"
_RESIZED = (
    "pictures of other sizes are resized to {height}x{width}, height and width each by its own factor, by the triangle "
    "filter of Pillow's Image.resize(BILINEAR): where it shrinks, it takes the mean of all pixels beneath, weighted by "
    "distance, which is not what OpenCV and most cameras call bilinear"
)


@dataclass(frozen=True, slots=True)
class Form:
    """Common form of pictures: one size, grey or colour, eight or sixteen bits.

    Args:
        height, width: Size in pixels.
        color: ``"grey"``, ``"rgb"`` or ``"rgba"``.
        deep: Whether values keep sixteen bits.
        found: Kinds of the pictures in the source: values of ``color``, and ``"deep"`` for grey of sixteen bits.
        resized: Whether the user gave a size, to which all pictures are resized; otherwise another size is an error.
        turned: Whether some pictures are photographs that are not stored upright.
    """

    height: int
    width: int
    color: str
    deep: bool = False
    found: frozenset[str] = frozenset()
    resized: bool = False
    turned: bool = False

    @property
    def preparation(self) -> tuple[str, ...]:
        """Steps of the conversion, a sentence each."""
        in_color, in_grey = self.found & {"rgb", "rgba"}, self.found & {"grey", "deep"}
        weighted = "; colours are weighted by their alpha" if self.color == "rgba" else ""
        steps = {
            "photographs are turned upright, as their EXIF orientation says": self.turned,
            "values of 16 bits become bytes: value * 255 / 65535, rounded": "deep" in self.found and not self.deep,
            _OPAQUE: "rgba" in self.found and self.color != "rgba",
            _LUMA: bool(in_color) and self.color == "grey",
            _REPEATED: bool(in_grey) and self.color != "grey",
            _FILLED: self.color == "rgba" and self.found != {"rgba"},
            _RESIZED.format(height=self.height, width=self.width) + weighted: self.resized,
            _ORDER.get(self.color, ""): self.color != "grey",
        }
        return tuple(step for step, is_done in steps.items() if is_done)


def form_of(paths: Sequence[Path], source: Path, reading: Reading) -> tuple[Form, tuple[str, ...]]:
    """Decide the common form of pictures by the headers of all files.

    Args:
        paths: The picture files.
        source: The folder or table that lists them, for error messages.
        reading: Reading options of the user.

    Returns:
        The form, and sentences for users about it.

    Raises:
        DatasetError: if files cannot be read, have several sizes and the user gave none, or the layout is not "hwc".
    """
    if reading.layout not in (None, "hwc"):
        raise DatasetError(f"`reading=Reading(layout={reading.layout!r})` has no meaning for pictures; leave it out")
    sizes: Counter[tuple[int, int]] = Counter()
    modes: Counter[str] = Counter()
    turned = False
    faults = _Faults()
    for path in paths:
        with faults.of(path), _opened(path) as picture:
            stored = _orientation(picture)
            turned = turned or stored != _UPRIGHT
            on_its_side = stored >= _ON_ITS_SIDE
            sizes[(picture.width, picture.height) if on_its_side else (picture.height, picture.width)] += 1
            modes[_color_of(picture)] += 1
    faults.require()
    notes: list[str] = []
    if reading.size is not None:
        height, width = reading.size[:2]
        if set(sizes) != {(height, width)}:
            notes.append(f"pictures were resized to {height}x{width}, whatever their proportions")
    elif len(sizes) > 1:
        shown = ", ".join(f"{h}x{w} ({count})" for (h, w), count in sizes.most_common(3))
        h, w = sizes.most_common(1)[0][0]
        raise DatasetError(
            f"the pictures in {source} are of {len(sizes)} sizes: {shown}{', ...' if len(sizes) > 3 else ''}; give one "
            f"size for all of them, for example `reading=Reading(size=({h}, {w}))`"
        )
    else:
        height, width = next(iter(sizes))
    color = reading.color or ("rgba" if set(modes) == {"rgba"} else "rgb" if set(modes) & {"rgb", "rgba"} else "grey")
    deep = reading.color is None and set(modes) == {"deep"}
    told = "grey" if color == "grey" else {"rgb": "red, green and blue", "rgba": "red, green, blue and alpha"}[color]
    mixed = ", ".join(f"{count} {'grey of 16 bits' if mode == 'deep' else mode}" for mode, count in modes.most_common())
    others = f" (there are {mixed}; choose with `reading=Reading(color=...)`)" if len(modes) > 1 else ""
    notes.append(f"pictures are {told}{others}")
    form = Form(height, width, color, deep, frozenset(modes), resized=reading.size is not None, turned=turned)
    return form, tuple(notes)


class _Faults:
    """Errors of pictures that cannot be read, collected to be raised together, up to a hundred of them."""

    def __init__(self) -> None:
        self.found: list[str] = []

    @contextlib.contextmanager
    def of(self, path: Path) -> Iterator[None]:
        """Collect an error that occurs while a picture is read."""
        try:
            yield
        except DatasetError:
            raise
        except Exception as error:  # A damaged file can make Pillow raise almost anything.
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            self.found.append(f"{path} cannot be read ({reason.replace(f' {str(path)!r}', '')})")
            if len(self.found) == _MOST_FAULTS:
                self.require()

    def require(self) -> None:
        """Raise the collected errors as one.

        Raises:
            DatasetError: if there are any.
        """
        if len(self.found) == 1:
            raise DatasetError(f"the picture {self.found[0]}; fix or remove it")
        if self.found:
            more = len(self.found) - _MOST_NAMED
            at_least = "at least " * (len(self.found) == _MOST_FAULTS)
            several = "; ".join(self.found[:_MOST_NAMED]) + (f"; and {more:,} more" if more > 0 else "")
            raise DatasetError(f"{at_least}{len(self.found):,} pictures cannot be used: {several}. Fix or remove them")


def _color_of(picture: Any) -> str:
    """Return the kind of a picture: ``"grey"``, ``"deep"`` (grey of sixteen bits), ``"rgb"`` or ``"rgba"``."""
    if picture.mode in ("I;16", "I;16B", "I;16L", "I"):
        return "deep"
    if picture.mode in ("RGBA", "LA", "PA") or (picture.mode == "P" and "transparency" in picture.info):
        return "rgba"
    return "grey" if picture.mode in ("L", "1", "F") else "rgb"


def _orientation(picture: Any) -> int:
    """Return the EXIF orientation of a picture: 1 is upright.

    It is read from photographs only: JPEG and WebP files, and MPO files of several pictures, which phones write with
    the ending of JPEG.
    """
    is_photograph = picture.format in ("JPEG", "MPO", "WEBP")
    stored = picture.getexif().get(_ORIENTATION, _UPRIGHT) if is_photograph else _UPRIGHT
    return int(stored) if stored in _ORIENTATIONS else _UPRIGHT


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a picture; only its header is read.

    Raises:
        Exception: of any type if Pillow cannot read it; ValueError if it has several frames, or is a TIFF file of 32
            bits or not stored upright.
    """
    from PIL import Image

    with Image.open(path) as picture:
        # PNG and MPO files have a main frame that is meant to be shown alone.
        frames = picture.n_frames if picture.format in ("GIF", "TIFF", "WEBP") else 1
        if frames > 1:
            raise ValueError(f"it has {frames:,} frames, expected a single picture")
        if picture.format == "TIFF" and picture.mode in ("I", "F"):
            raise ValueError("its values are signed, fractions, or of 32 bits; expected whole ones of 8 or 16 bits")
        # Pillow 13.0 mixes up the pixels of uncompressed TIFF files that are not stored upright.
        if picture.format == "TIFF" and picture.getexif().get(_ORIENTATION, _UPRIGHT) != _UPRIGHT:
            raise ValueError("it is a TIFF file that is not stored upright; save it upright")
        yield picture


def decoded(paths: Sequence[Path], form: Form) -> Array:
    """Return pictures converted to a common form, shape ``(images, height, width, channels)``.

    Raises:
        DatasetError: if a picture cannot be read, or has another size and the user gave none.
    """
    from PIL import Image, ImageOps

    kind = np.dtype(np.uint16 if form.deep else np.uint8)
    pixels = allocate((len(paths), form.height, form.width, _CHANNELS[form.color]), kind)
    faults = _Faults()
    for number, path in enumerate(paths):
        with faults.of(path), _opened(path) as picture:
            if _orientation(picture) != _UPRIGHT:
                picture = ImageOps.exif_transpose(picture)
            if form.deep and _color_of(picture) != "deep":
                raise ValueError("it is not grey of 16 bits, as the training pictures are")
            if not form.deep:
                picture = _eight_bits(picture).convert(_MODES[form.color])
            if picture.size != (form.width, form.height):
                if not form.resized:
                    raise DatasetError(
                        f"the picture {path} is {picture.height}x{picture.width}, the training pictures are "
                        f"{form.height}x{form.width}; bring all to one size by `reading=Reading(size=...)`"
                    )
                picture = picture.resize((form.width, form.height), Image.Resampling.BILINEAR)
            pixels[number] = np.asarray(picture, kind).reshape(pixels.shape[1:])
    faults.require()
    return pixels


def _eight_bits(picture: Any) -> Any:
    """Return a picture with sixteen bits converted to eight; Pillow itself would clip values at 255."""
    if _color_of(picture) != "deep":
        return picture
    from PIL import Image

    values = np.asarray(picture).astype(np.float64)
    return Image.fromarray(np.rint(np.clip(values, 0, 65_535) * (255 / 65_535)).astype(np.uint8))
