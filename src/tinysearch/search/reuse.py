"""Reuse of identical trainings of other runs: when an existing measurement can replace a training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from tinysearch.data.splits import Split
from tinysearch.errors import DamagedError
from tinysearch.results.record import Record
from tinysearch.results.store import Store
from tinysearch.runtime.environment import Environment
from tinysearch.training.candidate import Candidate

Reuse = Literal["same", "any", "none"]
REUSE: tuple[Reuse, ...] = ("same", "any", "none")


def divided_alike(store: Store, trainings: Iterable[Record], split: Split) -> list[Record]:
    """Return the trainings whose runs used a given split of the training images.

    Trainings of a run that cannot be read are left out, because its split is unknown.

    Args:
        store: Store with the runs of the trainings.
        trainings: Trainings of any runs on the same training images.
        split: See ``Dataset.split``. A run without a stored split used the one of its time, the last tenth.
    """
    known = list(trainings)
    alike = {name for name in {one.run for one in known} if _split_of(store, name) == split}
    return [one for one in known if one.run in alike]


def _split_of(store: Store, run: str) -> Split | None:
    try:
        return Split.from_dict(store.run(run).settings.get("data", {}).get("split", {}))
    except DamagedError:
        return None


def reusable(
    trainings: Iterable[Record],
    candidate: Candidate,
    environment: Environment,
    reuse: Reuse,
    *,
    every_epoch: bool = False,
) -> tuple[Record, bool] | None:
    """Return the first training that can replace one of the candidate, and whether it ran in another environment.

    Networks that differ only in the order of inception branches have the same key, but a different peak memory and
    different initial weights: a training of one cannot replace a training of the other.

    Args:
        trainings: Finished trainings with the candidate's key, the same seed and the same data, the oldest first, with
            the objective of the run. Those for which the objective was not measured are ignored.
        candidate: Candidate to be trained.
        environment: Environment in which it would be trained.
        reuse: ``"same"`` accepts trainings from an environment with the same decisive fields, ``"any"`` prefers these
            and accepts all others, ``"none"`` accepts no training.
        every_epoch: Whether the objective must have been measured after every epoch. A run that prunes needs this: the
            trainings that it stops must not depend on what other runs know.

    Returns:
        None if no training can be reused.
    """
    if reuse == "none":
        return None
    identical = [
        one for one in trainings if one.architecture == candidate.architecture and _is_measured(one, every_epoch)
    ]
    for one in identical:
        if environment.gives_equal_numbers(Environment.from_dict(one.provenance)):
            return one, one.other_environment
    return (identical[0], True) if identical and reuse == "any" else None


def _is_measured(record: Record, every_epoch: bool) -> bool:
    looked_at = record.measurement.curve if every_epoch else record.measurement.curve[-1:]
    return not record.failed and all(epoch.value(record.objective) is not None for epoch in looked_at)
