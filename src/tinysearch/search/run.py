"""A run: settings, plan, and the loop that carries it out."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from tinysearch.errors import BudgetError, RunError
from tinysearch.results.leaderboard import best, by_score
from tinysearch.results.record import Epoch, Record
from tinysearch.results.store import Store
from tinysearch.search.datasets import Dataset
from tinysearch.search.proposer import Proposal, Proposer
from tinysearch.search.provenance import provenance
from tinysearch.search.quiet import load_tensorflow
from tinysearch.search.recipe import Recipe
from tinysearch.search.strategies import Problem, check_name, strategy
from tinysearch.search.workers import InProcessWorker, Job, Worker
from tinysearch.space.architecture import Architecture
from tinysearch.space.budget import Budget
from tinysearch.space.search_space import SearchSpace

Ending = Literal["finished", "exhausted", "time limit", "interrupted"]

KEPT_MODELS = 5
NARROW_DRAWS = 300
MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What decides the outcome of a run, together with the dataset.

    Args:
        budget: What a candidate may cost.
        recipe: How every candidate is trained.
        strategy: Name of the search strategy.
        trials: How many candidates to train, baselines not counted.
        seed: Seed of the proposals and of every training.
        baselines: Whether the documented models that fit are trained first.

    Raises:
        RunError: if trials or seed are out of range, or the strategy is unknown.
    """

    budget: Budget
    recipe: Recipe
    strategy: str = "evolution"
    trials: int = 20
    seed: int = 0
    baselines: bool = True

    def __post_init__(self) -> None:
        if self.trials < 0:
            raise RunError(f"a run has at least 0 trials, got {self.trials}")
        if not 0 <= self.seed < 2**31:
            raise RunError(f"a seed is a whole number from 0 to {2**31 - 1:,}, got {self.seed:,}")
        check_name(self.strategy)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunSettings:
        """Make settings of plain JSON values."""
        return cls(**{**data, "budget": Budget(**data["budget"]), "recipe": Recipe.from_dict(data["recipe"])})


class Watcher(Protocol):
    """Is told what happens in a run; shows it, or ignores it."""

    def on_start(self, proposal: Proposal) -> None: ...

    def on_epoch(self, number: int, epoch: Epoch) -> None: ...

    def on_record(self, record: Record, rejections: Mapping[str, int]) -> None: ...


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What came of a run: its records in order, why it ended, and what the filter rejected, by reason."""

    name: str
    records: tuple[Record, ...]
    ending: Ending
    rejections: Mapping[str, int]

    @property
    def best(self) -> Record | None:
        """The record with the highest validation accuracy, baselines included."""
        return best(self.records)


class SearchRun:
    """One run of a search, new or resumed.

    Args:
        store: Where records go, and where a resumed run finds what was trained before.
        name: Name of the run.
        settings: See ``RunSettings``.
        dataset: Images; only the training images are looked at.
        baselines: Documented models by name, trained first if the settings say so; strategies find them in the history.
            Those that do not fit the budget are left out.
        space: The search space; by default the one of ``tinysearch run`` for the dataset's task.
        resume: Continue the run of this name.
        worker: Where candidates are trained; by default in this process.
        time_limit: Seconds after which no trial is begun that is not expected to finish; None for no limit.

    Raises:
        BudgetError: if no member of the space is within the budget, as far as can be told.
        RunError: if the name is taken, or is to be resumed and unknown or differs in its settings.
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
        worker: Worker | None = None,
        time_limit: float | None = None,
    ) -> None:
        self.store = store
        self.name = name
        self.settings = settings
        self.dataset = dataset
        self.space = space or SearchSpace(dataset.task)
        self.worker = worker or InProcessWorker(dataset.training_data())
        self._time_limit = time_limit
        problem = Problem(self.space, settings.budget, settings.recipe)
        _check_reachable(problem)
        if resume:
            self._check_same(store)
            store.reopen(name, settings.to_dict())
        elif not name.strip() or len(name) > MAX_NAME or name.startswith("-"):
            raise RunError(f"the name of a run has 1 to {MAX_NAME} characters and begins with no '-', got {name!r}")
        else:
            store.create_run(name, dataset.name, dataset.fingerprint, settings.to_dict())
        self.history = [record for record in store.records(name) if record.purpose == "search"]
        fitting = {label: model for label, model in baselines.items() if problem.fits(model)}
        self.baselines = fitting if settings.baselines else {}
        self.proposer = Proposer(
            strategy(settings.strategy, problem),
            settings.seed,
            settings.trials,
            self.baselines,
            store.run(name).rejections,
        )

    @property
    def planned(self) -> int:
        """How many candidates the run trains in all, baselines included."""
        return self.settings.trials + len(self.baselines)

    def carry_out(self, watcher: Watcher) -> RunOutcome:
        """Train all candidates that are not in the store yet.

        Ctrl-C ends the trial at hand and is told by the outcome; everything trained before is in the store.

        Raises:
            StoreWriteError: if a result cannot be stored.
            CostMismatchError: if Keras and the arithmetic disagree.
        """
        began = time.monotonic()
        ending: Ending = "finished"

        def heed_time_limit() -> None:
            nonlocal ending
            if self._time_limit is None or not self.history or len(self.history) >= self.planned:
                return
            longest = max(record.measurement.train_seconds for record in self.history)
            if time.monotonic() - began + longest > self._time_limit:
                oracle.stopping = True
                ending = "time limit"

        def on_record(record: Record) -> None:
            watcher.on_record(record, self.proposer.rejections)
            heed_time_limit()

        try:
            load_tensorflow()
            from tinysearch.search.oracle import BudgetOracle
            from tinysearch.search.tuner import BudgetTuner

            oracle = BudgetOracle(self.proposer, self.history)
            heed_time_limit()
            tuner = BudgetTuner(
                oracle, self._train, on_start=watcher.on_start, on_epoch=watcher.on_epoch, on_record=on_record
            )
            tuner.search()
        except KeyboardInterrupt:
            ending = "interrupted"
        if self.proposer.exhausted:
            ending = "exhausted"
        if ending in ("finished", "exhausted"):
            self.store.finish(self.name, self.settings.to_dict(), self.proposer.rejections)
        return RunOutcome(self.name, tuple(self.history), ending, dict(self.proposer.rejections))

    def _train(self, proposal: Proposal, on_epoch: Any) -> Record:
        path = self.model_path(proposal.candidate.key)
        measurement = self.worker.train(Job(proposal.candidate, self.settings.seed, path), on_epoch)
        record = Record(
            run=self.name,
            key=proposal.candidate.key,
            name=proposal.name,
            origin=proposal.origin,
            purpose="search",
            trial=proposal.trial,
            seed=self.settings.seed,
            dataset=self.dataset.name,
            fingerprint=self.dataset.fingerprint,
            architecture=proposal.candidate.architecture,
            cost=proposal.cost,
            recipe=proposal.candidate.recipe.to_dict(),
            measurement=measurement,
            provenance=provenance(),
        )
        self.store.append(record, self.proposer.rejections)
        self._keep_best_models(record)
        return record

    def model_path(self, key: str) -> Path:
        """Return where the model of a candidate is saved, if it is among the best few."""
        return self.store.models_of(self.name) / f"{key}.keras"

    def _keep_best_models(self, latest: Record) -> None:
        for record in by_score([*self.history, latest])[KEPT_MODELS:]:
            self.model_path(record.key).unlink(missing_ok=True)

    def _check_same(self, store: Store) -> None:
        run = store.run(self.name)
        run.check_data(self.dataset.name, self.dataset.fingerprint)
        before = {**run.settings, "trials": self.settings.trials}
        now = self.settings.to_dict()
        for name, value in now.items():
            if before.get(name) != value:
                raise RunError(
                    f"run {self.name!r} was begun with {name} {before.get(name)!r}, now it is {value!r}; leave the "
                    f"option out to go on as it began, or start a new run with another --name"
                )


def _check_reachable(problem: Problem) -> None:
    """Refuse a budget that no architecture of the space meets, as far as many draws at their narrowest can tell."""
    space, budget = problem.space, problem.budget
    smallest = space.smallest()
    if smallest.params >= budget.params:
        raise BudgetError(
            f"no architecture of the search space is below the budget of {budget.params:,} parameters: the smallest "
            f"one has {smallest.params:,}; the budget must be above that"
        )
    if budget == Budget(budget.params):
        return
    rng = np.random.default_rng(0)
    costs = []
    for _ in range(NARROW_DRAWS):
        narrow = space.scaled_below(space.sample(rng), 0)
        found = space.cost(narrow)
        if found is not None:
            if budget.check(found).accepted:
                return
            costs.append(found)
    raise BudgetError(
        f"none of {NARROW_DRAWS:,} random architectures is within the budget, not even at its narrowest: the least of "
        f"them were {min(one.macs for one in costs):,} MACs and {min(one.peak_activation_bytes for one in costs):,} "
        f"bytes of activations; raise --max-macs or --max-memory above that"
    )
