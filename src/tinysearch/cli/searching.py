"""The stages of a search in front of a person: its plan, its progress, revalidation and evaluation of its winner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tinysearch.cli.evaluations import note_failures, showing
from tinysearch.cli.progress import TrainingProgress
from tinysearch.results.ranking import leader
from tinysearch.search.stages import Display

if TYPE_CHECKING:
    from tinysearch.results.record import Epoch, Record
    from tinysearch.search.proposer import Proposal
    from tinysearch.search.retraining import Retraining, RetrainingWatcher
    from tinysearch.search.run import SearchRun


class StageDisplay(Display):
    """Shows the stages of a run on a console.

    Args:
        notes: The console for progress and notes.
    """

    def __init__(self, notes: Console) -> None:
        self._notes = notes
        self._rounds = 0

    @contextmanager
    def search(self, run: SearchRun) -> Iterator[Shown]:
        self._notes.print(plan(run, run.store.path))
        settings, done = run.settings, run.history.done
        with TrainingProgress(self._notes, run.planned, settings.recipe.epochs, done, settings.workers) as progress:
            yield Shown(run, progress)

    @contextmanager
    def revalidation(self, run: SearchRun, planned: Sequence[Retraining]) -> Iterator[RetrainingWatcher]:
        if self._rounds == 0:
            text = f"revalidating the leaders on other folds, until one leads by the mean of {run.settings.folds}"
            self._notes.print(f"\n{text}", soft_wrap=True)
        self._rounds += 1
        with showing(self._notes, planned, len(planned)) as watcher:
            yield watcher

    @contextmanager
    def evaluation(self, run: SearchRun, planned: Sequence[Retraining]) -> Iterator[RetrainingWatcher]:
        self._notes.print(
            f"\nevaluating the winner, {planned[0].name}: it is trained on all training images with each of "
            f"{len(planned)} seeds, and scored on the test images",
            soft_wrap=True,
        )
        with showing(self._notes, planned, run.settings.workers) as watcher:
            yield watcher
        note_failures([one for one in run.store.records(run.name) if one.purpose == "evaluation"], self._notes)

    def note(self, text: str) -> None:
        self._notes.print(Text(f"note: {text}", style="bold yellow"), soft_wrap=True)


class Shown:
    """Passes what happens in a run on to the display."""

    def __init__(self, search: SearchRun, progress: TrainingProgress) -> None:
        self._progress = progress
        known = [one for one in search.store.records(search.name) if one.purpose != "evaluation"]
        self._leader = leader(known)
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
        known = [] if self._leader is None else self._leader.trainings
        self._leader = leader([*known, record])

    def _update(self, rejections: Mapping[str, int]) -> None:
        from tinysearch.report import figures

        line = ""
        if self._leader is not None:
            accuracy = figures.validated(self._leader.val_accuracy, self._leader.val_seeds)
            line = f"best so far: {accuracy} with {self._leader.params:,} params, {self._leader.first.name}"
        self._progress.note(line, f"rejected: {figures.rejected(rejections)}" if rejections else "")


def plan(search: SearchRun, store: Path) -> Table:
    """Return what a run is about to do."""
    from tinysearch.report.data import in_short, memory
    from tinysearch.space.survey import survey

    settings, dataset = search.settings, search.dataset
    found = survey(settings.budget, space=search.space, draws=500, samples=0)
    count = len(search.baselines)
    before = f"{count} hand-designed baseline{'' if count == 1 else 's'}, then " if count else ""
    without = f" (without {', '.join(search.skipped_baselines)}: beyond the limits)" if search.skipped_baselines else ""
    done = search.history.done
    resumed = f", {done} of {search.planned} trained already" if done else ""
    at_a_time = f", {settings.workers} at a time" if settings.workers > 1 else ""
    tuned = ", its knobs searched too" if settings.tune_recipe else ""
    chosen = f", augmentation {settings.augmentation['chosen']}" if settings.augmentation else ""
    limits = [f"fewer than {settings.budget.params:,} parameters"]
    if settings.budget.macs is not None:
        limits.append(f"at most {settings.budget.macs:,} MACs")
    if settings.budget.peak_activation_bytes is not None:
        limits.append(f"at most {settings.budget.peak_activation_bytes:,} bytes of activations")
    rows = [
        ("run", f"{search.name} in {store}{resumed}"),
        ("data", in_short(dataset)),
        ("budget", ", ".join(limits)),
        ("space", f"{_share(found.share)} of random members fit; the smallest has {found.smallest:,} parameters"),
        ("search", f"{before}{settings.trials} trials by {settings.strategy}, seed {settings.seed}{without}"),
        ("training", f"{settings.recipe.epochs} epochs each, recipe {settings.recipe.name}{chosen}{tuned}{at_a_time}"),
    ]
    need = memory(dataset, settings.workers)
    if need is not None:
        rows.append(("memory", need))
    table = Table.grid(padding=(0, 2))
    for title, value in rows:
        table.add_row(Text(title, style="bold"), Text(value))
    return table


def _share(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "less than 1 %"
