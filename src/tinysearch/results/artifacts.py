"""The files beside the store: models of a run's best few candidates, and checkpoints of trainings under way."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from tinysearch.errors import StoreWriteError
from tinysearch.results.ranking import ranked
from tinysearch.results.record import Record

KEPT = 5


def saved(folder: Path, record: Record) -> Path:
    """Return where the model of a record's training is saved, if it is kept.

    Args:
        folder: The run's folder.
        record: Of a search or of an evaluation.
    """
    if record.purpose == "evaluation":
        return evaluated(folder, record.key, record.seed)
    return BestModels(folder).path(record.key)


def kept_model(folder: Path, record: Record) -> Path | None:
    """Return where the model of a record's training is saved; None if it was not kept."""
    path = saved(folder, record)
    return path if path.is_file() else None


def evaluated(folder: Path, key: str, seed: int) -> Path:
    """Return where the model of an evaluation is saved."""
    return folder / "evaluations" / f"{key}-{seed}.keras"


def handed_out(trainings: Iterable[tuple[Record, Path | None]]) -> tuple[Record, Path | None] | None:
    """Return the training whose network stands for a candidate wherever it is loaded, deployed or recommended.

    Of those whose model was kept, or of all if none was: the one on all training images with the lowest seed, as it
    is made for an evaluation; if there is none, that of the search with the lowest seed. The order in which they were
    finished does not matter.

    Args:
        trainings: Those of the candidate, each with the path of its model; None if it was not kept.

    Returns:
        None if no training can be chosen. Networks of revalidations are never kept.
    """
    able = [one for one in trainings if one[0].purpose != "revalidation" and not one[0].failed]
    return min(able, key=lambda one: (one[1] is None, one[0].purpose != "evaluation", one[0].seed), default=None)


def write(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all.

    Raises:
        OSError: if there is no place for it.
    """
    part = path.with_name(f".{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


class BestModels:
    """Keeps the models of the best few candidates of a run, and removes the others.

    Args:
        folder: The run's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._best: list[Record] = []

    def path(self, key: str) -> Path:
        """Return where the model of a candidate is saved, if it is among the best few."""
        return self._folder / f"{key}.keras"

    def checkpoint(self, key: str) -> Path:
        """Return where a training keeps what it needs to go on after an interruption."""
        return self._folder / "checkpoints" / f"{key}.npz"

    def add(self, record: Record, model: bytes | None = None) -> None:
        """Take note of a record that is stored, and keep its model if it is among the best few."""
        known = [*(one for one in self._best if one.key != record.key), record]
        standings = [one.first for one in ranked(known)]
        self._best = standings[:KEPT]
        # Files are a convenience: that one cannot be removed must not end a run.
        with suppress(OSError):
            if model is not None and any(one.key == record.key for one in self._best):
                write(self.path(record.key), model)
            for dropped in standings[KEPT:]:
                self.path(dropped.key).unlink(missing_ok=True)

    def take(self, source: Path, key: str) -> None:
        """Copy the model of another run, if it has kept it."""
        with suppress(OSError):
            write(self.path(key), source.read_bytes())

    def clear(self) -> None:
        """Remove what an earlier run of the name has left, whose records are gone.

        Raises:
            StoreWriteError: if it cannot be removed: a model of that run would pass for one of this.
        """
        try:
            for name in ("checkpoints", "evaluations"):
                if (self._folder / name).exists():
                    shutil.rmtree(self._folder / name)
            for path in self._folder.glob("*.keras"):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreWriteError(
                f"{error.filename or self._folder} was left by an earlier run and cannot be removed "
                f"({error.strerror or error}); remove the folder {self._folder}, or give another `name=`"
            ) from None

    def tidy(self) -> None:
        """Remove what trainings that were killed have left behind: half-written models and checkpoints."""
        with suppress(OSError):
            for pattern in (".*.part.keras", "*/.*.part.keras", ".*.part", "*/.*.part", "*/*.part"):
                for path in self._folder.glob(pattern):
                    path.unlink(missing_ok=True)
