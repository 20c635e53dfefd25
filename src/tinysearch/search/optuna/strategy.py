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
from tinysearch.search.optuna.study import PastTrial, StudyReplay, Translation, quiet
from tinysearch.search.strategies.outside import check_class_name, class_at
from tinysearch.search.strategies.random import RandomSearch
from tinysearch.search.strategies.repair import repaired
from tinysearch.search.strategies.strategy import Problem, Strategy
from tinysearch.training.candidate import Candidate

PREFIX = "optuna:"
# Those of Optuna 5 that can be made without arguments, and the package that one needs and Optuna does not bring along.
# What is new in later versions has an import path.
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

    A new study is made for each proposal, in memory, and the history is put into it (``StudyReplay``); it is not kept.
    Only what passed the constraint filter is a trial of it: the latest ``memory`` records, up to ``block`` more, and
    the best ``elite`` before them, so that the time of a proposal is bounded.

    A sampler begins with uniform draws, of which most cannot even be built and the others are poor networks. So until
    ``warm_up`` trials have a score, or a genetic sampler has its first population, ``RandomSearch`` draws from the
    prior. A sampler knows nothing of budgets either: what it asks for is repaired, see ``repaired``; if that fails or
    gives what is known, it is asked again, up to ``attempts`` times, and then ``RandomSearch`` draws. Nor does it know
    of recipes: where the recipe is tuned, it is drawn at random.

    Args:
        problem: Space, budget and recipe.
        name: ``"optuna:TPESampler"`` and so on, or ``"optuna:package.MySampler"``: any subclass of
            ``optuna.samplers.BaseSampler`` whose arguments have defaults; ``seed`` is given if it takes it.

    Raises:
        RunError: if there is no such sampler, or Optuna is not installed.
    """

    attempts = 5
    warm_up = 10
    memory = 200
    # The first record remembered moves on by so many at a time, lest every proposal begin the generations elsewhere.
    block = 100
    elite = 100

    def __init__(self, problem: Problem, name: str) -> None:
        super().__init__(problem)
        self.name = name
        self._class = sampler_class(name)
        self._random = RandomSearch.upper_budget(problem)
        population = getattr(self._sampler(np.random.default_rng(0)), "population_size", None)
        self._first = max(self.warm_up, population or 0)

    def propose(
        self, history: Sequence[Record], rng: np.random.Generator, pending: Sequence[Candidate] = ()
    ) -> Candidate:
        """Return a random candidate at first, then what the sampler asks for, repaired where it does not fit.

        Raises:
            RunError: if the sampler raises an error.
        """
        past = [*self._translation.ended(self._remembered(history)), *self._translation.pending(pending)]
        found = None
        if sum(trial.score is not None for trial in past) >= self._first:
            known = {record.key for record in history} | {candidate.key for candidate in pending}
            try:
                found = self._new(past, known, rng)
            except Exception as error:
                raise RunError(f"the sampler of {self.name!r} failed: {type(error).__name__}: {error}") from error
        return found or self._random.propose(history, rng)

    def _new(self, past: Sequence[PastTrial], known: Collection[str], rng: np.random.Generator) -> Candidate | None:
        """Return something new that the sampler asks for, or None if there is nothing in as many attempts as it has."""
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
        """Make a sampler, with those of our arguments that its class takes.

        Raises:
            RunError: if it needs other arguments, or a package that is not installed.
        """
        from optuna.exceptions import ExperimentalWarning

        offered = {"seed": int(rng.integers(2**31)), "constant_liar": True}
        takes = inspect.signature(self._class).parameters
        try:
            with quiet(), warnings.catch_warnings():
                # Which sampler it is was chosen; that its interface may change is our concern.
                warnings.simplefilter("ignore", ExperimentalWarning)
                return self._class(**{name: offered[name] for name in offered if name in takes})
        except Exception as error:
            raise RunError(f"the sampler of strategy {self.name!r} cannot be made: {error}") from error


def check_sampler_name(name: str) -> None:
    """Refuse a name that no sampler can have; whether one of one's own exists is not looked at.

    Raises:
        RunError: if the name is neither one of Optuna's nor like ``package.MySampler``.
    """
    check_class_name(name, PREFIX, SAMPLERS, "a sampler of Optuna", "package.MySampler")


def sampler_class(name: str) -> type[Any]:
    """Return the class of a sampler; this loads Optuna.

    Raises:
        RunError: if Optuna or what the sampler needs is not installed, or there is no such class, or it is no sampler.
    """
    check_sampler_name(name)
    if importlib.util.find_spec("optuna") is None:
        raise RunError(f"strategy {name!r} needs Optuna: pip install optuna")
    import optuna

    path = name.removeprefix(PREFIX)
    # Optuna notices when the sampler is first asked, which is after the first trainings.
    package = SAMPLERS.get(path)
    if package is not None and importlib.util.find_spec(package) is None:
        raise RunError(f"strategy {name!r} needs {package}: pip install {package}")
    if path in SAMPLERS:
        path = f"optuna.samplers.{path}"
    return class_at(path, optuna.samplers.BaseSampler, "optuna.samplers.BaseSampler", name, "sampler")
