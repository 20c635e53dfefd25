"""``Study``, the object behind both ``import tinysearch`` and the command line."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from tinysearch.api.arguments import Settings, check_names, spelled_out
from tinysearch.api.callbacks import CallbackLike, callbacks_of, failure_told
from tinysearch.api.inputs import (
    Resume,
    load_data,
    open_store,
    raise_what_ended,
    run_to_resume,
    shown,
    stored_settings,
    warn_of_old_ranges,
)
from tinysearch.api.kinds import check_kinds
from tinysearch.api.known_data import Given, load_data_of
from tinysearch.api.processes import Processes
from tinysearch.api.start import Start
from tinysearch.api.study_results import StudyResults
from tinysearch.errors import RunError
from tinysearch.results.callback import Callbacks

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from tinysearch.data.readers.reader import Reading
    from tinysearch.results.store import Store
    from tinysearch.search.keras_tuner.tuner import BudgetTuner
    from tinysearch.search.outcome import RunOutcome
    from tinysearch.search.reuse import Reuse
    from tinysearch.space.budget import Budget
    from tinysearch.workers.executor import Executor


@spelled_out(Settings)
class Study(StudyResults):
    """A search below a budget: its settings, its data and its results, which are kept in a store.

    Args:
        budget: Bound on total parameters, a number or a text such as ``"10k"``, or a ``Budget``; a candidate at or
            above it is rejected; 10,000 by default, or the bytes of ``max_flash``.
        data: ``"auto"`` (MNIST, or else scikit-learn's digits), another name, a file or folder, ``(x, y)``,
            ``((x, y), (x_test, y_test))``, ``(train, validation, test)``, a ``tf.data.Dataset``, or a ``Dataset``; see
            ``docs/data.md``. A resumed run reads it from the same place, unless you give it.
        dataset: Name of the dataset that the file in ``data`` must contain: with ``"mnist"`` it must be MNIST.
        reading: How to read the data where it is ambiguous, as a ``tinysearch.Reading``, ``Reading(layout="hwc")``.
        augment: ``"auto"`` compares a few augmentations in short trainings before the search; ``"none"`` uses none; a
            JSON file or a mapping gives the amounts, ``{"mirroring": 0.5}``; ``"recipe"`` uses the augmentation of the
            recipe, as far as it suits the data. The default is ``"recipe"``, except that with the default recipe
            networks of fewer than 3,500 parameters are trained without augmentation.
        store: Path of the store of records; by default ``$TINYSEARCH_STORE`` or ``runs/tinysearch.db``. A ``Store`` is
            left open.
        name: Name of the run; by default derived from dataset and budget.
        resume: ``"auto"`` resumes the run of this name, or starts it if it is new; ``True`` only resumes, without a
            name the latest run; ``False`` only starts.
        reuse: Which identical trainings of other runs in the store are reused: those with the ``"same"`` versions,
            backend, threads and machine, those with ``"any"``, or ``"none"``.
        callbacks: Callbacks to notify of events: instances, classes or ``"module:Class"``.
        verbose: Whether to show progress, live on a terminal and in a notebook, elsewhere as a line per training on the
            error stream; 0 or False for nothing.
        **settings: See ``tinysearch.api.arguments.Settings``. When a run is resumed, settings that are not given keep
            their values.

    Attributes:
        tuner: The search as a KerasTuner tuner, with ``get_best_models()``, ``get_best_hyperparameters()`` and
            ``results_summary()``; None before ``run``.

    Raises:
        InputError: if an argument cannot be used. Nothing was trained, and nothing but the store was written.
    """

    def __init__(
        self,
        budget: float | str | Budget | None = None,
        *,
        data: Any = "auto",
        dataset: str = "auto",
        reading: Reading | None = None,
        augment: str | Path | Mapping[str, float] | None = None,
        store: Store | Path | str | None = None,
        name: str | None = None,
        resume: Resume = "auto",
        reuse: Reuse = "same",
        callbacks: Iterable[CallbackLike] = (),
        verbose: bool | int = True,
        **settings: Unpack[Settings],
    ) -> None:
        from tinysearch.results.store import Store
        from tinysearch.search.given import learns_unasked, plugins_of, settings_of
        from tinysearch.space.search_space import SearchSpace

        self._callbacks = tuple(callbacks_of(callbacks))
        with failure_told(Callbacks(self._callbacks)):
            check_names(settings, Study)
            check_kinds(name=name, store=store, reading=reading, augment=augment, verbose=verbose)
            if not isinstance(resume, bool) and resume != "auto":
                raise RunError(f"`resume=` is 'auto', True or False, got {resume!r}")
            warn_of_old_ranges(settings.get("space"))
            self._owns_store = not isinstance(store, Store)
            self._store: Store = store if isinstance(store, Store) else open_store(store, create=resume is not True)
            self._processes = Processes()
            self.tuner: BudgetTuner | None = None
            try:
                before = run_to_resume(self._store, name, resume)
                self._begun = before is not None
                plain, plugins = plugins_of(settings)
                earlier = stored_settings(before)
                self.settings = settings_of(
                    plain if budget is None else {"budget": budget, **plain}, earlier, self._store
                )
                given_data = Given(data, dataset, reading)
                images = load_data(*given_data) if before is None else load_data_of(before, given_data)
                if earlier is not None:
                    images = images.as_in(earlier.data)
                elif self.settings.recipe.name == "documented":
                    # The hand-designed baselines were trained with the last tenth held out.
                    images = images.as_in({})
                self.dataset = images
                self.settings = dataclasses.replace(self.settings, data=images.described())
                self._name = name if before is None else before.name
                self._verbose = verbose
                own_space = space if isinstance(space := settings.get("space"), SearchSpace) else None
                self._start = Start(self._store, images, own_space, augment, learns_unasked(plain), reuse, plugins)
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
        self._processes.end()

    def take_workers(self) -> Executor | None:
        """Hand over the worker processes to another study of the same data, which must stop them; None if none run."""
        return self._processes.take()

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
                8 and as many as memory allows. The results do not depend on it, unless ``schedule="async"``.
            executor: Executor to use instead of local processes, ``workers`` and ``stall_limit``; it is left open.
            time_limit: Seconds after which all trainings stop; None for no limit.
            worker_memory: Memory limit of each training in bytes (on Linux); None for no limit.
            stall_limit: Seconds without a finished epoch that abort a training; by default the previous value or 1,800.

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
            CandidateError: if ``int8`` is set and a model was not kept.
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

    def _carry_out(
        self,
        stages: Sequence[str],
        workers: int | None,
        executor: Executor | None,
        time_limit: float | None = None,
        worker_memory: int | None = None,
        stall_limit: float | None = None,
    ) -> RunOutcome:
        """Run one or all stages."""
        from tinysearch.search.stages import Stages

        callback = Callbacks([*self._callbacks, *shown(self._verbose)])
        with failure_told(callback):
            check_kinds(workers=workers, time_limit=time_limit, worker_memory=worker_memory, stall_limit=stall_limit)
            if "search" not in stages and all(record.failed for record in self.records):
                raise RunError(f"nothing was searched in study {self._name or ''!r}; search first, with run()")
            where = self._processes.get(self.dataset, workers, worker_memory, stall_limit, instead=executor)
            with self._start.run(
                self.settings, self._name, where, resume=self._begun, time_limit=time_limit, memory=worker_memory
            ) as run:
                self.settings, self._name, self._begun = run.settings, run.name, True
                self._start = self._start.settled()
                work = Stages(run, where, callback)
                outcome = work.carry_out(stages)
                self.tuner = work.tuner or self.tuner
        callback.on_end(outcome.told)
        if len(stages) == 1:
            raise_what_ended(outcome, self._store, verbose=self._verbose)
        return outcome
