"""Display of a running study: a callback for terminals, files and notebooks."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping, Sequence

from tinysearch.errors import TinySearchWarning
from tinysearch.report import figures
from tinysearch.report.notebook import in_notebook
from tinysearch.report.progress import TrainingProgress
from tinysearch.report.remaining import Estimate, expected
from tinysearch.results.callback import Callback, Stage
from tinysearch.results.ranking import leader
from tinysearch.results.record import ACCURACY, Epoch, Record
from tinysearch.results.standing import Standing
from tinysearch.results.training import Training
from tinysearch.runtime.rich import Console, RenderableType, Table, Text
from tinysearch.space.notation import notation


class Display(Callback):
    """Callback that shows the stages of a study on a console: plan, progress, notes.

    Args:
        console: Console to print to.
        notes: Whether notes are shown too.
        spell: Function that respells arguments in messages; by default they stay as typed in Python.
    """

    def __init__(self, console: Console, *, notes: bool = True, spell: Callable[[str], str] = str) -> None:
        self._console = console
        self._spell = spell
        self._notes = notes
        self._progress: TrainingProgress | None = None
        self._leader: Standing[Record] | None = None
        self._searching = False
        self._estimate: Estimate | None = None
        self._run = ""
        # Outside of a terminal, lines are not wrapped, so that they can be searched.
        self._whole = not console.is_terminal

    def on_stage_start(self, stage: Stage) -> None:
        """Show the plan of the stage, and start to show its progress."""
        self._searching = stage.name == "search"
        if stage.name not in ("revalidation", "evaluation") or stage.run != self._run:
            self._estimate = None
        elif self._estimate is not None:
            self._estimate.enter(stage)
        self._run = stage.run
        plan = list(stage.plan)
        if stage.forecast is not None:
            searched = tuple(one.cost.macs for one in stage.records if one.origin == "search")
            self._estimate = Estimate(stage.forecast, searched)
            plan.append(("time", expected(stage.forecast)))
        if plan:
            self._console.print(_table([(title, self._spell(words)) for title, words in plan]))
        if stage.text:
            self._console.print(f"\n{stage.text}", soft_wrap=self._whole)
        self._progress = TrainingProgress(
            self._console, stage.total, stage.epochs, stage.done, stage.workers, stage.objective
        )
        if self._searching:
            self._leader = leader([one for one in stage.records if one.purpose != "evaluation"])
            self._update(stage.rejections)
        self._progress.__enter__()
        if self._estimate is not None:
            self._progress.expect(self._estimate.left)

    def on_trial_start(self, training: Training) -> None:
        """Show that a training starts."""
        if training.purpose == "search":
            label = training.name if training.trial is None else f"trial {training.trial + 1}"
            words = f"{label}  {training.cost.params:,} params  {notation(training.architecture)}"
        else:
            words = f"{training.name}, seed {training.seed}"
        if self._estimate is not None:
            self._estimate.begin(training)
        if self._progress is not None:
            self._progress.start(words, training.identity)

    def on_epoch(self, training: Training, number: int, epoch: Epoch) -> None:
        """Show the result of an epoch."""
        if self._progress is not None:
            self._progress.epoch(number, epoch, training.identity)
        if self._estimate is not None:
            self._estimate.epoch(training, epoch)
            self._tell()

    def on_record(self, training: Training, record: Record, rejections: Mapping[str, int]) -> None:
        """Show a result."""
        if self._searching:
            known = [] if self._leader is None else self._leader.trainings
            self._leader = leader([*known, record])
            self._update(rejections)
        if self._progress is not None:
            self._progress.finish(record, training.identity)
        if self._estimate is not None:
            self._estimate.finish(record)
            self._tell()

    def on_stage_end(self, stage: Stage) -> None:
        """Stop showing progress."""
        if self._progress is not None:
            self._progress.__exit__(None, None, None)
            self._progress = None

    def on_note(self, text: str) -> None:
        """Show a note."""
        if self._notes:
            self._console.print(Text(f"note: {self._spell(text)}", style="bold yellow"), soft_wrap=self._whole)

    def on_decision(self, text: str) -> None:
        """Show a decision."""
        self._console.print(Text(f"\n{text}"), soft_wrap=self._whole)

    def _tell(self) -> None:
        """Update the remaining time, and print how long the run takes as soon as its trainings show it."""
        if self._estimate is None or self._progress is None:
            return
        self._progress.expect(self._estimate.left)
        news = self._estimate.news(bar=not self._progress.plain)
        if news is not None:
            self._console.print(Text(news), soft_wrap=self._whole)

    def _update(self, rejections: Mapping[str, int]) -> None:
        line = ""
        if self._leader is not None:
            value = figures.validated(self._leader.value, self._leader.val_seeds, self._leader.metric)
            title = "" if self._leader.metric == ACCURACY else f"{figures.metric_title(self._leader.metric)} "
            line = f"best so far: {title}{value} with {self._leader.params:,} params, {self._leader.first.name}"
        if self._progress is not None:
            self._progress.note(line, f"rejected: {figures.rejected(rejections)}" if rejections else "")


class WarnedNotes(Callback):
    """Callback that emits notes as Python warnings."""

    def on_note(self, text: str) -> None:
        """Emit a warning."""
        warnings.warn(text, TinySearchWarning, stacklevel=2)


def display(verbose: bool | int = True) -> Display | None:
    """Return the callback that shows a study run from Python; None if ``verbose`` is false.

    Args:
        verbose: Whether to show progress, live on a terminal and in a notebook, elsewhere as plain lines.
    """
    return Display(_console(), notes=False) if verbose else None


def show(shown: RenderableType) -> None:
    """Print something to the console that shows progress."""
    console = _console()
    console.print(shown, soft_wrap=not console.is_terminal)


def tell_of_interruption(kept: str, remedy: str) -> None:
    """Print how much of an interrupted call is stored, and how to continue it."""
    _console().print(Text(f"\ninterrupted: {kept}; {remedy}"), soft_wrap=True)


def _console() -> Console:
    # Notebooks show the error stream in red, so the output goes to the standard output there.
    if in_notebook():
        return Console(file=sys.stdout, width=110, force_terminal=False, markup=False, emoji=False)
    return Console(stderr=True, markup=False, emoji=False)


def _table(plan: Sequence[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    for title, value in plan:
        table.add_row(Text(title, style="bold"), Text(value))
    return table
