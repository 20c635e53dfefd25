"""A KerasTuner trial whose summary includes the size of its model."""

from __future__ import annotations

import keras_tuner


class CountedTrial(keras_tuner.engine.trial.Trial):
    """A trial as a tuner shows it: the same hyperparameters, metrics and score, and the number of parameters.

    Args:
        trial: The trial.
        params: Total parameters of its model.
    """

    def __init__(self, trial: keras_tuner.engine.trial.Trial, params: int) -> None:
        super().__init__(trial.hyperparameters, trial.trial_id, trial.status, trial.message)
        self.metrics, self.score, self.best_step = trial.metrics, trial.score, trial.best_step
        self.params = params

    def summary(self) -> None:
        """Print the trial as KerasTuner does, and its parameters."""
        super().summary()
        print(f"Parameters: {self.params:,}")  # noqa: T201 (KerasTuner prints)
