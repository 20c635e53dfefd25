"""Studies: the object behind both ``import tinysearch`` and the command line. It wires the rooms together.

The rooms are imported by the functions and not by the module, so that ``import tinysearch`` costs next to nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from tinysearch.errors import RunError
from tinysearch.inputs import (
    free_name,
    latest_search,
    load_data,
    open_store,
    shown,
    stored_settings,
    threads_of,
    warn_of_old_ranges,
)
from tinysearch.result import Result

if TYPE_CHECKING:
    from tinysearch.data.dataset import Dataset
    from tinysearch.data.readers.reader import Reading
    from tinysearch.results.callback import Callback
    from tinysearch.results.leaderboard import Leaderboard
    from tinysearch.results.ranking import Standing
    from tinysearch.results.record import Record, Run
    from tinysearch.results.store import Store
    from tinysearch.results.summary import Summary
    from tinysearch.search.keras_tuner.tuner import BudgetTuner
    from tinysearch.search.reuse import Reuse
    from tinysearch.search.run import SearchRun
    from tinysearch.search.settings import RunSettings
    from tinysearch.search.stages import RunOutcome
    from tinysearch.space.budget import Budget
    from tinysearch.workers.executor import Executor

Resume = Literal["auto", True, False]


class Study:
    """A search below a budget: its settings, its data and its results, which are kept in a store.

    Args:
        budget: Bound on total parameters, or a ``Budget``; a candidate at or above it is rejected.
        data: ``"auto"`` (MNIST, or else scikit-learn's digits), another name, a file or folder, ``(x, y)``,
            ``((x, y), (x_test, y_test))``, ``(train, validation, test)``, a ``tf.data.Dataset``, or a ``Dataset``; see
            ``docs/data.md``.
        dataset: Name of the dataset that the file of ``data`` must be; with ``"mnist"`` it has to be MNIST.
        reading: How to read the data where it is ambiguous, see ``tinysearch.data.readers.reader.Reading``.
        augment: ``"auto"`` compares a few augmentations in short trainings before the search; ``"none"`` uses none; a
            JSON file or a mapping gives the amounts, ``{"mirroring": 0.5}``. ``"recipe"`` takes that of the recipe. By
            default that of the recipe, if it suits the data, and of the default recipe as much as suits the budget.
        store: File of the store of records; by default ``$TINYSEARCH_STORE`` or ``runs/tinysearch.db``. A ``Store`` is
            left open.
        name: Name of the run; by default derived from dataset and budget.
        resume: ``"auto"`` resumes the run of this name, or starts it if it is new; ``True`` only resumes, without a
            name the latest run; ``False`` only starts.
        reuse: Which identical trainings of other runs in the store are reused: those with the ``"same"`` versions,
            backend, threads and machine, those with ``"any"``, or ``"none"``.
        callbacks: They are notified of events.
        verbose: Whether to show progress; by default on a terminal and in a notebook.
        **settings: Other fields of ``RunSettings``, which defines their defaults: ``trials``, ``epochs``,
            ``strategy``, ``seed``, ``recipe``, ``space``, ``baselines``, ``lag``, ``schedule``, ``evaluate``,
            ``folds``, ``initial_candidates``, ``designs``, ``tune_recipe``, ``prune``, ``threads``, ``constraints``;
            ``budgets``, bounds below each of which there is a winner; ``max_macs``, ``max_ram``, ``max_flash`` and
            ``max_weight_bytes``; ``device``, a device whose RAM and flash are the limits. A run learns from the
            searches on the same data that are in the store when it begins; with ``cold=True`` from none, with
            ``warm_start``, names of runs, only from these. A strategy may be a class, a constraint a class or an
            instance, each also ``"module:Class"``. When a run is resumed, settings that are not given keep their
            values.

    Attributes:
        tuner: The search as a KerasTuner tuner, with ``get_best_models()``, ``get_best_hyperparameters()`` and
            ``results_summary()``; None before ``run``.

    Raises:
        InputError: if an argument cannot be used. Nothing was trained, and nothing but the store was written.
    """

    def __init__(
        self,
        budget: int | Budget | None = None,
        *,
        data: Any = "auto",
        dataset: str = "auto",
        reading: Reading | None = None,
        augment: str | Path | Mapping[str, float] | None = None,
        store: Store | Path | str | None = None,
        name: str | None = None,
        resume: Resume = "auto",
        reuse: Reuse = "same",
        callbacks: Iterable[Callback] = (),
        verbose: bool | int | None = None,
        **settings: Any,
    ) -> None:
        from tinysearch.results.runs import check_name
        from tinysearch.results.store import Store
        from tinysearch.search.given import learns_unasked, plugins_of, settings_of
        from tinysearch.space.search_space import SearchSpace

        if resume not in ("auto", True, False):
            raise RunError(f"resume is 'auto', True or False, got {resume!r}")
        if name is not None:
            check_name(name)
        warn_of_old_ranges(settings.get("space"))
        self._owns_store = not isinstance(store, Store)
        self._store: Store = store if isinstance(store, Store) else open_store(store)
        self._executor: Executor | None = None
        self.tuner: BudgetTuner | None = None
        try:
            before = self._before(name, resume)
            self._begun = before is not None
            plain, self._plugins = plugins_of(settings)
            given = plain if budget is None else {"budget": budget, **plain}
            self.settings: RunSettings = settings_of(given, stored_settings(before), self._store)
            self._learns_unasked = learns_unasked(plain)
            images = load_data(data, dataset, reading)
            earlier = stored_settings(before)
            if earlier is not None:
                images = images.as_in(earlier.data)
            elif self.settings.recipe.name == "documented":
                # As the hand-designed baselines were made: the last tenth is held out.
                images = images.as_in({})
            self.dataset: Dataset = images
            self.settings = dataclasses.replace(self.settings, data=images.described())
            self._augment = augment
            if before is not None:
                before.check_data(self.dataset.name, self.dataset.fingerprint)
            self._space = settings["space"] if isinstance(settings.get("space"), SearchSpace) else None
            self._name = name if before is None else before.name
            self._reuse = reuse
            self._callbacks = tuple(callbacks)
            self._verbose = verbose
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Study:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the worker processes, and close the store if the study opened it."""
        self.end_workers()
        if self._owns_store:
            self._store.close()

    def end_workers(self) -> None:
        """Stop the worker processes; the next training starts new ones."""
        if self._executor is not None:
            self._executor.close()
            self._executor = None

    def take_workers(self) -> Executor | None:
        """Hand over the worker processes to another study of the same data, which has to stop them."""
        taken, self._executor = self._executor, None
        return taken

    @property
    def store(self) -> Store:
        """The store of the records."""
        return self._store

    @property
    def name(self) -> str | None:
        """Name of the run; None for an unnamed run that has not started."""
        return self._name

    def run(
        self,
        trials: int | None = None,
        *,
        workers: int | None = None,
        executor: Executor | None = None,
        time_limit: float | None = None,
        worker_memory: int | None = None,
        stall_limit: float | None = None,
    ) -> RunOutcome:
        """Search: start, or resume where the study stopped.

        Args:
            trials: Total number of candidates to train, not counting baselines; by default that of the settings.
            workers: Number of candidates to train in parallel, each in its own process; by default one per core, up to
                8 and as many as memory allows. The results do not depend on it.
            executor: Trains the candidates instead of local processes; it is left open.
            time_limit: Seconds after which all trainings stop; None for no limit.
            worker_memory: Memory limit of each training in bytes (on Linux); None for no limit.
            stall_limit: Seconds without a finished epoch after which a training is aborted; 1,800 by default.

        Returns:
            The results, and why the search ended.

        Raises:
            WorkError: if something fails during the search.
            KeyboardInterrupt: on Ctrl-C; finished trainings are in the store.
        """
        if trials is not None:
            self.settings = dataclasses.replace(self.settings, trials=trials)
        return self._carry_out(("search",), workers, executor, time_limit, worker_memory, stall_limit)

    def revalidate(
        self,
        folds: int | None = None,
        *,
        workers: int | None = None,
        executor: Executor | None = None,
        time_limit: float | None = None,
    ) -> RunOutcome:
        """Train the leaders again on other folds, as long as one of them may turn out to be better.

        Args:
            folds: Maximum number of folds that a candidate is validated on; by default that of the settings.
            workers, executor, time_limit: See ``run``.

        Raises:
            RunError: if the study has not searched yet.
            WorkError: if something fails during the search.
            KeyboardInterrupt: on Ctrl-C; finished trainings are in the store.
        """
        if folds is not None:
            self.settings = dataclasses.replace(self.settings, folds=folds)
        return self._carry_out(("revalidation",), workers, executor, time_limit)

    def evaluate(
        self,
        seeds: int | None = None,
        *,
        int8: bool = False,
        workers: int | None = None,
        executor: Executor | None = None,
        time_limit: float | None = None,
    ) -> RunOutcome:
        """Train the winner on all training images with several seeds, and score it on the test images.

        Args:
            seeds: Number of seeds; by default that of the settings.
            int8: Whether to score the networks in int8 too, as computed by LiteRT's reference kernels.
            workers, executor, time_limit: See ``run``.

        Raises:
            RunError: if the study has not searched yet.
            DatasetError: if there are no test images.
            WorkError: if something fails during the search.
            KeyboardInterrupt: on Ctrl-C; finished trainings are in the store.
        """
        if seeds is not None:
            self.settings = dataclasses.replace(self.settings, evaluate=seeds)
        outcome = self._carry_out(("evaluation",), workers, executor, time_limit)
        if int8:
            from tinysearch.deploy.scoring import score_in_int8

            evaluations = self._store.records(outcome.name, purpose="evaluation")
            score_in_int8(self._store, evaluations, self.dataset)
        return outcome

    def carry_out(
        self,
        *,
        workers: int | None = None,
        executor: Executor | None = None,
        time_limit: float | None = None,
        worker_memory: int | None = None,
        stall_limit: float | None = None,
    ) -> RunOutcome:
        """Search, revalidate the leaders and evaluate the winner, according to the settings; see ``run``.

        Returns:
            The results. On Ctrl-C the ending is ``"interrupted"``; an error after the search is the ``problem``.

        Raises:
            WorkError: if the search fails.
        """
        from tinysearch.search.stages import STAGES

        return self._carry_out(STAGES, workers, executor, time_limit, worker_memory, stall_limit)

    @property
    def records(self) -> list[Record]:
        """All records of the run."""
        return self._store.records(self._name) if self._name is not None and self._store.has(self._name) else []

    @property
    def leaderboard(self) -> Leaderboard:
        """The ranked candidates."""
        from tinysearch.results.leaderboard import rank

        return rank(self._summaries())

    @property
    def results(self) -> tuple[Result, ...]:
        """The candidates in the order of the leaderboard, best first."""
        from tinysearch.results.ranking import ranked

        if self._name is None:
            return ()
        return tuple(self._result(one, self._name) for one in ranked(self.records))

    @property
    def best(self) -> Result:
        """The first candidate of the leaderboard, baselines included.

        Raises:
            RunError: if no candidate was trained.
        """
        from tinysearch.results.ranking import ranked

        standings = ranked(self._summaries())
        if not standings or self._name is None:
            raise RunError(f"study {self._name or ''!r} has trained no candidate")
        # Only what belongs to the first candidate is read whole.
        records = [one for one in self._store.find(standings[0].first.key) if one.run == self._name]
        (found,) = (one for one in ranked(records) if one.first.key == standings[0].first.key)
        return self._result(found, self._name)

    def _result(self, standing: Standing[Record], run: str) -> Result:
        folder = self._store.folder_of(run)
        return Result.of(standing, self.dataset, folder, self._store.path, self.settings.budget)

    def _summaries(self) -> list[Summary]:
        known = self._name is not None and self._store.has(self._name)
        return self._store.summaries(self._name) if known else []

    def _carry_out(
        self,
        stages: Sequence[str],
        workers: int | None,
        executor: Executor | None,
        time_limit: float | None = None,
        worker_memory: int | None = None,
        stall_limit: float | None = None,
    ) -> RunOutcome:
        """Carry out some stages, or all of them."""
        from tinysearch.results.callback import Callbacks
        from tinysearch.search.stages import Stages

        if "search" not in stages and all(record.failed for record in self.records):
            raise RunError(f"nothing was searched in study {self._name or ''!r}; search first, with run()")
        where = executor or self._local(workers, worker_memory, stall_limit)
        if self.settings.threads is None:
            self.settings = dataclasses.replace(self.settings, threads=threads_of(where))
        callback = Callbacks([*self._callbacks, *shown(self._verbose)])
        with self._run(time_limit, worker_memory, where) as run:
            work = Stages(run, where, callback)
            outcome = work.carry_out(stages)
            self.tuner = work.tuner or self.tuner
            callback.on_end(outcome.ending)
        if len(stages) == 1 and outcome.ending == "interrupted":
            raise KeyboardInterrupt
        if len(stages) == 1 and outcome.problem is not None:
            raise outcome.problem
        return outcome

    def _run(self, time_limit: float | None, worker_memory: int | None, executor: Executor) -> SearchRun:
        """Return the run, begun if it has not been."""
        from tinysearch.baselines.models import architectures
        from tinysearch.search.augmentation import TrainedBy, settled
        from tinysearch.search.given import search_space_of
        from tinysearch.search.run import SearchRun
        from tinysearch.search.warm_start import available
        from tinysearch.training.job import Resources

        if self._space is None and self.settings.own_space:
            raise RunError(f"run {self._name!r} was started with a custom SearchSpace; give the same one to resume it")
        space = search_space_of(self._space or self.settings.space, self.dataset.task, self.settings.budget.params)
        if not self._begun and not (self._name is not None and self._store.has(self._name)):
            resources = Resources(self.settings.threads or 1, worker_memory)
            train = TrainedBy(executor, self.dataset, resources)
            self.settings = settled(self.settings, self.dataset, space, self._augment, train)
            if self._learns_unasked:
                learnt = available(self._store, self.dataset.fingerprint, self.settings)
                self.settings = dataclasses.replace(self.settings, warm_start_trials=learnt)
        while True:
            chosen = self._name or free_name(self._store, self.dataset, self.settings.budget)
            try:
                run = SearchRun(
                    self._store,
                    chosen,
                    self.settings,
                    self.dataset,
                    architectures(),
                    space=space,
                    resume=self._begun or (self._name is not None and self._store.has(self._name)),
                    time_limit=time_limit,
                    reuse=self._reuse,
                    memory_bytes=worker_memory,
                    plugins=self._plugins,
                )
            except RunError:
                # Another process may have taken the name at the same moment.
                if self._name is not None or free_name(self._store, self.dataset, self.settings.budget) == chosen:
                    raise
            else:
                self._name, self._begun = chosen, True
                return run

    def _local(self, workers: int | None, memory: int | None, stall_limit: float | None) -> Executor:
        """Return processes of this machine: those of the study, which live as long as it does."""
        from tinysearch.runtime.capacity import Capacity
        from tinysearch.runtime.memory import check_limit
        from tinysearch.workers.local.executor import STALL_SECONDS, LocalExecutor

        check_limit(memory)
        count = workers
        if count is None and self._executor is not None:
            return self._executor
        if count is None:
            count = Capacity.here(self.dataset.train.pixels.nbytes, memory).workers
        stall = STALL_SECONDS if stall_limit is None else stall_limit
        if self._executor is None or self._executor.capacity != count:
            if self._executor is not None:
                self._executor.close()
            self._executor = LocalExecutor(count, stall_seconds=stall)
        return self._executor

    def _before(self, name: str | None, resume: Resume) -> Run | None:
        """Return the run to go on with; None to begin one."""
        from tinysearch.results.lock import holder

        if resume is False or (resume == "auto" and (name is None or not self._store.has(name))):
            if name is not None and self._store.has(name):
                carrier = holder(self._store.folder_of(name))
                if carrier is not None:
                    raise RunError(f"run {name!r} is in use by {carrier}; wait for it, stop it, or give another --name")
                raise RunError(
                    f"a run named {name!r} is in the store already; continue it with --resume, or give another --name"
                )
            return None
        run = self._store.run(name) if name is not None else latest_search(self._store)
        if "trials" not in run.settings:
            raise RunError(f"run {run.name!r} is not a search and cannot be resumed; start a search without --resume")
        return run
