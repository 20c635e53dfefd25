"""Description of a network's input in words: a device must prepare it as it was prepared for training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinysearch.data.dataset import Dataset
from tinysearch.data.images import Channel, pixel_statistics
from tinysearch.deploy.trained import Trained
from tinysearch.space.scalars import written


def input_of(trained: Trained, dataset: Dataset, *, scaling: bool = True) -> tuple[str, ...]:
    """Return sentences that describe the input of a network.

    Args:
        trained: The network.
        dataset: Dataset that it was trained on.
        scaling: Whether the network itself scales raw pixels.
    """
    is_bytes = dataset.train.pixels.dtype == np.uint8
    values = "bytes from 0 to 255" if is_bytes else f"real numbers, {_ranges(pixel_statistics(dataset.train))}"
    if trained.scaling.does_nothing:
        scaled = ", unscaled"
    elif scaling:
        scaled = ", unscaled: scaling is part of the network, or of how its input is quantized"
    else:
        scaled = f", which are scaled before the network takes them: {trained.scaling.words}"
    made = dataset.preparation or ("values are those of the source, unchanged",)
    what = "series" if dataset.task.is_series else "images"
    return (
        _order(dataset),
        f"values are {values}{scaled}",
        *made,
        f"the {what} for training are from {dataset.source}",
    )


def _order(dataset: Dataset) -> str:
    height, width, channels = dataset.task.input_shape
    of = f"{channels} channel{'' if channels == 1 else 's'}"
    if dataset.task.is_series:
        order = ", the channels of a step side by side" if channels > 1 else ""
        return f"{height:,} steps of {of}, in order of time{order}"
    order = ", the channels of a pixel side by side" if channels > 1 else ""
    return f"{height:,} rows of {width:,} pixels of {of}, row by row from the top left{order}"


def _ranges(channels: Sequence[Channel]) -> str:
    """Return the ranges of the values in training images, in words."""
    ranges = [f"{written(one.low)} to {written(one.high)}" for one in channels]
    if len(set(ranges)) == 1:
        return f"in training from {ranges[0]}"
    return f"in training, channel by channel, from {'; '.join(ranges)}"
