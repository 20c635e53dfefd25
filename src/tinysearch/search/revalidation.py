"""Revalidations: before a winner is evaluated, it must have kept the lead on images that did not choose it.

The images held out for validation are few, so the best of many candidates by one training is the luckiest as much as
the best: at 99.4 % on 6,000 images the standard error is 0.1 points, more than what candidates differ by. So the
leaders are trained again, with other seeds and other folds of the training images held out, and count by the mean,
until the leader has been validated on as many folds as were asked for (a race in the sense of Maron and Moore, 1994, by
means alone).
"""

from __future__ import annotations

import dataclasses
from collections import Counter, deque
from collections.abc import Callable, Iterable
from pathlib import Path

from tinysearch.data.dataset import FOLDS
from tinysearch.results.predictions import Predictions
from tinysearch.results.ranking import ranked
from tinysearch.results.record import Record
from tinysearch.results.training import Training
from tinysearch.search.coordinator import TimeIsUpError
from tinysearch.search.plan import Plan, candidate_of
from tinysearch.search.recording import recorded
from tinysearch.search.reuse import reusable
from tinysearch.search.run import SearchRun
from tinysearch.search.settings import RunSettings
from tinysearch.training.job import Job, Outcome
from tinysearch.workers.executor import Executor
from tinysearch.workers.sharing import share

# How many leaders are trained again at a time. What a round holds does not depend on the workers, nor do the records.
ROUND = 2


def fold_of(seed: int) -> int:
    """Return which fold of the training images a revalidation with a seed holds out, counted from the end.

    Never 0, which is the last one: that is held out by the search.

    >>> [fold_of(seed) for seed in (0, 1, 2, 9, 10)]
    [9, 1, 2, 9, 1]
    """
    return 1 + (seed - 1) % (FOLDS - 1)


def left_of_round(records: Iterable[Record], settings: RunSettings) -> list[Training]:
    """Return what is to be trained next; nothing if the leader is revalidated.

    The rounds are gone through from the first one, so that a round that was interrupted is completed before anything
    follows from it: what is trained does not depend on interruptions.

    Args:
        records: Those of a run.
        settings: Those of the run.
    """
    counted = [record for record in records if record.purpose == "search"]
    known = {(record.key, record.seed): record for record in records if record.purpose == "revalidation"}
    while planned := next_round(counted, settings):
        left = [one for one in planned if (one.key, one.seed) not in known]
        if left:
            return left
        counted += [known.pop((one.key, one.seed)) for one in planned]
    # What was trained when the run had other settings, or fewer trials, counts as well.
    return next_round([*counted, *known.values()], settings) if known else []


def next_round(records: Iterable[Record], settings: RunSettings) -> list[Training]:
    """Return the round that follows from all that is known; nothing if the leader is revalidated.

    Args:
        records: Those of a run.
        settings: Those of the run.
    """
    known = [record for record in records if record.purpose != "evaluation"]
    trained = Counter(record.key for record in known)
    standings = [one.first for one in ranked(known) if not (one.is_shortened or one.first.pruned)]
    if not standings or trained[standings[0].key] >= settings.folds:
        return []
    waiting = [one for one in standings if trained[one.key] < settings.folds]
    seeds = {one.key: settings.seed + trained[one.key] for one in waiting}
    return [Training.again(one, "revalidation", seeds[one.key], fold_of(seeds[one.key])) for one in waiting[:ROUND]]


class RevalidationPlan(Plan):
    """Trains the leaders of a search again, on other folds, until one has led on as many as the run asks for.

    Args:
        run: Its search is over; its lock is held.
        executor: Where trainings run.
        on_round: Called with the trainings of each round, before it begins.
    """

    def __init__(
        self,
        run: SearchRun,
        executor: Executor,
        on_round: Callable[[list[Training]], None] = lambda planned: None,
    ) -> None:
        self.locks = (run.lock,)
        self.records = [*run.history.records(), *run.store.records(run.name, purpose="revalidation")]
        self._run = run
        self._executor = executor
        self._environment = executor.environment(run.resources)
        self._on_round = on_round
        self._waiting: deque[Training] = deque()
        self._open = 0

    def next(self) -> Training | None:
        """Return the next training of the round, or the first of the next round once all of this one are done.

        Raises:
            TimeIsUpError: if there is no time for another round.
        """
        if not self._waiting and not self._open:
            planned = left_of_round(self.records, self._run.settings)
            if not planned:
                return None
            if not self._run.has_time(1, ranked(self.records)[0].first):
                raise TimeIsUpError
            self._on_round(planned)
            self._waiting.extend(planned)
            self._open = len(planned)
        return self._waiting.popleft() if self._waiting else None

    def known(self, training: Training) -> Record | None:
        """Return a revalidation of this run, or one that comes with what was reused from another run."""
        run = self._run
        found = run.store.training(run.name, training.key, training.seed, "revalidation")
        return found or self._reused(training)

    def job(self, training: Training) -> Job:
        """Return the job of a revalidation."""
        data = share(self._executor, self._run.dataset)
        return Job(
            candidate_of(training),
            training.seed,
            data,
            training.fold,
            self._run.resources,
            objective=self._run.settings.objective,
        )

    def recorded(self, training: Training, outcome: Outcome) -> tuple[Record, Predictions | None]:
        """Return the record of a revalidation."""
        wanted = self._run.settings
        fields = {"objective": wanted.objective, "direction": wanted.direction}
        return recorded(training, outcome, self._run.dataset, **fields), None

    def checkpoint(self, training: Training) -> Path:
        """Return where the state of a revalidation is kept."""
        return self._run.models.checkpoint(f"{training.key}-{training.seed}")

    def finished(self, training: Training, record: Record, model: bytes | None) -> None:
        """Take note of a revalidation."""
        self.records.append(record)
        self._open -= 1

    def _reused(self, training: Training) -> Record | None:
        """Return the revalidation that the run has of a candidate from which it was reused, as one of this run."""
        run = self._run
        own = run.store.training(run.name, training.key, run.settings.seed, "search")
        if own is None or own.reused_from is None:
            return None
        theirs = run.store.training(own.reused_from, training.key, training.seed, "revalidation")
        wanted = run.settings
        usable = [] if theirs is None or theirs.failed else [theirs.by(wanted.objective, wanted.direction)]
        reused = reusable(usable, candidate_of(training), self._environment, run.reuse)
        if reused is None:
            return None
        found, elsewhere = reused
        return dataclasses.replace(
            found,
            run=run.name,
            name=training.name,
            reused_from=own.reused_from,
            other_environment=elsewhere,
            created_at="",
        )
