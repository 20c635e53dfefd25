"""Any oracle of KerasTuner as a strategy."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tinysearch.errors import RunError, SpaceError
from tinysearch.results.record import Record
from tinysearch.runtime.backend import load_keras_tuner
from tinysearch.search.keras_tuner.replay import OracleReplay
from tinysearch.search.strategies.outside import check_class_name, class_at
from tinysearch.search.strategies.random import RandomSearch
from tinysearch.search.strategies.repair import repaired
from tinysearch.search.strategies.strategy import Problem, Strategy
from tinysearch.training.candidate import Candidate

PREFIX = "keras-tuner:"
ORACLES = ("BayesianOptimization", "GridSearch", "Hyperband", "RandomSearch")


class KerasTunerOracle(Strategy):
    """An oracle of KerasTuner (O'Malley et al., 2019) that walks the space as declared to KerasTuner.

    Each proposal makes a new oracle and replays the history to it (``OracleReplay``); the oracle is not kept. If it
    sets ``"tuner/epochs"``, as Hyperband does (Li et al., 2018), the candidate is trained for that number of epochs,
    from new weights.

    An oracle does not know the budget, and most of its uniform draws cannot be built. So its suggestion is repaired,
    see ``repaired``. If that fails or gives a known candidate, the oracle is asked again. After ``attempts``
    suggestions, or if the oracle is exhausted or waits for a result, ``RandomSearch`` draws the architecture. An oracle
    does not know recipes: if the recipe is tuned, it is drawn at random.

    Args:
        problem: Space, budget and recipe.
        name: ``"keras-tuner:Hyperband"`` and so on, or ``"keras-tuner:package.MyOracle"``: any subclass of
            ``keras_tuner.Oracle`` whose other arguments have defaults.

    Raises:
        RunError: if the oracle does not exist.
    """

    attempts = 5

    def __init__(self, problem: Problem, name: str) -> None:
        super().__init__(problem)
        self.name = name
        self._class = oracle_class(name)
        self._random = RandomSearch.upper_budget(problem)

    def propose(
        self, history: Sequence[Record], rng: np.random.Generator, pending: Sequence[Candidate] = ()
    ) -> Candidate:
        """Return the suggestion of the oracle, repaired if it is over the budget or cannot be built.

        Raises:
            RunError: if the oracle raises an error.
        """
        known = {record.key for record in history} | {candidate.key for candidate in pending}
        epochs = self.problem.recipe.epochs
        try:
            with OracleReplay(self._oracle(rng), self.problem.space) as replay:
                replay.replay(history, pending)
                for _ in range(self.attempts):
                    values = replay.ask()
                    if values is None:
                        break
                    asked = values.get("tuner/epochs", self.problem.recipe.epochs)
                    epochs = min(max(1, int(asked)), self.problem.recipe.epochs)
                    candidate = self._candidate(values, epochs, rng)
                    if candidate is not None and candidate.key not in known:
                        return candidate
        except Exception as error:
            raise RunError(f"the oracle of {self.name!r} failed: {type(error).__name__}: {error}") from error
        return _trained_for(self._random.propose(history, rng), epochs)

    def _candidate(self, values: Mapping[str, Any], epochs: int, rng: np.random.Generator) -> Candidate | None:
        try:
            asked = self.problem.space.decode(values)
        except SpaceError:
            return None
        found = repaired(asked, self.problem)
        return None if found is None else _trained_for(self.problem.new_candidate(found, rng), epochs)

    @functools.cached_property
    def _hyperparameters(self) -> Any:
        """The space as declared to KerasTuner. Its copies share the declarations, because copying those takes 0.1 s."""
        import keras_tuner

        hyperparameters = self.problem.space.hyperparameters()

        def copy() -> Any:
            twin = keras_tuner.HyperParameters()
            twin._hps, twin._space, twin.values = hyperparameters._hps, hyperparameters._space, {}
            return twin

        hyperparameters.copy = copy
        return hyperparameters

    def _oracle(self, rng: np.random.Generator) -> Any:
        """Make an oracle with those of the available arguments that its class accepts."""
        import keras_tuner

        offered = {
            "objective": keras_tuner.Objective("val_accuracy", direction="max"),
            "hyperparameters": self._hyperparameters,
            # KerasTuner takes 0 as no seed.
            "seed": int(rng.integers(1, 2**31)),
            "max_trials": None,
            "max_consecutive_failed_trials": sys.maxsize,
            "max_epochs": self.problem.recipe.epochs,
            "hyperband_iterations": None,
        }
        return self._class(**{name: offered[name] for name in offered if name in _arguments(self._class)})


def _trained_for(candidate: Candidate, epochs: int) -> Candidate:
    return replace(candidate, recipe=replace(candidate.recipe, epochs=epochs))


def check_oracle_name(name: str) -> None:
    """Raise an error if a name can be no oracle; whether a user's oracle exists is not checked.

    Raises:
        RunError: if the name is neither an oracle of KerasTuner nor of the form ``package.MyOracle``.
    """
    check_class_name(name, PREFIX, ORACLES, "an oracle of KerasTuner", "package.MyOracle")


def oracle_class(name: str) -> type[Any]:
    """Return the class of an oracle; loads KerasTuner.

    Raises:
        RunError: if the class does not exist or is not an oracle.
    """
    check_oracle_name(name)
    load_keras_tuner()
    import keras_tuner

    path = name.removeprefix(PREFIX)
    if path in ORACLES:
        path = f"keras_tuner.oracles.{path}Oracle"
    return class_at(path, keras_tuner.Oracle, "keras_tuner.Oracle", name, "oracle")


def _arguments(oracle: type[Any]) -> set[str]:
    """Return the names of the arguments of a class, including those that it passes on to its base classes."""
    names: set[str] = set()
    for each in oracle.__mro__:
        if "__init__" not in vars(each):
            continue
        parameters = inspect.signature(vars(each)["__init__"]).parameters.values()
        names |= {parameter.name for parameter in parameters}
        if all(parameter.kind is not inspect.Parameter.VAR_KEYWORD for parameter in parameters):
            break
    return names
