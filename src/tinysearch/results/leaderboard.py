"""Ranking: a pure function from records to rows."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from tinysearch.errors import InputError
from tinysearch.results.record import Origin, Record
from tinysearch.space.notation import notation


@dataclass(frozen=True, slots=True)
class Row:
    """One candidate of one run. Accuracies are fractions; what was not measured is None.

    A candidate that was trained with several seeds is one row: its validation figures are means, and ``seed`` is
    None. ``test_accuracy_std`` is the sample standard deviation over ``test_seeds`` seeds, None for a single one.
    """

    rank: int
    key: str
    name: str
    origin: Origin
    run: str
    dataset: str
    params: int
    trainable_params: int
    non_trainable_params: int
    macs: int
    peak_activation_bytes: int
    epochs: int
    seed: int | None
    val_accuracy: float | None
    val_loss: float | None
    train_seconds: float
    test_accuracy_mean: float | None
    test_accuracy_std: float | None
    test_seeds: int
    on_pareto_front: bool

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, in the documented order of keys."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Ranked rows; each dataset has a ranking of its own.

    Args:
        rows: All rows, grouped by dataset, in the order asked for.
        layers: For each key, the layers in short notation.
        failed: How many trainings failed and are therefore not ranked.
    """

    rows: tuple[Row, ...]
    layers: dict[str, str]
    failed: int = 0

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets, in the order of their first row."""
        return tuple(dict.fromkeys(row.dataset for row in self.rows))

    def of(self, dataset: str) -> tuple[Row, ...]:
        """Return the rows of one dataset."""
        return tuple(row for row in self.rows if row.dataset == dataset)


SORTS: dict[str, Callable[[Row], tuple[float, ...]]] = {
    "val_accuracy": lambda row: (-_or(row.val_accuracy, -1.0), row.params),
    "val_loss": lambda row: (_or(row.val_loss, float("inf")), row.params),
    "test_accuracy": lambda row: (-_or(row.test_accuracy_mean, -1.0), row.rank),
    "params": lambda row: (row.params, row.rank),
    "macs": lambda row: (row.macs, row.rank),
    "train_seconds": lambda row: (row.train_seconds, row.rank),
}


def rank(records: Iterable[Record], *, sort: str = "val_accuracy", pareto: bool = False) -> Leaderboard:
    """Rank candidates by the validation accuracy of their last epoch, fewer parameters first among equals.

    What one run has taken over from another stands there once, with the run that trained it.

    Args:
        records: Records of any runs and datasets.
        sort: The order of the rows, one of ``SORTS``; the rank is by validation accuracy whatever the order.
        pareto: Keep only the candidates that no other one of the same dataset beats in accuracy without having
            more parameters.

    Raises:
        InputError: if ``sort`` is unknown.
    """
    if sort not in SORTS:
        raise InputError(f"a leaderboard is sorted by one of {', '.join(SORTS)}; got {sort!r}")
    records = list(records)
    homes = _homes(records)
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        own = record.run, record.key
        if not record.failed and (record.taken_from is None or own not in homes):
            groups.setdefault(homes.get(own, own), []).append(record)
    names = _dataset_names(records)
    rows = [_row(group, names) for group in groups.values()]
    ranked: list[Row] = []
    for dataset in dict.fromkeys(row.dataset for row in rows):
        ranked.extend(_ranked([row for row in rows if row.dataset == dataset], sort))
    layers = {group[0].key: notation(group[0].architecture) for group in groups.values()}
    kept = tuple(row for row in ranked if row.on_pareto_front or not pareto)
    return Leaderboard(kept, layers, sum(record.failed for record in records))


def by_score(records: Iterable[Record]) -> list[Record]:
    """Sort records by validation accuracy, fewer parameters first among equals, failures last."""
    return sorted(records, key=lambda record: (-record.score, record.cost.params))


def best(records: Iterable[Record]) -> Record | None:
    """Return the record with the highest validation accuracy, of equals the smallest; None if none was measured."""
    measured = [record for record in records if record.measurement.val_accuracy is not None]
    return next(iter(by_score(measured)), None)


def _homes(records: Iterable[Record]) -> dict[tuple[str, str], tuple[str, str]]:
    """Return, for run and key of what was taken over from a run that is here too, run and key of where it is from."""
    records = list(records)
    runs = {record.run for record in records}
    taken = ((record, record.taken_from) for record in records if record.taken_from is not None)
    return {(record.run, record.key): (source, record.key) for record, source in taken if source in runs}


def _row(group: Sequence[Record], names: dict[tuple[str, str], str]) -> Row:
    first = group[0]
    searched = [record for record in group if record.purpose == "search"] or list(group)
    tested = [record.test_accuracy for record in group if record.test_accuracy is not None]
    seeds = {record.seed for record in searched}
    return Row(
        rank=0,
        key=first.key,
        name=first.name,
        origin=first.origin,
        run=first.run,
        dataset=names[first.dataset, first.fingerprint],
        params=first.cost.params,
        trainable_params=first.cost.trainable_params,
        non_trainable_params=first.cost.non_trainable_params,
        macs=first.cost.macs,
        peak_activation_bytes=first.cost.peak_activation_bytes,
        epochs=len(first.measurement.curve),
        seed=first.seed if len(seeds) == 1 else None,
        val_accuracy=_mean(record.measurement.val_accuracy for record in searched),
        val_loss=_mean(record.measurement.val_loss for record in searched),
        train_seconds=sum(record.measurement.train_seconds for record in searched) / len(searched),
        test_accuracy_mean=statistics.fmean(tested) if tested else None,
        test_accuracy_std=statistics.stdev(tested) if len(tested) > 1 else None,
        test_seeds=len(tested),
        on_pareto_front=False,
    )


def _ranked(rows: list[Row], sort: str) -> list[Row]:
    by_score = sorted(rows, key=SORTS["val_accuracy"])
    front = _pareto_front(by_score)
    placed = [
        replace(row, rank=place, on_pareto_front=(row.run, row.key) in front)
        for place, row in enumerate(by_score, start=1)
    ]
    return sorted(placed, key=SORTS[sort])


def _pareto_front(by_score: list[Row]) -> set[tuple[str, str]]:
    """Return those that no row beats in accuracy or parameters without losing in the other (rows best first)."""
    front: set[tuple[str, str]] = set()
    smallest = float("inf")
    best_of_front: Row | None = None
    for row in by_score:
        if row.val_accuracy is None:
            continue
        ties = best_of_front is not None and (row.params, row.val_accuracy) == (
            best_of_front.params,
            best_of_front.val_accuracy,
        )
        if row.params < smallest or ties:
            front.add((row.run, row.key))
            smallest, best_of_front = row.params, row
    return front


def _dataset_names(records: Iterable[Record]) -> dict[tuple[str, str], str]:
    """Name each dataset; two of one name that hold different images are told apart by their fingerprints."""
    pairs = dict.fromkeys((record.dataset, record.fingerprint) for record in records)
    names = [name for name, _ in pairs]
    return {(name, mark): name if names.count(name) == 1 else f"{name} {mark[:6]}" for name, mark in pairs}


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _or(value: float | None, other: float) -> float:
    return other if value is None else value
