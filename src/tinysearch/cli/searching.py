"""Carrying out a search in front of a person: its plan, its progress, revalidation and evaluation of its winner."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tinysearch.cli.progress import TrainingProgress
from tinysearch.errors import NoTestImagesError, TinySearchError

if TYPE_CHECKING:
    from tinysearch.results.record import Epoch, Record
    from tinysearch.search.coordinator import RunOutcome
    from tinysearch.search.proposer import Proposal
    from tinysearch.search.retraining import Retraining, RetrainingWatcher
    from tinysearch.search.run import SearchRun


def searched(
    search: SearchRun, notes: Console, *, stall_limit: float, worker_memory: int | None
) -> tuple[RunOutcome, TinySearchError | None]:
    """Carry out a run, confirm its winner and evaluate it; all show their progress.

    Returns:
        What came of it, and what went wrong when the winner was to be evaluated.
    """
    if search.dataset.fallback:
        notes.print(Text(f"note: {search.dataset.fallback}", style="bold yellow"))
    notes.print(plan(search, search.store.path))
    settings, done = search.settings, search.history.done
    with TrainingProgress(notes, search.planned, settings.recipe.epochs, done, settings.workers) as progress:
        outcome = search.carry_out(Shown(search, progress))
    if search.evaluates(outcome):
        try:
            outcome = _revalidated(search, outcome, notes, stall_limit, worker_memory)
            if search.evaluates(outcome):
                outcome = _evaluated(search, outcome, notes, stall_limit, worker_memory)
        except TinySearchError as error:
            # What was searched is there all the same.
            return outcome, error
    return outcome, None


class Shown:
    """Passes what happens in a run on to the display."""

    def __init__(self, search: SearchRun, progress: TrainingProgress) -> None:
        self._progress = progress
        self._best: Record | None = None
        for record in search.history.records():
            self._compare(record)
        self._update(search.history.rejections)

    def on_start(self, proposal: Proposal) -> None:
        from tinysearch.space.notation import notation

        label = proposal.name if proposal.trial is None else f"trial {proposal.trial + 1}"
        layers = notation(proposal.candidate.architecture)
        self._progress.start(f"{label}  {proposal.cost.params:,} params  {layers}", proposal.position)

    def on_epoch(self, position: int, number: int, epoch: Epoch) -> None:
        self._progress.epoch(number, epoch, position)

    def on_record(self, position: int, record: Record, rejections: Mapping[str, int]) -> None:
        self._compare(record)
        self._update(rejections)
        self._progress.finish(record, position)

    def _compare(self, record: Record) -> None:
        from tinysearch.results.leaderboard import best

        self._best = best(filter(None, (self._best, record)))

    def _update(self, rejections: Mapping[str, int]) -> None:
        from tinysearch.report import figures

        line = ""
        if self._best is not None:
            accuracy = figures.percent(self._best.measurement.val_accuracy)
            line = f"best so far: {accuracy} with {self._best.cost.params:,} params, {self._best.name}"
        self._progress.note(line, f"rejected: {figures.rejected(rejections)}" if rejections else "")


def plan(search: SearchRun, store: Path) -> Table:
    """Return what a run is about to do."""
    from tinysearch.space.survey import survey

    settings, dataset = search.settings, search.dataset
    height, width, channels = dataset.task.input_shape
    held = search.dataset.training_data()
    images = f"{len(held.train):,} images to train, {len(held.validation or ()):,} to validate"
    found = survey(settings.budget, space=search.space, draws=500, samples=0)
    count = len(search.baselines)
    before = f"{count} hand-designed baseline{'' if count == 1 else 's'}, then " if count else ""
    without = f" (without {', '.join(search.skipped_baselines)}: beyond the limits)" if search.skipped_baselines else ""
    done = search.history.done
    resumed = f", {done} of {search.planned} trained already" if done else ""
    at_a_time = f", {settings.workers} at a time" if settings.workers > 1 else ""
    tuned = ", its knobs searched too" if settings.tune_recipe else ""
    limits = [f"fewer than {settings.budget.params:,} parameters"]
    if settings.budget.macs is not None:
        limits.append(f"at most {settings.budget.macs:,} MACs")
    if settings.budget.peak_activation_bytes is not None:
        limits.append(f"at most {settings.budget.peak_activation_bytes:,} bytes of activations")
    rows = [
        ("run", f"{search.name} in {store}{resumed}"),
        ("data", f"{dataset.name} from {dataset.source}: {images}, {height}x{width}x{channels}"),
        ("budget", ", ".join(limits)),
        ("space", f"{_share(found.share)} of random members fit; the smallest has {found.smallest:,} parameters"),
        ("search", f"{before}{settings.trials} trials by {settings.strategy}, seed {settings.seed}{without}"),
        ("training", f"{settings.recipe.epochs} epochs each, recipe {settings.recipe.name}{tuned}{at_a_time}"),
    ]
    table = Table.grid(padding=(0, 2))
    for title, value in rows:
        table.add_row(Text(title, style="bold"), Text(value))
    return table


def _share(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "less than 1 %"


def _revalidated(
    search: SearchRun, outcome: RunOutcome, notes: Console, stall: float, memory: int | None
) -> RunOutcome:
    """Train the leaders again until one has kept the lead; what comes of it is in the store."""
    from tinysearch.api import revalidate_leader
    from tinysearch.cli.evaluations import showing

    rounds = itertools.count()

    def shown(planned: Sequence[Retraining]) -> AbstractContextManager[RetrainingWatcher]:
        if next(rounds) == 0:
            notes.print(
                f"\nthe leaders are trained again on other splits, until one leads by the mean of "
                f"{search.settings.folds}",
                soft_wrap=True,
            )
        return showing(notes, planned)

    ending = outcome.ending
    try:
        revalidate_leader(search, shown=shown, stall_limit=stall, worker_memory=memory)
    except KeyboardInterrupt:
        ending = "interrupted"
    records = [one for one in search.store.records(search.name) if one.purpose != "evaluation"]
    return dataclasses.replace(outcome, records=tuple(records), ending=ending)


def _evaluated(search: SearchRun, outcome: RunOutcome, notes: Console, stall: float, memory: int | None) -> RunOutcome:
    """Evaluate the winner; what comes of it is in the store."""
    from tinysearch.cli.evaluations import evaluated
    from tinysearch.search.evaluation import best_of

    seeds, workers = search.settings.evaluate, search.settings.workers
    planned = best_of(search.store, search.name, search.dataset, 1, range(seeds))
    notes.print(
        f"\nthe winner, {planned[0].name}, is trained on all training images, once for each of {seeds} seeds, and "
        f"scored on the test images",
        soft_wrap=True,
    )
    try:
        evaluated(search.store, planned, search.dataset, notes, workers, stall_limit=stall, worker_memory=memory)
    except NoTestImagesError as error:
        notes.print(Text(f"note: no test figures: {error}", style="bold yellow"))
    except KeyboardInterrupt:
        return dataclasses.replace(outcome, ending="interrupted")
    return outcome
