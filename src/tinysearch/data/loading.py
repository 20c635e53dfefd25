"""Datasets: where images come from, what is checked on loading, and how they are split.

Searching reads the training images only; the test images are read when an evaluation asks for them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from tinysearch.data.dataset import Dataset
from tinysearch.data.download import Array, keras_arrays
from tinysearch.data.images import Images, fingerprint, is_mnist, read_npz, validated
from tinysearch.errors import DatasetError
from tinysearch.runtime.backend import generators_kept
from tinysearch.runtime.paths import local
from tinysearch.space.task import Task

KERAS_DATASETS = ("mnist", "fashion_mnist")
DATASETS = ("auto", *KERAS_DATASETS, "digits")


def load(name: str = "auto", data: Path | None = None) -> Dataset:
    """Load a dataset.

    Args:
        name: ``"auto"`` takes MNIST where it can be found and else falls back to ``"digits"``; ``"mnist"``,
            ``"fashion_mnist"`` and ``"digits"`` take that or nothing; the path of an ``.npz`` file takes the file.
        data: An ``.npz`` file with ``x_train`` and ``y_train``, and ``x_test`` and ``y_test`` for evaluations.

    Raises:
        DatasetError: if nothing can be found under the name, or what was found cannot be trusted.
    """
    if data is None and name.endswith(".npz"):
        name, data = "auto", local(name, "a dataset")
    if name not in DATASETS:
        raise DatasetError(f"a dataset is one of {', '.join(DATASETS)} or an .npz file, got {name!r}")
    if name == "digits":
        if data is not None:
            raise DatasetError(f"the dataset 'digits' ships with scikit-learn; leave out --data {data} or --dataset")
        return _digits(None)
    if data is not None:
        return _npz(data, f"the file {data.name}", expected=None if name == "auto" else name)
    wanted = "mnist" if name == "auto" else name
    found = _from_environment(wanted)
    if found is not None:
        return _npz(found, f"the file {found.name} of $TINYSEARCH_DATA", expected=wanted if name != "auto" else None)
    cached = _keras_cache(wanted)
    damage = ""
    if cached is not None:
        try:
            train = read_npz(cached, "train")
        except DatasetError as error:
            damage = f"{error}. "
        else:
            return _from_file(cached, "the Keras cache", train, expected=wanted)
    try:
        downloaded = _download(wanted)
        return replace(downloaded, fallback=f"{damage}It was downloaded again.") if damage else downloaded
    except OSError as error:
        if name != "auto":
            raise DatasetError(
                f"{damage}{wanted} was not found and could not be downloaded ({error}). Three ways to go on: give "
                f"the file with --data {wanted}.npz; set TINYSEARCH_DATA to the file or to a folder that holds "
                f"{wanted}.npz; or connect to the network so that Keras can download it. (--dataset digits needs no "
                f"data at all.)"
            ) from None
        return _digits(
            f"{damage}MNIST was not found and could not be downloaded ({error}), so this is scikit-learn's digits: "
            f"1,797 handwritten digits of 8x8 pixels, scaled up to 28x28. Results are not comparable with MNIST. For "
            f"MNIST, give --data mnist.npz or set TINYSEARCH_DATA."
        )


def at_hand(data: Path | None, named: Collection[str] = ()) -> dict[str, Array]:
    """Return test images that are on this machine, by fingerprint, for looking at what networks got wrong.

    Args:
        data: An ``.npz`` file; None for what ``$TINYSEARCH_DATA`` or the Keras cache have of MNIST, if anything.
        named: Names of datasets that are asked for; of these, digits come with scikit-learn.

    Raises:
        DatasetError: if a file that was named cannot be used.
    """
    try:
        path = data or _from_environment("mnist") or _keras_cache("mnist")
        images = None if path is None else read_npz(path, "test")
    except DatasetError:
        if data is not None:
            raise
        images = None
    found = [] if images is None else [images]
    if "digits" in named:
        found.append(load("digits").test())
    return {fingerprint(images): images.pixels for images in found}


def _from_environment(name: str) -> Path | None:
    text = os.environ.get("TINYSEARCH_DATA")
    if not text:
        return None
    path = local(text, "TINYSEARCH_DATA")
    try:
        if path.is_dir():
            path = path / f"{name}.npz"
            return path if path.exists() else None
        there = path.exists()
    except PermissionError:
        there = False
    if not there:
        raise DatasetError(f"TINYSEARCH_DATA names {text!r}, which is neither a file nor a folder that can be read")
    return path if name == "mnist" or path.stem == name else None


def _keras_cache(name: str) -> Path | None:
    try:
        path = Path(os.environ.get("KERAS_HOME") or "~/.keras", "datasets", f"{name}.npz").expanduser()
        return path if path.exists() else None
    except (OSError, RuntimeError):
        # It belongs to somebody else, or there is no home, as in containers that run as any user.
        return None


def _download(name: str) -> Dataset:
    """Let Keras download a dataset (or take it from its cache of another format).

    Raises:
        OSError: if it cannot be had.
    """
    train = validated(*keras_arrays(name)[0], "downloaded training images")
    return dataset_of(
        name, "downloaded by Keras", train, lambda: validated(*keras_arrays(name)[1], "downloaded test images")
    )


def _npz(path: Path, source: str, expected: str | None) -> Dataset:
    return _from_file(path, source, read_npz(path, "train"), expected)


def _from_file(path: Path, source: str, train: Images, expected: str | None) -> Dataset:
    official = is_mnist("train", train)
    if expected == "mnist" and not official:
        raise DatasetError(
            f"{path} is not the canonical MNIST: the digest of its training images is not the published one; "
            f"leave out --dataset mnist to use the file as a dataset of its own"
        )

    if expected == "fashion_mnist" and official:
        raise DatasetError(f"{path} is MNIST, not fashion_mnist; use --dataset mnist, or give another file")

    def load_test() -> Images:
        test = read_npz(path, "test")
        if official and not is_mnist("test", test):
            raise DatasetError(f"the test images in {path} are not those of MNIST, although the training images are")
        return test

    stem = path.stem.encode("utf-8", "backslashreplace").decode()
    name = "mnist" if official else expected or stem
    if expected is None and not official:
        # Its name must not pass for a dataset that it is not.
        name = f"{stem}-file" if stem in DATASETS else stem
        # A file may be sorted by class; the last 10 % would then be one class.
        order = np.random.default_rng(0).permutation(len(train))
        shuffled = Images(train.pixels[order], train.labels[order])
        return dataset_of(name, source, shuffled, load_test)
    return dataset_of(name, source, train, load_test)


def _digits(fallback: str | None) -> Dataset:
    from scipy.ndimage import zoom

    with generators_kept():
        from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    small = pixels.reshape(-1, 8, 8)
    large = zoom(small, (1, 3.5, 3.5), order=1, mode="nearest", grid_mode=True)
    images = Images(np.rint(large * (255 / 16)).astype(np.uint8)[..., None], labels.astype(np.int32))
    cut = len(images) - len(images) // 5
    train = Images(images.pixels[:cut], images.labels[:cut])
    test = Images(images.pixels[cut:], images.labels[cut:])
    return dataset_of("digits", "scikit-learn", train, lambda: test, fallback)


def dataset_of(
    name: str, source: str, train: Images, load_test: Callable[[], Images], fallback: str | None = None
) -> Dataset:
    """Return a dataset of images that were checked one by one, if they make one.

    Raises:
        DatasetError: if they are too few, or have labels with gaps or of one class.
    """
    height, width, channels = train.pixels.shape[1:]
    if len(train) < 20:
        raise DatasetError(f"{name} has {len(train)} training images; at least 20 are needed")
    present = np.unique(train.labels)
    missing = sorted(set(range(int(present[-1]) + 1)) - set(present.tolist()))
    if missing:
        raise DatasetError(
            f"the labels of {name} go up to {present[-1]}, but no training image is labelled {missing[0]}; "
            f"labels must be 0, 1, 2, ... without gaps"
        )
    if len(present) < 2:
        raise DatasetError(f"all training images of {name} have the same label; at least 2 classes are needed")
    scale = 255.0 if train.pixels.dtype == np.uint8 else float(np.abs(train.pixels.astype(np.float32)).max()) or 1.0
    return Dataset(
        name=name,
        source=source,
        task=Task((height, width, channels), len(present)),
        train=train,
        fingerprint=fingerprint(train),
        full_scale=scale,
        fallback=fallback,
        load_test=cache(load_test),
    )
