from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tinysearch.data.loading import load
from tinysearch.report.data import in_short


def test_arrays_are_said_to_be_in_memory_once_and_files_where_they_are(
    tiny: Path, tiny_arrays: Mapping[str, np.ndarray]
) -> None:
    said = in_short(load(data=(tiny_arrays["x_train"], tiny_arrays["y_train"])))
    assert said.startswith("arrays in memory: ")
    assert in_short(load(data=tiny)).startswith("tiny from the file tiny.npz: ")
