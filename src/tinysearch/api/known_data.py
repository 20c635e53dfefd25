"""Data of a stored run: read from the source that the run used, unless other data is given."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tinysearch.errors import DatasetError, RunError

if TYPE_CHECKING:
    from tinysearch.data.dataset import Dataset
    from tinysearch.data.readers.reader import Reading
    from tinysearch.data.source import Source
    from tinysearch.results.run import Run
    from tinysearch.results.store import Store


class Given(NamedTuple):
    """The arguments for data, see ``Study``.

    Args:
        data: A path, arrays, or a dataset; ``"auto"`` if not given.
        dataset: Name of the dataset; ``"auto"`` for any.
        reading: How to read it.
    """

    data: Any = "auto"
    dataset: str = "auto"
    reading: Reading | None = None

    @property
    def nothing(self) -> bool:
        """Whether neither data nor a name was given."""
        return (self.data is None or (isinstance(self.data, str) and self.data == "auto")) and self.dataset == "auto"


def source_of(run: Run) -> Source | None:
    """Return the source that the data of a run was read from; None if it is not known.

    Raises:
        DatasetError: if the source in the store cannot be read.
    """
    from tinysearch.data.source import NAMED, Source

    if run.source is not None:
        return Source.from_dict(run.source)
    return Source(run.dataset) if run.dataset in NAMED else None


def sources_of_evaluations(store: Store, runs: Collection[str] = ()) -> list[Source]:
    """Return the sources of data of the runs with test accuracies, in the whole store if ``runs`` is empty."""
    scored = {one.run for one in store.summaries() if one.test_accuracy is not None}
    found: dict[str, Source] = {}
    for run in store.runs():
        if run.name in scored and (not runs or run.name in runs):
            with contextlib.suppress(DatasetError):
                source = source_of(run)
                if source is not None:
                    found.setdefault(source.words, source)
    return list(found.values())


def load_data_of(run: Run, given: Given) -> Dataset:
    """Load the data of a run: the given data, or else the data that the run used.

    Args:
        run: The run.
        given: The arguments for data.

    Raises:
        DatasetError: if the data cannot be found or used.
        RunError: if the data differs from that of the run.
    """
    from tinysearch.api.inputs import load_data

    found = load_data(*as_given(run, given))
    source = source_of(run) if given.nothing else None
    if source is not None and found.fingerprint != run.fingerprint:
        raise RunError(
            f"run {run.name!r} was made on {source.words} with fingerprint {run.fingerprint}, which has fingerprint "
            f"{found.fingerprint} now: the data has changed; restore it, give a copy of the original with `data=`, "
            f"or start a new run with another `name=`"
        )
    run.check_data(found.name, found.fingerprint)
    return found


def data_of_first(runs: Iterable[Run], given: Given) -> Given:
    """Return the arguments for data, completed from the first run with a known source; see ``as_given``."""
    known = list(runs)
    if not known:
        return given
    return as_given(next((run for run in known if source_of(run) is not None), known[0]), given)


def as_given(run: Run, given: Given) -> Given:
    """Return the arguments for data, completed from the source of a run.

    If a path is given that has the same suffix as that of the run, the ``reading`` of the run applies to it too.

    Raises:
        DatasetError: if the source of the run is not known, or no longer exists.
        RunError: if the given ``reading`` contradicts that of the run.
    """
    if not given.nothing and (not isinstance(given.data, (str, os.PathLike)) or given.data == "auto"):
        return given
    source = source_of(run)
    if not given.nothing and (source is None or source.in_memory):
        return given
    if given.nothing and run.source is None and os.environ.get("TINYSEARCH_DATA"):
        # Runs without a stored source were resumed with the data of this variable.
        return given
    if source is None or source.in_memory:
        raise DatasetError(f"run {run.name!r} was made on {run.dataset}, {_lost(source)}")
    if not given.nothing and not _alike(str(given.data), source.path):
        return given
    reading = _merged(run, source, given.reading)
    if not given.nothing:
        return given._replace(reading=reading)
    if source.path is not None and not _is_there(source.path):
        raise DatasetError(
            f"run {run.name!r} was made on {source.path}, which no longer exists; give its new path with `data=`"
        )
    return Given("auto" if source.path is None else source.path, source.dataset or "auto", reading)


def _lost(source: Source | None) -> str:
    if source is None:
        return (
            "and an earlier version of tinysearch did not store where that is; give it with `data=`, and "
            "with the same arguments for reading it as then"
        )
    return (
        "which was given in Python, so it cannot be read again; give the same arrays, or a file that "
        "holds them, as `data=`"
    )


def _is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except OSError:
        # The reader raises an error with the reason.
        return True


def _alike(path: str, known: str | None) -> bool:
    """Return whether two paths have the same suffix, so that they are read in the same way."""
    return known is not None and Path(path).suffix.lower() == Path(known).suffix.lower()


def _merged(run: Run, source: Source, reading: Reading | None) -> Reading:
    """Return how a run read its data; a value that is given again must be equal to that of the run.

    Raises:
        RunError: if a value differs.
    """
    from tinysearch.data.source import argument, said

    known = said(source.reading)
    for name, value in ({} if reading is None else said(reading)).items():
        if known.get(name) != value:
            before = f"with {argument(known[name])}" if name in known else f"without {argument(f'{name}=...')}"
            raise RunError(
                f"run {run.name!r} has read its data {before}, got {argument(value)}; leave it out to continue with "
                f"the same images, or start a new run with another `name=`"
            )
    if reading is None or reading.reader is None:
        return source.reading
    # A reader that is given as a value is used directly, without a lookup by name.
    return dataclasses.replace(source.reading, reader=reading.reader)
