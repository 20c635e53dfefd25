"""Functions behind ``import tinysearch`` that run a study in one call, or open an existing one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinysearch.api.arguments import Settings, check_names, spelled_out
from tinysearch.api.callbacks import CallbackLike, callbacks_of, failure_told
from tinysearch.api.inputs import Resume, raise_what_ended
from tinysearch.api.kinds import check_instead, check_kinds
from tinysearch.api.study import Study
from tinysearch.results.callback import Callbacks

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from tinysearch.data.readers.reader import Reading
    from tinysearch.results.store import Store
    from tinysearch.search.reuse import Reuse
    from tinysearch.space.budget import Budget
    from tinysearch.workers.executor import Executor


@spelled_out(Settings)
def run(
    budget: float | str | Budget | None = None,
    *,
    data: Any = "auto",
    dataset: str = "auto",
    reading: Reading | None = None,
    augment: str | Path | Mapping[str, float] | None = None,
    name: str | None = None,
    store: Store | Path | str | None = None,
    resume: Resume = "auto",
    reuse: Reuse = "same",
    callbacks: Iterable[CallbackLike] = (),
    verbose: bool | int = True,
    workers: int | None = None,
    executor: Executor | None = None,
    time_limit: float | None = None,
    **settings: Unpack[Settings],
) -> Study:
    """Search for the best network below a budget, revalidate the leaders and evaluate the winner, in one call.

    >>> study = tinysearch.run(budget=10_000, data=(x, y), trials=20)  # doctest: +SKIP
    >>> study.best.load()  # doctest: +SKIP

    Args:
        budget: Networks have fewer total parameters than this, a number or a text such as ``"10k"``; or a ``Budget``;
            10,000 by default, or the bytes of ``max_flash``.
        data, dataset, reading, augment, store, reuse, callbacks: See ``Study``.
        name, resume: See ``Study``. Call it again with the same name to resume.
        verbose: Whether to show progress, live on a terminal and in a notebook, elsewhere as a line per training on the
            error stream; 0 or False for nothing.
        workers, executor, time_limit: See ``Study.run``.
        **settings: See ``tinysearch.api.arguments.Settings``.

    Returns:
        The study, with its worker processes stopped.

    Raises:
        InputError: if an argument cannot be used.
        WorkError: if something fails during the work, or every training failed.
        KeyboardInterrupt: on Ctrl-C; finished trainings are in the store.
    """
    heard = Callbacks(callbacks_of(callbacks))
    with failure_told(heard):
        check_names(settings, run)
        check_kinds(workers=workers, time_limit=time_limit)
        check_instead(executor, workers=workers)
    study = Study(
        budget,
        data=data,
        dataset=dataset,
        reading=reading,
        augment=augment,
        name=name,
        store=store,
        resume=resume,
        reuse=reuse,
        callbacks=[heard],
        verbose=verbose,
        **settings,
    )
    try:
        outcome = study.carry_out(workers=workers, executor=executor, time_limit=time_limit)
        raise_what_ended(outcome, study.store, verbose=verbose)
        if outcome.failure is not None:
            raise outcome.failure
    except BaseException:
        study.close()
        raise
    study.end_workers()
    return study


def open_study(
    name: str | None = None,
    *,
    store: Store | Path | str | None = None,
    data: Any = "auto",
    dataset: str = "auto",
    reading: Reading | None = None,
    verbose: bool | int = True,
) -> Study:
    """Open an existing study; without a name, the latest one.

    Args:
        name: Name of its run.
        store, verbose: See ``Study``.
        data, dataset, reading: See ``Study``; by default the data of the run.

    Raises:
        RunError: if there is no such study, or the data differs from that of the study.
        StoreError: if the store does not exist.
    """
    return Study(name=name, store=store, data=data, dataset=dataset, reading=reading, verbose=verbose, resume=True)
