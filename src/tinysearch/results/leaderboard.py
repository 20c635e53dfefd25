"""Leaderboards: a pure function from records to ranked rows."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from tinysearch.errors import InputError
from tinysearch.results.ranking import mark_front, ranked
from tinysearch.results.record import ACCURACY, Origin, Record
from tinysearch.results.standing import Standing
from tinysearch.results.summary import Summary


@dataclass(frozen=True, slots=True)
class Row:
    """One candidate of one run. Accuracies are fractions; values that were not measured are None.

    A candidate that was trained with several seeds is one row: its validation figures are means over ``val_seeds``
    trainings, and ``seed`` is None. ``test_accuracy_std`` is the sample standard deviation over ``test_seeds`` seeds,
    None for a single seed. ``layers`` is the short notation. ``other_environment`` is true if a training was reused
    from another environment. ``metric`` is the metric that candidates are ranked by; ``val_metric``,
    ``test_metric_mean`` and ``test_metric_std`` are its values, equal to the accuracies if the metric is accuracy.
    ``int8_accuracy_mean`` and ``int8_accuracy_std`` are those of the networks in int8 on the test images, over
    ``int8_seeds`` of the trainings that were scored on these. ``flash_bytes`` is None for records that are older than
    this field.
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
    other_environment: bool = False
    metric: str = ACCURACY
    val_metric: float | None = None
    test_metric_mean: float | None = None
    test_metric_std: float | None = None
    flash_bytes: int | None = None
    int8_accuracy_mean: float | None = None
    int8_accuracy_std: float | None = None
    int8_seeds: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, in the documented order of keys."""
        return asdict(self)


@dataclass(frozen=True, slots=True, repr=False)
class Leaderboard:
    """Ranked rows; each dataset has a ranking of its own.

    Args:
        rows: The rows, grouped by dataset, in the requested order.
        failed: Number of failed trainings, which are not ranked.
        hidden_rows: Number of rows that were left out.
        mixed: Datasets that are ranked by accuracy because the objectives of their runs differ; by dataset, the
            objectives.
        splits: Datasets whose runs held out different images for validation; by dataset, descriptions of these images.
    """

    rows: tuple[Row, ...]
    failed: int = 0
    hidden_rows: int = 0
    mixed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    splits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return the number of candidates and the datasets; ``report.board`` shows the table."""
        candidates = f"{len(self.rows)} candidate{'' if len(self.rows) == 1 else 's'}"
        return f"<Leaderboard: {candidates}{' on ' if self.rows else ''}{', '.join(self.datasets)}>"

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets, in the order of their first row."""
        return tuple(dict.fromkeys(row.dataset for row in self.rows))

    def of(self, dataset: str) -> tuple[Row, ...]:
        """Return the rows of one dataset."""
        return tuple(row for row in self.rows if row.dataset == dataset)


Entry = Standing[Summary]
M = TypeVar("M", Record, Summary)

# Sort keys of rows by name. The default, and the order of rows with equal keys, is that of ``ranking``. If candidates
# are ranked by accuracy, sorting by accuracy keeps the ranking, so that shortened trainings do not move to the front.
SORTS: dict[str, Callable[[Entry], float]] = {
    "rank": lambda one: 0.0,
    "val_accuracy": lambda one: 0.0 if one.metric == ACCURACY else -_or(one.val_accuracy, -1.0),
    "val_loss": lambda one: _or(_mean_of(one, "val_loss"), float("inf")),
    "test_accuracy": lambda one: -_or(_mean(tested_of(one)), -1.0),
    "params": lambda one: one.params,
    "macs": lambda one: one.first.macs,
    "peak_activation_bytes": lambda one: one.first.peak_activation_bytes,
    "flash_bytes": lambda one: _or(one.first.flash_bytes, float("inf")),
    "train_seconds": lambda one: _or(_mean_of(one, "train_seconds"), 0.0),
}


def rank(
    records: Iterable[Record] | Iterable[Summary],
    *,
    sort: str = "rank",
    pareto: bool = False,
    tested: bool = False,
    top: int | None = None,
    splits: Mapping[str, str] | None = None,
) -> Leaderboard:
    """Rank candidates, see ``ranking``.

    Args:
        records: Records of any runs and datasets, or their summaries.
        sort: The order of the rows, one of ``SORTS``; it does not change the rank.
        pareto: Keep only the Pareto front of each dataset: candidates that no other one beats in the ranking without
            having more parameters.
        tested: Keep only candidates that were scored on test images.
        top: Number of rows of each dataset to keep; baselines further down are kept too.
        splits: By run, a description of the images held out for validation.

    Raises:
        InputError: if ``sort`` is unknown.
    """
    if sort not in SORTS:
        raise InputError(f"a leaderboard is sorted by one of {', '.join(SORTS)}; got {sort!r}")
    summaries = [one if isinstance(one, Summary) else Summary.of(one) for one in records]
    rows: list[Row] = []
    hidden_rows = 0
    mixed: dict[str, tuple[str, ...]] = {}
    agreed = len({one.objective for one in summaries}) < 2
    for dataset, standings in by_dataset(summaries, splits).items():
        objectives = set() if agreed else {each.objective for one in standings for each in one.trainings}
        if len(objectives) > 1:
            mixed[dataset] = tuple(sorted(objectives))
        places = [(place, one) for place, one in enumerate(standings, start=1)]
        kept = [
            (place, one)
            for place, one in places
            if (one.on_pareto_front or not pareto) and (not tested or tested_of(one))
        ]
        if sort != "rank":
            kept.sort(key=lambda pair: SORTS[sort](pair[1]))
        shown = kept
        if top is not None:
            shown = kept[:top] + [pair for pair in kept[top:] if pair[1].first.origin == "baseline"]
        hidden_rows += len(kept) - len(shown)
        rows.extend(_row(place, one, dataset) for place, one in shown)
    failed = sum(one.failure is not None for one in summaries)
    return Leaderboard(tuple(rows), failed, hidden_rows, mixed, _differences(rows, splits or {}))


def _differences(rows: Iterable[Row], splits: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the datasets whose runs held out different images, each with descriptions of these images."""
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        if row.val_accuracy is not None and row.run in splits:
            found.setdefault(row.dataset, {})[splits[row.run]] = None
    return {dataset: tuple(words) for dataset, words in found.items() if len(words) > 1}


def by_dataset(trainings: Iterable[M], splits: Mapping[str, str] | None = None) -> dict[str, list[Standing[M]]]:
    """Return the ranked candidates of each dataset, see ``ranking``, with the Pareto front marked.

    Args:
        trainings: Trainings of any runs.
        splits: By run, a description of the images held out for validation.
    """
    known = list(trainings)
    names = _dataset_names(known)
    datasets: dict[str, list[M]] = {}
    for one in known:
        datasets.setdefault(names[one.dataset, one.fingerprint], []).append(one)
    found = {dataset: standings for dataset, group in datasets.items() if (standings := ranked(group, splits))}
    for standings in found.values():
        mark_front(standings)
    return found


def tested_of(one: Entry) -> list[float]:
    """Return the test accuracies of a candidate, one for each seed."""
    return list({each.seed: each.test_accuracy for each in one.trainings if each.test_accuracy is not None}.values())


def in_int8(one: Entry) -> list[float]:
    """Return the test accuracies of a candidate in int8, one for each seed."""
    return list({each.seed: each.int8_accuracy for each in one.trainings if each.int8_accuracy is not None}.values())


def values_of(one: Entry) -> list[float]:
    """Return the values of a candidate's ranking metric on the test images, one for each seed."""
    return list({each.seed: each.test_value for each in one.trainings if each.test_value is not None}.values())


def _row(rank: int, one: Entry, dataset: str) -> Row:
    first, tested = one.first, tested_of(one)
    by_accuracy = one.metric == ACCURACY
    values = tested if by_accuracy else values_of(one)
    int8 = in_int8(one)
    return Row(
        rank=rank,
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
        seed=first.seed if len({each.seed for each in one.validated}) == 1 else None,
        val_accuracy=one.value if by_accuracy else one.val_accuracy,
        val_loss=_mean_of(one, "val_loss"),
        train_seconds=_or(_mean_of(one, "train_seconds"), 0.0),
        test_accuracy_mean=_mean(tested),
        test_accuracy_std=statistics.stdev(tested) if len(tested) > 1 else None,
        test_seeds=len(tested),
        on_pareto_front=one.on_pareto_front,
        layers=first.layers,
        val_seeds=one.val_seeds,
        other_environment=any(each.other_environment for each in one.trainings),
        metric=one.metric,
        val_metric=one.value,
        test_metric_mean=_mean(values),
        test_metric_std=statistics.stdev(values) if len(values) > 1 else None,
        flash_bytes=first.flash_bytes,
        int8_accuracy_mean=_mean(int8),
        int8_accuracy_std=statistics.stdev(int8) if len(int8) > 1 else None,
        int8_seeds=len(int8),
    )


def _mean_of(one: Entry, field: str) -> float | None:
    return _mean(getattr(each, field) for each in one.validated)


def _dataset_names(summaries: Iterable[Record | Summary]) -> dict[tuple[str, str], str]:
    """Return a display name for each dataset; datasets with equal names are distinguished by their fingerprints."""
    pairs = dict.fromkeys((one.dataset, one.fingerprint) for one in summaries)
    names = [name for name, _ in pairs]
    return {(name, mark): name if names.count(name) == 1 else f"{name} {mark[:6]}" for name, mark in pairs}


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _or(value: float | None, other: float) -> float:
    return other if value is None else value
