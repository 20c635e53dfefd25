"""Candidates recorded in a store or in the reference results, which can be trained again."""

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

# Prefix of the name of the run that trains candidates again; the name of the dataset follows.
AGAIN = "again-"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded candidate with its test accuracies.

    Args:
        candidate, name, origin, cost: As recorded.
        fingerprint: Fingerprint of the training images.
        test_accuracies: Test accuracies of trainings on all training images as fractions, by seed; empty without such
            trainings.
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
    """Return a recorded candidate from a store, or else from the reference results.

    Args:
        key: Its key, or the beginning of it.
        store: The store to search first.

    Raises:
        CandidateError: if no candidate, or more than one, has such a key.
    """
    found = _recorded(key, store)
    if found is None:
        with open_to_read(REFERENCE) as reference:
            found = _recorded(key, reference)
    if found is None:
        raise CandidateError(
            f"the networks to reproduce are conv, separable, inception, and the keys that 'tinysearch leaderboard' and "
            f"'tinysearch leaderboard --reference' list; got {key!r}"
        )
    return found


def _recorded(key: str, store: Store) -> Recorded | None:
    """Return a candidate from a store, without the records of its reproductions; None if the store has no others."""
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
