from __future__ import annotations

import hashlib
import os
import struct
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tinysearch.data import images, loading
from tinysearch.data.dataset import Dataset, TrainingData
from tinysearch.data.images import Images
from tinysearch.data.loading import load
from tinysearch.data.readers.reader import Reading
from tinysearch.data.splits import Split
from tinysearch.errors import DatasetError
from tinysearch.space.task import Task

Arrays = dict[str, Any]


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No environment, an empty Keras cache and no network."""

    def offline(name: str) -> Dataset:
        raise OSError(f"no route to the host of {name}")

    monkeypatch.delenv("TINYSEARCH_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(loading, "_download", offline)


def arrays(count: int = 40, shape: tuple[int, ...] = (6, 5), classes: int = 3, **replaced: Any) -> Arrays:
    """Return the arrays of a small legal file; an array that is replaced by None is left out."""
    rng = np.random.default_rng(0)
    made: Arrays = {}
    for part, size in (("train", count), ("test", 9)):
        made[f"x_{part}"] = rng.integers(0, 256, (size, *shape), np.uint8)
        made[f"y_{part}"] = np.arange(size) % classes
    made.update(replaced)
    return {name: array for name, array in made.items() if array is not None}


def write(path: Path, contents: Arrays | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **(arrays() if contents is None else contents))
    return path


@pytest.fixture
def official(monkeypatch: pytest.MonkeyPatch) -> Arrays:
    """Arrays that pass for the canonical MNIST, by the digests of their IDX files."""
    contents = arrays(shape=(28, 28))
    for part in ("train", "test"):
        pixels, labels = contents[f"x_{part}"], contents[f"y_{part}"]
        files = {
            f"x_{part}": struct.pack(">IIII", 2051, len(pixels), 28, 28) + pixels.tobytes(),
            f"y_{part}": struct.pack(">II", 2049, len(labels)) + labels.astype(np.uint8).tobytes(),
        }
        for name, content in files.items():
            monkeypatch.setitem(images.MNIST_MD5, name, hashlib.md5(content).hexdigest())  # noqa: S324
    return contents


def refusal(name: str = "auto", data: Path | None = None) -> str:
    """Return the one sentence or paragraph with which loading is refused."""
    with pytest.raises(DatasetError) as caught:
        load(name, data)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_auto_takes_the_file_given_before_any_other(
    official: Arrays, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TINYSEARCH_DATA", str(write(tmp_path / "other.npz")))
    write(tmp_path / "keras" / "datasets" / "mnist.npz", official)
    given = load("auto", write(tmp_path / "given.npz"))
    assert (given.name, given.fallback) == ("given", None)
    assert "given.npz" in given.source


def test_auto_takes_the_file_of_the_environment_before_the_cache(
    official: Arrays, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TINYSEARCH_DATA", str(write(tmp_path / "other.npz")))
    write(tmp_path / "keras" / "datasets" / "mnist.npz", official)
    found = load()
    assert (found.name, found.fallback) == ("other", None)
    assert "TINYSEARCH_DATA" in found.source


def test_auto_takes_mnist_from_the_folder_of_the_environment(
    official: Arrays, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TINYSEARCH_DATA", str(write(tmp_path / "data" / "mnist.npz", official).parent))
    found = load()
    assert (found.name, found.fallback) == ("mnist", None)
    assert "TINYSEARCH_DATA" in found.source


def test_auto_takes_the_keras_cache_before_the_network(official: Arrays, tmp_path: Path) -> None:
    write(tmp_path / "keras" / "datasets" / "mnist.npz", official)
    found = load()
    assert (found.name, found.source, found.fallback) == ("mnist", "the Keras cache", None)


def test_a_damaged_file_in_the_keras_cache_is_named_and_digits_stand_in(official: Arrays, tmp_path: Path) -> None:
    path = write(tmp_path / "keras" / "datasets" / "mnist.npz", official)
    path.write_bytes(path.read_bytes()[:-100])
    found = load()
    assert found.name == "digits"
    assert str(path) in str(found.fallback)
    assert "cut short or damaged" in str(found.fallback)
    message = refusal("mnist")
    assert str(path) in message
    assert "cut short or damaged" in message


@pytest.mark.parametrize("name", ["auto", "mnist"])
def test_a_damaged_file_in_the_keras_cache_is_downloaded_again_with_a_note(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    downloaded = load("auto", write(tmp_path / "net.npz"))
    monkeypatch.setattr(loading, "_download", lambda name: downloaded)
    path = tmp_path / "keras" / "datasets" / "mnist.npz"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PK half a download")
    found = load(name)
    assert found.fingerprint == downloaded.fingerprint
    assert str(path) in str(found.fallback)


def test_the_note_on_the_fallback_says_why_mnist_could_not_be_had() -> None:
    assert "no route to the host of mnist" in str(load().fallback)
    assert "no route to the host of mnist" in refusal("mnist")


def test_without_a_home_there_is_no_keras_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container may run as a user that has neither HOME nor an entry of its own."""

    def unknown(*_: object) -> None:
        raise KeyError("getpwuid(): uid not found")

    for name in ("HOME", "USERPROFILE", "KERAS_HOME"):
        monkeypatch.delenv(name, raising=False)
    pwd = pytest.importorskip("pwd", reason="users are those of a POSIX system")
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(RuntimeError):
        Path.home()
    assert load().name == "digits"
    assert loading.at_hand(None) == {}


def test_a_home_that_belongs_to_somebody_else_has_no_keras_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: Path, **_: object) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "exists", forbidden)
    assert load().name == "digits"
    monkeypatch.setattr(Path, "is_dir", forbidden)
    monkeypatch.setenv("TINYSEARCH_DATA", "/private/data")
    assert "TINYSEARCH_DATA names '/private/data'" in refusal()


def test_a_folder_without_mnist_is_passed_over(
    official: Arrays, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("TINYSEARCH_DATA", str(tmp_path / "empty"))
    assert load().name == "digits"
    write(tmp_path / "keras" / "datasets" / "mnist.npz", official)
    assert load().source == "the Keras cache"


def test_auto_takes_the_network_before_digits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    downloaded = load("auto", write(tmp_path / "net.npz"))
    monkeypatch.setattr(loading, "_download", lambda name: downloaded)
    assert load() is downloaded


def test_auto_falls_back_to_digits_and_says_so() -> None:
    found = load()
    assert found.name == "digits"
    assert found.fallback is not None
    assert "not comparable with MNIST" in found.fallback
    assert "`data='mnist.npz'`" in found.fallback
    assert "TINYSEARCH_DATA" in found.fallback


def test_digits_asked_for_are_no_fallback() -> None:
    found = load("digits")
    assert found.fallback is None
    assert (found.task.input_shape, found.task.classes, found.full_scale) == ((28, 28, 1), 10, 255)
    assert len(found.train) + len(found.test()) == 1_797
    assert found.train.pixels.dtype == np.uint8
    assert found.train.pixels.max() > 200
    assert load("digits").fingerprint == found.fingerprint == load().fingerprint


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10", "cifar100"])
def test_a_dataset_that_cannot_be_had_names_three_remedies(name: str) -> None:
    message = refusal(name)
    for remedy in (f"`data='{name}.npz'`", "TINYSEARCH_DATA", "network"):
        assert remedy in message


def test_an_unknown_name_lists_the_known_ones() -> None:
    message = refusal("cifar")
    assert "auto, mnist, fashion_mnist, cifar10, cifar100, digits" in message
    assert "'cifar'" in message


def test_the_path_of_a_file_may_stand_for_its_name(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.npz")
    assert load(str(path)).fingerprint == load("auto", path).fingerprint


def test_digits_and_a_file_exclude_each_other(tmp_path: Path) -> None:
    assert "`dataset=`" in refusal("digits", write(tmp_path / "mine.npz"))


def test_an_environment_that_names_nothing_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TINYSEARCH_DATA", str(tmp_path / "missing.npz"))
    assert "missing.npz" in refusal()


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "there is no file" in refusal("auto", tmp_path / "missing.npz")
    # Beside a name it need not look like a path.
    assert "there is no file photos" in refusal("mnist", "photos")


def test_the_canonical_mnist_is_known_whatever_the_file_is_called(official: Arrays, tmp_path: Path) -> None:
    path = write(tmp_path / "renamed.npz", official)
    for name in ("auto", "mnist"):
        found = load(name, path)
        assert found.name == "mnist"
        assert np.array_equal(found.train.pixels[..., 0], official["x_train"])
        assert np.array_equal(found.train.labels, official["y_train"])
        assert np.array_equal(found.test().labels, official["y_test"])


@pytest.mark.parametrize("array", ["x_train", "y_train"])
def test_a_file_that_is_not_mnist_is_refused_where_mnist_is_asked_for(
    official: Arrays, tmp_path: Path, array: str
) -> None:
    official[array] = official[array][::-1].copy()
    path = write(tmp_path / "altered.npz", official)
    message = refusal("mnist", path)
    assert "not the canonical MNIST" in message
    assert "altered.npz" in message
    assert load("auto", path).name == "altered"


def test_a_file_that_is_not_mnist_does_not_become_it_by_its_name(tmp_path: Path) -> None:
    assert load("auto", write(tmp_path / "mnist.npz")).name != "mnist"


@pytest.mark.parametrize("array", ["x_test", "y_test"])
def test_mnist_with_other_test_images_is_refused_when_they_are_read(
    official: Arrays, tmp_path: Path, array: str
) -> None:
    official[array] = official[array][::-1].copy()
    found = load("mnist", write(tmp_path / "altered.npz", official))
    with pytest.raises(DatasetError, match="are not those of MNIST"):
        found.test()


@pytest.mark.skipif("TINYSEARCH_TEST_MNIST" not in os.environ, reason="TINYSEARCH_TEST_MNIST names no mnist.npz")
def test_the_real_mnist_is_canonical() -> None:
    found = load("mnist", Path(os.environ["TINYSEARCH_TEST_MNIST"]))
    assert (found.name, len(found.train), len(found.test())) == ("mnist", 60_000, 10_000)
    assert (found.task.input_shape, found.task.classes) == ((28, 28, 1), 10)
    data = found.training_data()
    assert data.validation is not None
    assert (len(data.train), len(data.validation)) == (54_000, 6_000)


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 1), (6, 5, 2), (6, 5, 3), (6, 5, 4), (1, 1)])
def test_a_file_brings_its_own_image_size_and_channels(tmp_path: Path, shape: tuple[int, ...]) -> None:
    found = load("auto", write(tmp_path / "mine.npz", arrays(shape=shape, classes=4)))
    assert found.task.input_shape == (*shape, 1)[:3]
    assert found.task.classes == 4
    assert found.train.pixels.shape == (40, *found.task.input_shape)
    assert found.test().pixels.shape == (9, *found.task.input_shape)
    assert found.full_scale == 255


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.int64, bool])
def test_pixels_that_are_not_bytes_become_float32_and_keep_their_scale(tmp_path: Path, kind: type) -> None:
    pixels = np.zeros((40, 6, 5), kind)
    pixels[3, 2, 1] = 1 if kind is bool else -7
    found = load("auto", write(tmp_path / "mine.npz", arrays(x_train=pixels)))
    assert found.train.pixels.dtype == np.float32
    assert found.full_scale == (1 if kind is bool else 7)


def test_images_of_nothing_but_zeros_have_scale_one(tmp_path: Path) -> None:
    found = load("auto", write(tmp_path / "mine.npz", arrays(x_train=np.zeros((40, 6, 5)))))
    assert found.full_scale == 1


def test_a_compressed_file_is_the_same_dataset(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "small.npz", **arrays())
    assert load("auto", tmp_path / "small.npz").fingerprint == load("auto", write(tmp_path / "large.npz")).fingerprint


@pytest.mark.parametrize(
    ("replaced", "named"),
    [
        ({"x_train": None}, "no array 'x_train'; it holds y_train, x_test, y_test"),
        ({"y_train": None}, "no array 'y_train'"),
        ({"x_train": np.zeros((40, 6))}, "flat rows of 6 values, which is not a square number"),
        ({"x_train": np.zeros((40, 6, 5, 5))}, "can be read in two ways"),
        ({"x_train": np.zeros((40, 17, 18, 19))}, "with 1 to 16 channels"),
        ({"x_train": np.zeros((40, 6, 5, 0))}, "sides of at least 1"),
        ({"x_train": np.zeros((40, 0, 5))}, "shape (40, 0, 5); expected sides of at least 1"),
        ({"x_train": np.zeros((40, 1, 6, 5, 1))}, "shape (40, 1, 6, 5, 1)"),
        ({"x_train": np.zeros(())}, "shape ()"),
        ({"x_train": np.zeros((0, 6, 5)), "y_train": np.zeros(0, int)}, "there are no train images"),
        ({"x_train": np.zeros((40, 6, 5), object)}, "object arrays"),
        ({"y_train": np.zeros(40, object)}, "object arrays"),
        ({"x_train": np.zeros((40, 6, 5), complex)}, "type complex128"),
        ({"x_train": np.full((40, 6, 5), "a")}, "type <U1"),
        ({"x_train": np.full((40, 6, 5), np.nan)}, "NaN or infinite"),
        ({"x_train": np.full((40, 6, 5), np.inf, np.float32)}, "NaN or infinite"),
        ({"y_train": np.arange(39) % 3}, "labels of shape (39,)"),
        ({"y_train": np.zeros((40, 3), int)}, "row 0 is not one-hot"),
        ({"y_train": np.arange(40) / 8}, "have fractions, such as 0.125"),
        ({"y_train": np.full(40, "1")}, "the same label, '1'; at least 2 classes"),
        ({"y_train": np.arange(40) * 100}, "40 different labels, such as '0', '100', '200', ..."),
        ({"y_train": np.zeros(40, complex)}, "type complex128; expected whole numbers or texts"),
        ({"y_train": np.zeros(40, int)}, "the same label, '0'; at least 2 classes"),
    ],
)
def test_arrays_that_cannot_be_trusted_are_refused(tmp_path: Path, replaced: Arrays, named: str) -> None:
    assert named in refusal("auto", write(tmp_path / "bad.npz", arrays(**replaced)))


def test_too_few_images_are_refused(tmp_path: Path) -> None:
    assert "19 training images; at least 20" in refusal("auto", write(tmp_path / "bad.npz", arrays(count=19)))
    assert len(load("auto", write(tmp_path / "enough.npz", arrays(count=20))).train) == 20


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_file_cut_short_is_refused(tmp_path: Path, share: float) -> None:
    path = write(tmp_path / "cut.npz")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert "cut.npz" in refusal("auto", path)


@pytest.mark.parametrize("seed", range(50))
def test_a_damaged_file_is_refused_or_no_different(tmp_path: Path, seed: int) -> None:
    path = write(tmp_path / "damaged.npz")
    whole = load("auto", path).fingerprint
    rng = np.random.default_rng(seed)
    content = bytearray(path.read_bytes())
    content[rng.integers(len(content))] ^= 1 << rng.integers(8)
    path.write_bytes(content)
    outcome = fingerprint_or_refusal(path)
    assert outcome == whole or "damaged.npz" in outcome


def fingerprint_or_refusal(path: Path) -> str:
    try:
        return load("auto", path).fingerprint
    except DatasetError as error:
        return str(error)


def test_an_array_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "array.npz").open("wb") as file:
        np.save(file, np.zeros((40, 6, 5)))
    assert "array.npz" in refusal("auto", tmp_path / "array.npz")


@pytest.mark.parametrize("content", [b"x_train,y_train\n0,1\n", b"PK\x03\x04 and then nothing"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "text.npz").write_bytes(content)
    assert "text.npz" in refusal("auto", tmp_path / "text.npz")


@pytest.mark.parametrize(
    "member", [b"", b"no array", b"\x93NUMPY\x01\x00\x0e\x00{'descr': '|u1'", b"\x93NUMPY\x09\x00"]
)
def test_an_archive_of_something_else_is_refused(tmp_path: Path, member: bytes) -> None:
    path = tmp_path / "other.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("x_train", "y_train"):
            archive.writestr(f"{name}.npy", member)
    assert "other.npz" in refusal("auto", path)


@pytest.mark.parametrize(("offset", "value"), [(8, 1), (10, 99)], ids=["encrypted", "unknown compression"])
def test_an_archive_that_cannot_be_unpacked_is_refused(tmp_path: Path, offset: int, value: int) -> None:
    path = write(tmp_path / "locked.npz")
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + offset] = value
    path.write_bytes(content)
    assert "locked.npz" in refusal("auto", path)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.npz").mkdir()
    assert "folder.npz" in refusal("auto", tmp_path / "folder.npz")


def as_keras_splits(path: Path) -> Dataset:
    """Load a dataset of which the last tenth is held out."""
    return replace(load("auto", path), split=Split("last"))


def test_folds_are_drawn_by_class(tmp_path: Path) -> None:
    found = load("auto", write(tmp_path / "mine.npz", arrays(count=200)))
    assert found.split == Split("stratified")
    held = [found.training_data(fold).validation for fold in range(10)]
    for one in held:
        assert one is not None
        assert len(one) == 20
        assert np.ptp(np.bincount(one.labels)) <= 1
    assert len({one.pixels.tobytes() for one in held if one is not None}) == 10


def test_a_run_goes_on_with_the_split_that_it_was_begun_with(tmp_path: Path) -> None:
    found = load("auto", write(tmp_path / "mine.npz"))
    assert found.as_in({}).split == Split("last")
    assert found.as_in(found.described()).split == found.split
    given = replace(found, split=Split("given", held=4))
    assert given.as_in({}).split == given.split


def test_the_last_tenth_may_be_held_out_for_validation(tmp_path: Path) -> None:
    found = as_keras_splits(write(tmp_path / "mine.npz"))
    data = found.training_data()
    assert data.validation is not None
    assert (len(data.train), len(data.validation)) == (36, 4)
    assert np.array_equal(np.concatenate([data.train.pixels, data.validation.pixels]), found.train.pixels)
    assert np.array_equal(np.concatenate([data.train.labels, data.validation.labels]), found.train.labels)
    assert (data.task, data.full_scale) == (found.task, found.full_scale)


def test_each_fold_can_be_held_out_counted_from_the_end(tmp_path: Path) -> None:
    found = as_keras_splits(write(tmp_path / "mine.npz"))
    data = found.training_data()
    held = []
    for fold in range(10):
        other = found.training_data(fold)
        assert other.validation is not None
        assert (len(other.train), len(other.validation)) == (36, 4)
        held.append(other.validation.pixels)
        cut = 36 - 4 * fold
        assert np.array_equal(other.validation.labels, found.train.labels[cut : cut + 4])
        assert np.array_equal(other.train.labels, np.delete(found.train.labels, slice(cut, cut + 4)))
        assert np.array_equal(other.train.pixels, np.delete(found.train.pixels, slice(cut, cut + 4), axis=0))
        assert (other.task, other.full_scale) == (data.task, data.full_scale)
    assert np.array_equal(np.concatenate(held[::-1]), found.train.pixels)
    assert data.validation is not None
    assert np.array_equal(held[0], data.validation.pixels)


@pytest.mark.parametrize("count", [20, 25, 26, 29])
def test_folds_of_few_images_are_all_of_one_size(tmp_path: Path, count: int) -> None:
    path = write(tmp_path / "few.npz", arrays(x_train=np.zeros((count, 3, 3), np.uint8), y_train=np.arange(count) % 4))
    found = as_keras_splits(path)
    data = found.training_data()
    assert data.validation is not None
    for fold in range(10):
        other = found.training_data(fold)
        assert other.validation is not None
        assert len(other.validation) == len(data.validation)
        assert len(other.train) == len(data.train)


def test_what_a_search_sees_has_no_test_images(tmp_path: Path) -> None:
    found = load("auto", write(tmp_path / "mine.npz"))
    for fold in (0, 3, None):
        data = found.training_data(fold)
        assert data.test is None
        assert data.nbytes == found.train.pixels.nbytes


def test_without_a_fold_nothing_is_held_out(tmp_path: Path) -> None:
    found = load("auto", write(tmp_path / "mine.npz"))
    whole = found.training_data(None)
    assert whole.validation is None
    assert (whole.train, whole.task, whole.full_scale) == (found.train, found.task, found.full_scale)


@pytest.mark.parametrize("fold", [0, 9, None])
def test_what_is_taken_from_one_end_of_the_images_is_no_copy(tmp_path: Path, fold: int | None) -> None:
    found = as_keras_splits(write(tmp_path / "mine.npz"))
    data = found.training_data(fold)
    assert np.shares_memory(data.train.pixels, found.train.pixels)
    assert data.validation is None or np.shares_memory(data.validation.pixels, found.train.pixels)


def test_a_file_sorted_by_class_is_shuffled_and_keeps_images_with_their_labels(tmp_path: Path) -> None:
    labels = np.repeat(np.arange(4), 50)
    pixels = np.broadcast_to(labels[:, None, None], (200, 3, 3)).astype(np.uint8)
    path = write(tmp_path / "sorted.npz", arrays(x_train=pixels, y_train=labels))
    found = load("auto", path)
    validation = found.training_data().validation
    assert validation is not None
    assert set(validation.labels.tolist()) == {0, 1, 2, 3}
    assert np.array_equal(found.train.pixels[:, 0, 0, 0], found.train.labels)
    assert np.array_equal(load("auto", path).train.labels, found.train.labels)


@pytest.mark.parametrize(
    ("replaced", "named"),
    [
        ({"x_test": np.zeros((9, 2, 2), np.uint8)}, "have shape (2, 2, 1)"),
        ({"x_test": np.zeros(3)}, "shape (3,)"),
        ({"x_test": np.zeros((9, 6, 5), object)}, "object arrays"),
        ({"x_test": np.zeros((0, 6, 5)), "y_test": np.zeros(0, int)}, "there are no test images"),
        ({"y_test": np.full(9, 3)}, "have the label '3' (first at number 0), which no training image has"),
        ({"y_test": np.full(9, -1)}, "have the label '-1'"),
        ({"x_test": None, "y_test": None}, "no array 'x_test'"),
    ],
)
def test_test_images_are_read_and_checked_only_when_asked_for(tmp_path: Path, replaced: Arrays, named: str) -> None:
    found = load("auto", write(tmp_path / "mine.npz", arrays(**replaced)))
    assert len(found.training_data().train) == 36
    with pytest.raises(DatasetError) as caught:
        found.test()
    assert named in str(caught.value)


def test_test_images_may_lack_classes(tmp_path: Path) -> None:
    found = load("auto", write(tmp_path / "mine.npz", arrays(y_test=np.zeros(9, int))))
    assert set(found.test().labels.tolist()) == {0}


def test_the_fingerprint_changes_with_one_pixel_one_label_or_the_type(tmp_path: Path) -> None:
    contents = arrays()
    pixel, label = contents["x_train"].copy(), contents["y_train"].copy()
    pixel[17, 3, 2] ^= 1
    label[17] = (label[17] + 1) % 3
    changes: list[Arrays] = [
        {},
        {"x_train": pixel},
        {"y_train": label},
        {"x_train": contents["x_train"].astype(np.float32)},
        {"x_train": contents["x_train"].reshape(40, 5, 6)},
    ]
    files = [write(tmp_path / f"{n}.npz", arrays(**change)) for n, change in enumerate(changes)]
    fingerprints = {load("auto", file).fingerprint for file in files}
    assert len(fingerprints) == len(files)
    assert {len(fingerprint) for fingerprint in fingerprints} == {16}


def test_the_fingerprint_does_not_depend_on_the_name_or_the_test_images(tmp_path: Path) -> None:
    one = load("auto", write(tmp_path / "one.npz"))
    other = load("auto", write(tmp_path / "other.npz", arrays(x_test=None)))
    assert one.fingerprint == other.fingerprint


@pytest.mark.parametrize("count", [*range(20, 60), 101, 1_437])
def test_the_ten_folds_are_all_different(count: int) -> None:
    pixels = np.arange(count, dtype=np.float32).reshape(count, 1, 1, 1)
    images = Images(pixels, (np.arange(count) % 2).astype(np.int32))
    size = max(1, round(count / 10))
    folds = [TrainingData.of(Task((1, 1, 1), 2), images, 1.0, Split("last"), fold=fold) for fold in range(10)]
    held = {tuple(one.validation.pixels.ravel().tolist()) for one in folds if one.validation is not None}
    assert len(held) == 10
    assert {len(one.validation or ()) for one in folds} == {size}
    assert {len(one.train) for one in folds} == {count - size}
    assert tuple(pixels[count - size :].ravel().tolist()) in held


@pytest.mark.parametrize("kind", ["missing", "empty", "notes", "download", "loose"])
def test_a_wrong_folder_is_refused_alike_by_every_command(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ``tinysearch data SOURCE`` gives as a name, ``tinysearch run --data SOURCE`` gives as a path."""
    monkeypatch.chdir(tmp_path)
    for folder in ("empty", "notes/cat", "download/zoo/cat", "loose"):
        Path(folder).mkdir(parents=True)
    Path("notes/cat/readme.txt").write_text("no picture")
    picture = Image.fromarray(np.zeros((6, 6), np.uint8))
    for place in ("download/zoo/cat/0.png", "loose/0.png"):
        picture.save(place)
    said = refusal(kind)
    assert said == refusal("auto", Path(kind))
    remedy = {
        "missing": "or an existing file or folder",
        "empty": "expected one folder of pictures for each class",
        "notes": "expected one folder for each class with .png",
        "download": f"If the classes are below {Path('download/zoo')}, give that",
        "loose": "but 1 picture; expected one folder of pictures for each class",
    }
    assert remedy[kind] in said


def test_a_task_knows_what_the_values_of_its_images_are(tmp_path: Path) -> None:
    of = {}
    for name, train in {"all": random_images(40), "few": random_images(40) % 17, "real": random_images(40) / 3}.items():
        path = tmp_path / f"{name}.npz"
        np.savez(path, x_train=train, y_train=np.arange(40) % 4)
        of[name] = load("auto", path).task.values
    assert of == {"all": "bytes", "few": "levels", "real": "real"}


def random_images(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, 8, 8), np.uint8)


@pytest.mark.parametrize("said", [{"label_column": "kind"}, {"groups": "who"}, {"color": "grey"}, {"reader": "npz"}])
def test_what_means_nothing_to_a_dataset_with_a_name_is_refused(said: dict[str, str]) -> None:
    with pytest.raises(DatasetError, match="has no meaning without `data=`; leave it out"):
        load("digits", reading=Reading(**said))  # type: ignore[arg-type]
