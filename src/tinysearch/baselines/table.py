"""The comparison of documented and measured figures, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tinysearch.baselines.reproduce import Reproduction
from tinysearch.results.render import figures
from tinysearch.search.datasets import Dataset
from tinysearch.search.recipe import Recipe
from tinysearch.space.task import Task


def comparison(results: Sequence[Reproduction], dataset: Dataset, recipe: Recipe) -> RenderableType:
    """Return documented against measured, a model a row."""
    table = Table(header_style="bold", box=None, title="documented and measured", title_justify="left")
    for title in ("model", "params (trainable + not)", "documented", "measured, test", "apart"):
        table.add_column(title, justify="left" if title == "model" else "right", no_wrap=True)
    for result in results:
        counted = result.counted
        table.add_row(
            result.model.name,
            figures.params(counted.params, counted.trainable_params, counted.non_trainable_params),
            figures.percent(result.model.test_accuracy),
            figures.tested(result.mean, result.std, len(result.test_accuracies)),
            "-" if result.standard_errors is None else f"{result.standard_errors:+.1f} SE",
        )
    same = "Counted parameters equal the documented ones. " if dataset.task == Task() else ""
    notes = [
        f"{same}Recipe {recipe.name}, {recipe.epochs} epochs, trained on {dataset.name} ({dataset.fingerprint}) less "
        f"the last tenth; last epoch; test images used once per training.",
        "apart: how many standard errors of the measured mean the documented figure lies above it; the documented "
        "figures are single runs.",
    ]
    if dataset.name != "mnist":
        notes.append(f"The documented figures are for MNIST; these were measured on {dataset.name}.")
    return Group(table, *(Text(note, style="dim") for note in notes))
