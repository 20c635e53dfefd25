"""Resumption of a KerasTuner grid search, which saves its trials but not their order in the grid."""

from __future__ import annotations

import functools

import keras_tuner


def restore_order(oracle: keras_tuner.oracles.GridSearchOracle) -> None:
    """Let a reloaded oracle continue after the last combination that it has tried.

    Otherwise it ends at once, or with a ``KeyError`` after an interrupted trial. KerasTuner has no public way to
    restore the order.
    """
    values = {identity: trial.hyperparameters.values for identity, trial in oracle.trials.items()}
    ordered = sorted(values, key=functools.cmp_to_key(lambda one, other: oracle._compare(values[one], values[other])))
    oracle._ordered_ids = type(oracle._ordered_ids)()
    for identity in ordered:
        oracle._ordered_ids.insert(identity)
    oracle._populate_next = ordered[-1:]
