"""Revalidation: before a winner is evaluated, it must keep its lead on images that were not used to choose it.

Few images are held out for validation, so the best of many candidates after one training is partly the luckiest: at
99.4 % on 6,000 images the standard error is 0.1 points, more than the differences between candidates. So candidates
that may be the best are trained again with another seed and another fold of the training images held out, then those
that may still be the best, and so on; see ``rounds``. The number of these trainings is at most half the number of
trials, and 0 if no better candidate can be expected to be found.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable
from pathlib import Path

from tinysearch.results.predictions import Predictions
from tinysearch.results.ranking import ranked
from tinysearch.results.record import Record
from tinysearch.results.training import Training
from tinysearch.search.coordinator import TimeIsUpError
from tinysearch.search.plan import Plan, candidate_of
from tinysearch.search.recording import recorded
from tinysearch.search.reuse import reusable
from tinysearch.search.rounds import Round, next_round
from tinysearch.search.run import SearchRun
from tinysearch.training.job import Job, Outcome
from tinysearch.workers.executor import Executor
from tinysearch.workers.sharing import share


class RevalidationPlan(Plan):
    """Plan that trains the leaders of a search again on other folds, round by round, until one has won.

    Args:
        run: Run whose search has finished and whose lock is held.
        executor: Executor that runs the trainings.
        on_round: Function that is called with each round before it begins, and with the last one, which has no
            trainings.
    """

    def __init__(
        self,
        run: SearchRun,
        executor: Executor,
        on_round: Callable[[Round], None] = lambda now: None,
    ) -> None:
        self.locks = (run.lock,)
        self.records = [*run.history.records(), *run.store.records(run.name, purpose="revalidation")]
        self._run = run
        self._executor = executor
        self._on_round = on_round
        self.images = len(run.dataset.training_data().validation or ())
        self._waiting: deque[Training] = deque()
        self._open = 0
        self._over = False

    def next(self) -> Training | None:
        """Return the next training of the round, or the first of the next round once all of this round are done.

        Returns:
            None if the round has running trainings only, or if the race has finished.

        Raises:
            TimeIsUpError: if no time is left for another round.
        """
        if not self._waiting and not self._open and not self._over:
            now = next_round(self.records, self._run.settings, self.images)
            self._over = now is None or not now.left
            if now is None:
                return None
            if now.left and not self._run.has_time(1, ranked(self.records)[0].first):
                raise TimeIsUpError
            self._on_round(now)
            self._waiting.extend(now.left)
            self._open = len(now.left)
        return self._waiting.popleft() if self._waiting else None

    def known(self, training: Training) -> Record | None:
        """Return an existing revalidation: of this run, or of the run that the search training was reused from."""
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
        """Return the path at which the state of a revalidation is saved."""
        return self._run.models.checkpoint(f"{training.key}-{training.seed}")

    def finished(self, training: Training, record: Record, model: bytes | None) -> None:
        """Add the record of a revalidation."""
        self.records.append(record)
        self._open -= 1

    def _reused(self, training: Training) -> Record | None:
        """Return the revalidation by the run that the search training was reused from, as a record of this run."""
        run = self._run
        own = run.store.training(run.name, training.key, run.settings.seed, "search")
        if own is None or own.reused_from is None:
            return None
        theirs = run.store.training(own.reused_from, training.key, training.seed, "revalidation")
        wanted = run.settings
        if theirs is None or theirs.failed:
            return None
        usable = [theirs.by(wanted.objective, wanted.direction)]
        reused = reusable(usable, candidate_of(training), self._executor.environment(run.resources), run.reuse)
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
