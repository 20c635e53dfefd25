from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tinysearch.data.dataset import Dataset
from tinysearch.data.loading import load
from tinysearch.data.readers.reader import Reading
from tinysearch.deploy import Trained
from tinysearch.deploy.input import input_of
from tinysearch.space.architecture import Architecture, Conv, Head

LABELS = np.arange(40) % 2


def takes(make_trained: Callable[..., Trained], dataset: Dataset, *, scaling: bool = True) -> str:
    network = make_trained(Architecture((Conv(2),), Head("average")), dataset.task)
    return "\n".join(input_of(network, dataset, scaling=scaling))


def test_recordings_are_steps_with_the_range_of_each_channel(make_trained: Callable[..., Trained]) -> None:
    steps = np.random.default_rng(0).uniform(-1, 1, (40, 30, 2))
    steps[0, 0], steps[0, 1] = (-2, -30), (2, 30)
    said = takes(make_trained, load((steps, LABELS), reading=Reading(layout="tc")))
    assert "30 steps of 2 channels, in order of time, the channels of a step side by side" in said
    assert "values are real numbers, in training, channel by channel, from -2 to 2; -30 to 30, unscaled" in said
    assert "values are those of the source, unchanged" in said
    assert said.endswith("the series for training are from arrays in memory")


def test_channels_that_were_first_are_said_to_lie_side_by_side(make_trained: Callable[..., Trained]) -> None:
    planes = np.random.default_rng(0).integers(0, 256, (40, 3, 12, 12), np.uint8)
    said = takes(make_trained, load((planes, LABELS)))
    assert (
        "12 rows of 12 pixels of 3 channels, row by row from the top left, the channels of a pixel side by side" in said
    )
    assert "channels, which are stored as separate planes in the source, are interleaved" in said


def test_what_was_done_to_pictures_is_said_of_those_of_digits(make_trained: Callable[..., Trained]) -> None:
    assert "scaled up to 28x28" in takes(make_trained, load("digits"))


def test_the_folder_that_pictures_are_from_is_named_without_those_above_it(
    make_trained: Callable[..., Trained], tmp_path: Path
) -> None:
    np.savez(tmp_path / "mine.npz", x=np.random.default_rng(0).integers(0, 256, (40, 8, 8), np.uint8), y=LABELS)
    said = takes(make_trained, load(tmp_path / "mine.npz"))
    assert said.endswith("the images for training are from the file mine.npz")
    assert str(tmp_path) not in said
