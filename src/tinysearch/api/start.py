"""Starting and resuming the run of a study."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tinysearch.api.inputs import free_name
from tinysearch.errors import RunError

if TYPE_CHECKING:
    from tinysearch.data.dataset import Dataset
    from tinysearch.results.store import Store
    from tinysearch.search.plugins import Plugins
    from tinysearch.search.reuse import Reuse
    from tinysearch.search.run import SearchRun
    from tinysearch.search.settings import RunSettings
    from tinysearch.space.search_space import SearchSpace
    from tinysearch.workers.executor import Executor


@dataclasses.dataclass(frozen=True, slots=True)
class Start:
    """Inputs of a run other than its settings.

    Args:
        store: Store of its records.
        dataset: The data.
        space: The search space if it was given as a ``SearchSpace``, or None.
        augment: The argument of that name, see ``Study``.
        learns_unasked: Whether a new run learns from all searches on the same data.
        reuse: Which identical trainings of other runs are reused.
        plugins: Strategy and constraints that were given as values.
    """

    store: Store
    dataset: Dataset
    space: SearchSpace | None
    augment: str | Path | Mapping[str, float] | None
    learns_unasked: bool
    reuse: Reuse
    plugins: Plugins

    def run(
        self,
        settings: RunSettings,
        name: str | None,
        executor: Executor,
        *,
        resume: bool,
        time_limit: float | None,
        memory: int | None,
    ) -> SearchRun:
        """Start or resume the run, and return it with its lock held.

        Args:
            settings: Settings of the study. For a new run, the returned run's ``settings`` also have the augmentation
                and the runs to learn from.
            name: Name of the run; None for a free one.
            executor: Runs the trainings that compare augmentations before a new run.
            resume: Whether the run is known to have started.
            time_limit: See ``Study.run``; the comparison of augmentations counts towards it.
            memory: ``worker_memory`` of ``Study.run``.

        Raises:
            RunError: if the run cannot be started or resumed.
            TrainingError: if augmentations are compared, and all trainings fail or the time limit is reached.
        """
        from tinysearch.baselines.models import architectures
        from tinysearch.search.augmentation import TrainedBy, settled, settled_again
        from tinysearch.search.given import search_space_of
        from tinysearch.search.run import SearchRun
        from tinysearch.search.settings import RunSettings
        from tinysearch.search.warm_start import available
        from tinysearch.training.job import Resources

        if settings.threads is None:
            settings = dataclasses.replace(settings, threads=executor.threads_per_job())
        if self.space is None and settings.own_space:
            raise RunError(f"run {name!r} was started with a custom SearchSpace; give the same one to resume it")
        space = search_space_of(self.space or settings.space, self.dataset.task, settings.budget.params)
        if name is not None and (resume or self.store.has(name)):
            before = RunSettings.from_dict(self.store.run(name).settings)
            settings = settled_again(settings, before, self.dataset.task, self.augment)
        else:
            until = None if time_limit is None else time.monotonic() + time_limit
            train = TrainedBy(executor, self.dataset, Resources(settings.threads or 1, memory), until)
            settings = settled(settings, self.dataset, space, self.augment, train)
            if until is not None:
                time_limit = max(0.0, until - time.monotonic())
            if self.learns_unasked:
                learnt = available(self.store, self.dataset.fingerprint, settings, self.plugins)
                settings = dataclasses.replace(settings, warm_start_trials=learnt)
        while True:
            chosen = free_name(self.store, self.dataset, settings.budget) if name is None else name
            try:
                return SearchRun(
                    self.store,
                    chosen,
                    settings,
                    self.dataset,
                    architectures(),
                    space=space,
                    resume=resume or self._is_there(name),
                    time_limit=time_limit,
                    reuse=self.reuse,
                    memory_bytes=memory,
                    plugins=self.plugins,
                )
            except RunError:
                # Another process may have taken the name in the meantime.
                if name is not None or free_name(self.store, self.dataset, settings.budget) == chosen:
                    raise

    def settled(self) -> Start:
        """Return a copy to resume the run with: its augmentation is settled, and a file with it may no longer exist."""
        return dataclasses.replace(self, augment=None)

    def _is_there(self, name: str | None) -> bool:
        return name is not None and self.store.has(name)
