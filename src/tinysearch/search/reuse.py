"""Identical trainings of other runs: when a measurement can stand for a training that was not done."""

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
    """Return those trainings whose runs divided the training images as a split does.

    Trainings of a run that cannot be read are left out: how it divided them is not known.

    Args:
        store: Has their runs.
        trainings: Of any runs, on the same training images.
        split: See ``Dataset.split``; where a run keeps none, it was that of its time, the last tenth.
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
    """Return the first training that stands for one of the candidate here, and whether its environment was another.

    Networks that differ in nothing but the order of inception branches have one key, but neither the same memory at
    the peak nor the same initial weights: a training of the one does not stand for a training of the other.

    Args:
        trainings: Finished trainings with the candidate's key, the same seed and the same data, the oldest first; with
            the objective of the run, and one that was not measured by it stands for nothing.
        candidate: What is to be trained.
        environment: Where it would be trained.
        reuse: ``"same"`` takes what was trained in an environment whose decisive part is the same, ``"any"`` takes that
            first and else what was trained in another one, ``"none"`` takes nothing.
        every_epoch: Whether the objective must have been measured after every epoch, as where a run prunes: what it
            stops must not depend on what other runs know.
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
