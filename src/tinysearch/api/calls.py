"""The functions behind ``import tinysearch``: each is a study, or several, in one call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinysearch.api.arguments import FrontierSettings, Settings, check_names, spelled_out
from tinysearch.api.callbacks import CallbackLike, callbacks_of
from tinysearch.api.inputs import Resume, load_data, open_store, raise_what_ended, tell_of_interruption
from tinysearch.api.kinds import check_instead, check_kinds
from tinysearch.api.known_data import Given, load_data_of
from tinysearch.api.study import Study
from tinysearch.errors import BudgetError, RunError, TinySearchError, check_type
from tinysearch.space.budget import BUDGETS

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from tinysearch.data.readers.reader import Reading
    from tinysearch.results.callback import Ending
    from tinysearch.results.record import Record
    from tinysearch.results.store import Store
    from tinysearch.search.reuse import Reuse
    from tinysearch.space.budget import Budget
    from tinysearch.workers.executor import Executor

# Trials of a single run for each of its budgets.
TRIALS = 10


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
        callbacks=callbacks,
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
    verbose: bool | int = True,
) -> Study:
    """Open an existing study; without a name, the latest one.

    Args:
        name: Name of its run.
        store, data, verbose: See ``Study``.

    Raises:
        RunError: if there is none, or the data differ from those of the study.
        StoreError: if there is no store.
    """
    return Study(name=name, store=store, data=data, verbose=verbose, resume=True)


@dataclass(frozen=True, slots=True, repr=False)
class Frontier:
    """The results of a search below several budgets.

    Args:
        records: By budget, the records of networks below it; if each budget was a run, those of its run.
        ending: How the last run ended.
        problem: The first error in a revalidation or evaluation; None if there was none.
    """

    records: Mapping[int, Sequence[Record]]
    ending: Ending
    problem: TinySearchError | None = None

    def __repr__(self) -> str:
        """Show the best below each budget."""
        from tinysearch.results.ranking import best

        below = "".join(f"\n  below {budget:,}: {best(found)!r}" for budget, found in sorted(self.records.items()))
        problem = "" if self.problem is None else f", problem: {self.problem}"
        return f"<Frontier: {self.ending}{problem}{below}>"


@spelled_out(FrontierSettings, trials=None, strategy=None)
def frontier(
    budgets: Iterable[float | str] = BUDGETS,
    *,
    data: Any = "auto",
    dataset: str = "auto",
    reading: Reading | None = None,
    name: str = "frontier",
    store: Store | Path | str | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    callbacks: Iterable[CallbackLike] = (),
    verbose: bool | int = True,
    warm_start: str | Iterable[str] | None = None,
    cold: bool = False,
    augment: str | Path | Mapping[str, float] | None = None,
    reuse: Reuse = "same",
    **settings: Unpack[FrontierSettings],
) -> Frontier:
    """Search for the best network below each of several budgets.

    This is one run with the strategy ``pareto``, in which each training is useful for all sizes. The winners below each
    budget are revalidated and evaluated. With another strategy, each budget is a run: it starts with the best networks
    of the previous budget, scaled until they just fit, and learns from all trainings of the budgets before. Both learn
    from other searches on the same data in the store. Repeat the call to resume it after an interruption, or with more
    trials to continue the search; a frontier of 0.1.0, in which each budget is a run, is resumed as such.

    Args:
        budgets: Distinct bounds on parameters; separate runs are searched in this order.
        data, dataset, reading, augment, store, reuse, callbacks, verbose: See ``Study``.
        name: Name of the run; prefix of the names if each budget is a run.
        workers, executor: See ``Study.run``.
        warm_start: Names of runs to learn from beside those of the budgets before, instead of all on the same data.
        cold: Whether to learn from those of the budgets before alone.
        **settings: See ``tinysearch.api.arguments.FrontierSettings``. By default there are 10 ``trials`` per budget in
            the single run, and 20 in separate runs.

    Returns:
        The records. On Ctrl-C the ending is ``"interrupted"``, and finished trainings are in the store.

    Raises:
        BudgetError: if the budgets are not distinct whole numbers, or nothing fits one of them.
        InputError: if another argument cannot be used.
        WorkError: if something fails during the work, or every training failed.
    """
    from tinysearch.results.store import Store
    from tinysearch.search.frontier import initial_candidates
    from tinysearch.search.given import learns_unasked, search_space_of
    from tinysearch.search.warm_start import named
    from tinysearch.space.budget import several_bounds

    check_names(settings, frontier)
    check_type("name", name, str, "a text, the name of a run")
    check_kinds(name=name, store=store, reading=reading, augment=augment, workers=workers)
    check_instead(executor, workers=workers)
    given = {key: value for key, value in settings.items() if value is not None}
    given |= {"callbacks": callbacks_of(callbacks), "verbose": verbose, "augment": augment, "reuse": reuse}
    bounds = several_bounds(budgets)
    if not bounds:
        raise BudgetError("a frontier has at least one budget, got none")
    chosen = named(warm_start)
    unasked = learns_unasked({"cold": cold, "warm_start": None if warm_start is None else chosen})
    opened = store if isinstance(store, Store) else open_store(store)
    running: Executor | None = executor
    records: dict[int, list[Record]] = {}
    problem: TinySearchError | None = None
    ending: Ending = "finished"
    try:
        wanted = Given(data, dataset, reading)
        known = [one for one in (name, *(f"{name}-{bound}" for bound in bounds)) if opened.has(one)]
        images = load_data_of(opened.run(known[0]), wanted) if known else load_data(*wanted)
        whole = search_space_of(given.get("space"), images.task)
        smallest = whole.smallest().params
        if smallest >= min(bounds):
            raise BudgetError(
                f"no architecture of the search space is below {min(bounds):,} parameters: the smallest one has "
                f"{smallest:,}; leave that budget out"
            )
        if _in_one_run(given.get("strategy"), opened, name, bounds):
            first: dict[str, Any] = {"budgets": bounds}
            if not opened.has(name):
                first |= {"strategy": "pareto", "trials": TRIALS * len(bounds)}
                first |= {} if unasked else {"warm_start": chosen}
            whole_run: dict[str, Any] = {**first, **given}
            study = Study(max(bounds), data=images, name=name, store=opened, **whole_run)
            try:
                outcome = study.carry_out(workers=workers, executor=executor)
            finally:
                study.close()
            if outcome.ending == "interrupted" and verbose:
                tell_of_interruption(opened, name)
            trained = opened.records(name)
            below = {bound: [one for one in trained if one.cost.params < bound] for bound in bounds}
            if outcome.failure is not None and outcome.ending != "interrupted":
                raise outcome.failure
            return Frontier(below, outcome.ending, outcome.problem)
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
            of_budget: dict[str, Any] = {**given, **new}
            study = Study(bound, data=images, name=own, store=opened, resume=begun, **of_budget)
            try:
                # The processes of the first budget train for all of them.
                outcome = study.carry_out(workers=workers if running is None else None, executor=running)
                running = study.take_workers() if running is None else running
            finally:
                study.close()
            problem = problem or outcome.problem
            before, ending = outcome.records, outcome.ending
            chosen.append(own)
            records[bound] = opened.records(own)
            if ending == "interrupted":
                if verbose:
                    tell_of_interruption(opened, own, f"call it again with name={name!r} to continue")
                break
    finally:
        if running is not None and executor is None:
            running.close()
        if opened is not store:
            opened.close()
    # Below one budget all may fail; the others have a winner.
    every_one_failed = all(one.failed for found in records.values() for one in found)
    if outcome.failure is not None and every_one_failed and ending != "interrupted":
        raise outcome.failure
    return Frontier(records, ending, problem)


def _in_one_run(strategy: object, store: Store, name: str, budgets: Sequence[int]) -> bool:
    """Return whether a front is searched in a single run.

    Raises:
        RunError: if accuracy is to be set against another cost than parameters.
    """
    from tinysearch.search.strategies.pareto import PREFIX

    if strategy is None:
        # What was begun as a run for each budget goes on as that.
        return store.has(name) or not any(store.has(f"{name}-{budget}") for budget in budgets)
    if isinstance(strategy, str) and strategy.startswith(PREFIX) and strategy != f"{PREFIX}params":
        raise RunError(
            f"the budgets of a frontier are of parameters, so its strategy is pareto, got {strategy!r}; for another "
            f"cost use run with this strategy"
        )
    return strategy in ("pareto", f"{PREFIX}params")
