"""Loading of datasets: ``load`` returns a ``Dataset`` for every supported source.

A search uses the training images only; the test images are read when a check or an evaluation requests them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tinysearch.data.dataset import Dataset
from tinysearch.data.images import Array, fingerprint
from tinysearch.data.readers.keras_datasets import digits, downloaded
from tinysearch.data.readers.reader import Contents, Reading, refuse_unused
from tinysearch.data.readers.registry import reader_for
from tinysearch.data.source import NAMED, Source
from tinysearch.data.understanding import understood
from tinysearch.errors import DatasetError, InputError, meant
from tinysearch.runtime.paths import local

DATASETS = ("auto", *NAMED)
# Reading options of files and folders, which mean nothing for a dataset that is loaded by name.
_OF_SOURCES = ("label_column", "groups", "color", "reader")


def load(name: Any = "auto", data: Any = None, *, reading: Reading | None = None, groups: Any = None) -> Dataset:
    """Load a dataset.

    Args:
        name: ``"auto"`` loads MNIST if it can be found and otherwise falls back to ``"digits"``. ``"mnist"``,
            ``"fashion_mnist"``, ``"cifar10"``, ``"cifar100"`` and ``"digits"`` load this dataset or raise an error. Any
            value of ``data`` may be given here instead.
        data: A file or folder: an ``.npz`` file, ``.npy`` files, a ``.csv`` file, a folder of pictures. Or in Python
            ``(x, y)``, ``((x, y), (x_test, y_test))``, ``(train, validation, test)``, each a pair of arrays or a
            ``tf.data.Dataset``; or a loaded dataset, which is returned.
        reading: Reading options that the source itself does not define.
        groups: Group of each training image, such as its person or camera; images of one group are never in two folds.

    Raises:
        DatasetError: if the dataset cannot be found, or the data is invalid.
    """
    for given in (name, data):
        if isinstance(given, Dataset):
            return given
    reading = reading or Reading()
    name, data = _sorted_out(name, data)
    if name not in DATASETS:
        raise DatasetError(
            f"a dataset is one of {', '.join(DATASETS)}, or an existing file or folder; got "
            f"{name!r}{meant(name, DATASETS)}"
        )
    found, path = _loaded(name, data, reading, groups)
    if groups is not None or (path is None and found.name not in DATASETS):
        # Data from Python cannot be read again.
        return found
    return replace(found, read_from=Source.of(name if path is not None else found.name, path, reading))


def _loaded(name: str, data: Any, reading: Reading, groups: Any) -> tuple[Dataset, Path | None]:
    """Return a dataset, and the file or folder it was read from; None if it was loaded by name or came from Python.

    Args:
        name: One of ``DATASETS``.
        data, reading, groups: See ``load``.
    """
    if data is None:
        refuse_unused(reading, _OF_SOURCES, "without `data=`", "leave it out, or give a file or folder")
    if name == "digits":
        if data is not None:
            raise DatasetError(
                f"the dataset 'digits' ships with scikit-learn, and {_spelled(data)} was given too; leave out `data=` "
                f"or `dataset=`"
            )
        return understood(digits(), reading, groups=groups), None
    if data is not None:
        reader = reader_for(data, reading.reader)
        refuse_unused(reading, reader.unused, f"for {reader.kind}")
        contents = reader.read(data, reading)
        expected = None if name == "auto" else name
        dataset = understood(contents, reading, expected=expected, groups=groups, known=DATASETS)
        return dataset, data if isinstance(data, Path) else None
    wanted = "mnist" if name == "auto" else name
    there = _from_environment(wanted)
    if there is not None:
        expected = wanted if name != "auto" else None
        contents = replace(_npz(there), source=f"the file {there.name} of $TINYSEARCH_DATA")
        dataset = understood(contents, reading, expected=expected, groups=groups, known=DATASETS)
        return dataset, None if dataset.name in DATASETS else there
    cached = _keras_cache(wanted)
    damage = ""
    if cached is not None:
        try:
            contents = replace(_npz(cached), source="the Keras cache")
        except DatasetError as error:
            damage = f"{error}. "
        else:
            return understood(contents, reading, expected=wanted, groups=groups, known=DATASETS), None
    try:
        dataset = _download(wanted)
        return (replace(dataset, fallback=f"{damage}It was downloaded again.") if damage else dataset), None
    except OSError as error:
        if name != "auto":
            raise DatasetError(
                f"{damage}{wanted} was not found and could not be downloaded ({error}). You can give "
                f"the file with `data='{wanted}.npz'`; set TINYSEARCH_DATA to the file or to a folder that holds "
                f"{wanted}.npz; or connect to the network so that Keras can download it. (`dataset='digits'` needs no "
                f"data at all.)"
            ) from None
        note = (
            f"{damage}MNIST was not found and could not be downloaded ({error}), so this is scikit-learn's digits: "
            f"1,797 handwritten digits of 8x8 pixels, scaled up to 28x28. Results are not comparable with MNIST. For "
            f"MNIST, give `data='mnist.npz'` or set TINYSEARCH_DATA."
        )
        return understood(digits(note), reading), None


def at_hand(
    data: Path | None,
    named: Collection[str] = (),
    reading: Reading | None = None,
    sources: Iterable[Source] = (),
) -> dict[str, Array]:
    """Return the test images that are available on this machine, by fingerprint, to show what networks misclassify.

    Args:
        data: A file or folder; None for MNIST from ``$TINYSEARCH_DATA`` or the Keras cache, if it is there.
        named: Names of the wanted datasets; of these, only ``"digits"`` is loaded, which comes with scikit-learn.
        reading: See ``load``.
        sources: Sources of runs. Those that cannot be read any more, or would have to be downloaded, are left out.

    Raises:
        DatasetError: if ``data`` is given and cannot be used.
    """
    try:
        source = data or _from_environment("mnist") or _keras_cache("mnist")
        found = [] if source is None else [load("auto", source, reading=reading if data else None).test()]
    except DatasetError:
        if data is not None:
            raise
        found = []
    if "digits" in named:
        found.append(load("digits").test())
    for one in sources if data is None else ():
        if one.path is not None:
            with contextlib.suppress(InputError):
                found.append(load(one.dataset or "auto", one.path, reading=one.reading).test())
    return {fingerprint(images): images.pixels for images in found}


def _sorted_out(name: Any, data: Any) -> tuple[str, Any]:
    """Return the name of a dataset, and the source if one was given, whichever argument holds which."""
    if isinstance(data, (str, os.PathLike)):
        text = os.fspath(data)
        named = isinstance(name, str) and name != "auto"
        # If a name is given as well, any text that is not the name of a dataset means a file.
        if not _is_path(text) and (text in DATASETS or not named):
            if name not in ("auto", text):
                raise DatasetError(f"two datasets were given, {name!r} and {text!r}; give one of them")
            name, data = text, None
        else:
            data = local(text, "a dataset")
    if isinstance(name, os.PathLike) or (isinstance(name, str) and name not in DATASETS and _is_path(name)):
        if data is not None:
            raise DatasetError(
                f"two sources of data were given, {_spelled(name)} and {_spelled(data)}; give one of them"
            )
        return "auto", local(name, "a dataset")
    if isinstance(name, str):
        return name, data
    if data is not None:
        raise DatasetError(f"two sources of data were given, one in Python and {_spelled(data)}; give one of them")
    return "auto", name


def _is_path(text: str) -> bool:
    """Whether a text that is not the name of a dataset means a file or folder."""
    try:
        return Path(text).suffix != "" or "/" in text or os.sep in text or Path(text).expanduser().exists()
    except (OSError, RuntimeError, ValueError):
        return True


def _spelled(source: Any) -> str:
    return str(source) if isinstance(source, (str, os.PathLike)) else f"a {type(source).__name__}"


def _npz(path: Path) -> Contents:
    return reader_for(path).read(path, Reading())


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
        # It belongs to another user, or there is no home folder, as in containers that run as an arbitrary user.
        return None


def _download(name: str) -> Dataset:
    """Let Keras download a dataset (or take it from its cache of another format).

    Raises:
        OSError: if it cannot be downloaded.
    """
    return understood(downloaded(name), Reading(), expected=name)
