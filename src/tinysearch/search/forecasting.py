"""Forecast of the duration of a run, from its remaining trainings and the pace of earlier ones on this machine."""

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

# The plan draws random members of the space. The mean MACs come from this many of them (_LOOKED_AT), or from narrowed
# members too if fewer than _ENOUGH of these are within the budget.
_LOOKED_AT = 150
_ENOUGH = 10
_TRAININGS = 40
# Provenance fields that determine the time of a training, besides the network and the images.
_DECISIVE = ("backend", "machine", "threads", "processor", "accelerator")


def forecast(run: SearchRun, executor: Executor) -> Forecast:
    """Return the forecast of how long a run takes, before it begins or resumes.

    The networks of the search are unknown; the forecast assumes that they cost as much as random members of the space
    within the budget, or below each of several budgets. The pace of trainings is known if the store has trainings on
    the same images from this machine.

    Args:
        run: Run that has not begun, or is about to be resumed.
        executor: Executor that trains its candidates.
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
        # Each of several budgets has its own race.
        rounds=settings.rounds * max(1, len(settings.budgets)),
        evaluations=left.evaluations,
        workers=max(1, busy),
        revalidated=0.0 if any(map(is_perfect, latest)) else REVALIDATED,
        pace=Pace.of(timings),
        accelerated=environment.get("accelerator") is not None,
        limit=None if run.until is None else max(0.0, run.until - time.monotonic()),
    )


def _macs(run: SearchRun, records: Sequence[Record]) -> float:
    """Return the mean MACs of a candidate: of the run so far, or of random members if it has fewer than lag records."""
    searched = [record.cost.macs for record in records if record.origin == "search"]
    if len(searched) >= run.settings.lag:
        return statistics.fmean(searched)
    budget = run.settings.budget
    # A search for several budgets trains networks for each of them.
    bounds = run.settings.budgets or (budget.params,)
    return statistics.fmean(_macs_within(run.space, replace(budget, params=bound)) for bound in bounds)


def _macs_within(space: SearchSpace, budget: Budget) -> float:
    """Return the mean MACs of random members of a space within a budget."""
    members = random_members(space, DRAWS)[:_LOOKED_AT]
    costs = [found for _, found in members if budget.check(found).accepted]
    if len(costs) < _ENOUGH:
        narrowed = [space.cost(space.scaled_below(one, budget.params)) for one, _ in members[:_ENOUGH]]
        costs += [found for found in narrowed if found is not None]
    return statistics.fmean([one.macs for one in costs] or [0])
