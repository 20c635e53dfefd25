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
        budget, data, name, store, **settings: See ``Study``. Calling it again with the same name goes on where it was
            left.
        workers, executor, time_limit: See ``Study.run``.

    Returns:
        The study. Its worker processes are ended.

    Raises:
        InputError: if something given cannot be used.
        WorkError: if something fails while working.
        KeyboardInterrupt: on Ctrl-C; what was trained before is in the store.
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
    """Open a study that was begun before; without a name the latest one.

    Raises:
        RunError: if there is none.
        DatasetError: if the data are not those that it was begun with.
    """
    return Study(name=name, store=store, data=data, resume=True)


@dataclass(frozen=True, slots=True)
class Frontier:
    """What came of a sweep of budgets.

    Args:
        records: Those of each budget's run, in the order in which they were searched.
        ending: How the last of them ended.
        problem: What went wrong first in a revalidation or an evaluation; None if nothing did.
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
    cold: bool = False,
    **settings: Any,
) -> Frontier:
    """Search below each of several budgets.

    Each budget is a run of its own. It begins with the best networks of the budget before it, made wider or narrower
    until they just fit, and learns from all that was trained for the budgets before, as from other searches on the same
    data in the store. The same call again goes on where it was interrupted; with more trials it searches on.

    Args:
        budgets: Bounds on parameters, all different; searched in this order.
        data, dataset, reading, store, callbacks, **settings: See ``Study``.
        name: The runs are named so, with the budget behind it.
        workers, executor: See ``Study.run``.
        warm_start: Names of runs to learn from beside those of the budgets before, instead of all on the same data.
        cold: Whether to learn from those of the budgets before alone.

    Raises:
        BudgetError: if the budgets are not different whole numbers, or nothing fits one of them.
        InputError: if something else given cannot be used.
        WorkError: if something fails while working.
    """
    from tinysearch.results.store import Store
    from tinysearch.search.frontier import initial_candidates
    from tinysearch.search.given import learns_unasked, search_space_of

    bounds = list(budgets)
    if not bounds or len(set(bounds)) < len(bounds) or min(bounds) < 1:
        raise BudgetError(f"budgets are different whole numbers of at least 1, got {bounds}")
    chosen = list(warm_start)
    unasked = learns_unasked({"cold": cold, **({"warm_start": chosen} if chosen else {})})
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
        for bound in bounds:
            own = f"{name}-{bound}"
            # A run that goes on has what it began with in its settings.
            begun = opened.has(own)
            new: dict[str, Any] = {}
            if not begun:
                new["initial_candidates"] = initial_candidates(before, whole, bound)
                if not unasked:
                    new["warm_start"] = chosen
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
            chosen.append(own)
            records[bound] = opened.records(own)
            if ending == "interrupted":
                break
    finally:
        if running is not None and executor is None:
            running.close()
        if opened is not store:
            opened.close()
    return Frontier(records, ending, problem)
