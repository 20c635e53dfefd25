"""The leaderboard of a section, as formatted text."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tinysearch.report import figures
from tinysearch.report.contents import Candidate, Section
from tinysearch.results.record import ACCURACY

# Title of each column, the field it is sorted by, and the name of its cells.
_COLUMNS = (
    ("#", "rank", "rank"),
    ("candidate", "name", "name"),
    ("validation of the metric", "val_metric", "val_metric"),
    ("test of the metric", "test_metric_mean", "test_metric"),
    ("validation", "val_accuracy", "validation"),
    ("test", "test_accuracy_mean", "test"),
    ("test, int8", "int8_accuracy_mean", "int8"),
    ("documented", "documented", "documented"),
    ("parameters", "params", "params"),
    ("MACs", "macs", "macs"),
    ("RAM", "peak_activation_bytes", "memory"),
    ("flash", "flash_bytes", "flash"),
    ("run", "run", "run"),
    ("time", "train_seconds", "time"),
)
_BEST_FIRST = ("val_metric", "test_metric", "validation", "test", "int8", "documented")
# Columns of the ranking metric with the images it was measured on; hidden if the metric is accuracy.
_OF_METRIC = {"val_metric": "validation", "test_metric": "test"}


def columns(section: Section) -> list[dict[str, str]]:
    """Return the columns that are not empty."""
    titles = {cell: figures.metric_title(section.metric, part) for cell, part in _OF_METRIC.items()}
    hidden = {"documented"} if all(one.documented is None for one in section.candidates) else set()
    hidden |= set(_OF_METRIC) if section.metric == ACCURACY else set()
    hidden |= set() if any(one.row.int8_seeds for one in section.candidates) else {"int8"}
    hidden |= set() if any(one.row.flash_bytes is not None for one in section.candidates) else {"flash"}
    best_first = set(_BEST_FIRST) - (set() if section.direction == "max" else set(_OF_METRIC))
    return [
        {
            "title": titles.get(cell, title),
            "key": key,
            "cell": cell,
            "down": "yes" if cell in best_first else "no",
            "kind": {"name": "", "run": "run"}.get(cell, "n"),
        }
        for title, key, cell in _COLUMNS
        if cell not in hidden
    ]


def choices(section: Section) -> dict[str, list[str]]:
    """Return the values that the rows of a section can be filtered by."""
    return {
        "origins": sorted({one.row.origin for one in section.candidates}),
        "strategies": sorted({one.strategy for one in section.candidates if one.strategy}),
        "runs": sorted({one.row.run for one in section.candidates}),
    }


def row_words(section: Section) -> list[dict[str, Any]]:
    """Return the formatted values of each candidate for the templates."""
    usual = usual_recipe([one.recipe for one in section.candidates])
    return [row_word(index, one, usual) for index, one in enumerate(section.candidates)]


def usual_recipe(recipes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the most frequent value of each recipe setting."""
    names = dict.fromkeys(name for recipe in recipes for name in recipe)
    return {
        name: json.loads(Counter(json.dumps(recipe.get(name)) for recipe in recipes).most_common(1)[0][0])
        for name in names
    }


def row_word(index: int, one: Candidate, usual: Mapping[str, Any]) -> dict[str, Any]:
    """Return the formatted values of a candidate for the templates.

    Args:
        index: Its index among the candidates of the section.
        one: The candidate.
        usual: The most frequent recipe settings; only deviations from them are shown.
    """
    row = one.row
    otherwise = [f"{name} {value}" for name, value in one.recipe.items() if name != "name" and usual.get(name) != value]
    return {
        "index": index,
        "rank": row.rank,
        "front": row.on_pareto_front,
        "origin": row.origin,
        "name": row.name,
        "params": f"{row.params:,}",
        "macs": figures.count(row.macs),
        "memory": figures.count(row.peak_activation_bytes),
        "flash": figures.MISSING if row.flash_bytes is None else figures.count(row.flash_bytes),
        "int8": figures.tested(row.int8_accuracy_mean, row.int8_accuracy_std, row.int8_seeds),
        "val_metric": figures.validated(row.val_metric, row.val_seeds, row.metric),
        "test_metric": figures.tested(row.test_metric_mean, row.test_metric_std, row.test_seeds, row.metric),
        "validation": figures.validated(row.val_accuracy, row.val_seeds),
        "test": tested(one),
        "documented": figures.percent(one.documented),
        "run": row.run,
        "time": figures.duration(row.train_seconds),
        "layers": row.layers,
        "otherwise": ", ".join(otherwise),
    }


def tested(one: Candidate) -> str:
    """Format a test accuracy, marked if the candidate was trained without the held-out images."""
    row = one.row
    mark = " †" if one.test is not None and one.test.held_out else ""
    return figures.tested(row.test_accuracy_mean, row.test_accuracy_std, row.test_seeds) + mark
