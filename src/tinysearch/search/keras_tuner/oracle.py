"""The oracle: KerasTuner's interface to a ``Proposer``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import keras_tuner

from tinysearch.results.record import Record
from tinysearch.search.history import TrialHistory
from tinysearch.search.proposer import Exhausted, Proposal, Proposer
from tinysearch.space.architecture import Architecture


class ProposerOracle(keras_tuner.Oracle):
    """An oracle that gives KerasTuner's loop only new candidates within the budget.

    It avoids failures of KerasTuner's own oracles (see ``docs/decisions/0004-keras-tuner.md``): an oversized candidate
    never becomes a trial, failures never abort the search, a seed of 0 is a seed, nothing is stored in JSON files, and
    no exception escapes while KerasTuner holds its lock.

    Args:
        proposer: Decides which candidate is next.
        history: The proposals and their records.
        may_begin: Returns whether another trial may begin.
    """

    def __init__(self, proposer: Proposer, history: TrialHistory, may_begin: Callable[[], bool]) -> None:
        super().__init__(
            objective=keras_tuner.Objective("val_accuracy", direction="max"),
            # KerasTuner takes 0 as no seed and then draws one from the global generator.
            seed=proposer.seed or 1,
            max_consecutive_failed_trials=sys.maxsize,
        )
        self.seed = proposer.seed
        self.verbose = 0
        self.proposer = proposer
        self.history = history
        self.error: Exception | None = None
        self.exhausted: Exhausted | None = None
        self._may_begin = may_begin
        self._proposals: dict[str, Proposal] = {}

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Return the choices of the next proposal, or a status: none for now (idle), or no more at all (stopped)."""
        try:
            if self.exhausted is not None:
                return {"status": "STOPPED"}
            if not self.history.open:
                return {"status": "IDLE"}
            proposal = self.proposer.next(self.history) if self._may_begin() else None
            if isinstance(proposal, Exhausted):
                self.exhausted = proposal
                self.history.rejections.update(proposal.rejections)
            if not isinstance(proposal, Proposal):
                return {"status": "STOPPED"}
            self.history.propose(proposal.candidate, proposal.rejections)
            self._proposals[trial_id] = proposal
            return {"status": "RUNNING", "values": values_of(self.proposer, proposal.candidate.architecture)}
        except Exception as error:
            # KerasTuner calls this method while holding a lock, which an exception would leave locked forever.
            self.error = error
            return {"status": "STOPPED"}

    def proposal(self, trial_id: str) -> Proposal:
        """Return the proposal of a trial."""
        return self._proposals[trial_id]

    def report(self, trial_id: str, record: Record) -> None:
        """Add a record that is safely stored to the history."""
        self.history.record(self._proposals.pop(trial_id).position, record)

    def score_trial(self, trial: keras_tuner.engine.trial.Trial) -> None:
        """Score a trial by its last epoch, the only one that the tuner reports."""
        trial.score = trial.metrics.get_last_value(self.objective.name)
        trial.best_step = 0

    @property
    def rejections(self) -> Mapping[str, int]:
        """Number of candidates that the filter rejected, by reason."""
        return self.history.rejections

    def save(self) -> None:
        """Do nothing: only the store counts, KerasTuner's files are not kept."""

    def _check_consecutive_failures(self) -> None:
        """Do nothing: the limit cannot be reached, and KerasTuner counts by going through all trials after each one."""

    def _save_trial(self, trial: keras_tuner.engine.trial.Trial) -> None:
        """Do nothing, see ``save``."""


def values_of(proposer: Proposer, architecture: Architecture) -> dict[str, Any]:
    """Return the choices of an architecture as KerasTuner names and values."""
    space = proposer.strategy.problem.space
    return space.encode(architecture) if architecture in space else {"architecture": architecture.key}
