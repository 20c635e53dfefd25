"""A contact sheet: a few images of each class, to check the labels by eye."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tinysearch.data.dataset import Dataset
from tinysearch.data.images import Array
from tinysearch.errors import DatasetError

if TYPE_CHECKING:
    from PIL import Image

COLUMNS = 10
MOST_CLASSES = 60
_LEAST, _MOST = 48, 128
_GAP, _LINE = 4, 16
_COLORS = ((31, 119, 180), (214, 96, 24), (44, 130, 44), (200, 40, 40), (120, 80, 180), (120, 80, 60))


def save_preview(dataset: Dataset, path: Path, *, columns: int = COLUMNS) -> None:
    """Save a contact sheet of the training images, with a row for each of the first 60 classes below its name.

    Args:
        dataset: Dataset whose first images of each class are shown. Series are drawn as curves, one color for each of
            the first six channels.
        path: Path of the output; the ending selects the format, ``.png`` or ``.jpg``.
        columns: Maximum number of images per class.

    Raises:
        DatasetError: if the sheet cannot be saved.
    """
    from PIL import Image, ImageDraw

    shown = min(dataset.task.classes, MOST_CLASSES)
    tiles = [_tiles(dataset, number, columns) for number in range(shown)]
    height = max(tile.height for row in tiles for tile in row)
    width = max(tile.width for row in tiles for tile in row)
    row_height = height + _LINE + _GAP
    sheet = Image.new("RGB", (columns * (width + _GAP) + _GAP, shown * row_height + _GAP), "white")
    draw = ImageDraw.Draw(sheet)
    counts = np.bincount(dataset.train.labels, minlength=dataset.task.classes)
    for number, row in enumerate(tiles):
        top = number * row_height + _GAP
        name = dataset.class_names[number] if dataset.class_names else str(number)
        # The font that comes with Pillow supports Latin-1.
        text = f"{name} ({counts[number]:,})".encode("latin-1", "replace").decode("latin-1")
        draw.text((_GAP, top), text, fill="black")
        for place, tile in enumerate(row):
            sheet.paste(tile, (_GAP + place * (width + _GAP), top + _LINE))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sheet.save(path)
    except (OSError, ValueError) as error:
        raise DatasetError(f"the preview cannot be saved at {path} ({error}); give a path that ends in .png") from None


def _tiles(dataset: Dataset, number: int, columns: int) -> list[Image.Image]:
    rows = np.flatnonzero(dataset.train.labels == number)[:columns]
    pixels = np.asarray(dataset.train.pixels[rows], np.float32)
    if dataset.task.is_series:
        return [_curves(one[:, 0], dataset) for one in pixels]
    return [_picture(one, dataset.full_scale, dataset.train.pixels.dtype) for one in pixels]


def _picture(pixels: npt.NDArray[np.float32], full_scale: float, dtype: Any) -> Image.Image:
    from PIL import Image

    low = 0.0 if dtype == np.uint8 or pixels.min() >= 0 else float(pixels.min())
    span = (full_scale if low == 0 else float(pixels.max()) - low) or 1.0
    channels = pixels.shape[2]
    # Of two channels, the first is shown in grey; of more than three, the first three are shown.
    colors = pixels[..., :3] if channels >= 3 else pixels[..., :1].repeat(3, axis=2)
    image = Image.fromarray(np.clip((colors - low) * (255 / span), 0, 255).astype(np.uint8))
    factor = max(1, -(-_LEAST // max(image.size)))
    if factor > 1:
        return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    image.thumbnail((_MOST, _MOST))
    return image


def _curves(steps: Array, dataset: Dataset) -> Image.Image:
    from PIL import Image, ImageDraw

    tile = Image.new("RGB", (_MOST, _LEAST), (245, 245, 245))
    draw = ImageDraw.Draw(tile)
    for channel in range(min(steps.shape[1], len(_COLORS))):
        values = steps[:, channel].astype(np.float64)
        whole = dataset.train.pixels[:200, :, 0, channel]
        low, high = float(whole.min()), float(whole.max())
        across = np.linspace(0, _MOST - 1, len(values))
        up = _LEAST - 1 - np.clip((values - low) / ((high - low) or 1.0), 0, 1) * (_LEAST - 1)
        draw.line([*map(tuple, np.stack([across, up], axis=1).tolist())], fill=_COLORS[channel])
    return tile
