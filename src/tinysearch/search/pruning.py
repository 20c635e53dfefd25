"""Stopping candidates that are hopeless: which value of the objective a training must reach to go on.

``benchmarks/pruning.py`` measured the rule on real trainings; ``docs/benchmarks.md`` says what it saves and loses.
"""

from __future__ import annotations

import bisect
import itertools
import statistics
from collections.abc import Sequence
from dataclasses import replace

from tinysearch.results.record import Record, is_worse

# From so many comparable trainings on there is a floor.
KNOWN = 8
# A training of so much of its epochs is looked at once.
_PROGRESS = 0.5
# So many records are looked at, so that the time of a proposal is bounded.
_LATEST = 1_000


def comparable(history: Sequence[Record], params: int, budgets: Sequence[int]) -> Sequence[Record]:
    """Return the records that a network is to be compared with: the latest below the same of several budgets.

    A small network is not hopeless because larger ones are better.

    Args:
        history: Of the run.
        params: Those of the network.
        budgets: Those of the run, from the smallest to the largest; none if only the best of all is wanted.
    """
    if not budgets:
        return history
    own = bisect.bisect_right(budgets, params)
    alike = (one for one in reversed(history) if bisect.bisect_right(budgets, one.cost.params) == own)
    return list(itertools.islice(alike, _LATEST))[::-1]


def floor(history: Sequence[Record], epochs: int) -> tuple[int, float] | None:
    """Return after which epoch a new candidate is looked at, and the value that it must reach by then.

    That is a value of the run's objective on the validation images: the median of what those before it had reached
    after that epoch, which are those of the history that were to be trained for as many epochs, stopped ones included,
    baselines and failures left out; of many, the latest thousand.

    Args:
        history: The records that the candidate may depend on.
        epochs: For how many epochs the candidate is to be trained.

    Returns:
        None if there is too little to compare with, or nothing to be saved.
    """
    number = round(_PROGRESS * epochs)
    reached = [
        value
        for record in history[-_LATEST:]
        if record.origin == "search"
        and not record.failed
        and record.recipe.get("epochs") == epochs
        and len(record.measurement.curve) >= number
        and (value := record.measurement.curve[number - 1].value(record.objective)) is not None
    ]
    if not 1 <= number < epochs or len(reached) < KNOWN:
        return None
    return number, statistics.median(reached)


def stopped(record: Record, floor: tuple[int, float] | None) -> Record:
    """Return the record of a whole training as it would be if it had been stopped at a floor."""
    if floor is None:
        return record
    number, bound = floor
    value = record.measurement.curve[number - 1].value(record.objective)
    if value is None or not is_worse(value, bound, record.direction):
        return record
    return replace(record, measurement=replace(record.measurement, curve=record.measurement.curve[:number]))
