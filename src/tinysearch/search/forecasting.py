"""What a run has left to train, and how fast trainings were on this machine before."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import replace

from tinysearch.results.forecast import REVALIDATED, Forecast, Pace, Timing, is_perfect
from tinysearch.results.record import Record
from tinysearch.search.outline import DRAWS
from tinysearch.search.run import SearchRun
from tinysearch.search.workload import workload
from tinysearch.space.budget import Budget
from tinysearch.space.cost import cost
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.survey import random_members
from tinysearch.workers.executor import Executor

# Of the random members of the space that are drawn for the plan, so many are looked at, and so many within the budget
# are enough to tell their mean.
_LOOKED_AT = 150
_ENOUGH = 10
_TRAININGS = 40
# What the time of a training depends on beside the network and the images.
_DECISIVE = ("backend", "machine", "threads", "processor", "accelerator")


def forecast(run: SearchRun, executor: Executor) -> Forecast:
    """Return what is known, before it begins, of how long a run takes.

    The networks of the search are not known; they are taken to cost as much as random members of the space within
    the budget, or below each of several budgets. How fast trainings are is known if the store has some on the same
    images from this machine.

    Args:
        run: Has not begun, or is about to go on.
        executor: Where its candidates are trained.
    """
    settings, history = run.settings, run.history
    done = {record.name for record in history.records() if record.origin == "baseline"}
    known = tuple(cost(model, run.dataset.task).macs for name, model in run.baselines.items() if name not in done)
    left = workload(run)
    trials = max(0, left.trainings - len(known))
    busy = executor.capacity if settings.schedule == "async" else min(executor.capacity, settings.lag)
    environment = executor.expected_environment(run.resources).to_dict()
    images = len(run.dataset.training_data().train)
    latest = run.store.latest(run.dataset.fingerprint, _TRAININGS)
    timings = [
        Timing(record.cost.macs, len(run.dataset.train) if record.purpose == "evaluation" else images, one)
        for record in latest
        if all(record.provenance.get(name) == environment.get(name) for name in _DECISIVE)
        for one in (record.measurement,)
    ]
    return Forecast(
        images=images,
        epochs=settings.recipe.epochs,
        known=known,
        trials=trials,
        macs=_macs(run, history.records()) if trials or left.revalidations or left.evaluations else 0.0,
        revalidations=left.revalidations,
        # Below each of several budgets there is a race of its own.
        rounds=(settings.folds - 1) * max(1, len(settings.budgets)),
        evaluations=left.evaluations,
        workers=max(1, busy),
        revalidated=0.0 if any(map(is_perfect, latest)) else REVALIDATED,
        pace=Pace.of(timings),
        accelerated=environment.get("accelerator") is not None,
        limit=None if run.until is None else max(0.0, run.until - time.monotonic()),
    )


def _macs(run: SearchRun, records: Sequence[Record]) -> float:
    """Return how many MACs a candidate has: the mean of the run so far, else of random members within the budget."""
    searched = [record.cost.macs for record in records if record.origin == "search"]
    if len(searched) >= run.settings.lag:
        return statistics.fmean(searched)
    budget = run.settings.budget
    # A search for several budgets trains networks for each of them.
    bounds = run.settings.budgets or (budget.params,)
    return statistics.fmean(_macs_within(run.space, replace(budget, params=bound)) for bound in bounds)


def _macs_within(space: SearchSpace, budget: Budget) -> float:
    """Return how many MACs random members of a space within a budget have, on average."""
    members = random_members(space, DRAWS)[:_LOOKED_AT]
    costs = [found for _, found in members if budget.check(found).accepted]
    if len(costs) < _ENOUGH:
        narrowed = [space.cost(space.scaled_below(one, budget.params)) for one, _ in members[:_ENOUGH]]
        costs += [found for found in narrowed if found is not None]
    return statistics.fmean([one.macs for one in costs] or [0])
