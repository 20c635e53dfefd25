"""Callbacks: what is notified while a study is carried out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tinysearch.results.forecast import Forecast
from tinysearch.results.record import ACCURACY, Epoch, Record
from tinysearch.results.training import Training

Ending = Literal["finished", "exhausted", "time limit", "interrupted"]


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the work: the search of a run, a round of revalidations, an evaluation, a reproduction.

    Args:
        name: ``"search"``, ``"revalidation"``, ``"evaluation"`` or ``"reproduction"``.
        run: Name of the run.
        total: How many trainings there are to be, those done before included.
        epochs: Epochs of each training.
        workers: How many trainings there may be at a time.
        done: How many were done before.
        text: What is about to happen, in words.
        records: What is known already.
        rejections: What the filter has rejected before, by reason.
        objective: Name of what the run searches for.
        plan: Titles and words of what the run is to do; for a search.
        forecast: How long the run takes; for a search.
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
    """Is notified of what happens, and does nothing; a callback of one's own overrides what it wants to hear of.

    All methods are called in the thread that carries out the study. A record is in the store before ``on_record`` is
    called. An error that a callback raises ends the work, with everything kept that was finished.
    """

    def on_stage_start(self, stage: Stage) -> None:
        """Take note that a part of the work begins."""

    def on_trial_start(self, training: Training) -> None:
        """Take note that a training begins."""

    def on_epoch(self, training: Training, number: int, epoch: Epoch) -> None:
        """Take note that a training has finished an epoch, counted from 1."""

    def on_record(self, training: Training, record: Record, rejections: Mapping[str, int]) -> None:
        """Take note of a result, which may have been known before.

        Args:
            training: What was to be trained.
            record: What was measured, and stored.
            rejections: What the filter has rejected so far in this search, by reason.
        """

    def on_stage_end(self, stage: Stage) -> None:
        """Take note that a part of the work is over, however it ended."""

    def on_note(self, text: str) -> None:
        """Take note of something that the user should know, in a sentence."""

    def on_decision(self, text: str) -> None:
        """Take note of who has won the revalidations and why, in a sentence."""

    def on_end(self, ending: Ending) -> None:
        """Take note that all work is over."""


class Callbacks(Callback):
    """Several callbacks as one."""

    def __init__(self, callbacks: Iterable[Callback] = ()) -> None:
        self.callbacks = tuple(callbacks)

    def on_stage_start(self, stage: Stage) -> None:
        for one in self.callbacks:
            one.on_stage_start(stage)

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
        for one in self.callbacks:
            one.on_stage_end(stage)

    def on_note(self, text: str) -> None:
        for one in self.callbacks:
            one.on_note(text)

    def on_decision(self, text: str) -> None:
        for one in self.callbacks:
            one.on_decision(text)

    def on_end(self, ending: Ending) -> None:
        for one in self.callbacks:
            one.on_end(ending)
