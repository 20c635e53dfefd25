"""A wrapper around an oracle of KerasTuner, as a base for changes of its behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras_tuner

from tinysearch.search.keras_tuner.locks import released_after_errors

Values = dict[str, Any]


class WrappedOracle(keras_tuner.Oracle):
    """Forwards everything to another oracle: method calls, reads of attributes and assignments to attributes.

    KerasTuner's own constructor is not called, because the wrapped oracle has all that it would set. ``_OWN`` names the
    attributes of the wrapper itself.
    """

    _OWN: tuple[str, ...] = ("oracle",)
    oracle: keras_tuner.Oracle

    def __getattr__(self, name: str) -> Any:
        if name in type(self)._OWN:
            raise AttributeError(name)
        return getattr(self.oracle, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in type(self)._OWN:
            object.__setattr__(self, name, value)
        else:
            setattr(self.oracle, name, value)

    def populate_space(self, trial_id: str) -> Values:
        response: Values = self.oracle.populate_space(trial_id)
        return response

    def score_trial(self, trial: keras_tuner.engine.trial.Trial) -> None:
        self.oracle.score_trial(trial)

    def update_trial(self, trial_id: str, metrics: Mapping[str, float], step: int = 0) -> Any:
        """Report metrics of a trial."""
        with released_after_errors(self.oracle):
            return self.oracle.update_trial(trial_id, metrics, step=step)

    def end_trial(self, trial: keras_tuner.engine.trial.Trial, *old_arguments: Any, **arguments: Any) -> None:
        """End a trial."""
        with released_after_errors(self.oracle):
            self.oracle.end_trial(trial, *old_arguments, **arguments)

    def get_space(self) -> keras_tuner.HyperParameters:
        return self.oracle.get_space()

    def update_space(self, hyperparameters: keras_tuner.HyperParameters) -> None:
        self.oracle.update_space(hyperparameters)

    def get_trial(self, trial_id: str) -> keras_tuner.engine.trial.Trial:
        return self.oracle.get_trial(trial_id)

    def get_best_trials(self, num_trials: int = 1) -> list[keras_tuner.engine.trial.Trial]:
        found: list[keras_tuner.engine.trial.Trial] = self.oracle.get_best_trials(num_trials)
        return found

    def remaining_trials(self) -> int | None:
        left: int | None = self.oracle.remaining_trials()
        return left

    def get_state(self) -> Values:
        state: Values = self.oracle.get_state()
        return state

    def set_state(self, state: Values) -> None:
        self.oracle.set_state(state)

    def _set_project_dir(self, directory: str, project_name: str) -> None:
        self.oracle._set_project_dir(directory, project_name)
