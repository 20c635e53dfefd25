"""The functions behind ``import tinysearch``: they wire the rooms together.

The rooms are imported by the functions and not by the module, so that ``import tinysearch`` costs next to nothing.
"""

from __future__ import annotations

import dataclasses
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinysearch.errors import NoTestImagesError, RunError, TinySearchError

if TYPE_CHECKING:
    import keras

    from tinysearch.data.datasets import Dataset, TrainingData
    from tinysearch.results.leaderboard import Leaderboard
    from tinysearch.results.record import Epoch, Record, Run
    from tinysearch.results.store import Store
    from tinysearch.search.coordinator import RunOutcome
    from tinysearch.search.proposer import Proposal
    from tinysearch.search.retraining import Retraining, RetrainingWatcher
    from tinysearch.search.run import SearchRun
    from tinysearch.search.settings import RunSettings
    from tinysearch.space.architecture import Architecture
    from tinysearch.space.budget import Budget
    from tinysearch.space.task import Task
    from tinysearch.workers.local.processes import WorkerProcesses

DEFAULT_BUDGET = 10_000
STALL_LIMIT = 1_800.0


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """One trained candidate.

    Args:
        record: What was measured, with all that is needed to repeat it.
        task: Shape of the images and number of classes it was trained for.
        model_path: Where the trained model was saved, if it is among the best few of its run or was evaluated.
        revalidations: Validation accuracies of its trainings with other images held out; leaders have some.
        test_accuracies: Fractions, one for each seed that it was retrained with on all training images; the winner has
            some, if it was to be evaluated.
    """

    record: Record
    task: Task
    model_path: Path
    revalidations: tuple[float, ...] = ()
    test_accuracies: tuple[float, ...] = ()

    @property
    def architecture(self) -> Architecture:
        """The network as a value."""
        return self.record.architecture

    @property
    def params(self) -> int:
        """Total parameters, moving statistics included."""
        return self.record.cost.params

    @property
    def val_accuracy(self) -> float | None:
        """Validation accuracy of the last epoch, a fraction; the mean where there are revalidations."""
        found = self.record.measurement.val_accuracy
        return None if found is None else statistics.fmean((found, *self.revalidations))

    def build(self) -> keras.Model:
        """Build the network with fresh weights, for raw pixels scaled by the caller; shape as ``task`` says."""
        from tinysearch.space.keras_builder import build
        from tinysearch.training.recipe import Recipe

        return build(self.architecture, self.task, norm_momentum=Recipe.from_dict(self.record.recipe).norm_momentum)

    def load(self) -> keras.Model:
        """Load the trained network; it takes raw pixels.

        Raises:
            RunError: if it was not among the best few of its run, whose models are kept.
        """
        import keras

        if not self.model_path.exists():
            raise RunError(f"the trained model of {self.record.key} was not kept at {self.model_path}; train it again")
        return keras.saving.load_model(self.model_path)


@dataclasses.dataclass(frozen=True, slots=True)
class SearchResult:
    """What came of a search.

    Args:
        outcome: How it ended, and its records.
        leaderboard: Its ranked rows.
        results: Its candidates, best first.
        problem: Why the winner could not be evaluated, where it was to be and there are test images.
    """

    outcome: RunOutcome
    leaderboard: Leaderboard
    results: tuple[Result, ...]
    problem: TinySearchError | None = None

    @property
    def best(self) -> Result:
        """The candidate with the highest validation accuracy, baselines included.

        Raises:
            RunError: if nothing could be trained.
        """
        if not self.results:
            raise RunError(f"run {self.outcome.name!r} trained no candidate")
        return self.results[0]


class Silent:
    """A watcher that shows nothing."""

    def on_start(self, proposal: Proposal) -> None:
        """Ignore it."""

    def on_epoch(self, position: int, number: int, epoch: Epoch) -> None:
        """Ignore it."""

    def on_record(self, position: int, record: Record, rejections: Mapping[str, int]) -> None:
        """Ignore it."""


def run(
    budget: int | Budget = DEFAULT_BUDGET,
    *,
    dataset: str = "auto",
    data: Path | str | None = None,
    trials: int = 20,
    epochs: int = 10,
    strategy: str = "bayesian",
    seed: int = 0,
    baselines: bool = True,
    workers: int | None = None,
    evaluate: int = 3,
    folds: int = 3,
    space: Mapping[str, Any] | None = None,
    tune_recipe: bool = False,
    prune: bool = False,
    name: str | None = None,
    store: Path | str | None = None,
) -> SearchResult:
    """Search for the best network below a budget.

    Args:
        budget: Bound on total parameters; a candidate at or above it is rejected.
        dataset: ``"auto"``, ``"mnist"``, ``"fashion_mnist"``, ``"digits"`` or the path of an ``.npz`` file.
        data: An ``.npz`` file with the dataset.
        trials: Candidates to train, baselines not counted.
        epochs: Epochs for every candidate.
        strategy: ``"bayesian"``, ``"evolution"``, ``"halving"``, ``"random"`` or ``"keras-tuner:<oracle>"``.
        seed: Seed of everything random.
        baselines: Train the hand-designed baselines first.
        workers: How many candidates to train at a time, each in a process of its own; by default one per core.
        evaluate: With how many seeds to retrain the winner on all training images and score it on the test images, if
            the dataset has any; 0 for not at all.
        folds: How many trainings, each with another fold of the training images held out, the winner must lead by
            the mean of before it is evaluated; 1 for the one of the search.
        space: What narrows the search space, as in a space file: ``{"depth": [1, 6], "kinds": ["conv"]}``.
        tune_recipe: Search rate, batch size, augmentation and other knobs of training with the architecture.
        prune: Stop candidates early that fall behind those before them.
        name: Name of the run; by default made of dataset and budget.
        store: Where records go; by default ``$TINYSEARCH_STORE`` or ``runs/tinysearch.db``.

    Raises:
        InputError: if something given cannot be used.
        WorkError: if something fails while working.
        KeyboardInterrupt: on Ctrl-C; what was trained before is in the store.
    """
    from tinysearch.results.leaderboard import by_score, rank
    from tinysearch.results.store import Store, default_path
    from tinysearch.search.evaluation import best_of
    from tinysearch.space.budget import Budget

    bound = budget if isinstance(budget, Budget) else Budget(budget)
    settings = {
        "budget": bound.params,
        "max_macs": bound.macs,
        "max_memory": bound.peak_activation_bytes,
        "max_weight_bytes": bound.int8_weight_bytes,
        "trials": trials,
        "epochs": epochs,
        "strategy": strategy,
        "seed": seed,
        "baselines": baselines,
        "evaluate": evaluate,
        "folds": folds,
        "space": space or {},
        "tune_recipe": tune_recipe,
        "prune": prune,
        **({} if workers is None else {"workers": workers}),
    }
    path = Path(store) if store is not None else default_path()
    problem: TinySearchError | None = None
    with Store(path, create=True) as opened:
        opened_run = open_run(opened, settings, dataset=dataset, data=None if data is None else Path(data), name=name)
        outcome = opened_run.carry_out(Silent())
        if outcome.ending == "interrupted":
            raise KeyboardInterrupt
        if opened_run.evaluates(outcome):
            revalidate_leader(opened_run)
            planned = best_of(opened, opened_run.name, opened_run.dataset, 1, range(evaluate))
            try:
                evaluate_planned(opened, planned, opened_run.dataset, workers=opened_run.settings.workers)
            except NoTestImagesError:
                pass
            except TinySearchError as error:
                problem = error
        records = opened.records(opened_run.name)
    revalidated: dict[str, list[float]] = {}
    tested: dict[str, list[float]] = {}
    for record in records:
        if record.purpose == "revalidation" and record.measurement.val_accuracy is not None:
            revalidated.setdefault(record.key, []).append(record.measurement.val_accuracy)
        elif record.test_accuracy is not None:
            tested.setdefault(record.key, []).append(record.test_accuracy)
    results = tuple(
        Result(
            record,
            opened_run.dataset.task,
            _kept(opened_run, record),
            tuple(revalidated.get(record.key, ())),
            tuple(tested.get(record.key, ())),
        )
        for record in by_score(record for record in records if not record.failed)
    )
    return SearchResult(outcome, rank(records), results, problem)


def open_run(
    store: Store,
    given: Mapping[str, Any],
    *,
    dataset: str | Dataset = "auto",
    data: Path | None = None,
    name: str | None = None,
    resume: bool = False,
    time_limit: float | None = None,
    retrain: bool = False,
    stall_limit: float = STALL_LIMIT,
    worker_memory: int | None = None,
) -> SearchRun:
    """Prepare a run, new or resumed, from loosely given settings.

    Args:
        store: Where records go.
        given: Any of budget, trials, epochs, strategy, seed, recipe, baselines, workers, evaluate, folds, starts,
            space, tune_recipe, prune, learn_from (names of runs), max_macs, max_memory and max_weight_bytes. What is
            left out has its default, or in a resumed run the value that the run began with.
        dataset, data: See ``load``; or a dataset that is loaded.
        name: Name of the run; a new run without one gets a free name, ``--resume`` without one takes the latest run.
        resume: Continue a run.
        time_limit: Seconds.
        retrain: Train again what other runs in the store have trained identically.
        stall_limit: Seconds without a finished epoch after which a training is given up.
        worker_memory: Bytes of memory that each worker process may have.

    Raises:
        InputError: if something given cannot be used.
    """
    from tinysearch.baselines.models import architectures
    from tinysearch.data.datasets import load
    from tinysearch.search.run import SearchRun
    from tinysearch.search.settings import RunSettings
    from tinysearch.space.search_space import SearchSpace
    from tinysearch.space.space_file import tree_of

    before = None
    if resume:
        run = store.run(name) if name is not None else _latest(store)
        if "trials" not in run.settings:
            raise RunError(f"run {run.name!r} is no search and cannot be resumed; begin a search without --resume")
        name, before = run.name, RunSettings.from_dict(run.settings)
    if "learn_from" in given:
        given = {**given, "warm_start_trials": tuple((name, _searched(store, name)) for name in given["learn_from"])}
    settings = _settings(given, before)
    images = load(dataset, data) if isinstance(dataset, str) else dataset
    space = SearchSpace(images.task, tree_of(settings.space, settings.budget.params))
    worker = worker_on(images.training_data(), settings.workers, stall_limit, worker_memory)
    while True:
        chosen = name if name is not None else _free_name(store, images, settings.budget)
        try:
            return SearchRun(
                store,
                chosen,
                settings,
                images,
                architectures(),
                worker,
                space=space,
                resume=resume,
                time_limit=time_limit,
                retrain=retrain,
            )
        except RunError:
            # Another process may have taken the name at the same moment.
            if name is not None or _free_name(store, images, settings.budget) == chosen:
                raise


def worker_on(
    data: TrainingData, count: int, stall_limit: float = STALL_LIMIT, memory: int | None = None
) -> WorkerProcesses:
    """Return what trains ``count`` candidates at a time on some images, each with its share of the cores."""
    from tinysearch.runtime.cores import threads_of_each
    from tinysearch.workers.local.processes import WorkerProcesses

    return WorkerProcesses(data, threads=threads_of_each(count), memory_bytes=memory, stall_seconds=stall_limit)


def revalidate_leader(
    run: SearchRun,
    *,
    shown: Callable[[Sequence[Retraining]], AbstractContextManager[RetrainingWatcher]] | None = None,
    stall_limit: float = STALL_LIMIT,
    worker_memory: int | None = None,
) -> None:
    """Train the leaders of a search again, with other images held out, until one has led often enough.

    Args:
        run: Was carried out.
        shown: Returns what shows a round of trainings; None for nothing.
        stall_limit: Seconds without a finished epoch after which a training is given up.
        worker_memory: Bytes of memory that each worker process may have.

    Raises:
        StoreWriteError: if a result cannot be stored.
        WorkerError: if nothing can be trained.
        KeyboardInterrupt: on Ctrl-C; what was trained before is in the store.
    """
    from tinysearch.results.leaderboard import best
    from tinysearch.search.retraining import RetrainingWatcher
    from tinysearch.search.revalidation import next_round, revalidate

    while True:
        records = run.store.records(run.name)
        planned, leader = next_round(records, run.settings), best(records)
        if not planned or leader is None or not run.has_time(1, leader):
            return
        worker = worker_on(run.dataset.training_data(), len(planned), stall_limit, worker_memory)
        with nullcontext(RetrainingWatcher()) if shown is None else shown(planned) as watcher:
            revalidate(run.store, planned, run.dataset, worker, watcher)


def evaluate_planned(
    store: Store,
    planned: Sequence[Retraining],
    dataset: Dataset,
    *,
    workers: int,
    watcher: RetrainingWatcher | None = None,
    stall_limit: float = STALL_LIMIT,
    worker_memory: int | None = None,
) -> list[Record]:
    """Retrain candidates on all training images, and score them on the test images.

    What was evaluated before is taken from the store.

    Args:
        store: Has the runs.
        planned: See ``best_of``.
        dataset: What the runs were made on.
        workers: How many trainings at a time.
        watcher: Is notified of what happens; None for nobody.
        stall_limit: Seconds without a finished epoch after which a training is given up.
        worker_memory: Bytes of memory that each worker process may have.

    Raises:
        RunError: if a run was evaluated on other test images, or is being carried out by another process.
        DatasetError: if the dataset has no test images that can be used.
        TrainingError: if a training fails.
    """
    from tinysearch.search.evaluation import evaluate
    from tinysearch.search.retraining import RetrainingWatcher

    size = max(1, min(workers, len(planned)))
    worker = worker_on(dataset.all_training_data(), size, stall_limit, worker_memory)
    return evaluate(store, planned, dataset, worker, size, watcher or RetrainingWatcher())


def _settings(given: Mapping[str, Any], before: RunSettings | None) -> RunSettings:
    from tinysearch.runtime.cores import default_workers
    from tinysearch.search.settings import RunSettings
    from tinysearch.space.budget import Budget
    from tinysearch.training.recipe import recipe

    bound = Budget(given.get("budget", DEFAULT_BUDGET))
    base = before or RunSettings(bound, recipe("default"), workers=given.get("workers") or default_workers())
    budget = dataclasses.replace(
        base.budget,
        params=given.get("budget", base.budget.params),
        macs=given.get("max_macs", base.budget.macs),
        peak_activation_bytes=given.get("max_memory", base.budget.peak_activation_bytes),
        int8_weight_bytes=given.get("max_weight_bytes", base.budget.int8_weight_bytes),
    )
    how = recipe(given["recipe"], epochs=base.recipe.epochs) if "recipe" in given else base.recipe
    how = dataclasses.replace(how, epochs=given.get("epochs", how.epochs))
    names = (
        *(
            "trials",
            "strategy",
            "seed",
            "baselines",
            "workers",
            "evaluate",
            "folds",
            "initial_candidates",
            "space",
            "tune_recipe",
        ),
        *("prune", "warm_start_trials"),
    )
    same = {name: given[name] for name in names if name in given}
    return dataclasses.replace(base, budget=budget, recipe=how, **same)


def _kept(run: SearchRun, record: Record) -> Path:
    """Return where the trained model of a candidate is: that of its search, or else of its first evaluation."""
    from tinysearch.results.artifacts import evaluated

    path = run.models.path(record.key)
    first = evaluated(run.store.folder_of(run.name), record.key, 0)
    return first if first.exists() and not path.exists() else path


def _searched(store: Store, name: str) -> int:
    """Return how many of a run's first positions have records; what comes after a gap may not be there for ever."""
    store.run(name)
    positions = {record.position for record in store.records(name)}
    return next(count for count in range(len(positions) + 1) if count not in positions)


def _latest(store: Store) -> Run:
    searches = [run for run in store.runs() if "trials" in run.settings]
    if not searches:
        raise RunError(f"the store {store.path} has no run to resume; begin one without --resume")
    return searches[-1]


def _free_name(store: Store, dataset: Dataset, budget: Budget) -> str:
    taken = {run.name for run in store.runs()}
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", dataset.name).strip("-.")[:60] or "data"
    number = 1
    while (name := f"{stem}-{budget.params}-{number}") in taken:
        number += 1
    return name
