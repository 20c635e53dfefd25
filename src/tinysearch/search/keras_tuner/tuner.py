"""The tuner of a search: KerasTuner's trials, several at a time, backed by the store."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras_tuner

from tinysearch.results.artifacts import BestModels
from tinysearch.results.record import Record
from tinysearch.search.keras_tuner.counted_trial import CountedTrial
from tinysearch.search.keras_tuner.hypermodel import SpaceHyperModel
from tinysearch.search.keras_tuner.oracle import ProposerOracle, values_of
from tinysearch.search.keras_tuner.replay import forget
from tinysearch.search.keras_tuner.saved_models import SavedModels
from tinysearch.search.proposer import Proposal


class BudgetTuner(SavedModels, keras_tuner.Tuner):
    """Runs the trials of a ``ProposerOracle``.

    KerasTuner's own loop runs one trial at a time, or many through a server of its own. This tuner hands its trials to
    a coordinator, which requests each with ``next`` and ends it with ``report``. The results are available as for any
    tuner: ``get_best_models``, ``get_best_hyperparameters``, ``results_summary``.

    Args:
        oracle: Proposes candidates.
        hypermodel: The search space, for KerasTuner; the proposer draws from it.
        models: The stored models of the best candidates.
        carry_out: Runs the trials of this tuner until none are left.
    """

    oracle: ProposerOracle

    def __init__(
        self,
        oracle: ProposerOracle,
        hypermodel: SpaceHyperModel,
        models: BestModels,
        carry_out: Callable[[BudgetTuner], None],
    ) -> None:
        self._nowhere = f"tinysearch-{uuid.uuid4().hex}"
        with _no_chief():
            super().__init__(oracle=oracle, hypermodel=hypermodel, overwrite=True)
        self._carry_out = carry_out
        self._under_way: dict[int, keras_tuner.engine.trial.Trial] = {}
        self._found: dict[str, Record] = {}
        self.model_of = lambda trial: models.path(self._found[trial.trial_id].key)

    @property
    def project_dir(self) -> str:
        """A folder that does not exist: KerasTuner looks there for an earlier search, and its files are not kept."""
        return self._nowhere

    def search(self, *fit_args: Any, **fit_kwargs: Any) -> None:
        """Run all trials.

        Raises:
            Exception: any error of a strategy, or one that ends the coordinator. A candidate that cannot be trained
                raises nothing; it becomes a failed record.
        """
        self.on_search_begin()
        try:
            self._carry_out(self)
        finally:
            forget(self.oracle)
        self.on_search_end()

    def run_trial(self, trial: keras_tuner.engine.trial.Trial, *fit_args: Any, **fit_kwargs: Any) -> None:
        """Raise an error: an executor trains.

        Raises:
            RuntimeError: always; this method is never called.
        """
        raise RuntimeError("a coordinator runs the trials, see search()")

    def next(self) -> Proposal | None:
        """Begin a trial and return its proposal, or None if there is none now.

        Raises:
            Exception: any error of the strategy.
        """
        trial = self.oracle.create_trial(f"{self.tuner_id}-{self.oracle.history.position}")
        if self.oracle.error is not None:
            raise self.oracle.error
        if trial.status != "RUNNING":
            return None
        self.on_trial_begin(trial)
        proposal = self.oracle.proposal(trial.trial_id)
        self._under_way[proposal.position] = trial
        return proposal

    def report(self, position: int, record: Record) -> None:
        """End the trial at a position with its record, which is safely stored.

        A trial whose candidate could not be trained has failed. Its status says so; after an exception, KerasTuner
        would print the traceback.
        """
        trial = self._under_way.pop(position)
        self.oracle.report(trial.trial_id, record)
        self.oracle.update_trial(trial.trial_id, {"val_accuracy": 0.0 if record.failed else record.score})
        trial.status = "FAILED" if record.failed else "COMPLETED"
        trial.message = record.measurement.failure
        self.on_trial_end(trial)
        # The values can be recomputed, and would take a third of the memory of a trial.
        trial.hyperparameters.values = {}
        self._found[trial.trial_id] = self.oracle.history.at(position)

    def _best(self, number: int) -> list[Any]:
        trials = super()._best(number)
        for trial in trials:
            trial.hyperparameters.values = values_of(self.oracle.proposer, self._found[trial.trial_id].architecture)
        return [CountedTrial(trial, self._found[trial.trial_id].params) for trial in trials]

    def _populate_initial_space(self) -> None:
        """Do nothing: the space is known, and a trial need not contain all of it."""

    def save(self) -> None:
        """Do nothing: only the store counts, KerasTuner's files are not kept."""


@contextmanager
def _no_chief() -> Iterator[None]:
    """Keep KerasTuner from connecting to a server of its own, whatever the environment variables."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("KERASTUNER_")}
    try:
        yield
    finally:
        os.environ.update(kept)
