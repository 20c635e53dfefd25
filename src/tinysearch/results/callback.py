"""Callbacks: they are notified of events during a study."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Literal

from tinysearch.results.forecast import Forecast
from tinysearch.results.record import ACCURACY, Epoch, Record
from tinysearch.results.training import Training

Ending = Literal["finished", "exhausted", "time limit", "interrupted", "failed"]


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a study: the search, a round of revalidations, an evaluation, a reproduction.

    Args:
        name: ``"search"``, ``"revalidation"``, ``"evaluation"`` or ``"reproduction"``.
        run: Name of the run.
        total: Number of trainings, including those done before.
        epochs: Epochs of each training.
        workers: Maximum number of parallel trainings.
        done: Number of trainings done before.
        text: A description.
        records: The records so far.
        rejections: Number of candidates rejected so far, by reason.
        objective: Name of the objective of the run.
        plan: Titles and descriptions of the settings of the run; for a search.
        forecast: Forecast of the duration of the run; for a search.
    """

    name: str
    run: str
    total: int
    epochs: int
    workers: int = 1
    done: int = 0
    text: str = ""
    records: Sequence[Record] = ()
    rejections: Mapping[str, int] = field(default_factory=dict)
    plan: Sequence[tuple[str, str]] = ()
    objective: str = ACCURACY
    forecast: Forecast | None = None


class Callback:
    """Base class of callbacks, whose methods do nothing; override those you need.

    All methods are called in the thread that runs the study. A record is in the store before ``on_record`` is called.
    If a callback raises an error, the study ends; finished trainings are kept.
    """

    def on_stage_start(self, stage: Stage) -> None:
        """Called when a stage begins."""

    def on_trial_start(self, training: Training) -> None:
        """Called when a training begins."""

    def on_epoch(self, training: Training, number: int, epoch: Epoch) -> None:
        """Called when a training has finished an epoch, counted from 1."""

    def on_record(self, training: Training, record: Record, rejections: Mapping[str, int]) -> None:
        """Called with a new result, which may be reused from an earlier training.

        Args:
            training: The training.
            record: The result, which is in the store already.
            rejections: Number of candidates rejected so far in this search, by reason.
        """

    def on_stage_end(self, stage: Stage) -> None:
        """Called when a stage has ended, whether or not it was completed."""

    def on_note(self, text: str) -> None:
        """Called with a message for the user."""

    def on_decision(self, text: str) -> None:
        """Called with a sentence that names the winner of the revalidations and the reason."""

    def on_end(self, ending: Ending) -> None:
        """Called once when a study or a stage of it, a frontier, an evaluation or a reproduction has ended.

        It is also called if the work could not begin, because the data or another argument was refused.

        Args:
            ending: ``"finished"``, ``"exhausted"`` if the space has no more candidates, ``"time limit"``,
                ``"interrupted"`` by Ctrl-C, or ``"failed"`` if an error occurred.
        """


class Callbacks(Callback):
    """A callback that forwards every event to several callbacks."""

    def __init__(self, callbacks: Iterable[Callback] = ()) -> None:
        self.callbacks = tuple(callbacks)

    def on_stage_start(self, stage: Stage) -> None:
        with ExitStack() as started:
            for one in self.callbacks:
                one.on_stage_start(stage)
                # If another callback raises an error, the stage does not begin.
                started.callback(one.on_stage_end, stage)
            started.pop_all()

    def on_trial_start(self, training: Training) -> None:
        for one in self.callbacks:
            one.on_trial_start(training)

    def on_epoch(self, training: Training, number: int, epoch: Epoch) -> None:
        for one in self.callbacks:
            one.on_epoch(training, number, epoch)

    def on_record(self, training: Training, record: Record, rejections: Mapping[str, int]) -> None:
        for one in self.callbacks:
            one.on_record(training, record, rejections)

    def on_stage_end(self, stage: Stage) -> None:
        self._tell_all(lambda one: one.on_stage_end(stage))

    def on_note(self, text: str) -> None:
        for one in self.callbacks:
            one.on_note(text)

    def on_decision(self, text: str) -> None:
        for one in self.callbacks:
            one.on_decision(text)

    def on_end(self, ending: Ending) -> None:
        self._tell_all(lambda one: one.on_end(ending))

    def _tell_all(self, tell: Callable[[Callback], None]) -> None:
        """Tell each callback, even if others raise an error: it may hold a resource, such as the terminal."""
        with ExitStack() as told:
            for one in reversed(self.callbacks):
                told.callback(tell, one)
