"""A run of a search, new or resumed, with its lock, history and files."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from tinysearch.data.dataset import Dataset
from tinysearch.errors import DamagedError, RecipeError, RunError
from tinysearch.results.artifacts import BestModels
from tinysearch.results.lock import RunLock
from tinysearch.results.record import Record
from tinysearch.results.runs import check_name
from tinysearch.results.store import Store
from tinysearch.search.history import Known, TrialHistory
from tinysearch.search.plugins import NO_PLUGINS, Plugins
from tinysearch.search.proposer import Proposer
from tinysearch.search.reachable import check_reachable
from tinysearch.search.reuse import REUSE, Reuse
from tinysearch.search.settings import MAY_CHANGE, RunSettings, WarmStart
from tinysearch.search.strategies.registry import constraint, strategy
from tinysearch.search.strategies.strategy import Problem, begun_with, left_out, suited_to
from tinysearch.search.warm_start import learnt_from
from tinysearch.space.architecture import Architecture
from tinysearch.space.budget import Budget
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.job import Resources
from tinysearch.training.recipe import Recipe

MAX_NAME = 100


class SearchRun:
    """One run of a search, new or resumed. Its lock keeps other processes out until it is closed.

    ``SearchPlan`` runs its search, ``RevalidationPlan`` and ``EvaluationPlan`` the stages that follow.

    Args:
        store: Store that receives the records and has those of a resumed run.
        name: Name of the run.
        settings: See ``RunSettings``.
        dataset: Dataset, of which only the training images are used.
        baselines: Hand-designed baselines by name, trained first if the settings say so and part of the history.
            Those that exceed the limits or are not in the space are skipped.
        space: The search space; by default the one of ``tinysearch run`` for the dataset's task.
        resume: Whether to resume the run of this name.
        time_limit: Seconds after which all trainings are stopped; a trial that is not expected to finish in time is
            not started. None for no limit.
        reuse: Which identical trainings of other runs in the store are reused, see ``reusable``.
        memory_bytes: Memory limit of each training in bytes; None for no limit.
        plugins: The strategy and constraints that were given as values; others are loaded by their names.

    Raises:
        BudgetError: if no member of the space is within the limits, see ``check_reachable``.
        RunError: if the name is invalid or taken; if the run to resume is unknown, differs in its settings, or is in
            use by another process; or if a run to learn from is unknown or was made on other data.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        settings: RunSettings,
        dataset: Dataset,
        baselines: Mapping[str, Architecture],
        *,
        space: SearchSpace | None = None,
        resume: bool = False,
        time_limit: float | None = None,
        reuse: Reuse = "same",
        memory_bytes: int | None = None,
        plugins: Plugins = NO_PLUGINS,
    ) -> None:
        self.store = store
        self.memory_bytes = memory_bytes
        self.name = name
        self.resumed = resume
        self.settings = settings
        self.dataset = dataset
        self.space = space or SearchSpace(dataset.task)
        if reuse not in REUSE:
            raise RunError(f"`reuse=` is one of {', '.join(REUSE)}, got {reuse!r}")
        self.reuse = reuse
        self.until = None if time_limit is None else time.monotonic() + time_limit
        problem = self._problem(plugins)
        check_reachable(problem)
        fitting = self._fitting(baselines, problem)
        self.baselines = fitting if settings.baselines else {}
        self.skipped_baselines = [label for label in baselines if settings.baselines and label not in fitting]
        self.left_out = left_out(problem, settings.initial_candidates)
        self.proposer = self._proposer(problem, plugins)
        if not name.strip() or len(name) > MAX_NAME or name.startswith("-"):
            raise RunError(f"the name of a run has 1 to {MAX_NAME} characters and no '-' at the start, got {name!r}")
        check_name(name)
        self.lock = RunLock(store.folder_of(name), name)
        self.models = BestModels(store.folder_of(name))
        try:
            if resume:
                self._go_on()
            else:
                self._begin()
            lag = None if settings.schedule == "async" else settings.lag
            proposed = {position: Known(*known) for position, known in store.proposals(name).items()}
            self.history = TrialHistory(lag, self._stored(), proposed)
        except BaseException:
            self.lock.release()
            raise
        for record in self.history.records():
            self.models.add(record)

    def _problem(self, plugins: Plugins) -> Problem:
        """Return the problem that the strategy has to solve."""
        settings, images = self.settings, self.dataset.training_data()
        return Problem(
            self.space,
            settings.budget,
            settings.recipe,
            settings.tune_recipe,
            tuple(constraint(name, given) for name, given in plugins.constraints_of(settings)),
            augment_by_size=settings.augments_by_size,
            images=len(images.validation or ()) or Problem.images,
            budgets=settings.budgets,
        )

    def _fitting(self, baselines: Mapping[str, Architecture], problem: Problem) -> dict[str, Architecture]:
        """Return the hand-designed baselines that are within the limits and in the space, by name."""
        # A resumed run keeps its baselines, even if this version computes other costs.
        stored = self.store.summaries(self.name) if self.resumed and baselines else []
        before = {one.name for one in stored if one.origin == "baseline"}
        return {
            label: model
            for label, model in baselines.items()
            if (problem.fits(model) or label in before) and model in self.space
        }

    def _proposer(self, problem: Problem, plugins: Plugins) -> Proposer:
        """Return the proposer of the search.

        Raises:
            RunError: if a run to learn from is not in the store, or was made on other data.
        """
        settings = self.settings
        searcher = strategy(plugins.strategy_of(settings), problem)
        known = [record for one in settings.warm_start_trials for record in self._learnt_from(one)]
        learnt = [record for record in known if searcher.replicates or record.purpose == "search"]
        splits = {one.run: self.store.run(one.run).split for one in settings.warm_start_trials}
        given = (suited_to(problem, one) for one in settings.initial_candidates)
        return Proposer(
            searcher,
            settings.seed,
            settings.trials,
            self.baselines,
            # A user who gives initial candidates has already chosen among the known networks.
            [*given, *begun_with(searcher, settings.designs, () if settings.initial_candidates else known, splits)],
            prune=settings.prune,
            warm_start_trials=learnt,
        )

    def _begin(self) -> None:
        """Create the run in the store.

        Raises:
            RunError: if the store has a run of this name.
        """
        store, dataset = self.store, self.dataset
        if not store.has(self.name):
            self.models.clear()
        store.create_run(
            self.name, dataset.name, dataset.fingerprint, self.settings.to_dict(), dataset.read_from.to_dict()
        )

    def _go_on(self) -> None:
        """Update the settings and the data source of a resumed run in the store.

        Raises:
            RunError: if a setting differs that must not change.
        """
        store, name, settings = self.store, self.name, self.settings
        self._check_same()
        if settings.trials > store.run(name).settings.get("trials", 0):
            store.reopen(name)
        store.note_settings(name, settings.to_dict())
        if not self.dataset.read_from.in_memory:
            # The data may have been moved.
            store.note_source(name, self.dataset.read_from.to_dict())

    @property
    def resources(self) -> Resources:
        """Resources that each training of the run may use."""
        return Resources(self.settings.threads or 1, self.memory_bytes)

    @property
    def planned(self) -> int:
        """Total number of candidates that the search trains, baselines included."""
        return self.settings.trials + len(self.baselines)

    def __enter__(self) -> SearchRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def has_time(self, rounds: int, record: Record) -> bool:
        """Return whether the time suffices for this many rounds of trainings, each as long as that of a record."""
        return self.until is None or time.monotonic() + rounds * record.measurement.train_seconds < self.until

    def close(self) -> None:
        """Release the lock, so that another process may resume the run."""
        self.lock.release()

    def _stored(self) -> dict[int, Record]:
        """Return the records of the run's search by position.

        Raises:
            DamagedError: if one of them cannot be read.
        """
        records = self.store.records(self.name)
        for record in records:
            try:
                Recipe.from_dict(record.recipe)
            except RecipeError as error:
                raise DamagedError(
                    f"the record of {record.name} in run {self.name!r} is damaged ({error}), and all of them are "
                    f"needed to resume the run; begin a new one with another `name=`"
                ) from None
        return {record.position: record for record in records if record.position is not None}

    def _learnt_from(self, extent: WarmStart) -> list[Record]:
        """Return the records of another run to add to the history of the strategy.

        Raises:
            RunError: if that run is not in the store, or was made on other data.
        """
        self.store.run(extent.run).check_data(self.dataset.name, self.dataset.fingerprint)
        return learnt_from(self.store, extent, self.settings)

    def _check_same(self) -> None:
        run = self.store.run(self.name)
        run.check_data(self.dataset.name, self.dataset.fingerprint)
        may_change = {name: getattr(self.settings, name) for name in MAY_CHANGE}
        before = {**RunSettings.from_dict(run.settings).to_dict(), **may_change}
        for name, value in self.settings.to_dict().items():
            # Early versions wrote no threads.
            if name == "own_space" and before.get(name) != value:
                raise RunError(
                    f"run {self.name!r} was started with another search space; give the same SearchSpace to resume "
                    f"it, or start a new run with another `name=`"
                )
            if before.get(name) != value and not (name == "threads" and before[name] is None):
                then, now = _words(name, before.get(name), value)
                raise RunError(
                    f"run {self.name!r} was started with {then}, now it is {now}; give the old value to resume the "
                    f"run, or start a new one with another `name=`"
                )


def _words(name: str, before: Any, value: Any) -> tuple[str, str]:
    """Return two values of a setting in words; for recipes, the fields that differ.

    >>> _words("recipe", {"epochs": 2, "batch_size": 32}, {"epochs": 3, "batch_size": 32})
    ('epochs 2', 'epochs 3')
    """
    if name == "budget":
        then, now = (", ".join(Budget(**one).limits) for one in (before, value))
        return f"a budget of {then}", now
    if name == "recipe" and isinstance(before, Mapping):
        recipes = [Recipe.from_dict(one) for one in (before, value)]
        names = [one.name for one in dataclasses.fields(Recipe)]
        changed = [one for one in names if getattr(recipes[0], one) != getattr(recipes[1], one)]
        then, now = (", ".join(f"{one} {getattr(each, one)}" for one in changed) for each in recipes)
        return then, now
    if name == "warm_start_trials":
        then, now = (", ".join(one[0] for one in each) or "none" for each in (before, value))
        return f"warm_start {then}", now
    return f"{name} {before!r}", repr(value)
