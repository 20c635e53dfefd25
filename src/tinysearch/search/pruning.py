"""Stopping candidates that are hopeless: below which validation accuracy a training does not go on.

``benchmarks/pruning.py`` measured the rule on real trainings; ``docs/benchmarks.md`` says what it saves and loses.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from tinysearch.results.record import Record

# From so many comparable trainings on there is a floor.
KNOWN = 8
# A training of so much of its epochs is looked at once.
_PROGRESS = 0.5
# So many records are looked at, so that the time of a proposal is bounded.
_LATEST = 1_000


def floor(history: Sequence[Record], epochs: int) -> tuple[int, float] | None:
    """Return after which epoch a new candidate is looked at, and the accuracy below which it is stopped.

    It is the median of what those before it had reached after that epoch: those of the history that were to be trained
    for as many epochs, stopped ones included, baselines and failures left out; of many, the latest thousand.

    Args:
        history: The records that the candidate may depend on.
        epochs: For how many epochs the candidate is to be trained.

    Returns:
        None if there is too little to compare with, or nothing to be saved.
    """
    number = round(_PROGRESS * epochs)
    reached = [
        accuracy
        for record in history[-_LATEST:]
        if record.origin == "search"
        and not record.failed
        and record.recipe.get("epochs") == epochs
        and len(record.measurement.curve) >= number
        and (accuracy := record.measurement.curve[number - 1].val_accuracy) is not None
    ]
    if not 1 <= number < epochs or len(reached) < KNOWN:
        return None
    return number, statistics.median(reached)
