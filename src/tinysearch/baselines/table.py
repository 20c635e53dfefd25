"""Terminal tables that compare documented or recorded figures with new measurements."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Sequence

from tinysearch.baselines.recorded import Recorded
from tinysearch.baselines.reproduce import Reproduction
from tinysearch.data.dataset import Dataset
from tinysearch.report import figures
from tinysearch.results.record import Record
from tinysearch.runtime.rich import Group, RenderableType, Table, Text
from tinysearch.space.task import Task
from tinysearch.training.recipe import Recipe


def comparison(results: Sequence[Reproduction], dataset: Dataset, recipe: Recipe) -> RenderableType:
    """Return a table of the measured figures, one row per model; on MNIST with the documented figures."""
    # The documented figures are for MNIST.
    known = dataset.name == "mnist"
    title = "documented and measured" if known else f"measured on {dataset.name}"
    table = Table(header_style="bold", box=None, title=title, title_justify="left")
    titles = ("model", "params (trainable + not)", "documented", "measured, test", "delta, SE")
    for title in titles if known else (titles[0], titles[1], titles[3]):
        table.add_column(title, justify="left" if title == "model" else "right", no_wrap=True)
    for result in results:
        counted = result.counted
        documented, apart = figures.percent(result.model.test_accuracy), result.standard_errors
        table.add_row(
            result.model.name,
            figures.params(counted.params, counted.trainable_params, counted.non_trainable_params),
            *((documented,) if known else ()),
            figures.tested(result.mean, result.std, len(result.test_accuracies)),
            *(("-" if apart is None else f"{apart:+.1f} SE",) if known else ()),
        )
    same = "Counted parameters equal the documented ones. " if dataset.task == Task() else ""
    notes = [
        f"{same}Recipe {recipe.name}, {figures.epochs(recipe.epochs)}, trained on {dataset.name} "
        f"({dataset.fingerprint}) without the last 10 % of the images; last epoch; test images used once per training.",
    ]
    if known:
        notes.append(
            "delta, SE: number of standard errors by which the documented figure is above the measured mean; the "
            "documented figures are single runs."
        )
    else:
        notes.append("Documented figures exist for MNIST only.")
    return Group(table, *(Text(note, style="dim") for note in notes))


def again(rows: Sequence[Recorded], records: Sequence[Record], dataset: Dataset) -> RenderableType:
    """Return a table of recorded and newly measured figures, one row per candidate."""
    table = Table(header_style="bold", box=None, title="recorded and measured", title_justify="left")
    for title in ("candidate", "params (trainable + not)", "recorded, test", "measured, test", "same seeds"):
        table.add_column(title, justify="left" if title == "candidate" else "right", no_wrap=True)
    for row in rows:
        measured = {
            record.seed: record.test_accuracy
            for record in records
            if record.key == row.candidate.key and record.test_accuracy is not None
        }
        both = [
            row.test_accuracies[seed] == accuracy for seed, accuracy in measured.items() if seed in row.test_accuracies
        ]
        table.add_row(
            row.name,
            figures.params(row.cost.params, row.cost.trainable_params, row.cost.non_trainable_params),
            _tested(row.test_accuracies.values()),
            _tested(list(measured.values())),
            f"{sum(both)} of {len(both)} equal" if row.fingerprint == dataset.fingerprint else "other images",
        )
    notes = [
        "Trained on all training images by the recipe it was found with; last epoch; test images used once per "
        "training. On another machine or with other versions, the same seeds give different numbers, which differ as "
        "much as those of different seeds."
    ]
    others = [row.name for row in rows if row.fingerprint != dataset.fingerprint]
    if others:
        notes.append(
            f"Other images: {', '.join(others)} was measured on other training images than these ({dataset.name})."
        )
    return Group(table, *(Text(note, style="dim") for note in notes))


def _tested(accuracies: Collection[float]) -> str:
    if not accuracies:
        return figures.MISSING
    std = statistics.stdev(accuracies) if len(accuracies) > 1 else None
    return figures.tested(statistics.fmean(accuracies), std, len(accuracies))
