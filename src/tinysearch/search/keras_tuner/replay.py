"""Replay of a run's history to a new oracle of KerasTuner."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from tinysearch.errors import SpaceError
from tinysearch.results.record import Record
from tinysearch.space.architecture import Architecture
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.candidate import Candidate

RETRIES = 5


@dataclass(frozen=True, slots=True)
class _Trial:
    """One trial: its choices, its epochs, and its score, which is None if the trial failed or is pending."""

    values: Mapping[str, Any]
    epochs: Any
    score: float | None


class OracleReplay:
    """Replays the history of a run to a new oracle, and asks it for new trials.

    KerasTuner's random search and Bayesian optimization decide by the existing trials, so these are simply added,
    baselines included. Every other oracle keeps state of its own in ``create_trial`` and ``end_trial``, so everything
    is replayed from the beginning: it creates each trial, receives the choices that were actually trained, and is
    notified of the end after as many further trials as in the run. If it requests a trial with other epochs than were
    trained, the trial is reported as failed, and the oracle is asked again, as in the run.

    The oracle writes no files, prints nothing, and leaves no lock behind. Architectures that are not members of the
    space are left out.

    Args:
        oracle: A new oracle, which is modified.
        space: Translates between architectures and hyperparameters.
    """

    def __init__(self, oracle: Any, space: SearchSpace) -> None:
        self._oracle = oracle
        self._space = space
        self._asked: Any = None

    def __enter__(self) -> OracleReplay:
        oracle = self._oracle
        oracle.verbose = 0
        oracle.max_trials = None
        oracle.max_retries_per_trial = 0
        oracle.max_consecutive_failed_trials = sys.maxsize
        oracle.save = lambda: None
        oracle._save_trial = lambda trial: None
        # The whole space was declared at once, so trials add nothing to it.
        oracle.update_space = lambda hyperparameters: None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        forget(self._oracle)

    def replay(self, history: Sequence[Record], pending: Sequence[Candidate]) -> None:
        """Add the trained and the pending candidates to the oracle; call it once, before ``ask``."""
        from keras_tuner import oracles

        at_once = type(self._oracle) in (oracles.RandomSearchOracle, oracles.BayesianOptimizationOracle)
        ended = [
            _Trial(values, record.recipe.get("epochs"), record.score if math.isfinite(record.score) else None)
            for record in history
            if (at_once or record.origin == "search") and (values := self._values(record.architecture)) is not None
        ]
        running = [
            _Trial(values, candidate.recipe.epochs, None)
            for candidate in pending
            if (values := self._values(candidate.architecture)) is not None
        ]
        if at_once:
            for past in ended:
                self._put(past)
            for past in running:
                trial = self._put(past)
                trial.status = "RUNNING"
                self._oracle.ongoing_trials[trial.trial_id] = trial
        else:
            self._repeat([*ended, *running], len(running))

    def ask(self) -> dict[str, Any] | None:
        """Return the choices of the next trial, or None if there is none now; the previous one counts as failed."""
        if self._asked is not None:
            self._fail(self._asked)
        self._asked = self._oracle.create_trial("asking")
        if self._asked.status != "RUNNING":
            self._asked = None
            return None
        return dict(self._asked.hyperparameters.values)

    def _values(self, architecture: Architecture) -> dict[str, Any] | None:
        try:
            return self._space.encode(architecture)
        except SpaceError:
            return None

    def _put(self, past: _Trial) -> Any:
        """Add a trial that the oracle did not create itself."""
        from keras_tuner.engine.trial import Trial

        oracle = self._oracle
        hyperparameters = oracle.get_space()
        hyperparameters.values = dict(past.values)
        identity = f"{len(oracle.trials):04d}"
        trial = Trial(hyperparameters, identity, "FAILED" if past.score is None else "COMPLETED")
        trial.score = past.score
        oracle.trials[identity] = trial
        oracle.start_order.append(identity)
        return trial

    def _repeat(self, past: Sequence[_Trial], lag: int) -> None:
        # Known candidates are detected elsewhere, and this method is slow in a large space.
        self._oracle._record_values = lambda trial: None
        trials: list[Any] = []
        for index, each in enumerate(past):
            if index > lag:
                self._end(trials[index - lag - 1], past[index - lag - 1])
            trials.append(self._begin(each, f"worker {index}"))
        if len(past) > lag:
            self._end(trials[len(past) - lag - 1], past[len(past) - lag - 1])
        del self._oracle._record_values

    def _begin(self, past: _Trial, tuner: str) -> Any:
        """Let the oracle create a trial, and replace its choices by those that were actually trained."""
        self._oracle._random_values = lambda: dict(past.values)
        try:
            for _ in range(RETRIES):
                trial = self._oracle.create_trial(tuner)
                if trial.status != "RUNNING":
                    break
                values = trial.hyperparameters.values
                if values.get("tuner/epochs", past.epochs) == past.epochs:
                    own = {name: value for name, value in values.items() if name.startswith("tuner/")}
                    trial.hyperparameters.values = {**past.values, **own}
                    return trial
                self._fail(trial)
        finally:
            del self._oracle._random_values
        self._put(past)
        return None

    def _end(self, trial: Any, past: _Trial) -> None:
        if trial is None:
            return
        if past.score is None:
            self._fail(trial)
            return
        self._oracle.update_trial(trial.trial_id, {self._oracle.objective.name: past.score})
        trial.status = "COMPLETED"
        self._oracle.end_trial(trial)

    def _fail(self, trial: Any) -> None:
        trial.status = "FAILED"
        self._oracle.end_trial(trial)


def forget(oracle: Any) -> None:
    """Remove an oracle from KerasTuner's tables of locks, which otherwise keep every oracle ever created."""
    import keras_tuner

    module = inspect.getmodule(keras_tuner.Oracle)
    for name in ("LOCKS", "THREADS"):
        getattr(module, name, {}).pop(oracle, None)
