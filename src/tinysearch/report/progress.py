"""Progress display of trainings: bars and a line per finished training, or only lines."""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import dataclass, field
from types import TracebackType

from tinysearch.report import figures
from tinysearch.report.notebook import NotebookLive, in_notebook
from tinysearch.results.record import ACCURACY, Epoch, Record
from tinysearch.runtime.rich import Console, Group, Live, ProgressBar, RenderableType, Table, Text
from tinysearch.space.notation import notation

BAR_WIDTH = 24


@dataclass
class _Training:
    """A running training."""

    what: str
    began: float = field(default_factory=time.monotonic)
    epoch: int = 0
    last: str = ""


class TrainingProgress:
    """Progress of several trainings, sequential or parallel, each identified by a key (0 by default).

    On a terminal and in a notebook it is a live display; elsewhere, and with ``NO_COLOR`` or ``TERM=dumb``, a plain
    line is printed when a training starts and when it ends.

    Args:
        console: Console to print to.
        total: Number of trainings, including those already done.
        epochs: Epochs of each training.
        done: Number of trainings already done.
        workers: Maximum number of parallel trainings.
        objective: Objective of the run; if it is not accuracy, it is shown first.

    Attributes:
        plain: Whether only lines are printed, without bars.
    """

    def __init__(
        self,
        console: Console,
        total: int,
        epochs: int,
        done: int = 0,
        workers: int = 1,
        objective: str = ACCURACY,
    ) -> None:
        self._console = console
        self._total = total
        self._epochs = epochs
        self._done = done
        self._workers = workers
        self._objective = objective
        self._until: float | None = None
        self._of_run = False
        self._begun = done
        self._trained_seconds: list[float] = []
        self._under_way: dict[Hashable, _Training] = {}
        self._note = ""
        self._best = ""
        plain = not console.is_terminal or console.is_dumb_terminal or console.no_color
        self.plain = plain and not in_notebook()
        self._live = None if plain else Live(console=console, get_renderable=self._render, refresh_per_second=4)
        self._notebook = NotebookLive(self._render) if plain and in_notebook() else None

    def __enter__(self) -> TrainingProgress:
        self._console.print()
        if self._live is not None:
            self._live.start()
        if self._notebook is not None:
            self._notebook.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.transient = True
            self._live.stop()
        if self._notebook is not None:
            self._notebook.stop()

    def start(self, what: str, key: Hashable = 0) -> None:
        """Show that a training starts."""
        self._begun += 1
        self._under_way[key] = _Training(what)
        if self._notebook is not None:
            self._notebook.refresh()
        elif self._live is None:
            self._print(f"training {self._begun} of {self._total}: {what}")

    def epoch(self, number: int, epoch: Epoch, key: Hashable = 0) -> None:
        """Show the result of an epoch."""
        value = epoch.value(self._objective)
        last = f"accuracy {figures.percent(epoch.accuracy)}"
        if value is not None:
            last = _named(value, self._objective)
        elif epoch.val_accuracy is not None:
            last = _named(epoch.val_accuracy)
        training = self._under_way[key]
        training.epoch, training.last = number, last
        if self._notebook is not None:
            self._notebook.refresh()

    def finish(self, record: Record, key: Hashable = 0) -> None:
        """Print a line about a result, of a training that has ended or of one that is known without training."""
        self._done += 1
        known = self._under_way.pop(key, None) is None
        if known:
            self._begun += 1
        else:
            self._trained_seconds.append(record.measurement.train_seconds)
        result = f"failed: {_first_line(record)}" if record.failed else self._result(record)
        seconds = "stored" if known else figures.duration(record.measurement.train_seconds)
        if record.reused_from is not None:
            seconds = "reused"
        layers = notation(record.architecture)
        name = record.name if record.purpose == "search" else f"{record.name}, seed {record.seed}"
        self._print(f"{self._done:>4}/{self._total}  {result}  {seconds:>7}  {name}  {layers}")
        if self._notebook is not None:
            self._notebook.refresh(now=True)

    def note(self, best: str, rejected: str) -> None:
        """Set the lines about the best candidate so far and about rejections."""
        self._best, self._note = best, rejected

    def expect(self, left: float | None) -> None:
        """Set the seconds until the end of the whole run, not only of these trainings; None if not known yet."""
        self._of_run = True
        self._until = None if left is None else time.monotonic() + left

    def _result(self, record: Record) -> str:
        test = "" if record.test_accuracy is None else f" test {figures.percent(record.test_accuracy)}"
        validation = "" if record.val_accuracy is None else _named(record.val_accuracy)
        if record.objective != ACCURACY and record.value is not None:
            validation = f"{_named(record.value, record.objective)} {validation}"
        stopped = f" (stopped after epoch {len(record.measurement.curve)})" if record.pruned else ""
        return f"{validation}{stopped}{test}  {record.cost.params:>6,} params"

    def _print(self, line: str) -> None:
        if self._live is None:
            self._console.print(line, markup=False, soft_wrap=True)
        else:
            self._console.print(line, markup=False, overflow="ellipsis", no_wrap=True)

    def _render(self) -> RenderableType:
        bars = Table.grid(padding=(0, 1), expand=True)
        for width in (len("trained"), BAR_WIDTH, 2 * len(str(self._total)) + 1):
            bars.add_column(no_wrap=True, min_width=width)
        bars.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        self._add_bar(bars, "trained", self._done, self._total, self._left())
        for training in self._under_way.values():
            seconds = figures.duration(time.monotonic() - training.began)
            words = "  ".join(filter(None, (seconds, training.last, training.what)))
            self._add_bar(bars, "epoch", training.epoch, self._epochs, words)
        notes = [
            Text(line, style="dim", overflow="ellipsis", no_wrap=True) for line in (self._best, self._note) if line
        ]
        return Group(bars, *notes)

    def _add_bar(self, bars: Table, title: str, completed: int, total: int, words: str) -> None:
        bar = ProgressBar(total=max(total, 1), completed=completed, width=BAR_WIDTH)
        bars.add_row(Text(title), bar, Text(f"{completed}/{total}"), Text(words, overflow="ellipsis"))

    def _left(self) -> str:
        """Return the time left for the run in words, or for these trainings if ``expect`` was never called."""
        now = time.monotonic()
        if self._of_run:
            return "" if self._until is None else f"about {figures.rough(max(0.0, self._until - now))} left in all"
        spent = [(now - one.began, one.epoch / self._epochs) for one in self._under_way.values()]
        if self._trained_seconds:
            each = sum(self._trained_seconds) / len(self._trained_seconds)
        elif any(share for _, share in spent):
            each = sum(seconds for seconds, share in spent if share) / sum(share for _, share in spent)
        else:
            return ""
        begun = sum(min(seconds, each) for seconds, _ in spent)
        left = max(0.0, each * (self._total - self._done) - begun) / self._workers
        return f"about {figures.duration(left)} left"


def _named(value: float, objective: str = ACCURACY) -> str:
    return f"{figures.metric_title(objective, 'validation')} {figures.measured(value, objective)}"


def _first_line(record: Record) -> str:
    return (record.measurement.failure or "").strip().splitlines()[0][:100]
