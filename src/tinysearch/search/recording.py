"""From a measurement to the record that is stored."""

from __future__ import annotations

from typing import Any

from tinysearch.data.dataset import Dataset
from tinysearch.results.record import Measurement, Origin, Purpose, Record
from tinysearch.runtime.environment import Environment
from tinysearch.space.cost import Cost, cost
from tinysearch.training.candidate import Candidate


def recorded(
    candidate: Candidate,
    measurement: Measurement,
    dataset: Dataset,
    environment: Environment,
    *,
    run: str,
    name: str,
    origin: Origin,
    purpose: Purpose,
    seed: int,
    counted: Cost | None = None,
    **fields: Any,
) -> Record:
    """Return the record of one training.

    Args:
        candidate: What was trained, and how.
        measurement: What came back.
        dataset: On what it was trained.
        environment: Where it was trained.
        run, name, origin, purpose, seed: See ``Record``.
        counted: The cost of the candidate, if it is known.
        **fields: Further fields of ``Record``: trial, position, rejections, test figures.
    """
    return Record(
        run=run,
        key=candidate.key,
        name=name,
        origin=origin,
        purpose=purpose,
        seed=seed,
        dataset=dataset.name,
        fingerprint=dataset.fingerprint,
        architecture=candidate.architecture,
        cost=counted or cost(candidate.architecture, dataset.task),
        recipe=candidate.recipe.to_dict(),
        measurement=measurement,
        provenance=environment.to_dict(),
        **{"trial": None, **fields},
    )
