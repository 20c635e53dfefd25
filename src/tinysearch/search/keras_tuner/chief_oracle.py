"""An oracle whose errors end KerasTuner's distributed search."""

from __future__ import annotations

import os

import keras_tuner

from tinysearch.errors import BudgetError
from tinysearch.search.keras_tuner.wrapped_oracle import Values, WrappedOracle


class ChiefOracle(WrappedOracle):
    """Ends a chief and its workers if no trial can be created.

    A chief answers its workers in a thread, and waits until one of them was told to stop, so an error in this thread
    would not end it. Instead, the worker is told to stop, and the error is raised when the chief then reads the ongoing
    trials.
    """

    _OWN: tuple[str, ...] = (*WrappedOracle._OWN, "_error")
    _error: Exception | None = None

    def stopped_by(self, error: Exception) -> keras_tuner.engine.trial.Trial:
        """Return the trial that tells a worker to stop, and store the error, with which the chief then ends.

        Raises:
            Exception: the error, if this process is not a chief.
        """
        if "KERASTUNER_ORACLE_IP" not in os.environ or "chief" not in os.environ.get("KERASTUNER_TUNER_ID", ""):
            raise error
        self._error = error
        return keras_tuner.engine.trial.Trial(self.oracle.get_space(), status="STOPPED")

    @property
    def ongoing_trials(self) -> Values:
        """The running trials, by tuner.

        Raises:
            BudgetError: if no trial could be created for a worker.
        """
        if isinstance(self._error, BudgetError):
            raise self._error
        if self._error is not None:
            kind = type(self._error).__name__
            raise BudgetError(f"no trial could be created: {kind}: {self._error}") from self._error
        ongoing: Values = self.oracle.ongoing_trials
        return ongoing
