from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinysearch.data import storage
from tinysearch.data.loading import load
from tinysearch.data.readers.reader import Reading
from tinysearch.errors import DatasetError, NoTestImagesError

RNG = np.random.default_rng(0)
X, Y = RNG.integers(0, 256, (40, 6, 5), np.uint8), np.arange(40) % 4
V, W = RNG.integers(0, 256, (12, 6, 5), np.uint8), np.arange(12) % 4
T, U = RNG.integers(0, 256, (8, 6, 5), np.uint8), np.arange(8) % 4

NAMES = [
    ("x_train", "y_train", "x_val", "y_val", "x_test", "y_test"),
    ("X_train", "Y_train", "X_valid", "Y_valid", "X_test", "Y_test"),
    ("train_images", "train_labels", "val_images", "val_labels", "test_images", "test_labels"),
    ("images_train", "labels_train", "images_validation", "labels_validation", "images_test", "labels_test"),
    ("train_x", "train_y", "valid_x", "valid_y", "test_x", "test_y"),
    ("train_data", "train_targets", "validation_data", "validation_targets", "test_data", "test_targets"),
    ("xtrain", "ytrain", "xval", "yval", "xtest", "ytest"),
]
BARE = [("x", "y"), ("X", "Y"), ("images", "labels"), ("data", "target"), ("features", "targets"), ("image", "label")]


def save(path: Path, form: str, arrays: dict[str, Any]) -> Path:
    """Write arrays as an archive, or as a folder of files of one array each."""
    if form == "npz":
        np.savez(path / "mine.npz", **arrays)
        return path / "mine.npz"
    (path / "mine").mkdir()
    for name, array in arrays.items():
        np.save(path / "mine" / f"{name}.npy", array)
    return path / "mine"


@pytest.mark.parametrize("form", ["npz", "npy"])
@pytest.mark.parametrize("names", NAMES, ids=lambda names: names[0])
def test_all_usual_names_are_known_and_so_are_the_parts(tmp_path: Path, names: tuple[str, ...], form: str) -> None:
    found = load(save(tmp_path, form, dict(zip(names, (X, Y, V, W, T, U), strict=True))))
    data = found.training_data()
    assert data.validation is not None
    assert np.array_equal(data.validation.pixels[..., 0], V)
    assert np.array_equal(data.validation.labels, W)
    assert (len(data.train), len(found.train), found.split.kind) == (40, 52, "given")
    assert np.array_equal(found.test().pixels[..., 0], T)
    assert np.array_equal(found.test().labels, U)
    assert found.name == "mine"


@pytest.mark.parametrize("form", ["npz", "npy"])
@pytest.mark.parametrize("names", BARE, ids=lambda names: names[0])
def test_arrays_that_say_no_part_are_all_for_training(tmp_path: Path, names: tuple[str, str], form: str) -> None:
    found = load(save(tmp_path, form, dict(zip(names, (X, Y), strict=True))))
    assert (len(found.train), found.split.kind) == (40, "stratified")
    with pytest.raises(NoTestImagesError, match="no array 'x_test'"):
        found.test()


def test_one_file_of_a_pair_stands_for_both(tmp_path: Path) -> None:
    folder = save(tmp_path, "npy", {"x_train": X, "y_train": Y})
    assert load(folder / "x_train.npy").fingerprint == load(folder).fingerprint


def test_other_arrays_are_passed_over(tmp_path: Path) -> None:
    arrays = {"x_train": X, "y_train": Y, "mean": np.zeros(3), "x_mean": np.zeros(3)}
    assert len(load(save(tmp_path, "npz", arrays)).train) == 40


def test_names_of_classes_come_with_the_arrays(tmp_path: Path) -> None:
    names = np.array(["ant", "bee", "cow", "dog"])
    assert load(save(tmp_path, "npz", {"x": X, "y": Y, "class_names": names})).class_names == tuple(names)


def test_names_of_classes_that_are_too_few_are_an_error_and_those_of_images_none(tmp_path: Path) -> None:
    arrays = {"x": X, "y": Y, "class_names": np.array(["ant", "bee", "cow"])}
    with pytest.raises(DatasetError, match=r"go from 0 to 3, and there are 3 names of classes \('ant', 'bee', 'cow'\)"):
        load(save(tmp_path, "npz", arrays))
    for names, found in (
        (("ant", "bee", "cow", "dog"), ("ant", "bee", "cow", "dog")),
        (range(52), ("0", "1", "2", "3")),
    ):
        arrays = {"x": X, "y": Y, "names": np.array([str(name) for name in names])}
        assert load(save(tmp_path, "npz", arrays)).class_names == found
    arrays = {"x": X, "y": Y + 1, "class_names": np.array(["ant", "bee", "cow", "dog"])}
    with pytest.raises(DatasetError, match="for the labels 0 to 3; subtract 1 from the labels"):
        load(save(tmp_path, "npz", arrays))


def test_groups_come_with_the_arrays_or_are_named(tmp_path: Path) -> None:
    groups = np.arange(40) // 2
    found = load(save(tmp_path, "npz", {"x_train": X, "y_train": Y, "groups": groups, "camera": groups // 2}))
    assert found.groups is not None
    assert (found.split.kind, len(set(found.groups.tolist()))) == ("groups", 20)
    named = load(tmp_path / "mine.npz", reading=Reading(groups="camera"))
    assert named.groups is not None
    assert len(set(named.groups.tolist())) == 10
    order = np.random.default_rng(0).permutation(40)
    assert np.array_equal(named.groups, (groups // 2)[order])
    with pytest.raises(DatasetError, match="no array 'city'"):
        load(tmp_path / "mine.npz", reading=Reading(groups="city"))


def test_groups_that_are_named_are_found_by_the_names_of_parts(tmp_path: Path) -> None:
    arrays = {"x_train": X, "y_train": Y, "x_valid": V, "y_valid": W, "camera_tr": Y, "camera_valid": W}
    assert load(save(tmp_path, "npz", arrays), reading=Reading(groups="camera")).split.held == 12
    del arrays["camera_valid"]
    with pytest.raises(DatasetError, match="no groups 'camera_val' for its validation part"):
        load(save(tmp_path, "npz", arrays), reading=Reading(groups="camera"))


def test_groups_of_tests_are_read_where_there_are_any(tmp_path: Path) -> None:
    arrays = {"x_train": X, "y_train": Y, "x_test": T, "y_test": U, "camera": Y, "camera_test": U + 2}
    found = load(save(tmp_path, "npz", arrays), reading=Reading(groups="camera"))
    assert len(found.test()) == 8
    assert np.array_equal(found.groups_of["test"], U + 2)
    assert set(found.groups_of) == {"training", "test"}
    del arrays["camera_test"]
    found = load(save(tmp_path, "npz", arrays), reading=Reading(groups="camera"))
    assert len(found.test()) == 8
    assert found.groups_of["test"] is None


@pytest.mark.parametrize("missing", ["x_val", "y_val", "x_test", "y_test"])
def test_half_a_part_is_an_error_and_not_passed_over(tmp_path: Path, missing: str) -> None:
    arrays = {"x_train": X, "y_train": Y, "x_val": V, "y_val": W, "x_test": T, "y_test": U}
    del arrays[missing]
    with pytest.raises(DatasetError, match=f"no array '{missing}'"):
        load(save(tmp_path, "npz", arrays)).test()


def test_a_damaged_array_is_named(tmp_path: Path) -> None:
    folder = save(tmp_path, "npy", {"x_train": X, "y_train": Y})
    (folder / "y_train.npy").write_bytes(b"no array")
    with pytest.raises(DatasetError, match=r"y_train\.npy cannot be read as an \.npy file"):
        load(folder)


@pytest.mark.parametrize("process", ["ended", "running"])
def test_files_of_a_process_that_was_killed_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, process: str
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(storage, "in_memory_limit", lambda: 100)
    array = storage.allocate((200,), np.uint8)
    (own,) = tmp_path.iterdir()
    number = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    owner = number.stdout.decode().strip() if process == "ended" else str(os.getppid())
    other = own.rename(own.with_name(own.name.replace(f"@{os.getpid()}-", f"@{owner}-")))
    more = storage.allocate((200,), np.uint8)
    assert other.exists() == (process == "running")
    assert len(array) == len(more)


@pytest.mark.parametrize("form", ["npz", "compressed", "npy"])
def test_large_arrays_stay_on_disk_and_are_the_same_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    arrays = {"x_train": X, "y_train": Y, "x_test": T, "y_test": U}
    path = save(tmp_path, "npz" if form == "compressed" else form, arrays)
    if form == "compressed":
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    small = load(path)
    monkeypatch.setattr("tinysearch.data.readers.archives.in_memory_limit", lambda: 100)
    monkeypatch.setattr(storage, "in_memory_limit", lambda: 100)
    monkeypatch.setattr(storage, "CHUNK", 200)
    large = load(path)
    assert isinstance(large.train.pixels, np.memmap)
    assert large.fingerprint == small.fingerprint
    assert np.array_equal(large.test().pixels, small.test().pixels)
