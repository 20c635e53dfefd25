"""The functions behind ``import tinysearch``: they wire the rooms together.

The rooms are imported by the functions and not by the module, so that ``import tinysearch`` costs next to nothing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tinysearch.errors import InputError, RunError, TinySearchError

if TYPE_CHECKING:
    import keras

    from tinysearch.data.dataset import Dataset, TrainingData
    from tinysearch.data.readers.reader import Reading
    from tinysearch.results.leaderboard import Leaderboard
    from tinysearch.results.ranking import Standing
    from tinysearch.results.record import Measurement, Record, Run
    from tinysearch.results.store import Store
    from tinysearch.search.coordinator import RunOutcome
    from tinysearch.search.retraining import Retraining, RetrainingWatcher
    from tinysearch.search.reuse import Reuse
    from tinysearch.search.run import SearchRun
    from tinysearch.search.settings import RunSettings
    from tinysearch.search.stages import Display
    from tinysearch.space.architecture import Architecture
    from tinysearch.space.budget import Budget
    from tinysearch.space.task import Task
    from tinysearch.training.candidate import Candidate
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
        val_accuracy: Validation accuracy of the last epoch, a fraction; the mean where there are revalidations.
        revalidations: Validation accuracies of its trainings with other images held out; leaders have some.
        test_accuracies: Fractions, one for each seed that it was retrained with on all training images; the winner has
            some, if it was to be evaluated.
    """

    record: Record
    task: Task
    model_path: Path
    val_accuracy: float | None = None
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

    def build(self) -> keras.Model:
        """Build the network with fresh weights, for raw pixels scaled by the caller; shape as ``task`` says."""
        from tinysearch.runtime.backend import load_keras
        from tinysearch.training.recipe import Recipe

        load_keras()
        from tinysearch.space.keras_builder import build

        return build(self.architecture, self.task, norm_momentum=Recipe.from_dict(self.record.recipe).norm_momentum)

    def load(self) -> keras.Model:
        """Load the trained network; it takes raw pixels.

        Raises:
            RunError: if it was not among the best few of its run, whose models are kept.
        """
        from tinysearch.runtime.backend import load_keras

        if not self.model_path.exists():
            raise RunError(f"the trained model of {self.record.key} was not kept at {self.model_path}; train it again")
        load_keras()
        import keras

        return keras.saving.load_model(self.model_path)


@dataclasses.dataclass(frozen=True, slots=True)
class SearchResult:
    """What came of a search.

    Args:
        outcome: How it ended, and its records.
        leaderboard: Its ranked rows.
        results: Its candidates in the order of the leaderboard, the best first.
        problem: Why the winner could not be revalidated or evaluated; None if nothing went wrong.
    """

    outcome: RunOutcome
    leaderboard: Leaderboard
    results: tuple[Result, ...]
    problem: TinySearchError | None = None

    @property
    def best(self) -> Result:
        """The first candidate of the leaderboard, baselines included.

        Raises:
            RunError: if nothing could be trained.
        """
        if not self.results:
            raise RunError(f"run {self.outcome.name!r} trained no candidate")
        return self.results[0]


def run(
    budget: int | Budget = DEFAULT_BUDGET,
    *,
    dataset: Any = "auto",
    data: Any = None,
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
    augment: str | Path | Mapping[str, float] | None = None,
    class_weight: Literal["none", "balanced"] = "none",
    prune: bool = False,
    reuse: Reuse = "same",
    name: str | None = None,
    store: Path | str | None = None,
) -> SearchResult:
    """Search for the best network below a budget.

    Args:
        budget: Bound on total parameters; a candidate at or above it is rejected.
        dataset: ``"auto"``, ``"mnist"``, ``"fashion_mnist"``, ``"cifar10"``, ``"cifar100"`` or ``"digits"``.
        data: A file, a folder of pictures, ``(x, y)``, ``((x, y), (x_test, y_test))``, ``(train, validation, test)`` or
            a ``tf.data.Dataset``, see ``docs/data.md``.
        trials: Candidates to train, baselines not counted.
        epochs: Epochs for every candidate.
        strategy: ``"bayesian"``, ``"evolution"``, ``"halving"``, ``"random"`` or ``"keras-tuner:<oracle>"``.
        seed: Seed of everything random.
        baselines: Train the hand-designed baselines first.
        workers: How many candidates to train at a time, each in a process of its own; by default one per core, up to 8
            and as many as there is memory for.
        evaluate: With how many seeds to retrain the winner on all training images and score it on the test images, if
            the dataset has any; 0 for not at all.
        folds: How many trainings, each with another fold of the training images held out, the winner must lead by
            the mean of before it is evaluated; 1 for the one of the search.
        space: What narrows the search space, as in a space file: ``{"format": 2, "depth": "1..6", "kinds": ["conv"]}``.
            Without a format, lists of sizes are ranges, as in format 1, and a ``FutureWarning`` shows the new form.
        tune_recipe: Search rate, batch size, augmentation and other knobs of training with the architecture.
        augment: ``"auto"`` compares a few augmentations by short trainings before the search; ``"none"``; a JSON file
            or a mapping with amounts, ``{"mirroring": 0.5}``; by default that of the recipe, if it suits the data.
        class_weight: ``"balanced"`` for classes that are not equally large: each counts alike in training.
        prune: Stop candidates early that fall behind those before them.
        reuse: Which identical trainings of other runs in the store are reused: those of the ``"same"`` versions,
            backend, threads and machine, those of ``"any"``, or ``"none"``.
        name: Name of the run; by default made of dataset and budget.
        store: Where records go; by default ``$TINYSEARCH_STORE`` or ``runs/tinysearch.db``. ``~`` is the home in
            it and in ``data``.

    Raises:
        InputError: if something given cannot be used.
        WorkError: if something fails while working.
        KeyboardInterrupt: on Ctrl-C; what was trained before is in the store.
    """
    from tinysearch.results.leaderboard import rank
    from tinysearch.results.ranking import ranked
    from tinysearch.results.store import Store, default_path
    from tinysearch.runtime.paths import local
    from tinysearch.search.stages import carry_out
    from tinysearch.space.budget import Budget
    from tinysearch.space.space_file import format_note
    from tinysearch.space.space_spec import has_old_ranges

    if space is not None and has_old_ranges(space):
        warnings.warn(format_note(space, "space"), FutureWarning, stacklevel=2)
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
        "augment": augment,
        "class_weight": class_weight,
        **({} if workers is None else {"workers": workers}),
    }
    path = local(store, "a store") if store is not None else default_path()
    with (
        Store(path, create=True) as opened,
        open_run(opened, settings, dataset=dataset, data=data, name=name, reuse=reuse) as search,
    ):
        outcome, problem = carry_out(search, Workers(), _shown_as_warnings())
        if outcome.ending == "interrupted":
            raise KeyboardInterrupt
        records = opened.records(search.name)
        results = tuple(_result(search, one) for one in ranked(records))
    return SearchResult(outcome, rank(records), results, problem)


def _shown_as_warnings() -> Display:
    """Return a display whose notes are warnings."""
    from tinysearch.search.stages import Display

    class Warnings(Display):
        def note(self, text: str) -> None:
            warnings.warn(text, stacklevel=4)

    return Warnings()


@dataclasses.dataclass(frozen=True, slots=True)
class Workers:
    """Makes the worker processes of a run.

    Args:
        stall_limit: Seconds without a finished epoch after which a training is given up.
        memory: Bytes of memory that each worker process may have; None for no limit.
    """

    stall_limit: float = STALL_LIMIT
    memory: int | None = None

    def __call__(self, data: TrainingData, count: int) -> WorkerProcesses:
        """Return what trains ``count`` candidates at a time on some images, each with its share of the cores."""
        from tinysearch.runtime.cores import threads_of_each
        from tinysearch.workers.local.processes import WorkerProcesses

        threads = threads_of_each(count)
        return WorkerProcesses(data, threads=threads, memory_bytes=self.memory, stall_seconds=self.stall_limit)


def open_run(
    store: Store,
    given: Mapping[str, Any],
    *,
    dataset: Any = "auto",
    data: Any = None,
    reading: Reading | None = None,
    name: str | None = None,
    resume: bool = False,
    time_limit: float | None = None,
    reuse: Reuse = "same",
    worker_memory: int | None = None,
) -> SearchRun:
    """Prepare a run, new or resumed, from loosely given settings.

    Args:
        store: Where records go.
        given: Any of budget, trials, epochs, strategy, seed, recipe, baselines, workers, evaluate, folds,
            initial_candidates, space, tune_recipe, augment, class_weight, prune, learn_from (names of runs),
            max_macs, max_memory and max_weight_bytes. What is left out has its default, or in a resumed run the value
            that the run began with.
        dataset, data, reading: See ``load``; or a dataset that is loaded.
        name: Name of the run; a new run without one gets a free name, ``--resume`` without one takes the latest run.
        resume: Continue a run.
        time_limit: Seconds.
        reuse: Which identical trainings of other runs are reused, see ``reusable``.
        worker_memory: Bytes of memory that each worker process may have; it bounds how many workers there are by
            default.

    Raises:
        InputError: if something given cannot be used.
    """
    from tinysearch.baselines.models import architectures
    from tinysearch.data.checks import checked
    from tinysearch.data.loading import load
    from tinysearch.runtime.capacity import Capacity
    from tinysearch.search.augmentation import settled
    from tinysearch.search.run import SearchRun
    from tinysearch.search.settings import RunSettings
    from tinysearch.space.search_space import SearchSpace
    from tinysearch.space.space_spec import tree_of

    before = None
    if resume:
        run = store.run(name) if name is not None else _latest(store)
        if "trials" not in run.settings:
            raise RunError(f"run {run.name!r} is no search and cannot be resumed; begin a search without --resume")
        try:
            name, before = run.name, RunSettings.from_dict(run.settings)
        except InputError as error:
            raise RunError(f"run {run.name!r} cannot be resumed: {error}") from None
    if "learn_from" in given:
        given = {**given, "warm_start_trials": tuple((name, _searched(store, name)) for name in given["learn_from"])}
    by_default = before is None and given.get("workers") is None
    settings = _settings({**given, "workers": 1} if by_default else given, before)
    images = load(dataset, data, reading=reading)
    if not images.warnings:
        images = checked(images)
    if before is not None:
        images = images.as_in(before.data)
    elif settings.recipe.name == "documented":
        # As the hand-designed baselines were made: the last tenth is held out.
        images = images.as_in({})
    settings = dataclasses.replace(settings, data=images.described())
    if by_default:
        capacity = Capacity.here(images.train.pixels.nbytes, worker_memory)
        settings = dataclasses.replace(settings, workers=capacity.workers)
    space = SearchSpace(images.task, tree_of(settings.space, settings.budget.params, images.task))
    if before is None:
        settings = settled(
            settings, images, space, given.get("augment"), lambda: _training(images, Workers(memory=worker_memory))
        )
    while True:
        chosen = name if name is not None else _free_name(store, images, settings.budget)
        try:
            return SearchRun(
                store,
                chosen,
                settings,
                images,
                architectures(),
                space=space,
                resume=resume,
                time_limit=time_limit,
                reuse=reuse,
            )
        except RunError:
            # Another process may have taken the name at the same moment.
            if name is not None or _free_name(store, images, settings.budget) == chosen:
                raise


def evaluate_planned(
    store: Store, planned: Sequence[Retraining], dataset: Dataset, *, workers: int, watcher: RetrainingWatcher
) -> list[Record]:
    """Retrain candidates on all training images, and score them on the test images.

    What was evaluated before is taken from the store.

    Args:
        store: Has the runs.
        planned: See ``best_of``.
        dataset: What the runs were made on.
        workers: How many trainings at a time.
        watcher: Is notified of what happens.

    Raises:
        RunError: if a run was evaluated on other test images, or is being carried out by another process.
        DatasetError: if the dataset has no test images that can be used.
        TrainingError: if a training fails.
    """
    from tinysearch.search.evaluation import evaluate

    size = max(1, min(workers, len(planned)))
    return evaluate(store, planned, dataset, Workers()(dataset.evaluation_data(), size), size, watcher)


@contextlib.contextmanager
def _training(images: Dataset, workers: Workers) -> Iterator[Callable[[Candidate, int], Measurement]]:
    """Give what trains candidates on a dataset, one at a time."""
    from tinysearch.training.job import Job

    worker = workers(images.training_data(), 1)
    try:
        worker.prepare(1)
        yield lambda candidate, seed: worker.train(Job(candidate, seed, images.fingerprint))
    finally:
        worker.close()


def _settings(given: Mapping[str, Any], before: RunSettings | None) -> RunSettings:
    from tinysearch.search.settings import RunSettings
    from tinysearch.space.budget import Budget
    from tinysearch.training.recipe import recipe

    bound = Budget(given.get("budget", DEFAULT_BUDGET))
    base = before or RunSettings(bound, recipe("default"), workers=given["workers"])
    budget = dataclasses.replace(
        base.budget,
        params=given.get("budget", base.budget.params),
        macs=given.get("max_macs", base.budget.macs),
        peak_activation_bytes=given.get("max_memory", base.budget.peak_activation_bytes),
        int8_weight_bytes=given.get("max_weight_bytes", base.budget.int8_weight_bytes),
    )
    how = recipe(given["recipe"], epochs=base.recipe.epochs) if "recipe" in given else base.recipe
    how = dataclasses.replace(
        how, epochs=given.get("epochs", how.epochs), class_weight=given.get("class_weight", how.class_weight)
    )
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


def _result(run: SearchRun, standing: Standing[Record]) -> Result:
    from tinysearch.results.artifacts import evaluated

    record = standing.first
    path = run.models.path(record.key)
    first = evaluated(run.store.folder_of(run.name), record.key, 0)
    again = [one for one in standing.validated if one.purpose == "revalidation" and one.val_accuracy is not None]
    return Result(
        record,
        run.dataset.task,
        first if first.exists() and not path.exists() else path,
        standing.val_accuracy,
        tuple(one.val_accuracy or 0.0 for one in again),
        tuple(one.test_accuracy for one in standing.trainings if one.test_accuracy is not None),
    )


def _searched(store: Store, name: str) -> int:
    """Return how many of a run's first positions have records; what comes after a gap may not be there for ever."""
    store.check_names([name])
    positions = {record.position for record in store.records(name)}
    return next(count for count in range(len(positions) + 1) if count not in positions)


def _latest(store: Store) -> Run:
    searches = [run for run in store.runs() if "trials" in run.settings]
    if not searches:
        raise RunError(f"the store {store.path} has no run to resume; begin one without --resume")
    return searches[-1]


def _free_name(store: Store, dataset: Dataset, budget: Budget) -> str:
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", dataset.name).strip("-.")[:60] or "data"
    number = 1
    while store.has(name := f"{stem}-{budget.params}-{number}"):
        number += 1
    return name
