"""A leaderboard as JSON, CSV and Markdown."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Callable, Iterable

from tinysearch.errors import PluginError
from tinysearch.report import figures
from tinysearch.results.leaderboard import Leaderboard, Row
from tinysearch.results.record import ACCURACY
from tinysearch.runtime.plugins import find


def to_json(board: Leaderboard) -> str:
    """Return a list of rows with stable keys; accuracies are fractions, values that were not measured are null."""
    return json.dumps([row.to_dict() for row in board.rows], indent=2, allow_nan=False) + "\n"


def to_csv(board: Leaderboard) -> str:
    """Return the same rows and keys as ``to_json``; fields that were not measured are empty."""
    text = io.StringIO()
    names = [field.name for field in dataclasses.fields(Row)]
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    for row in board.rows:
        writer.writerow(row.to_dict())
    return text.getvalue()


def to_markdown(board: Leaderboard) -> str:
    """Return a table for each dataset."""
    parts = []
    for dataset in board.datasets:
        metric = board.of(dataset)[0].metric
        titles = ["validation", "test ± std (seeds)"]
        if metric != ACCURACY:
            name = _escaped(figures.metric_title(metric))
            titles = [f"validation {name}", f"test {name} ± std (seeds)", *titles]
        lines = [
            f"**{_escaped(figures.dataset_title(dataset))}**",
            "",
            f"| # | candidate | run | params (trainable + not) | MACs | {' | '.join(titles)} | layers |",
            f"| ---: | --- | --- | ---: | ---: |{' ---: |' * len(titles)} --- |",
        ]
        for row in board.of(dataset):
            name = f"**{_escaped(row.name)}**" if row.origin == "baseline" else f"`{_escaped(row.name)}`"
            cells = [
                str(row.rank) + (" *" if row.on_pareto_front else ""),
                name,
                _escaped(row.run),
                figures.params(row.params, row.trainable_params, row.non_trainable_params),
                figures.count(row.macs),
                *_of_metric(row),
                figures.validated(row.val_accuracy, row.val_seeds),
                figures.tested(row.test_accuracy_mean, row.test_accuracy_std, row.test_seeds),
                f"`{_escaped(row.layers)}`",
            ]
            lines.append(f"| {' | '.join(cells)} |")
        front = _escaped(figures.metric_title(metric))
        lines += ["", rf"\* on the Pareto front of parameters and validation {front}; baselines are bold"]
        if dataset in board.mixed:
            names = ", ".join(board.mixed[dataset])
            lines[-1] += f"; ranked by accuracy, because the runs have different objectives: {names}"
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts) or "No candidate was measured yet.\n"


def _of_metric(row: Row) -> list[str]:
    """Return the cells of the metric that candidates are ranked by; none if it is accuracy."""
    if row.metric == ACCURACY:
        return []
    return [
        figures.validated(row.val_metric, row.val_seeds, row.metric),
        figures.tested(row.test_metric_mean, row.test_metric_std, row.test_seeds, row.metric),
    ]


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


Renderer = Callable[[Leaderboard], str]
FORMATS: dict[str, Renderer] = {"json": to_json, "csv": to_csv, "markdown": to_markdown}


def renderer(name: str, known: Iterable[str] = ()) -> Renderer:
    """Return the renderer of a name: a function from a leaderboard to text.

    Args:
        name: One of ``FORMATS``, or a custom renderer, given as ``module:function`` or as an entry point; a class is
            instantiated, and its ``render`` is called.
        known: Further valid names of the caller, for the error message.

    Raises:
        PluginError: if there is no such renderer; or, when the renderer is called, if it fails or does not return
            text.
    """
    if name in FORMATS:
        return FORMATS[name]
    found = find("renderer", name, [*known, *FORMATS])
    given = found() if isinstance(found, type) else found
    render = getattr(given, "render", given)

    def checked(board: Leaderboard) -> str:
        try:
            text = render(board)
        except Exception as error:
            raise PluginError(f"the renderer {name!r} failed: {type(error).__name__}: {error}") from error
        if not isinstance(text, str):
            raise PluginError(f"the renderer {name!r} must return text, got {type(text).__name__}")
        return text

    return checked
