"""What a run has left to train, counted from its settings and its records."""

from __future__ import annotations

from dataclasses import dataclass

from tinysearch.results.record import Record
from tinysearch.search.evaluation import winners_of
from tinysearch.search.racing import FEWEST
from tinysearch.search.rounds import next_round
from tinysearch.search.run import SearchRun
from tinysearch.search.settings import RunSettings


@dataclass(frozen=True, slots=True)
class Workload:
    """What a run has left to train.

    Args:
        trainings: How many candidates of the search, baselines included.
        revalidations: How many there are at the most.
        evaluations: How many there are at the most.
    """

    trainings: int
    revalidations: int
    evaluations: int

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages with something left, in their order."""
        left = {"search": self.trainings, "revalidation": self.revalidations, "evaluation": self.evaluations}
        return tuple(name for name, count in left.items() if count)


def most_revalidations(settings: RunSettings) -> int:
    """Return how many revalidations a run has at the most: half as many as trials, none where a race is too short."""
    most = settings.trials // 2
    return most if settings.folds > 1 and most >= FEWEST else 0


def workload(run: SearchRun) -> Workload:
    """Return what a run has left to train.

    As long as it searches or revalidates, its winners are not known, and neither is how many trainings follow: they are
    counted as if all were carried out. Of data whose test images are not counted yet it is taken that there are some.

    Args:
        run: Has not begun, or is somewhere on its way.
    """
    settings, dataset = run.settings, run.dataset
    # Only what has no new candidate left has rejections after its last record.
    exhausted = bool(run.store.run(run.name).rejections)
    trainings = 0 if exhausted else max(0, run.planned - run.history.done)
    most = most_revalidations(settings)
    evaluations = settings.evaluate * max(1, len(settings.budgets)) if dataset.test_images != 0 else 0
    if trainings:
        before = sum(one.purpose == "revalidation" for one in run.store.summaries(run.name))
        return Workload(trainings, max(0, most - before), evaluations)
    again = run.store.records(run.name, purpose="revalidation")
    records = [*run.history.records(), *again]
    if most and _is_open(run, records):
        return Workload(0, max(0, most - len(again)), evaluations)
    if all(one.failed for one in records):
        return Workload(0, 0, 0)
    if evaluations:
        planned = winners_of(run.store, run.name, dataset, range(settings.evaluate))
        evaluations = sum(run.store.training(run.name, one.key, one.seed, "evaluation") is None for one in planned)
    return Workload(0, 0, evaluations)


def _is_open(run: SearchRun, records: list[Record]) -> bool:
    """Whether revalidations are left to train."""
    now = next_round(records, run.settings, len(run.dataset.training_data().validation or ()))
    return now is not None and bool(now.left)
