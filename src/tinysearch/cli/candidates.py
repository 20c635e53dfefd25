"""What a CANDIDATE on the command line stands for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinysearch.baselines.models import PREFIX, baseline
from tinysearch.errors import CandidateError
from tinysearch.results.archive import SUFFIX, open_to_read
from tinysearch.results.artifacts import saved
from tinysearch.results.record import Record
from tinysearch.results.run import Run
from tinysearch.results.store import Store
from tinysearch.runtime.paths import local
from tinysearch.space.architecture import Architecture
from tinysearch.space.budget import Budget
from tinysearch.space.cost import Cost, cost
from tinysearch.space.task import Task


@dataclass(frozen=True, slots=True)
class Found:
    """An architecture with its cost; from the store also its records, their models, classes, runs and deployments."""

    name: str
    architecture: Architecture
    cost: Cost
    records: tuple[Record, ...] = ()
    models: tuple[Path | None, ...] = ()
    class_names: tuple[str, ...] = ()
    deployments: tuple[Mapping[str, Any], ...] = ()
    runs: tuple[Run, ...] = ()

    @property
    def budgets(self) -> Mapping[str, Budget]:
        """The limits of those of the runs that have some, by name."""
        return {run.name: run.budget for run in self.runs if run.budget is not None}


def find(candidate: str, store: Path, *, trained: bool = True, task: Task | None = None) -> Found:
    """Return what a CANDIDATE stands for: a hand-designed baseline, a JSON file, or a key in the store.

    Hand-designed baselines and files are costed for images of 28x28x1 and 10 classes, the task of MNIST.

    Args:
        candidate: As given by the user.
        store: The store, or an archive. For hand-designed baselines there need be none.
        trained: Whether records of a hand-designed baseline are wanted.
        task: For what to cost it, instead.

    Raises:
        CandidateError: if it stands for nothing.
        ArchitectureError: if a file does not hold an architecture.
        ShapeError: if it does not fit the task.
    """
    asked = task or Task()
    if candidate.startswith(PREFIX):
        model = baseline(candidate)
        counted = cost(model.architecture, asked)
        if not trained or not store.exists():
            return Found(candidate, model.architecture, counted)
        records, models, runs = _trained(candidate, store)
        return Found(candidate, model.architecture, counted, records, models, runs=runs)
    if candidate.endswith(".json"):
        architecture = _read(local(candidate, "a candidate that ends in .json"))
        return Found(candidate, architecture, cost(architecture, asked))
    with open_to_read(store) as opened:
        records = tuple(opened.find(candidate))
        models = tuple(_model(store, opened, record) for record in records)
        latest = records[-1]
        runs = tuple(opened.run(name) for name in dict.fromkeys(record.run for record in records))
        names = runs[[run.name for run in runs].index(latest.run)].class_names
        deployed = tuple(opened.deployments(latest.key))
    counted = latest.cost if task is None else cost(latest.architecture, task)
    return Found(latest.name, latest.architecture, counted, records, models, names, deployed, runs)


def _trained(name: str, store: Path) -> tuple[tuple[Record, ...], tuple[Path | None, ...], tuple[Run, ...]]:
    with open_to_read(store) as opened:
        records = tuple(opened.named(name))
        runs = tuple(opened.run(one) for one in dict.fromkeys(record.run for record in records))
        return records, tuple(_model(store, opened, record) for record in records), runs


def _model(path: Path, store: Store, record: Record) -> Path | None:
    """Return where the trained model of a record is, if it was kept."""
    if path.suffix == SUFFIX:
        # Beside the results that come with tinysearch lie the models of their first evaluations.
        first = record.purpose == "evaluation" and record.seed == 0
        model = path.with_name(f"{record.key}.keras") if first else None
    else:
        model = saved(store.folder_of(record.run), record)
    return model if model is not None and model.is_file() else None


def _read(path: Path) -> Architecture:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CandidateError(f"{path} cannot be read ({error.strerror}); expected a JSON file") from None
    except (ValueError, RecursionError) as error:
        raise CandidateError(f"{path} is not JSON ({error}); expected an object with 'layers' and 'head'") from None
    return Architecture.from_dict(data)
