"""Early stopping of candidates: the value of the objective that a training must reach to continue.

``benchmarks/pruning.py`` measured the rule on real trainings; ``docs/benchmarks.md`` shows what it saves and loses.
"""

from __future__ import annotations

import bisect
import itertools
import statistics
from collections.abc import Sequence
from dataclasses import replace

from tinysearch.results.record import Record, is_worse

# Minimum number of comparable trainings for a floor.
KNOWN = 8
# Fraction of its epochs after which a training is checked, once.
_PROGRESS = 0.5
# Maximum number of records to compare with, which bounds the time of a proposal.
_LATEST = 1_000


def comparable(history: Sequence[Record], params: int, budgets: Sequence[int]) -> Sequence[Record]:
    """Return the records to compare a network with: the latest ones in the same interval between budgets.

    A small network is not hopeless because larger ones are better.

    Args:
        history: Records of the run.
        params: Number of parameters of the network.
        budgets: Budgets of the run, in ascending order. If empty, the whole history is returned.
    """
    if not budgets:
        return history
    own = bisect.bisect_right(budgets, params)
    alike = (one for one in reversed(history) if bisect.bisect_right(budgets, one.cost.params) == own)
    return list(itertools.islice(alike, _LATEST))[::-1]


def floor(history: Sequence[Record], epochs: int) -> tuple[int, float] | None:
    """Return the epoch after which a new candidate is checked, and the value that it must reach by then.

    The value is that of the run's objective on the validation images. It is the median of the values that the
    candidates of the history with the same planned number of epochs had reached after that epoch. Stopped candidates
    count; baselines and failures do not. Only the latest thousand records are used.

    Args:
        history: The records that the candidate may depend on.
        epochs: Number of epochs that the candidate is to be trained for.

    Returns:
        None if there are too few records to compare with, or too few epochs to save any.
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
    """Return the record of a whole training as if pruning had been active: shortened if it did not reach the floor."""
    if floor is None:
        return record
    number, bound = floor
    value = record.measurement.curve[number - 1].value(record.objective)
    if value is None or not is_worse(value, bound, record.direction):
        return record
    return replace(record, measurement=replace(record.measurement, curve=record.measurement.curve[:number]))
