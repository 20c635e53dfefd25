"""The next steps after a run, as commands to copy."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from tinysearch.report.commands import data_words

if TYPE_CHECKING:
    from tinysearch.api.study import Study
    from tinysearch.results.record import Record
    from tinysearch.runtime.rich import Console
    from tinysearch.search.outcome import RunOutcome


def as_options(given: Mapping[str, object]) -> str:
    """Return options as typed on the command line; options whose value is None are left out."""
    return "".join(f" {option} {shlex.quote(str(value))}" for option, value in given.items() if value is not None)


def interruption(records: Iterable[Record]) -> str:
    """Return a message about what is stored of interrupted runs."""
    if any(not one.failed for one in records):
        return "interrupted; finished trainings are stored"
    return "interrupted before any training finished"


def still_to_do(study: Study, outcome: RunOutcome) -> str:
    """Return the remaining work of a stopped run, in words."""
    from tinysearch.report import figures

    settings = study.settings
    left = settings.trials - sum(one.trial is not None for one in outcome.records)
    words = {
        "search": f"{max(left, 0)} of {figures.counted(settings.trials, 'trial')}",
        "revalidation": "revalidation of the leaders on other folds",
        "evaluation": "evaluation of the winner on the test images",
    }
    return ", ".join(words[one] for one in outcome.missing)


def next_steps(study: Study, outcome: RunOutcome, notes: Console, on: str, where: str) -> None:
    """Print commands for useful next steps.

    ``on`` has the options that a resumed run needs, ``where`` the one of them that names the store.
    """
    from tinysearch.report import figures
    from tinysearch.search.settings import RunSettings

    name = shlex.quote(outcome.name)
    # A run records where its data is, unless the data came from Python.
    again = "".join(f" {word}" for word in data_words(study.store.run(outcome.name))) + where
    on = again + on.removeprefix(where)
    steps: list[tuple[str, str]] = []
    if outcome.missing or outcome.ending in ("interrupted", "time limit"):
        steps.append(("resume", f"tinysearch run --name {name} --resume{on}"))
    if outcome.best is not None:
        evaluations = study.store.records(outcome.name, purpose="evaluation")
        evaluated = any(not one.failed for one in evaluations)
        if not (evaluated or "evaluation" in outcome.missing) and study.dataset.has_test():
            steps.append(("evaluate", f"tinysearch evaluate {name} --top 1 --seeds 3{again}"))
        steps.append(("details", f"tinysearch show {outcome.best.key}{where}"))
        model = study.best.model_path
        if model.exists():
            made = study.best.training or study.best.record
            which = figures.training(made.purpose, made.seed, made.test_accuracy)
            steps.append(("load", f"keras.saving.load_model({str(model)!r})  # {which}; deploy exports the same"))
        steps.append(("deploy", f"tinysearch deploy {outcome.best.key} --run {name} --to c -o out{again}"))
    if outcome.ending == "finished" and not outcome.missing:
        more = study.settings.trials * 2 or RunSettings().trials
        steps.append(("search more", f"tinysearch run --name {name} --resume --trials {more}{on}"))
    if outcome.best is not None:
        steps.append(("report", f"tinysearch report {name} -o report.html{where}"))
    steps.append(("all runs", f"tinysearch leaderboard{where}"))
    print_steps(steps, notes)


def print_steps(steps: Iterable[tuple[str, str]], notes: Console) -> None:
    """Print commands, each with its purpose."""
    for title, command in steps:
        notes.print(f"  {title + ':':<14}{command}", soft_wrap=True)
