"""The tuner: KerasTuner's trials, several at a time, with the store as their memory."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras_tuner

from tinysearch.results.record import Record
from tinysearch.search.keras_tuner.oracle import ProposerOracle
from tinysearch.search.keras_tuner.replay import forget
from tinysearch.search.proposer import Proposal


class BudgetTuner(keras_tuner.Tuner):
    """Runs the trials of a ``ProposerOracle``.

    KerasTuner's own loop runs one trial at a time, or many by a server of its own; this one begins as many as the
    oracle allows and ends them as they are done.

    Args:
        oracle: Proposes candidates.
        begin: Begins to train a proposal; returns its record if that is known at once.
        wait: Waits for a training that was begun; returns its position and its record, which is safely stored.
    """

    oracle: ProposerOracle

    def __init__(
        self,
        oracle: ProposerOracle,
        begin: Callable[[Proposal], Record | None],
        wait: Callable[[], tuple[int, Record]],
    ) -> None:
        self._nowhere = f"tinysearch-{uuid.uuid4().hex}"
        with _no_chief():
            super().__init__(oracle=oracle, overwrite=True)
        self._begin = begin
        self._wait = wait

    @property
    def project_dir(self) -> str:
        """A folder that does not exist: KerasTuner looks there for an earlier search, and no file of its is kept."""
        return self._nowhere

    def search(self, *fit_args: Any, **fit_kwargs: Any) -> None:
        """Run all trials.

        Raises:
            Exception: whatever a strategy, ``begin`` or ``wait`` raises. A candidate that cannot be trained raises
                nothing: it is a record with a failure.
        """
        self.on_search_begin()
        under_way: dict[int, keras_tuner.engine.trial.Trial] = {}
        try:
            while True:
                self._begin_trials(under_way)
                if not under_way:
                    break
                position, record = self._wait()
                self._end_trial(under_way.pop(position), record)
        finally:
            forget(self.oracle)
        if self.oracle.error is not None:
            raise self.oracle.error
        self.on_search_end()

    def run_trial(self, trial: keras_tuner.engine.trial.Trial, *fit_args: Any, **fit_kwargs: Any) -> Record | None:
        """Begin a trial; return its record if that is known at once."""
        return self._begin(self.oracle.proposal(trial.trial_id))

    def save(self) -> None:
        """Do nothing: the store is the truth, KerasTuner's files are not kept."""

    def _begin_trials(self, under_way: dict[int, keras_tuner.engine.trial.Trial]) -> None:
        while True:
            trial = self.oracle.create_trial(f"{self.tuner_id}-{self.oracle.history.position}")
            if trial.status != "RUNNING":
                return
            self.on_trial_begin(trial)
            record = self.run_trial(trial)
            if record is None:
                under_way[self.oracle.proposal(trial.trial_id).position] = trial
            else:
                self._end_trial(trial, record)

    def _end_trial(self, trial: keras_tuner.engine.trial.Trial, record: Record) -> None:
        """End a trial; one whose candidate could not be trained has failed.

        That is noted here and not by an exception, of which KerasTuner would print the traceback.
        """
        self.oracle.report(trial.trial_id, record)
        self.oracle.update_trial(trial.trial_id, {"val_accuracy": 0.0 if record.failed else record.score})
        trial.status = "FAILED" if record.failed else "COMPLETED"
        trial.message = record.measurement.failure
        self.on_trial_end(trial)


@contextmanager
def _no_chief() -> Iterator[None]:
    """Keep KerasTuner from looking for a server of its own, however the environment is set."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("KERASTUNER_")}
    try:
        yield
    finally:
        os.environ.update(kept)
