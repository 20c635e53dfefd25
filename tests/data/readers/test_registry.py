from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from tinysearch.data.loading import load
from tinysearch.data.readers.reader import Contents, Part, Reader, Reading
from tinysearch.data.readers.registry import readers, register, unregister
from tinysearch.errors import DatasetError


class Stripes(Reader):
    """Reads files that say how many striped images there are."""

    name: ClassVar[str] = "stripes"

    def accepts(self, source: Any) -> bool:
        return isinstance(source, Path) and source.suffix == ".stripes"

    def read(self, source: Path, reading: Reading) -> Contents:
        labels = np.arange(int(source.read_text())) % 2
        pixels = np.zeros((len(labels), 8, 8), np.uint8)
        pixels[labels == 0, ::2] = 255
        pixels[labels == 1, :, ::2] = 255
        return Contents("stripes", "a test", Part(pixels, labels), class_names=("flat", "upright"))


@pytest.fixture
def stripes() -> Iterator[Reader]:
    yield register(Stripes())
    unregister("stripes")


def test_a_reader_of_ones_own_is_asked_first(stripes: Reader, tmp_path: Path) -> None:
    (tmp_path / "a.stripes").write_text("30")
    found = load("auto", tmp_path / "a.stripes")
    assert (found.name, found.class_names, len(found.train)) == ("stripes", ("flat", "upright"), 30)
    assert readers()[0] is stripes


def test_without_it_the_file_is_refused_with_what_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.stripes").write_text("30")
    with pytest.raises(DatasetError, match=r"nothing reads .*a\.stripes; data is the name of a dataset, an \.npz"):
        load("auto", tmp_path / "a.stripes")


def test_what_is_no_reader_cannot_be_registered() -> None:
    with pytest.raises(DatasetError, match="an instance of a subclass of Reader"):
        register(Stripes)  # type: ignore[arg-type]
