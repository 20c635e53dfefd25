"""Files next to the store: models of the best candidates of a run, models of evaluations, and training checkpoints."""

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
    """Return the path for the model of a record's training; the file exists only if the model is kept.

    Args:
        folder: The run's folder.
        record: A record of a search or of an evaluation.
    """
    if record.purpose == "evaluation":
        return evaluated(folder, record.key, record.seed)
    return BestModels(folder).path(record.key)


def kept_model(folder: Path, record: Record) -> Path | None:
    """Return the path of the saved model of a record's training; None if it was not kept."""
    path = saved(folder, record)
    return path if path.is_file() else None


def evaluated(folder: Path, key: str, seed: int) -> Path:
    """Return the path for the model of an evaluation."""
    return folder / "evaluations" / f"{key}-{seed}.keras"


def handed_out(trainings: Iterable[tuple[Record, Path | None]]) -> tuple[Record, Path | None] | None:
    """Return the training whose network represents a candidate wherever it is loaded, deployed or recommended.

    Trainings whose model was kept come first. Among these, or among all if no model was kept, evaluations, which train
    on all training images, come before trainings of the search; then the lowest seed wins. The order in which trainings
    finished does not matter. Failed trainings and revalidations are never chosen; models of revalidations are not kept.

    Args:
        trainings: Trainings of the candidate, each with the path of its model; None if it was not kept.

    Returns:
        The training and the path of its model; None if no training can be chosen.
    """
    able = [one for one in trainings if one[0].purpose != "revalidation" and not one[0].failed]
    return min(able, key=lambda one: (one[1] is None, one[0].purpose != "evaluation", one[0].seed), default=None)


def write(path: Path, content: bytes) -> None:
    """Write a file atomically.

    Raises:
        OSError: if it cannot be written.
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
    """Saved models of the best candidates of a run; the models of other candidates are removed.

    Args:
        folder: The run's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._best: list[Record] = []

    def path(self, key: str) -> Path:
        """Return the path for the model of a candidate; the file exists only if the candidate is among the best."""
        return self._folder / f"{key}.keras"

    def checkpoint(self, key: str) -> Path:
        """Return the path for the checkpoint from which a training resumes after an interruption."""
        return self._folder / "checkpoints" / f"{key}.npz"

    def add(self, record: Record, model: bytes | None = None) -> None:
        """Add a stored record, and save its model if the candidate is among the best."""
        known = [*(one for one in self._best if one.key != record.key), record]
        standings = [one.first for one in ranked(known)]
        self._best = standings[:KEPT]
        # Model files are a convenience: a file error must not end a run.
        with suppress(OSError):
            if model is not None and any(one.key == record.key for one in self._best):
                write(self.path(record.key), model)
            for dropped in standings[KEPT:]:
                self.path(dropped.key).unlink(missing_ok=True)

    def take(self, source: Path, key: str) -> None:
        """Copy the model of a candidate from another run, if that run has kept it."""
        with suppress(OSError):
            write(self.path(key), source.read_bytes())

    def clear(self) -> None:
        """Remove the files of an earlier run of the same name whose records no longer exist.

        Raises:
            StoreWriteError: if a file cannot be removed; its model would be mistaken for one of this run.
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
        """Remove partly written models and checkpoints that killed trainings have left."""
        with suppress(OSError):
            for pattern in (".*.part.keras", "*/.*.part.keras", ".*.part", "*/.*.part", "*/*.part"):
                for path in self._folder.glob(pattern):
                    path.unlink(missing_ok=True)
