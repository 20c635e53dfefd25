"""From what came of a training to the record that is stored."""

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
        training: What was trained, and what for.
        outcome: What came back; what was predicted for test images goes elsewhere.
        dataset: On what it was trained.
        **fields: Further fields of ``Record``: test figures.
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
