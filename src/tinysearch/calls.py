"""The functions behind ``import tinysearch``: each is a study, or several, in one call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinysearch.errors import BudgetError, TinySearchError
from tinysearch.inputs import load_data, open_store
from tinysearch.study import Study

if TYPE_CHECKING:
    from tinysearch.data.readers.reader import Reading
    from tinysearch.results.callback import Callback, Ending
    from tinysearch.results.record import Record
    from tinysearch.results.store import Store
    from tinysearch.space.budget import Budget
    from tinysearch.workers.executor import Executor

BUDGETS = (1_000, 2_000, 3_000, 5_000, 8_000, 10_000)


def run(
    budget: int | Budget | None = None,
    *,
    data: Any = "auto",
    name: str | None = None,
    store: Store | Path | str | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    time_limit: float | None = None,
    **settings: Any,
) -> Study:
    """Search for the best network below a budget, revalidate the leaders and evaluate the winner, in one call.

    >>> study = tinysearch.run(budget=10_000, data=(x, y), trials=20)  # doctest: +SKIP
    >>> study.best.load()  # doctest: +SKIP

    Args:
        budget, data, name, store, **settings: See ``Study``. Call it again with the same name to resume.
        workers, executor, time_limit: See ``Study.run``.

    Returns:
        The study, with its worker processes stopped.

    Raises:
        InputError: if an argument cannot be used.
        WorkError: if something fails during the work.
        KeyboardInterrupt: on Ctrl-C; finished trainings are in the store.
    """
    study = Study(budget, data=data, name=name, store=store, **settings)
    try:
        outcome = study.carry_out(workers=workers, executor=executor, time_limit=time_limit)
    except BaseException:
        study.close()
        raise
    study.end_workers()
    if outcome.ending == "interrupted":
        raise KeyboardInterrupt
    if outcome.problem is not None:
        raise outcome.problem
    return study


def open_study(name: str | None = None, *, store: Store | Path | str | None = None, data: Any = "auto") -> Study:
    """Open an existing study; without a name, the latest one.

    Raises:
        RunError: if there is none.
        DatasetError: if the data differ from those of the study.
    """
    return Study(name=name, store=store, data=data, resume=True)


@dataclass(frozen=True, slots=True)
class Frontier:
    """The results of a sweep of budgets.

    Args:
        records: The records of each budget's run, in the order of the search.
        ending: How the last run ended.
        problem: The first error in a revalidation or evaluation; None if there was none.
    """

    records: Mapping[int, Sequence[Record]]
    ending: Ending
    problem: TinySearchError | None = None


def frontier(
    budgets: Iterable[int] = BUDGETS,
    *,
    data: Any = "auto",
    dataset: str = "auto",
    reading: Reading | None = None,
    name: str = "frontier",
    store: Store | Path | str | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    callbacks: Iterable[Callback] = (),
    warm_start: Iterable[str] = (),
    **settings: Any,
) -> Frontier:
    """Search below several budgets.

    Each budget is a run. It starts with the best networks of the previous budget, scaled until they just fit, and
    learns from all trainings of the budgets before. Repeat the call to resume it after an interruption, or with more
    trials to continue the search.

    Args:
        budgets: Distinct bounds on parameters, searched in this order.
        data, dataset, reading, store, callbacks, **settings: See ``Study``.
        name: Prefix of the names of the runs; the budget is appended.
        workers, executor: See ``Study.run``.
        warm_start: Names of further runs to learn from.

    Raises:
        BudgetError: if the budgets are not distinct whole numbers, or nothing fits one of them.
        InputError: if another argument cannot be used.
        WorkError: if something fails during the work.
    """
    from tinysearch.results.store import Store
    from tinysearch.search.frontier import initial_candidates
    from tinysearch.search.given import search_space_of

    bounds = list(budgets)
    if not bounds or len(set(bounds)) < len(bounds) or min(bounds) < 1:
        raise BudgetError(f"budgets are different whole numbers of at least 1, got {bounds}")
    opened = store if isinstance(store, Store) else open_store(store)
    running: Executor | None = executor
    records: dict[int, list[Record]] = {}
    problem: TinySearchError | None = None
    ending: Ending = "finished"
    try:
        images = load_data(data, dataset, reading)
        whole = search_space_of(settings.get("space"), images.task)
        smallest = whole.smallest().params
        if smallest >= min(bounds):
            raise BudgetError(
                f"no architecture of the search space is below {min(bounds):,} parameters: the smallest one has "
                f"{smallest:,}; leave that budget out"
            )
        before: Sequence[Record] = []
        earlier = list(warm_start)
        for bound in bounds:
            own = f"{name}-{bound}"
            # A run that goes on has what it began with in its settings.
            begun = opened.has(own)
            new = (
                {} if begun else {"initial_candidates": initial_candidates(before, whole, bound), "warm_start": earlier}
            )
            study = Study(
                bound, data=images, name=own, store=opened, resume=begun, callbacks=callbacks, **{**settings, **new}
            )
            try:
                # The processes of the first budget train for all of them.
                outcome = study.carry_out(workers=workers, executor=running)
                running = running or study.take_workers()
            finally:
                study.close()
            problem = problem or outcome.problem
            before, ending = outcome.records, outcome.ending
            earlier = [*earlier, own]
            records[bound] = opened.records(own)
            if ending == "interrupted":
                break
    finally:
        if running is not None and executor is None:
            running.close()
        if opened is not store:
            opened.close()
    return Frontier(records, ending, problem)
