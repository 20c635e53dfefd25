"""What a person sees while candidates are trained: two bars and a line per finished training, or lines alone."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from tinysearch.results.record import Epoch, Record
from tinysearch.results.render import figures
from tinysearch.space.notation import notation


class TrainingProgress:
    """Progress of several trainings, one after another.

    On a terminal it is a live display; elsewhere, and with ``NO_COLOR`` or ``TERM=dumb``, a plain line is printed when
    a training begins and when it ends.

    Args:
        console: Where to show it.
        total: How many trainings there are to be, those already done included.
        epochs: Epochs of each training.
        done: How many are done already.
    """

    def __init__(self, console: Console, total: int, epochs: int, done: int = 0) -> None:
        self._console = console
        self._total = total
        self._epochs = epochs
        self._done = done
        self._trained_seconds: list[float] = []
        self._current = ""
        self._began = time.monotonic()
        self._epoch = 0
        self._note = ""
        self._best = ""
        self._last = ""
        bar = BarColumn(bar_width=24)
        self._bars = Progress(TextColumn("{task.description}"), bar, MofNCompleteColumn(), console=console)
        self._trainings = self._bars.add_task("trained", total=total, completed=done)
        self._epochs_bar = self._bars.add_task("epoch", total=epochs)
        plain = not console.is_terminal or console.is_dumb_terminal or console.no_color
        self._live = None if plain else Live(console=console, get_renderable=self._render, refresh_per_second=4)

    def __enter__(self) -> TrainingProgress:
        self._console.print()
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.transient = True
            self._live.stop()

    def start(self, what: str) -> None:
        """Note that a training begins."""
        self._current, self._began, self._epoch, self._last = what, time.monotonic(), 0, ""
        self._bars.update(self._epochs_bar, completed=0)
        if self._live is None:
            self._print(f"training {self._done + 1} of {self._total}: {what}")

    def epoch(self, number: int, epoch: Epoch) -> None:
        """Note that an epoch is over."""
        self._epoch = number
        name, value = ("accuracy", epoch.accuracy) if epoch.val_accuracy is None else ("validation", epoch.val_accuracy)
        self._last = f"{name} {figures.percent(value)}"
        self._bars.update(self._epochs_bar, completed=number)

    def finish(self, record: Record) -> None:
        """Note that a training is over, and print a line about it."""
        self._done += 1
        self._trained_seconds.append(record.measurement.train_seconds)
        self._bars.update(self._trainings, completed=self._done)
        result = f"failed: {_first_line(record)}" if record.failed else self._result(record)
        seconds = figures.duration(record.measurement.train_seconds)
        layers = notation(record.architecture)
        self._print(f"{self._done:>4}/{self._total}  {result}  {seconds:>7}  {record.name}  {layers}")

    def note(self, best: str, rejected: str) -> None:
        """Set the lines about the best candidate so far and about rejections."""
        self._best, self._note = best, rejected

    def _result(self, record: Record) -> str:
        test = "" if record.test_accuracy is None else f" test {figures.percent(record.test_accuracy)}"
        validation = "" if record.measurement.val_accuracy is None else f"validation {figures.percent(record.score)}"
        return f"{validation}{test}  {record.cost.params:>6,} params"

    def _print(self, line: str) -> None:
        if self._live is None:
            self._console.print(line, markup=False, soft_wrap=True)
        else:
            self._console.print(Text(line, overflow="ellipsis", no_wrap=True))

    def _render(self) -> RenderableType:
        now = time.monotonic() - self._began
        parts: list[RenderableType] = [self._bars]
        if self._current:
            current = f"{escape(self._current)}  {figures.duration(now)}  {self._last}"
            parts.append(Text.from_markup(current, overflow="ellipsis"))
        for line in (self._best, self._note, self._left(now)):
            if line:
                parts.append(Text(line, style="dim", overflow="ellipsis", no_wrap=True))
        return Group(*parts)

    def _left(self, now: float) -> str:
        """Estimate the time left from trainings that are over, or else from the epochs of the current one."""
        if self._trained_seconds:
            each = sum(self._trained_seconds) / len(self._trained_seconds)
        elif self._epoch:
            each = now / self._epoch * self._epochs
        else:
            return ""
        left = max(0.0, each * (self._total - self._done) - now)
        return f"about {figures.duration(left)} left"


def _first_line(record: Record) -> str:
    return (record.measurement.failure or "").strip().splitlines()[0][:100]
