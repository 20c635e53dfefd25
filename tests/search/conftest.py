"""A dataset and a worker that cost nothing, so that the search itself can be tested."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stand_ins import FakeWorker, Trainer

from tinysearch.baselines.models import architectures
from tinysearch.data.dataset import Dataset
from tinysearch.data.images import Images
from tinysearch.results.callback import Callback
from tinysearch.results.record import Epoch, Measurement, Record
from tinysearch.results.store import Store
from tinysearch.results.training import Training
from tinysearch.search.outcome import RunOutcome
from tinysearch.search.plugins import NO_PLUGINS, Plugins
from tinysearch.search.run import SearchRun
from tinysearch.search.settings import RunSettings
from tinysearch.search.stages import Stages
from tinysearch.search.strategies.strategy import Problem, Strategy
from tinysearch.space.architecture import Architecture
from tinysearch.space.budget import Budget
from tinysearch.space.cost import cost
from tinysearch.space.network_choices import network_choices
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.task import Task
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe, recipe
from tinysearch.workers.executor import Executor


def no_test_images() -> Images:
    raise AssertionError("the search asked for the test images")


@pytest.fixture
def dataset() -> Dataset:
    """Forty images of noise whose test images cannot be read."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (40, 28, 28, 1)).astype(np.uint8)
    labels = np.arange(40, dtype=np.int32) % 10
    return Dataset("noise", "a test", Task(), Images(pixels, labels), "0123456789abcdef", 255.0, None, no_test_images)


class Remembering(Callback):
    """A callback that remembers what it was told."""

    def __init__(self) -> None:
        self.started: list[Training] = []
        self.records: list[Record] = []

    def on_trial_start(self, training: Training) -> None:
        self.started.append(training)

    def on_record(self, training: Training, record: Record, rejections: Mapping[str, int]) -> None:
        self.records.append(record)


class Runner:
    """Carries out runs with a fake worker in one store."""

    def __init__(self, folder: Path, dataset: Dataset) -> None:
        self.store = Store(folder / "store.db", create=True)
        self.dataset = dataset
        self.workers = 1

    def prepare(
        self,
        name: str = "run",
        *,
        budget: int | Budget = 10_000,
        space: SearchSpace | None = None,
        resume: bool = False,
        time_limit: float | None = None,
        reuse: str = "none",
        documented: Mapping[str, Architecture] | None = None,
        workers: int = 1,
        memory_bytes: int | None = None,
        plugins: Plugins = NO_PLUGINS,
        **settings: Any,
    ) -> SearchRun:
        self.workers = workers
        settings.setdefault("lag", workers)
        return SearchRun(
            self.store,
            name,
            # The default takes longer to propose.
            RunSettings(
                budget if isinstance(budget, Budget) else Budget(budget),
                recipe("default"),
                **{"strategy": "evolution", **settings},
            ),
            self.dataset,
            architectures() if documented is None else documented,
            space=space,
            resume=resume,
            time_limit=time_limit,
            reuse=reuse,  # type: ignore[arg-type]
            memory_bytes=memory_bytes,
            plugins=plugins,
        )

    def carry_out(
        self, run: SearchRun, worker: Trainer | Executor | None = None, watcher: Callback | None = None
    ) -> RunOutcome:
        executor = worker if isinstance(worker, Executor) else (worker or FakeWorker()).executor(self.workers)
        return Stages(run, executor, watcher or Callback()).carry_out(("search",))

    def run(
        self,
        name: str = "run",
        *,
        worker: Trainer | Executor | None = None,
        watcher: Callback | None = None,
        **options: Any,
    ) -> RunOutcome:
        with self.prepare(name, **options) as run:
            return self.carry_out(run, worker, watcher)


@pytest.fixture
def runner(tmp_path: Path, dataset: Dataset) -> Runner:
    return Runner(tmp_path, dataset)


def measured(architecture: Architecture, score: float, trial: int | None = 0, how: Recipe | None = None) -> Record:
    """Make a record of an architecture with a validation accuracy."""
    candidate = Candidate(architecture, how or recipe("default"))
    return Record(
        run="run",
        key=candidate.key,
        name=candidate.key,
        origin="search",
        purpose="search",
        trial=trial,
        seed=0,
        dataset="noise",
        fingerprint="0",
        architecture=architecture,
        # As a run keeps it for its strategy.
        cost=replace(cost(architecture, Task()), layers=()),
        recipe=candidate.recipe.to_dict(),
        measurement=Measurement((Epoch(1.0, 0.5, 1.0, score, 0.1, 1.0),), 1.0),
    )


@pytest.fixture
def as_record() -> Callable[..., Record]:
    """Return a function that makes a record of an architecture, a score, a trial, and perhaps a recipe."""
    return measured


@pytest.fixture
def history() -> Callable[[int], list[Record]]:
    """Return a function that makes a history of any length of random architectures with random scores."""

    def make(length: int) -> list[Record]:
        rng = np.random.default_rng(length)
        space = SearchSpace()
        return [measured(space.sample(rng), float(rng.random()), trial) for trial in range(length)]

    return make


@pytest.fixture
def watcher() -> Remembering:
    return Remembering()


@pytest.fixture
def pointwise() -> Callable[[int, int], SearchSpace]:
    """Return a function that makes a space of one pointwise convolution whose filters are in a range."""

    def make(low: int, high: int) -> SearchSpace:
        tree = network_choices(
            depth=(1, 1),
            filters=(low, high),
            kinds={"conv": 1},
            kernels={"1x1": 1},
            strides={1: 1},
            paddings={"same": 1},
            activations={"relu": 1},
            norms={"none": 1},
            biases={False: 1},
            repeats={1: 1},
            shortcuts={False: 1},
            poolings={"none": 1},
            dropouts={0.0: 1},
            head_poolings={"average": 1},
            hidden={0: 1},
        )
        return SearchSpace(tree=tree)

    return make


@pytest.fixture
def problem() -> Callable[..., Problem]:
    """Return a function that makes a problem: the default space and recipe, unless told otherwise."""

    def make(
        budget: int = 10_000, *, epochs: int = 10, space: SearchSpace | None = None, tune_recipe: bool = False
    ) -> Problem:
        return Problem(space or SearchSpace(), Budget(budget), Recipe(epochs=epochs), tune_recipe)

    return make


@pytest.fixture(scope="session")
def small() -> SearchSpace:
    """A space that KerasTuner walks quickly."""
    tree = network_choices(depth=(1, 4), kinds={"conv": 1, "separable": 1, "depthwise": 1}, repeats={1: 3, 2: 1})
    return SearchSpace(tree=tree)


@pytest.fixture
def proposals(as_record: Callable[..., Record]) -> Callable[..., list[Candidate]]:
    """Return a function that runs a strategy as a search does, with scores that are made of the trial's number."""

    def run(strategy: Strategy, trials: int, past: Sequence[Record] = (), asks: int = 300) -> list[Candidate]:
        problem = strategy.problem
        history = list(past)
        known = {record.key for record in history}
        accepted: list[Candidate] = []
        for trial in range(trials):
            rng = np.random.default_rng([0, trial])
            for _ in range(asks):
                candidate = strategy.propose(history, rng)
                if problem.fits(candidate.architecture) and candidate.key not in known:
                    break
            else:
                raise AssertionError(f"nothing new within the budget in {asks} asks for trial {trial}")
            known.add(candidate.key)
            accepted.append(candidate)
            score = 0.5 + 0.4 * (trial * 7 % 11) / 11
            history.append(as_record(candidate.architecture, score, trial, candidate.recipe))
        return accepted

    return run
