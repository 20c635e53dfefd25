"""Lookup of the argument CANDIDATE of the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tinysearch.baselines.models import PREFIX, baseline
from tinysearch.errors import CandidateError
from tinysearch.results.archive import SUFFIX, open_to_read
from tinysearch.results.artifacts import kept_model
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
    """An architecture with its cost; from the store also its records, their models, its runs and deployments."""

    name: str
    architecture: Architecture
    cost: Cost
    records: tuple[Record, ...] = ()
    models: tuple[Path | None, ...] = ()
    deployments: tuple[Mapping[str, Any], ...] = ()
    runs: tuple[Run, ...] = ()

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes in the run that trained it last; empty if the classes are named by their numbers."""
        names = {run.name: run.class_names for run in self.runs}
        return names[self.records[-1].run] if self.records else ()

    @property
    def budgets(self) -> Mapping[str, Budget]:
        """Budgets of the runs that have one, by run name."""
        return {run.name: run.budget for run in self.runs if run.budget is not None}

    def of(self, run: str) -> Found:
        """Return the candidate with the data of one run only.

        Raises:
            CandidateError: if the run has not trained it.
        """
        names = [one.name for one in self.runs]
        if run not in names:
            raise CandidateError(
                f"{self.name} was not trained in run {run!r}; it was trained in {', '.join(map(repr, names)) or 'none'}"
            )
        return self._where(lambda one: one.name == run)

    def on(self, fingerprint: str) -> Found:
        """Return the candidate with the runs on one set of images only."""
        return self._where(lambda one: one.fingerprint == fingerprint)

    def check_one_dataset(self) -> None:
        """Raise an error if the network was trained on several datasets.

        Raises:
            CandidateError: if it was; the message names one run per dataset.
        """
        by_data: dict[str, Run] = {}
        for run in self.runs:
            by_data.setdefault(run.fingerprint, run)
        if len(by_data) > 1:
            which = " or ".join(f"--run {run.name} ({run.dataset})" for run in by_data.values())
            raise CandidateError(f"{self.name} was trained on {len(by_data)} datasets; choose one with {which}")

    def _where(self, wanted: Callable[[Run], bool]) -> Found:
        runs = tuple(run for run in self.runs if wanted(run))
        names = {run.name for run in runs}
        kept = [(one, model) for one, model in zip(self.records, self.models, strict=True) if one.run in names]
        records, models = tuple(one for one, _ in kept), tuple(model for _, model in kept)
        return replace(self, records=records, models=models, runs=runs)


def find(candidate: str, store: Path, *, trained: bool = True, task: Task | None = None) -> Found:
    """Find a candidate: a hand-designed baseline, a JSON file, or a key in the store.

    The cost of hand-designed baselines and files is for images of 28x28x1 and 10 classes, the task of MNIST.

    Args:
        candidate: Text given by the user.
        store: The store, or an archive. It need not exist for hand-designed baselines.
        trained: Whether to read the records of a hand-designed baseline.
        task: Another task to compute the cost for.

    Raises:
        CandidateError: if there is no such candidate.
        ArchitectureError: if a file does not hold an architecture.
        ShapeError: if the architecture does not fit the task.
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
        deployed = tuple(opened.deployments(latest.key))
    counted = latest.cost if task is None else cost(latest.architecture, task)
    return Found(latest.name, latest.architecture, counted, records, models, deployed, runs)


def _trained(name: str, store: Path) -> tuple[tuple[Record, ...], tuple[Path | None, ...], tuple[Run, ...]]:
    with open_to_read(store) as opened:
        records = tuple(opened.named(name))
        runs = tuple(opened.run(one) for one in dict.fromkeys(record.run for record in records))
        return records, tuple(_model(store, opened, record) for record in records), runs


def _model(path: Path, store: Store, record: Record) -> Path | None:
    """Return the path of the trained model of a record; None if it was not kept."""
    if path.suffix == SUFFIX:
        # The models of the first evaluations are stored next to the results that come with tinysearch.
        first = record.purpose == "evaluation" and record.seed == 0
        model = path.with_name(f"{record.key}.keras")
        return model if first and model.is_file() else None
    return kept_model(store.folder_of(record.run), record)


def _read(path: Path) -> Architecture:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CandidateError(f"{path} cannot be read ({error.strerror}); expected a JSON file") from None
    except (ValueError, RecursionError) as error:
        raise CandidateError(f"{path} is not JSON ({error}); expected an object with 'layers' and 'head'") from None
    return Architecture.from_dict(data)
