"""The number of trainings that a run has left, counted from its settings and records."""

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
    """Number of trainings that a run has left, by stage.

    Args:
        trainings: Number of candidates of the search, baselines included.
        revalidations: Maximum number of revalidations.
        evaluations: Maximum number of evaluations.
    """

    trainings: int
    revalidations: int
    evaluations: int

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages with trainings left, in order."""
        left = {"search": self.trainings, "revalidation": self.revalidations, "evaluation": self.evaluations}
        return tuple(name for name, count in left.items() if count)


def most_revalidations(settings: RunSettings) -> int:
    """Return the maximum number of revalidations of a run: half the number of trials, or 0 if a race is too short."""
    most = settings.trials // 2
    return most if settings.rounds and most >= FEWEST else 0


def workload(run: SearchRun) -> Workload:
    """Return the number of trainings that a run has left.

    Before its search and its revalidation have finished, the winners and the number of later trainings are unknown; the
    maximum is counted. Data whose test images were not counted yet are assumed to have some.

    Args:
        run: Run in any state.
    """
    settings, dataset = run.settings, run.dataset
    # Only a run without new candidates has rejections after its last record.
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
    """Return whether revalidations are left to train."""
    now = next_round(records, run.settings, len(run.dataset.training_data().validation or ()))
    return now is not None and bool(now.left)
