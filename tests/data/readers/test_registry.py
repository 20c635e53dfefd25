from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from tinysearch.data.loading import load
from tinysearch.data.readers import registry
from tinysearch.data.readers.archives import Npz
from tinysearch.data.readers.memory import Arrays
from tinysearch.data.readers.reader import Contents, Part, Reader, Reading
from tinysearch.errors import DatasetError, PluginError
from tinysearch.testing import check_reader


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
def source(tmp_path: Path) -> Path:
    (tmp_path / "a.stripes").write_text("30")
    return tmp_path / "a.stripes"


@pytest.mark.parametrize("form", ["class", "instance", "name"])
def test_a_reader_of_ones_own_is_a_class_an_instance_or_a_name(form: str, source: Path) -> None:
    own = {"class": Stripes, "instance": Stripes(), "name": f"{__file__}:Stripes"}[form]
    found = load("auto", source, reading=Reading(reader=own))
    assert (found.name, found.class_names, len(found.train)) == ("stripes", ("flat", "upright"), 30)


def test_a_reader_of_a_distribution_is_asked_before_those_of_tinysearch(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_installed", lambda: (Stripes(),))
    assert load("auto", source).name == "stripes"


def test_without_it_the_file_is_refused_with_what_can_be_read(source: Path) -> None:
    with pytest.raises(DatasetError, match=r"no reader accepts .*a\.stripes; data is the name of a dataset, an \.npz"):
        load("auto", source)


def test_it_is_the_only_one_that_is_asked(tiny: Path) -> None:
    with pytest.raises(DatasetError, match=r"the reader .*:Stripes does not accept .*tiny\.npz"):
        load("auto", tiny, reading=Reading(reader=Stripes))


@pytest.mark.parametrize("own", [Path, 3, "no_such_module:Stripes", "nonsense"])
def test_what_is_no_reader_is_refused(own: Any, source: Path) -> None:
    with pytest.raises(PluginError, match="reader"):
        load("auto", source, reading=Reading(reader=own))


# The contract


def test_the_contract_holds_for_readers_that_keep_it(source: Path, tiny: Path) -> None:
    assert check_reader(Stripes, source).class_names == ("flat", "upright")
    assert check_reader(Npz(), tiny).name == "tiny"
    assert check_reader(Arrays, (np.zeros((20, 6, 6), np.uint8), np.arange(20) % 2)).task.classes == 2


class Greedy(Stripes):
    def accepts(self, source: Any) -> bool:
        return True


class Shy(Stripes):
    def accepts(self, source: Any) -> bool:
        return False


class Short(Stripes):
    def read(self, source: Path, reading: Reading) -> Contents:
        found = super().read(source, reading)
        return replace(found, train=Part(found.train.pixels, found.train.labels[1:]))


class Moody(Stripes):
    def read(self, source: Path, reading: Reading) -> Contents:
        found = super().read(source, reading)
        noise = np.random.default_rng().integers(0, 99, found.train.pixels.shape, np.uint8)
        return replace(found, train=Part(noise, found.train.labels))


class Careless(Stripes):
    def read(self, source: Path, reading: Reading) -> Contents:
        found = super().read(source, reading)
        source.write_text("31")
        return found


class Nameless(Stripes):
    name = " "


class Misspelt(Stripes):
    unused = ("colour",)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (Greedy, "must return False for a source that it cannot read"),
        (Shy, "must return True for the source"),
        (Short, "must have the same length, got .*'labels': 29"),
        (Moody, "twice must give the same data"),
        (Careless, "must not change the source"),
        (Nameless, "a reader must have a name"),
        (Misspelt, r"unused must contain names of fields of Reading .*got \('colour',\)"),
    ],
)
def test_the_contract_finds_the_fault_of_a_broken_reader(broken: type[Reader], words: str, source: Path) -> None:
    with pytest.raises(AssertionError, match=words):
        check_reader(broken, source)
