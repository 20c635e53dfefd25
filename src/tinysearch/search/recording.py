"""Conversion of the outcome of a training to a record for the store."""

from __future__ import annotations

import dataclasses
from typing import Any

from tinysearch.data.dataset import Dataset
from tinysearch.results.record import VALIDATED_ON, Record
from tinysearch.results.training import Training
from tinysearch.training.job import Outcome


def recorded(training: Training, outcome: Outcome, dataset: Dataset, **fields: Any) -> Record:
    """Return the record of one training.

    Args:
        training: The training, with its purpose.
        outcome: Outcome of the training; its predictions on test images are not part of the record.
        dataset: Dataset of the training.
        **fields: Further fields of ``Record``: objective, direction and test scores.
    """
    return Record(
        run=training.run,
        key=training.key,
        name=training.name,
        origin=training.origin,
        purpose=training.purpose,
        trial=training.trial,
        position=training.position,
        seed=training.seed,
        dataset=dataset.name,
        fingerprint=dataset.fingerprint,
        architecture=training.architecture,
        cost=training.cost,
        recipe=training.recipe,
        measurement=dataclasses.replace(outcome.measurement, predicted=None),
        provenance={
            **({} if outcome.environment is None else outcome.environment.to_dict()),
            VALIDATED_ON: dataset.split.part(training.fold),
        },
        rejections=training.rejections,
        **fields,
    )
