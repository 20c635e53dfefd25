"""Summaries: the few columns of a record that rankings need."""

from __future__ import annotations

from typing import NamedTuple

from tinysearch.results.record import INT8_ACCURACY, Direction, Origin, Purpose, Record
from tinysearch.space.notation import notation


class Summary(NamedTuple):
    """A record without its architecture, curve, recipe and provenance, in the types of the store.

    Ranking reads one summary for each record; reading the records themselves would take a hundred times as long. Fields
    are as in ``Record`` and its parts; ``layers`` is the short notation. ``objective`` is the objective of the run,
    unless the summary was requested for another metric; ``value`` and ``test_value`` are the values of this objective.
    """

    run: str
    key: str
    name: str
    origin: Origin
    purpose: Purpose
    seed: int
    dataset: str
    fingerprint: str
    reused_from: str | None
    other_environment: bool
    params: int
    non_trainable_params: int
    macs: int
    peak_activation_bytes: int
    flash_bytes: int | None
    epochs: int
    val_accuracy: float | None
    val_loss: float | None
    test_accuracy: float | None
    int8_accuracy: float | None
    failure: str | None
    train_seconds: float
    layers: str
    objective: str
    direction: Direction
    value: float | None
    test_value: float | None

    @classmethod
    def of(cls, record: Record) -> Summary:
        """Return the summary of a record."""
        return cls(
            run=record.run,
            key=record.key,
            name=record.name,
            origin=record.origin,
            purpose=record.purpose,
            seed=record.seed,
            dataset=record.dataset,
            fingerprint=record.fingerprint,
            reused_from=record.reused_from,
            other_environment=record.other_environment,
            params=record.cost.params,
            non_trainable_params=record.cost.non_trainable_params,
            macs=record.cost.macs,
            peak_activation_bytes=record.cost.peak_activation_bytes,
            flash_bytes=record.cost.flash_bytes,
            epochs=len(record.measurement.curve),
            val_accuracy=record.measurement.val_accuracy,
            val_loss=record.measurement.val_loss,
            test_accuracy=record.test_accuracy,
            int8_accuracy=record.test_metrics.get(INT8_ACCURACY),
            failure=record.measurement.failure,
            train_seconds=record.measurement.train_seconds,
            layers=notation(record.architecture),
            objective=record.objective,
            direction=record.direction,
            value=record.value,
            test_value=record.test_value,
        )
