"""``build``, which makes the plain values of a report from a store."""

from __future__ import annotations

import base64
import dataclasses
import functools
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.report import figures
from tinysearch.report.commands import baseline_words, data_words
from tinysearch.report.contents import Candidate, Mistake, Progress, Report, Section, Test, Versus
from tinysearch.report.memory import Memory
from tinysearch.report.windows import windows
from tinysearch.results.leaderboard import Row, by_dataset, rank
from tinysearch.results.predictions import Comparison, Evaluated, by_network, compare, unpack
from tinysearch.results.ranking import best as best_of
from tinysearch.results.record import ACCURACY, Epoch, Record
from tinysearch.results.run import Run
from tinysearch.results.store import Store

MOST_DIGITS = 60
MOST_CLASSES = 30

Pixels = npt.NDArray[Any]


@dataclass(slots=True)
class _Known:
    """Lookup tables for the making of a report."""

    runs: Mapping[str, Run]
    documented: Mapping[str, float]
    images: Mapping[str, Pixels]
    evaluated: dict[str, dict[tuple[str, str], list[Evaluated]]] = field(default_factory=dict)


def build(
    store: Store,
    runs: Sequence[str] = (),
    *,
    documented: Mapping[str, float] | None = None,
    images: Mapping[str, Pixels] | None = None,
    created_at: str = "",
    title: str = "all results",
    words: Sequence[str] = (),
    metric: str | None = None,
    memory: Memory | None = None,
) -> Report:
    """Build the report of a store.

    Args:
        store: The store; it is only read.
        runs: Names of runs; all if empty.
        documented: Documented test accuracies on MNIST, by the name of the model.
        images: Test images by fingerprint, shape ``(images, height, width, channels)``, to show the misclassified ones.
        created_at: Time of creation to show on the page.
        title: Title of a report of all runs; a report of some runs is titled by their names.
        words: Command-line words that select the store, see ``Report``.
        metric: Metric that candidates are ranked by; None for the objective of the searches, or accuracy if they have
            different ones.
        memory: Cache of earlier reports with the same arguments; only new records are read.

    Raises:
        RunError: if a run is unknown.
        InputError: if the metric is unknown.
    """
    known = {run.name: run for run in store.runs()}
    store.check_names(runs)
    memory = Memory() if memory is None else memory
    metric = metric or store.common_objective(runs)
    by = None if metric is None else (metric, store.direction_of(metric))
    records = memory.records(store, known.values(), runs, by)
    context = _Known(known, documented or {}, images or {})
    for mark in {record.test_fingerprint for record in records if record.test_fingerprint is not None}:
        context.evaluated[mark] = by_network(store.evaluations(mark))
    splits = {run.name: run.split for run in known.values()}
    board = rank(records, splits=splits)
    sections = []
    for dataset, standings in by_dataset(records, splits).items():
        marks = {one.first.fingerprint for one in standings}
        ranked_by = standings[0].metric, standings[0].direction
        rows = zip(board.of(dataset), standings, strict=True)
        make = functools.partial(_candidate, known=context)
        candidates = [memory.candidate(row, one.trainings, make) for row, one in rows]
        searches = [
            _progress(run, [record.by(*ranked_by) for record in records if record.run == run.name])
            for run in known.values()
            if run.fingerprint in marks and run.is_search and (not runs or run.name in runs)
        ]
        section = Section(
            dataset, candidates, searches, *ranked_by, board.mixed.get(dataset, ()), board.splits.get(dataset, ())
        )
        of = known.get(section.best.row.run)
        again = () if of is None else baseline_words(of)
        sections.append(dataclasses.replace(section, data=data_words(of), of_baselines=again))
    return Report(sections, list(runs), board.failed, created_at, ", ".join(runs) or title, list(words))


def _candidate(row: Row, records: Sequence[Record], known: _Known) -> Candidate:
    searched = [one for one in records if one.purpose == "search" and not one.failed]
    first = (searched or [one for one in records if not one.failed] or list(records))[0]
    settings = known.runs[row.run].settings if row.run in known.runs else {}
    curve = first.measurement.curve
    shown = windows(first.architecture.layers)
    return Candidate(
        row=row,
        strategy=settings.get("strategy"),
        budget=(settings.get("budget") or {}).get("params"),
        trial=first.trial,
        # The documented accuracies were measured on MNIST.
        documented=known.documented.get(row.name) if first.dataset == "mnist" else None,
        int8_weight_bytes=first.cost.int8_weight_bytes,
        layers=[
            (one.name, one.kind, list(one.output_shape), one.params, one.macs, shown.get(one.name, ""))
            for one in first.cost.layers
        ],
        recipe=dict(first.recipe),
        curve={
            **{
                name: [_rounded(getattr(epoch, name)) for epoch in curve]
                for name in ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")
            },
            **_curve_of(row.metric, curve),
        },
        fingerprint=first.fingerprint,
        versions=first.versions,
        validated_on=first.validated_on,
        stored=first.created_at,
        pruned=first.pruned,
        test=_test(records, known),
        versus=_versus(records, known),
    )


def _curve_of(metric: str, curve: Sequence[Epoch]) -> dict[str, list[float | None]]:
    """Return the curve of the metric that candidates are ranked by, if it is not accuracy and was measured."""
    values = [_rounded(epoch.value(metric)) for epoch in curve]
    measured = metric != ACCURACY and any(value is not None for value in values)
    return {"val_metric": values} if measured else {}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 5)


def _test(records: Sequence[Record], known: _Known) -> Test | None:
    tested = {one.seed: one for one in records if one.test_accuracy is not None}
    if not tested:
        return None
    accuracies = {seed: one.test_accuracy or 0.0 for seed, one in sorted(tested.items())}
    one = next(iter(tested.values()))
    held_out = one.measurement.val_accuracy is not None
    predictions = [each.predictions for each in _answered(records, known).values() if each.predictions is not None]
    if not predictions:
        return Test(accuracies, held_out=held_out)
    labels = unpack(predictions[0].labels)
    predicted = np.stack([unpack(each.predicted) for each in predictions])
    classes = int(max(labels.max(), predicted.max())) + 1
    confusion: list[list[int]] = []
    if classes <= MOST_CLASSES:
        counted = np.zeros((classes, classes), int)
        np.add.at(counted, (np.tile(labels, len(predictions)), predicted.ravel()), 1)
        confusion = counted.tolist()
    times = (predicted != labels).sum(axis=0)
    images = known.images.get(one.test_fingerprint or "")
    if images is not None and images.shape[2] == 1:
        # A series cannot be shown as an image.
        images = None
    worst = np.argsort(-times, kind="stable")[: min(MOST_DIGITS, int((times > 0).sum()))]
    return Test(
        accuracies=accuracies,
        confusion=confusion,
        mistakes=[_mistake(int(index), labels, predicted, int(times[index]), images) for index in worst],
        wrong=int((times > 0).sum()),
        held_out=held_out,
        side=None if images is None else (images.shape[1], images.shape[2]),
        class_names=known.runs[one.run].class_names if one.run in known.runs else (),
    )


def _answered(records: Sequence[Record], known: _Known) -> dict[int, Evaluated]:
    """Return the evaluations of one candidate by seed."""
    found: dict[int, Evaluated] = {}
    for record in records:
        networks = known.evaluated.get(record.test_fingerprint or "", {})
        for one in networks.get((record.run, record.key), []):
            found.setdefault(one.seed, one)
    return found


def _mistake(index: int, labels: Pixels, predicted: Pixels, times: int, images: Pixels | None) -> Mistake:
    wrong = [int(guess) for guess in predicted[:, index] if guess != labels[index]]
    pixels = ""
    if images is not None:
        image = images[index, :, :, 0].astype(float)
        spread = float(image.max() - image.min()) or 1.0
        pixels = base64.b64encode(((image - image.min()) * (255 / spread)).astype(np.uint8).tobytes()).decode()
    return Mistake(index, int(labels[index]), statistics.mode(wrong), times, pixels)


def _versus(records: Sequence[Record], known: _Known) -> list[Versus]:
    own = _answered(records, known)
    one = next((each for each in records if each.test_fingerprint is not None), None)
    if one is None or not own:
        return []
    found: dict[tuple[str, bool], Versus] = {}
    for network in known.evaluated.get(one.test_fingerprint or "", {}).values():
        other = network[0]
        if other.origin != "baseline" or other.key == one.key or other.fingerprint != one.fingerprint:
            continue
        compared = compare(
            {seed: each.scored for seed, each in own.items()}, {each.seed: each.scored for each in network}
        )
        if compared.standard_error is not None:
            found.setdefault((other.key, other.held_out), _as_versus(other.name, _trained(other, one), compared))
    return list(found.values())


def _trained(other: Evaluated, one: Record) -> str:
    """Return in words how the training of a hand-designed baseline differs from that of a candidate."""
    parts = []
    epochs = other.recipe.get("epochs")
    if {**other.recipe, "epochs": 0} != {**one.recipe, "epochs": 0}:
        parts.append(f"with another recipe ({other.recipe.get('optimizer', 'unknown')})")
    if epochs != one.recipe.get("epochs"):
        parts.append(f"{epochs} epochs" if epochs is None else figures.epochs(epochs))
    if other.held_out and one.measurement.val_accuracy is None:
        parts.append("without the validation images")
    return ", ".join(parts)


def _as_versus(name: str, trained: str, compared: Comparison) -> Versus:
    return Versus(
        name=name,
        trained=trained,
        seeds=len(compared.others),
        mean=statistics.fmean(compared.others),
        difference=compared.difference,
        standard_error=compared.standard_error,
        p_value=compared.median_p,
        verdict=compared.verdict,
    )


def _progress(run: Run, records: Sequence[Record]) -> Progress:
    trained = sorted(
        (one for one in records if one.purpose == "search"), key=lambda one: (one.position is None, one.position or 0)
    )
    searched = [one for one in trained if one.origin == "search"]
    best: list[float | None] = []
    seconds: list[float] = []
    spent = 0.0
    top: Record | None = None
    for record in searched:
        spent += 0.0 if record.reused_from is not None else record.measurement.train_seconds
        seconds.append(round(spent, 1))
        top = best_of(filter(None, (top, record)))
        best.append(None if top is None else _rounded(top.value))
    rejections = Counter(run.rejections)
    for record in trained:
        rejections.update(record.rejections)
    settings = run.settings
    return Progress(
        run=run.name,
        budget=(settings.get("budget") or {}).get("params"),
        strategy=str(settings.get("strategy", "")),
        seed=int(settings.get("seed", 0)),
        lag=int(settings.get("lag", 1)),
        best=best,
        seconds=seconds,
        names=[record.name for record in searched],
        baselines=len(trained) - len(searched),
        rejections=dict(rejections),
        failures=[(one.name, str(one.measurement.failure)) for one in trained if one.failed],
        reused=sum(one.reused_from is not None for one in searched),
        finished=run.finished_at is not None,
    )
