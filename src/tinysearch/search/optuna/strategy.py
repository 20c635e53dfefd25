"""Any sampler of Optuna as a strategy."""

from __future__ import annotations

import functools
import heapq
import importlib
import importlib.util
import inspect
import math
import warnings
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from tinysearch.errors import RunError, ShapeError, SpaceError
from tinysearch.results.record import Record
from tinysearch.search.optuna.study import PastTrial, StudyReplay, Translation, decides_by_trials, quiet
from tinysearch.search.strategies.outside import check_class_name, class_at
from tinysearch.search.strategies.random import RandomSearch
from tinysearch.search.strategies.repair import repaired
from tinysearch.search.strategies.strategy import Problem, Strategy
from tinysearch.training.candidate import Candidate

PREFIX = "optuna:"
# The samplers of Optuna 5 that need no arguments, and the package that one needs and Optuna does not install.
# Samplers of later versions are named by their import paths.
SAMPLERS = {
    "BruteForceSampler": None,
    "CmaEsSampler": "cmaes",
    "GPSampler": "torch",
    "NSGAIIISampler": None,
    "NSGAIISampler": None,
    "QMCSampler": None,
    "RandomSampler": None,
    "TPESampler": None,
}


class OptunaSampler(Strategy):
    """A sampler of Optuna (Akiba et al., 2019) that walks the space define-by-run.

    Each proposal makes a new study in memory and adds the history to it (``StudyReplay``); the study is not kept. Its
    trials are only those that passed the constraint filter: the latest ``memory`` records, up to ``block`` more, and
    the best ``elite`` before them, so that the time of a proposal is bounded.

    A sampler begins with uniform draws, most of which cannot be built, while the others are poor networks. So
    ``RandomSearch`` draws from the prior until the number of trials with a score reaches ``warm_up`` and, for a genetic
    sampler, the size of its first population. A sampler does not know the budget either: its suggestion is repaired,
    see ``repaired``. If that fails or gives a known candidate, it is asked again. After ``attempts`` suggestions,
    ``RandomSearch`` draws. A sampler does not know recipes: if the recipe is tuned, it is drawn at random.

    Args:
        problem: Space, budget and recipe.
        name: ``"optuna:TPESampler"`` and so on, or ``"optuna:package.MySampler"``: any subclass of
            ``optuna.samplers.BaseSampler`` whose arguments have defaults. It receives ``seed`` if it accepts that.

    Raises:
        RunError: if the sampler does not exist, or Optuna is not installed.
    """

    attempts = 5
    warm_up = 10
    memory = 200
    # The first remembered record advances in steps of this size, so that generations do not shift with every proposal.
    block = 100
    elite = 100

    def __init__(self, problem: Problem, name: str) -> None:
        super().__init__(problem)
        self.name = name
        self._class = sampler_class(name)
        self._random = RandomSearch.upper_budget(problem)
        sampler = self._sampler(np.random.default_rng(0))
        self._forgets = decides_by_trials(sampler)
        population = getattr(sampler, "population_size", None)
        self._first = max(self.warm_up, population or 0)

    def propose(
        self, history: Sequence[Record], rng: np.random.Generator, pending: Sequence[Candidate] = ()
    ) -> Candidate:
        """Return a random candidate at first, then the suggestion of the sampler, repaired if it does not fit.

        Raises:
            RunError: if the sampler raises an error.
        """
        remembered = self._remembered(history) if self._forgets else history
        past = [*self._translation.ended(remembered), *self._translation.pending(pending)]
        found = None
        if sum(trial.score is not None for trial in past) >= self._first:
            known = {record.key for record in history} | {candidate.key for candidate in pending}
            try:
                found = self._new(past, known, rng)
            except Exception as error:
                raise RunError(f"the sampler of {self.name!r} failed: {type(error).__name__}: {error}") from error
        return found or self._random.propose(history, rng)

    def _new(self, past: Sequence[PastTrial], known: Collection[str], rng: np.random.Generator) -> Candidate | None:
        """Return a new candidate that the sampler suggests, or None if all ``attempts`` fail."""
        with quiet():
            study = StudyReplay(self._sampler(rng), self._translation)
            study.replay(past)
            for _ in range(self.attempts):
                candidate = self._asked(study, rng)
                if candidate is not None and candidate.key not in known:
                    return candidate
        return None

    def _asked(self, study: StudyReplay, rng: np.random.Generator) -> Candidate | None:
        try:
            asked = study.ask()
        except (ShapeError, SpaceError):
            return None
        found = repaired(asked, self.problem)
        return None if found is None else self.problem.new_candidate(found, rng)

    def _remembered(self, history: Sequence[Record]) -> list[Record]:
        start = max(0, len(history) - self.memory) // self.block * self.block
        older = (record for record in history[:start] if math.isfinite(record.score))
        return [*heapq.nlargest(self.elite, older, key=lambda record: record.score), *history[start:]]

    @functools.cached_property
    def _translation(self) -> Translation:
        return Translation(self.problem.space)

    def _sampler(self, rng: np.random.Generator) -> Any:
        """Make a sampler with those of the available arguments that its class accepts.

        Raises:
            RunError: if it needs other arguments, or a package that is not installed.
        """
        from optuna.exceptions import ExperimentalWarning

        offered = {"seed": int(rng.integers(2**31)), "constant_liar": True}
        takes = inspect.signature(self._class).parameters
        try:
            with quiet(), warnings.catch_warnings():
                # The user chose the sampler; tinysearch deals with changes of its experimental interface.
                warnings.simplefilter("ignore", ExperimentalWarning)
                return self._class(**{name: offered[name] for name in offered if name in takes})
        except Exception as error:
            raise RunError(f"the sampler of strategy {self.name!r} cannot be made: {error}") from error


def check_sampler_name(name: str) -> None:
    """Raise an error if a name can be no sampler; whether a user's sampler exists is not checked.

    Raises:
        RunError: if the name is neither a sampler of Optuna nor of the form ``package.MySampler``.
    """
    check_class_name(name, PREFIX, SAMPLERS, "a sampler of Optuna", "package.MySampler")


def sampler_class(name: str) -> type[Any]:
    """Return the class of a sampler; loads Optuna.

    Raises:
        RunError: if Optuna or a package that the sampler needs is not installed, or the class does not exist or is not
            a sampler.
    """
    check_sampler_name(name)
    if importlib.util.find_spec("optuna") is None:
        raise RunError(f"strategy {name!r} needs Optuna: pip install optuna")
    import optuna

    path = name.removeprefix(PREFIX)
    # Optuna would raise an error only when the sampler is first asked, after the first trainings.
    package = SAMPLERS.get(path)
    if package is not None and importlib.util.find_spec(package) is None:
        raise RunError(f"strategy {name!r} needs {package}: pip install {package}")
    if path in SAMPLERS:
        path = f"optuna.samplers.{path}"
    return class_at(path, optuna.samplers.BaseSampler, "optuna.samplers.BaseSampler", name, "sampler")
