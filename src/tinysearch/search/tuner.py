"""The tuner: KerasTuner's loop over trials, with the store as its memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

import keras_tuner

from tinysearch.results.record import Epoch, Record
from tinysearch.search.oracle import BudgetOracle
from tinysearch.search.proposer import Proposal

Train = Callable[[Proposal, Callable[[int, Epoch], None]], Record]


class BudgetTuner(keras_tuner.Tuner):
    """Runs the trials of a ``BudgetOracle``.

    Args:
        oracle: Proposes candidates.
        train: Trains a proposal and returns its record once the record is safely stored.
        on_start: Called with each proposal before it is trained.
        on_epoch: Called with the number and the measurements of each epoch.
        on_record: Called with each record and the oracle's proposer after it is stored.
    """

    oracle: BudgetOracle

    def __init__(
        self,
        oracle: BudgetOracle,
        train: Train,
        *,
        on_start: Callable[[Proposal], None],
        on_epoch: Callable[[int, Epoch], None],
        on_record: Callable[[Record], None],
    ) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="tinysearch-")
        super().__init__(oracle=oracle, directory=self._scratch.name, project_name="scratch", overwrite=True)
        self._train = train
        self._on_start = on_start
        self._on_epoch = on_epoch
        self._on_record = on_record

    def search(self, *fit_args: Any, **fit_kwargs: Any) -> None:
        """Run all trials.

        Raises:
            Exception: whatever a strategy, the worker, the store or a watcher raises. A candidate that cannot be
                trained raises nothing: it is a record with a failure.
        """
        try:
            super().search(*fit_args, **fit_kwargs)
        except keras_tuner.errors.FatalError as error:
            raise error.__cause__ or error from None
        finally:
            self._scratch.cleanup()
        if self.oracle.error is not None:
            raise self.oracle.error

    def run_trial(self, trial: keras_tuner.engine.trial.Trial, *fit_args: Any, **fit_kwargs: Any) -> dict[str, float]:
        """Train the trial's candidate and return the metrics of its last epoch."""
        proposal = self.oracle.proposal(trial.trial_id)
        try:
            self._on_start(proposal)
            record = self._train(proposal, self._on_epoch)
            self.oracle.told(record)
            self._on_record(record)
        except Exception as error:
            # KerasTuner would take it for a failure of this one trial, swallow it and go on.
            raise keras_tuner.errors.FatalError(str(error)) from error
        return {"val_accuracy": 0.0 if record.failed else record.score}

    def on_trial_end(self, trial: keras_tuner.engine.trial.Trial) -> None:
        """End a trial; one whose candidate could not be trained has failed.

        It is noted here and not by an exception, of which KerasTuner would print the traceback.
        """
        record = self.oracle.history[-1]
        if record.failed:
            trial.status = "FAILED"
            trial.message = record.measurement.failure
        super().on_trial_end(trial)

    def save(self) -> None:
        """Do nothing: the store is the truth, KerasTuner's files are not kept."""
