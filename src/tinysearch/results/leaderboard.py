"""Ranking: a pure function from records to rows."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tinysearch.errors import InputError
from tinysearch.results.record import Origin, Record
from tinysearch.results.summary import Summary


@dataclass(frozen=True, slots=True)
class Row:
    """One candidate of one run. Accuracies are fractions; what was not measured is None.

    A candidate that was trained with several seeds is one row: its validation figures are means over ``val_seeds``
    trainings, and ``seed`` is None. ``test_accuracy_std`` is the sample standard deviation over ``test_seeds`` seeds,
    None for a single one. ``layers`` is the short notation.
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
    layers: str
    val_seeds: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, in the documented order of keys."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Ranked rows; each dataset has a ranking of its own.

    Args:
        rows: The rows, grouped by dataset, in the order asked for.
        failed: How many trainings failed and are therefore not ranked.
        hidden_rows: How many rows there are beside these.
    """

    rows: tuple[Row, ...]
    failed: int = 0
    hidden_rows: int = 0

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets, in the order of their first row."""
        return tuple(dict.fromkeys(row.dataset for row in self.rows))

    def of(self, dataset: str) -> tuple[Row, ...]:
        """Return the rows of one dataset."""
        return tuple(row for row in self.rows if row.dataset == dataset)


class _Entry:
    """One candidate of one run while it is ranked: there may be very many, of which few become rows."""

    __slots__ = ("group", "on_pareto_front", "params", "rank", "searched", "val_accuracy")

    def __init__(self, group: Sequence[Summary]) -> None:
        self.group = group
        alone = len(group) == 1
        # Two runs may have trained the same candidate with the same seed.
        chosen = group if alone else [one for one in group if one.purpose != "evaluation"] or group
        self.searched = group if alone else list({(one.purpose, one.seed): one for one in chosen}.values())
        self.params = group[0].params
        self.val_accuracy = group[0].val_accuracy if alone else self.mean("val_accuracy")
        self.rank = 0
        self.on_pareto_front = False

    @property
    def tested(self) -> list[float]:
        return list({one.seed: one.test_accuracy for one in self.group if one.test_accuracy is not None}.values())

    def mean(self, field: str) -> float | None:
        if len(self.searched) == 1:
            value: float | None = getattr(self.searched[0], field)
            return value
        return _mean(getattr(one, field) for one in self.searched)

    def row(self, dataset: str) -> Row:
        first, tested = self.group[0], self.tested
        return Row(
            rank=self.rank,
            key=first.key,
            name=first.name,
            origin=first.origin,
            run=first.run,
            dataset=dataset,
            params=first.params,
            trainable_params=first.params - first.non_trainable_params,
            non_trainable_params=first.non_trainable_params,
            macs=first.macs,
            peak_activation_bytes=first.peak_activation_bytes,
            epochs=first.epochs,
            seed=first.seed if len({one.seed for one in self.searched}) == 1 else None,
            val_accuracy=self.val_accuracy,
            val_loss=self.mean("val_loss"),
            train_seconds=_or(self.mean("train_seconds"), 0.0),
            test_accuracy_mean=_mean(tested),
            test_accuracy_std=statistics.stdev(tested) if len(tested) > 1 else None,
            test_seeds=len(tested),
            on_pareto_front=self.on_pareto_front,
            layers=first.layers,
            val_seeds=sum(one.val_accuracy is not None for one in self.searched),
        )


SORTS: dict[str, Callable[[_Entry], tuple[float, ...]]] = {
    "val_accuracy": lambda entry: (-_or(entry.val_accuracy, -1.0), entry.params),
    "val_loss": lambda entry: (_or(entry.mean("val_loss"), float("inf")), entry.rank),
    "test_accuracy": lambda entry: (-_or(_mean(entry.tested), -1.0), entry.rank),
    "params": lambda entry: (entry.params, entry.rank),
    "macs": lambda entry: (entry.group[0].macs, entry.rank),
    "peak_activation_bytes": lambda entry: (entry.group[0].peak_activation_bytes, entry.rank),
    "train_seconds": lambda entry: (_or(entry.mean("train_seconds"), 0.0), entry.rank),
}


def rank(
    records: Iterable[Record] | Iterable[Summary],
    *,
    sort: str = "val_accuracy",
    pareto: bool = False,
    tested: bool = False,
    top: int | None = None,
) -> Leaderboard:
    """Rank candidates by the validation accuracy of their last epoch, fewer parameters first among equals.

    What one run has reused from another stands there once, with the run that trained it.

    Args:
        records: Records of any runs and datasets, or their summaries.
        sort: The order of the rows, one of ``SORTS``; the rank is by validation accuracy whatever the order.
        pareto: Keep only the candidates that no other one of the same dataset beats in accuracy without having
            more parameters.
        tested: Keep only the candidates that were scored on test images.
        top: Keep only so many rows of each dataset, and the hand-designed baselines further down.

    Raises:
        InputError: if ``sort`` is unknown.
    """
    if sort not in SORTS:
        raise InputError(f"a leaderboard is sorted by one of {', '.join(SORTS)}; got {sort!r}")
    summaries = [one if isinstance(one, Summary) else Summary.of(one) for one in records]
    taken = homes(summaries)
    groups: dict[tuple[str, str], list[Summary]] = {}
    failed = 0
    for summary in summaries:
        own = summary.run, summary.key
        if summary.failure is not None:
            failed += 1
        elif summary.reused_from is None or own not in taken:
            groups.setdefault(taken.get(own, own), []).append(summary)
    names = _dataset_names(summaries)
    datasets: dict[str, list[_Entry]] = {}
    for group in groups.values():
        datasets.setdefault(names[group[0].dataset, group[0].fingerprint], []).append(_Entry(group))
    rows: list[Row] = []
    hidden_rows = 0
    for dataset, entries in datasets.items():
        entries.sort(key=SORTS["val_accuracy"])
        for place, entry in enumerate(entries, start=1):
            entry.rank = place
        _mark_pareto_front(entries)
        kept = [entry for entry in entries if entry.on_pareto_front] if pareto else entries
        if tested:
            kept = [entry for entry in kept if entry.tested]
        if sort != "val_accuracy":
            kept = sorted(kept, key=SORTS[sort])
        shown = kept
        if top is not None:
            shown = kept[:top] + [entry for entry in kept[top:] if entry.group[0].origin == "baseline"]
        hidden_rows += len(kept) - len(shown)
        rows.extend(entry.row(dataset) for entry in shown)
    return Leaderboard(tuple(rows), failed, hidden_rows)


def by_score(records: Iterable[Record]) -> list[Record]:
    """Sort candidates by validation accuracy, fewer parameters first among equals, failures last.

    Each candidate is there once, by the first of its records; it counts by the mean of all that did not fail,
    evaluations aside. What was trained for fewer epochs than others comes after these: its score means something else.
    """
    groups: dict[str, list[Record]] = {}
    for record in records:
        if record.purpose != "evaluation":
            groups.setdefault(record.key, []).append(record)
    ordered = []
    for first, *others in groups.values():
        score = _mean(one.measurement.val_accuracy for one in (first, *others))
        if score is None:
            ordered.append(((True, 0, 0.0, first.cost.params), first))
        else:
            ordered.append(((False, -len(first.measurement.curve), -score, first.cost.params), first))
    return [first for _, first in sorted(ordered, key=lambda pair: pair[0])]


def best(records: Iterable[Record]) -> Record | None:
    """Return the first of ``by_score``; None if none was measured."""
    measured = [record for record in records if record.measurement.val_accuracy is not None]
    return next(iter(by_score(measured)), None)


def homes(summaries: Iterable[Record | Summary]) -> dict[tuple[str, str], tuple[str, str]]:
    """Return, for run and key of what was reused from a run that is here too, run and key of where it is from."""
    known = list(summaries)
    runs = {one.run for one in known}
    taken = ((one, one.reused_from) for one in known if one.reused_from is not None)
    return {(one.run, one.key): (source, one.key) for one, source in taken if source in runs}


def _mark_pareto_front(entries: Sequence[_Entry]) -> None:
    """Mark those that none beats in accuracy or parameters without losing in the other (the best come first)."""
    smallest = float("inf")
    last: _Entry | None = None
    for entry in entries:
        if entry.val_accuracy is None:
            continue
        ties = last is not None and (entry.params, entry.val_accuracy) == (last.params, last.val_accuracy)
        if entry.params < smallest or ties:
            entry.on_pareto_front = True
            smallest, last = entry.params, entry


def _dataset_names(summaries: Iterable[Summary]) -> dict[tuple[str, str], str]:
    """Name each dataset; two of one name that hold different images are told apart by their fingerprints."""
    pairs = dict.fromkeys((one.dataset, one.fingerprint) for one in summaries)
    names = [name for name, _ in pairs]
    return {(name, mark): name if names.count(name) == 1 else f"{name} {mark[:6]}" for name, mark in pairs}


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _or(value: float | None, other: float) -> float:
    return other if value is None else value
