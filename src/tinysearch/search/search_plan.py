"""The plan of a search, which connects KerasTuner's trials with the coordinator."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tinysearch.results.predictions import Predictions
from tinysearch.results.record import Record
from tinysearch.results.training import Training
from tinysearch.search.plan import Plan, candidate_of
from tinysearch.search.proposer import Exhausted, Proposal
from tinysearch.search.pruning import stopped
from tinysearch.search.recording import recorded
from tinysearch.search.reuse import divided_alike, reusable
from tinysearch.search.run import SearchRun
from tinysearch.training.job import Job, Outcome
from tinysearch.workers.executor import Executor
from tinysearch.workers.sharing import share

if TYPE_CHECKING:
    from tinysearch.search.keras_tuner.tuner import BudgetTuner


class SearchPlan(Plan):
    """Plan of the search of a run.

    Args:
        run: Run whose lock is held.
        tuner: Tuner that turns proposals into trials, and ends them.
        executor: Executor that runs the trainings.
    """

    def __init__(self, run: SearchRun, tuner: BudgetTuner, executor: Executor) -> None:
        self.locks = (run.lock,)
        self._run = run
        self._tuner = tuner
        self._executor = executor
        trained = (one.measurement.train_seconds for one in run.history.records() if one.reused_from is None)
        self._longest = max(trained, default=0.0)
        self.out_of_time = False

    def may_begin(self) -> bool:
        """Return whether the time suffices for a training as long as the longest so far."""
        run = self._run
        if run.until is not None and run.history.position < run.planned:
            self.out_of_time = time.monotonic() + self._longest >= run.until
        return not self.out_of_time

    def next(self) -> Training | None:
        """Return the next trial or hand-designed baseline; None if there is none for now."""
        run = self._run
        basis = run.history.basis() if run.settings.schedule == "async" else None
        proposal = self._tuner.next()
        if proposal is None:
            return None
        if basis is not None:
            run.store.note_proposal(run.name, proposal.position, basis.first, basis.later)
        return _training(run, proposal)

    def known(self, training: Training) -> Record | None:
        """Return the record of an identical training of another run, as one of this run; None if none can be reused."""
        run = self._run
        if run.reuse == "none":
            return None
        wanted = run.settings
        trainings = run.store.trainings(training.key, training.seed, run.dataset.fingerprint)
        alike = divided_alike(run.store, trainings, run.dataset.split)
        known = [one.by(wanted.objective, wanted.direction) for one in alike]
        if not known:
            return None
        # The environment is determined only now, because this may wait for a worker of a cluster.
        where = self._executor.environment(run.resources)
        reused = reusable(known, candidate_of(training), where, run.reuse, every_epoch=wanted.prune)
        if reused is None:
            return None
        found, elsewhere = reused
        run.models.take(run.store.folder_of(found.run) / f"{training.key}.keras", training.key)
        return dataclasses.replace(
            # Pruned as in this run: its next proposals must not depend on what other runs know.
            stopped(found, training.floor),
            run=run.name,
            name=training.name,
            origin=training.origin,
            dataset=run.dataset.name,
            architecture=training.architecture,
            cost=training.cost,
            trial=training.trial,
            position=training.position,
            reused_from=found.run,
            other_environment=elsewhere,
            rejections=training.rejections,
            created_at="",
        )

    def job(self, training: Training) -> Job:
        """Return the job of a trial."""
        return Job(
            candidate_of(training),
            training.seed,
            share(self._executor, self._run.dataset),
            training.fold,
            self._run.resources,
            training.floor,
            keep_model=True,
            objective=self._run.settings.objective,
        )

    def recorded(self, training: Training, outcome: Outcome) -> tuple[Record, Predictions | None]:
        """Return the record of a trial."""
        self._longest = max(self._longest, outcome.measurement.train_seconds)
        wanted = self._run.settings
        fields = {"objective": wanted.objective, "direction": wanted.direction}
        return recorded(training, outcome, self._run.dataset, **fields), None

    def checkpoint(self, training: Training) -> Path:
        """Return the path at which the state of a trial is saved."""
        return self._run.models.checkpoint(training.key)

    def finished(self, training: Training, record: Record, model: bytes | None) -> None:
        """End a trial, and keep its model if it is among the best few."""
        if training.position is None:
            raise AssertionError("a trial has a position")
        self._tuner.report(training.position, record)
        self._run.models.add(record, model)

    @property
    def rejections(self) -> Mapping[str, int]:
        """Number of candidates that the filter has rejected so far, by reason."""
        return self._run.history.rejections

    @property
    def exhausted(self) -> Exhausted | None:
        """The rejections when no new candidate was found any more; None if the search is not exhausted."""
        return self._tuner.oracle.exhausted


def _training(run: SearchRun, proposal: Proposal) -> Training:
    candidate = proposal.candidate
    return Training(
        run=run.name,
        key=candidate.key,
        name=proposal.name,
        origin=proposal.origin,
        purpose="search",
        seed=run.settings.seed,
        architecture=candidate.architecture,
        cost=proposal.cost,
        recipe=candidate.recipe.to_dict(),
        trial=proposal.trial,
        position=proposal.position,
        rejections=proposal.rejections,
        floor=proposal.floor,
    )
