from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinysearch.data.loading import at_hand, load
from tinysearch.data.readers.reader import Reading
from tinysearch.data.source import Source, said
from tinysearch.errors import DatasetError

EVERYTHING = Source(
    "mnist",
    "/data/pictures",
    Reading(size=(32, 32), layout="hwc", label_column="kind", groups="(.*)_", color="rgb", reader="mine:Reader"),
)


def test_a_source_comes_back_from_its_plain_values() -> None:
    for one in (EVERYTHING, Source(), Source("digits"), Source(path="/data/x.npz")):
        assert Source.from_dict(one.to_dict()) == one
    assert Source().to_dict() == {}
    # A later version may note more.
    assert Source.from_dict({"dataset": "digits", "mirror": "elsewhere"}) == Source("digits")


@pytest.mark.parametrize("damaged", [{"path": 3}, {"size": "32x32"}, {"layout": ["h"]}, {"size": [0, 0]}])
def test_plain_values_that_are_none_are_refused(damaged: dict[str, Any]) -> None:
    with pytest.raises(DatasetError):
        Source.from_dict(damaged)


def test_it_says_in_words_what_it_is_with_the_arguments_that_say_it_again() -> None:
    assert EVERYTHING.words == (
        "/data/pictures `reading=Reading(size=(32, 32), layout='hwc', label_column='kind', groups='(.*)_', "
        "color='rgb', reader='mine:Reader')`"
    )
    assert said(Reading()) == {}
    assert Source("digits").words == "digits"


def test_a_file_is_found_again_from_any_folder(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny.parent)
    source = load(data=tiny.name).read_from
    assert source == Source(path=str(tiny.absolute()))
    monkeypatch.chdir(tmp_path)
    again = load(source.dataset or "auto", source.path, reading=source.reading)
    assert again.fingerprint == load(data=tiny).fingerprint


def test_what_the_environment_names_is_found_without_it(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYSEARCH_DATA", str(tiny))
    found = load()
    assert found.read_from == Source(path=str(tiny))


def test_what_ships_with_packages_is_found_by_its_name_also_where_it_stood_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def offline(name: str) -> None:
        raise OSError("no network")

    monkeypatch.delenv("TINYSEARCH_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("tinysearch.data.loading._download", offline)
    assert load("digits").read_from == Source("digits")
    assert load("auto").read_from == Source("digits")


def test_arrays_from_python_are_not_found_again(tiny_arrays: dict[str, np.ndarray], tiny: Path) -> None:
    assert load(data=(tiny_arrays["x_train"], tiny_arrays["y_train"])).read_from.in_memory
    # Nor are groups that came from Python.
    assert load(data=tiny, groups=np.arange(60) % 7).read_from.in_memory


def test_a_reader_is_known_by_its_name_and_a_file_of_one_by_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tinysearch.data.readers.archives import Npz

    monkeypatch.chdir(tmp_path)
    for given, name in (
        (Npz, "tinysearch.data.readers.archives:Npz"),
        (Npz(), "tinysearch.data.readers.archives:Npz"),
        ("own.py:Own", f"{tmp_path / 'own.py'}:Own"),
    ):
        assert Source.of("auto", Path("x.npz"), Reading(reader=given)).reading.reader == name


def test_test_images_of_runs_are_at_hand_as_long_as_their_files_are(tiny: Path, tmp_path: Path) -> None:
    found = at_hand(None, (), None, [Source(path=str(tiny)), Source(path=str(tmp_path / "gone.npz")), Source()])
    assert [len(pixels) for pixels in found.values() if len(pixels) == 20] == [20]
