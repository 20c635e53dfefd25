"""The results of a tuner whose trained models are stored in files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from tinysearch.errors import CandidateError
from tinysearch.runtime.backend import load_model


class SavedModels:
    """Methods of a tuner that return its results, based on complete saved models; a base class before ``Tuner``.

    KerasTuner rebuilds a trial's model and loads its weights, and adds failed trials to its lists if there are too few.
    Here a model is loaded as it was saved, and only completed trials are among the best.
    """

    oracle: Any
    #: Returns the path of the saved model of a trial.
    model_of: Callable[[Any], Path]

    def get_best_models(self, num_models: int = 1) -> list[keras.Model]:
        """Return the trained models of the best trials, the best first; fewer if fewer trials were completed.

        Raises:
            CandidateError: if one of the models was not kept.
        """
        return [self.load_model(trial) for trial in self._best(num_models)]

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[Any]:
        """Return the hyperparameters of the best trials, the best first; fewer if fewer trials were completed."""
        return [trial.hyperparameters for trial in self._best(num_trials)]

    def load_model(self, trial: Any) -> keras.Model:
        """Load the trained model of a trial.

        Raises:
            CandidateError: if it was not kept, or cannot be read.
        """
        path = self.model_of(trial)
        if not path.exists():
            raise CandidateError(
                f"the model of trial {trial.trial_id} is not at {path}: only those of the best trials are kept"
            )
        return load_model(path)

    def results_summary(self, num_trials: int = 10) -> None:
        """Print the best trials with their choices and scores, and the rejections if the oracle has any."""
        best = self._best(num_trials)
        lines = ["Results summary", f"Showing {len(best)} best trials", str(self.oracle.objective)]
        rejections = getattr(self.oracle, "rejections", None)
        if rejections:
            lines.append("Rejected: " + ", ".join(f"{number:,} ({reason})" for reason, number in rejections.items()))
        print("\n".join(lines))  # noqa: T201 (KerasTuner prints)
        for trial in best:
            print()  # noqa: T201
            trial.summary()

    def _best(self, number: int) -> list[Any]:
        return [trial for trial in self.oracle.get_best_trials(number) if trial.status == "COMPLETED"]
