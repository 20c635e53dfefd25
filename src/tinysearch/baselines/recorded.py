"""Candidates that were trained before, as a store or the reference results have them: what can be trained again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tinysearch.errors import CandidateError
from tinysearch.results.archive import REFERENCE, open_to_read
from tinysearch.results.record import Origin
from tinysearch.results.run import Run
from tinysearch.results.store import Store
from tinysearch.space.cost import Cost
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

# Begins the name of the run for what is trained again, with the name of the dataset behind it.
AGAIN = "again-"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A candidate that was trained before.

    Args:
        candidate, name, origin, cost: As recorded.
        fingerprint: Of the training images.
        test_accuracies: By seed, fractions; of trainings on all training images, empty if there were none.
        found_in: The run of its first training.
    """

    candidate: Candidate
    name: str
    origin: Origin
    cost: Cost
    fingerprint: str
    test_accuracies: Mapping[int, float]
    found_in: Run


def recorded(key: str, store: Store) -> Recorded:
    """Return what is recorded of a candidate: in a store, or else in the reference results.

    Args:
        key: Its key, or the beginning of it.
        store: Where it is looked for first.

    Raises:
        CandidateError: if there is no such candidate, or more than one.
    """
    found = _recorded(key, store)
    if found is None:
        with open_to_read(REFERENCE) as reference:
            found = _recorded(key, reference)
    if found is None:
        raise CandidateError(
            f"what can be reproduced is conv, separable, inception, and by their keys what 'tinysearch leaderboard' "
            f"and 'tinysearch leaderboard --reference' list; got {key!r}"
        )
    return found


def _recorded(key: str, store: Store) -> Recorded | None:
    """Return what a store has of a candidate beside its reproductions; None if it has nothing."""
    if not any(one.key.startswith(key) and not one.run.startswith(AGAIN) for one in store.summaries()):
        return None
    records = [record for record in store.find(key) if not record.run.startswith(AGAIN)]
    first = records[0]
    tested = {
        record.seed: record
        for record in records
        if record.test_accuracy is not None
        and record.measurement.val_accuracy is None
        and record.fingerprint == first.fingerprint
    }
    return Recorded(
        candidate=Candidate(first.architecture, Recipe.from_dict(first.recipe)),
        name=first.name,
        origin=first.origin,
        cost=first.cost,
        fingerprint=first.fingerprint,
        test_accuracies={seed: record.test_accuracy or 0.0 for seed, record in sorted(tested.items())},
        found_in=store.run(first.run),
    )
