"""``tinysearch.frontier``: the best network below each of several budgets, in one run or in several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinysearch.api.arguments import FrontierSettings, check_names, spelled_out
from tinysearch.api.callbacks import CallbackLike, WithoutEnd, callbacks_of, failure_told
from tinysearch.api.inputs import load_data, open_store, stored_settings, tell_of_interruption
from tinysearch.api.kinds import check_instead, check_kinds
from tinysearch.api.known_data import Given, load_data_of
from tinysearch.api.study import Study
from tinysearch.errors import BudgetError, RunError, TinySearchError, check_type
from tinysearch.results.callback import Callbacks
from tinysearch.space.budget import BUDGETS

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from tinysearch.data.dataset import Dataset
    from tinysearch.data.readers.reader import Reading
    from tinysearch.results.callback import Ending
    from tinysearch.results.leaderboard import Row
    from tinysearch.results.record import Record
    from tinysearch.results.store import Store
    from tinysearch.search.reuse import Reuse
    from tinysearch.space.search_space import SearchSpace
    from tinysearch.workers.executor import Executor

# Number of trials per budget in a single run.
TRIALS = 10


@dataclass(frozen=True, slots=True, repr=False)
class Frontier:
    """The results of a search below several budgets.

    Args:
        records: Records of the networks below each budget; if each budget was a run, the records of its run.
        ending: How the last run ended.
        problem: The first error in a revalidation or evaluation; None if there was none.
    """

    records: Mapping[int, Sequence[Record]]
    ending: Ending
    problem: TinySearchError | None = None

    def __repr__(self) -> str:
        """Show the best below each budget, whichever run has found it."""
        from tinysearch.search.frontier import winners

        below = "".join(
            f"\n  below {budget:,}: {None if row is None else self._first_of(row)!r}"
            for budget, row in sorted(winners(self.records).items())
        )
        problem = "" if self.problem is None else f", problem: {self.problem}"
        return f"<Frontier: {self.ending}{problem}{below}>"

    def _first_of(self, row: Row) -> Record:
        """Return the first training of the network in a row that did not fail."""
        trained = (one for found in self.records.values() for one in found if not one.failed)
        return next(one for one in trained if (one.run, one.key) == (row.run, row.key))


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

    By default, this is one run with the strategy ``pareto``, in which each training is useful for all sizes. The
    winners below each budget are revalidated and evaluated. With another strategy, each budget is a run: it starts with
    your ``initial_candidates`` and the best networks of the previous budget, scaled until they just fit, and learns
    from all trainings of the previous budgets. Both learn from other searches on the same data in the store. Repeat the
    call to resume it after an interruption, or with more trials to continue the search; a frontier of version 0.1.0, in
    which each budget is a run, is resumed as such.

    Args:
        budgets: Distinct bounds on parameters; separate runs are searched in this order.
        data, dataset, reading, augment, store, reuse, callbacks, verbose: See ``Study``.
        name: Name of the run; prefix of the names if each budget is a run.
        workers, executor: See ``Study.run``.
        warm_start: Names of runs to learn from instead of all on the same data; separate runs always learn from those
            of the previous budgets too. A resumed frontier learns from the same runs as when it began.
        cold: Whether to learn from the runs of the previous budgets only.
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
    from tinysearch.search.given import learns_unasked, search_space_of
    from tinysearch.search.warm_start import named
    from tinysearch.space.budget import several_bounds

    heard = Callbacks(callbacks_of(callbacks))
    with failure_told(heard):
        check_names(settings, frontier)
        check_type("name", name, str, "a text, the name of a run")
        check_kinds(name=name, store=store, reading=reading, augment=augment, workers=workers, verbose=verbose)
        check_instead(executor, workers=workers)
        # Several runs may read what an iterator yields only once.
        given: dict[str, Any] = {
            key: tuple(value) if isinstance(value, Iterator) else value
            for key, value in settings.items()
            if value is not None
        }
        own = given.get("initial_candidates", ())
        check_type("initial_candidates", own, Iterable, "a list of architectures or candidates")
        given |= {"callbacks": [WithoutEnd([heard])], "verbose": verbose, "augment": augment, "reuse": reuse}
        bounds = several_bounds(budgets)
        if not bounds:
            raise BudgetError("a frontier has at least one budget, got none")
        chosen = named(warm_start)
        unasked = learns_unasked({"cold": cold, "warm_start": None if warm_start is None else chosen})
        opened = store if isinstance(store, Store) else open_store(store)
        try:
            wanted = Given(data, dataset, reading)
            known = [one for one in (name, *(f"{name}-{bound}" for bound in bounds)) if opened.has(one)]
            images = load_data_of(opened.run(known[0]), wanted) if known else load_data(*wanted)
            space = search_space_of(given.get("space"), images.task)
            _check_smallest(space, bounds)
            plan = _Plan(name, bounds, images, space, opened, given, None if unasked else tuple(chosen))
            one_run = _in_one_run(given.get("strategy"), opened, name, bounds)
            found = (_search_at_once if one_run else _search_one_by_one)(plan, workers, executor)
        finally:
            if opened is not store:
                opened.close()
    heard.on_end("failed" if found.problem is not None else found.ending)
    return found


@dataclass(frozen=True, slots=True)
class _Plan:
    """Inputs of the search for a frontier.

    Args:
        name, budgets: See ``frontier``.
        data, space, store: The values of these arguments, loaded and opened.
        given: The other arguments of each study.
        warm_start: Names of runs to learn from; None for all on the same data.
    """

    name: str
    budgets: Sequence[int]
    data: Dataset
    space: SearchSpace
    store: Store
    given: Mapping[str, Any]
    warm_start: tuple[str, ...] | None


def _search_at_once(plan: _Plan, workers: int | None, executor: Executor | None) -> Frontier:
    """Search below all budgets in a single run."""
    name, store, budgets = plan.name, plan.store, plan.budgets
    first: dict[str, Any] = {"budgets": budgets}
    if plan.warm_start is not None:
        first["warm_start"] = plan.warm_start
    if not store.has(name):
        first |= {"strategy": "pareto", "trials": TRIALS * len(budgets)}
    settings: dict[str, Any] = {**first, **plan.given}
    study = Study(max(budgets), data=plan.data, name=name, store=store, **settings)
    try:
        outcome = study.carry_out(workers=workers, executor=executor)
    finally:
        study.close()
    if outcome.ending == "interrupted" and plan.given["verbose"]:
        tell_of_interruption(store, name)
    trained = store.records(name)
    below = {budget: [one for one in trained if one.cost.params < budget] for budget in budgets}
    if outcome.failure is not None and outcome.ending != "interrupted":
        raise outcome.failure
    return Frontier(below, outcome.ending, outcome.problem)


def _search_one_by_one(plan: _Plan, workers: int | None, executor: Executor | None) -> Frontier:
    """Search below each budget in a separate run, which learns from the previous ones."""
    running: Executor | None = executor
    records: dict[int, list[Record]] = {}
    problem: TinySearchError | None = None
    before: Sequence[Record] = []
    names: list[str] = []
    try:
        for budget in plan.budgets:
            own = f"{plan.name}-{budget}"
            study = _study_below(plan, budget, own, names, before)
            try:
                # The processes of the first budget train for all of them.
                outcome = study.carry_out(workers=workers if running is None else None, executor=running)
                running = study.take_workers() if running is None else running
            finally:
                study.close()
            problem = problem or outcome.problem
            before = outcome.records
            names.append(own)
            records[budget] = plan.store.records(own)
            if outcome.ending == "interrupted":
                if plan.given["verbose"]:
                    tell_of_interruption(plan.store, own, f"call it again with name={plan.name!r} to continue")
                break
    finally:
        if running is not None and executor is None:
            running.close()
    # Below one budget all may fail; the others have a winner.
    every_one_failed = all(one.failed for found in records.values() for one in found)
    if outcome.failure is not None and every_one_failed and outcome.ending != "interrupted":
        raise outcome.failure
    return Frontier(records, outcome.ending, problem)


def _study_below(plan: _Plan, budget: int, name: str, names: Sequence[str], before: Sequence[Record]) -> Study:
    """Return the study below one budget.

    Args:
        plan: Inputs of the frontier.
        budget, name: Budget and name of the study.
        names: Names of the runs of the previous budgets.
        before: Records of the last of these runs.

    Raises:
        RunError: if the study exists and cannot be resumed.
    """
    from tinysearch.search.frontier import initial_candidates

    own = tuple(plan.given.get("initial_candidates", ()))
    known = stored_settings(plan.store.run(name) if plan.store.has(name) else None)
    if known is None:
        heirs = initial_candidates(before, plan.space, budget)
    else:
        # The run keeps what it took over from the previous budgets when it began.
        heirs = known.initial_candidates[len(own) :]
        names = [one.run for one in known.warm_start_trials if _is_below(plan.name, one.run)]
    settings: dict[str, Any] = {**plan.given, "initial_candidates": (*own, *heirs)}
    if plan.warm_start is not None:
        settings["warm_start"] = list(dict.fromkeys([*plan.warm_start, *names]))
    return Study(budget, data=plan.data, name=name, store=plan.store, resume=known is not None, **settings)


def _is_below(frontier: str, name: str) -> bool:
    """Return whether a name is that of a run below one of the budgets of a frontier."""
    return name.startswith(f"{frontier}-") and name.removeprefix(f"{frontier}-").isdecimal()


def _check_smallest(space: SearchSpace, budgets: Sequence[int]) -> None:
    """Check that the search space has a network below every budget.

    Raises:
        BudgetError: if it has none below one of them.
    """
    smallest = space.smallest().params
    if smallest >= min(budgets):
        raise BudgetError(
            f"no architecture of the search space is below {min(budgets):,} parameters: the smallest one has "
            f"{smallest:,}; leave that budget out"
        )


def _in_one_run(strategy: object, store: Store, name: str, budgets: Sequence[int]) -> bool:
    """Return whether a frontier is searched in a single run.

    Raises:
        RunError: if the strategy is ``pareto`` with another cost than parameters.
    """
    from tinysearch.search.strategies.pareto import PREFIX

    if strategy is None:
        # A frontier that was started as one run per budget is resumed as such.
        return store.has(name) or not any(store.has(f"{name}-{budget}") for budget in budgets)
    if isinstance(strategy, str) and strategy.startswith(PREFIX) and strategy != f"{PREFIX}params":
        raise RunError(
            f"the budgets of a frontier limit parameters, so its strategy must be 'pareto', got {strategy!r}; for "
            f"another cost, use tinysearch.run with this strategy"
        )
    return strategy in ("pareto", f"{PREFIX}params")
