"""Carrying out the search of a run: KerasTuner's loop on one side, the workers on the other, the store between them."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from tinysearch.errors import StoreWriteError
from tinysearch.results.ranking import best
from tinysearch.results.record import Epoch, Measurement, Record
from tinysearch.runtime.backend import load_keras_tuner
from tinysearch.runtime.interrupts import Interrupts
from tinysearch.search.proposer import Proposal
from tinysearch.search.recording import recorded
from tinysearch.search.reuse import divided_alike, reusable
from tinysearch.search.run import SearchRun
from tinysearch.search.waiting import next_done
from tinysearch.training.job import Job
from tinysearch.workers.executor import Executor
from tinysearch.workers.worker import Worker

Ending = Literal["finished", "exhausted", "time limit", "interrupted"]


class Watcher(Protocol):
    """Is notified of what happens in a run; shows it, or ignores it."""

    def on_start(self, proposal: Proposal) -> None: ...

    def on_epoch(self, position: int, number: int, epoch: Epoch) -> None: ...

    def on_record(self, position: int, record: Record, rejections: Mapping[str, int]) -> None: ...


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What came of a run: its records in order, why it ended, and what the filter rejected, by reason.

    Revalidations come last, if there are any; evaluations are no part of it.
    """

    name: str
    records: tuple[Record, ...]
    ending: Ending
    rejections: Mapping[str, int]

    @property
    def best(self) -> Record | None:
        """The first record of the best candidate, see ``ranking``; baselines are candidates too."""
        return best(self.records)


class Coordinator:
    """Carries out the search of a run once.

    Args:
        run: What to carry out.
        worker: Where candidates are trained; closed at the end.
        watcher: Is notified of what happens.
    """

    def __init__(self, run: SearchRun, worker: Worker, watcher: Watcher) -> None:
        self._run = run
        self._worker = worker
        self._environment = worker.environment()
        self._watcher = watcher
        trained = (one.measurement.train_seconds for one in run.history.records() if one.reused_from is None)
        self._longest = max(trained, default=0.0)
        self._out_of_time = False
        self._under_way: dict[int, Proposal] = {}
        self._executor = Executor(worker, run.settings.workers, watcher.on_epoch)
        self._interrupts = Interrupts()

    def run(self) -> RunOutcome:
        """Train all candidates that are not in the store yet.

        Ctrl-C ends the trainings under way, and the outcome says so; everything trained before is in the store.

        Raises:
            StoreWriteError: if a result cannot be stored.
            CostMismatchError: if Keras and the arithmetic disagree.
            WorkerError: if candidates cannot be trained at all.
        """
        run, history = self._run, self._run.history
        run.models.tidy()
        ending: Ending = "finished"
        left = run.planned - history.done
        try:
            with self._interrupts, self._executor:
                if left and self._may_begin():
                    self._worker.prepare(min(left, run.settings.workers))
                load_keras_tuner()
                from tinysearch.search.keras_tuner.oracle import BudgetOracle
                from tinysearch.search.keras_tuner.tuner import BudgetTuner

                oracle = BudgetOracle(run.proposer, history, self._may_begin)
                BudgetTuner(oracle, self._begin, self._wait).search()
            if oracle.exhausted is not None:
                ending = "exhausted"
        except KeyboardInterrupt:
            ending = "interrupted"
        except _TimeIsUpError:
            self._out_of_time = True
        except Exception:
            with contextlib.suppress(StoreWriteError):
                self._keep_finished()
            raise
        self._keep_finished()
        if ending == "finished" and self._out_of_time and history.done < run.planned:
            ending = "time limit"
        if ending in ("finished", "exhausted"):
            after = oracle.exhausted.rejections if oracle.exhausted is not None else {}
            run.store.finish(run.name, run.settings.to_dict(), after)
        return RunOutcome(run.name, tuple(history.records()), ending, dict(history.rejections))

    def _keep_finished(self) -> None:
        """Store what was finished when the run came to its end."""
        for position, measurement in self._executor.finished().items():
            self._keep(position, measurement)

    def _may_begin(self) -> bool:
        """Whether there is time for a training as long as the longest so far."""
        if self._run.until is not None and self._run.history.position < self._run.planned:
            self._out_of_time = time.monotonic() + self._longest >= self._run.until
        return not self._out_of_time

    def _begin(self, proposal: Proposal) -> Record | None:
        self._run.lock.beat()
        reused = self._reused(proposal)
        if reused is not None:
            self._store(proposal.position, reused)
            return reused
        run, key = self._run, proposal.candidate.key
        self._watcher.on_start(proposal)
        self._under_way[proposal.position] = proposal
        job = Job(
            proposal.candidate,
            run.settings.seed,
            run.dataset.fingerprint,
            run.models.path(key),
            run.models.checkpoint(key),
            proposal.floor,
        )
        self._executor.start(proposal.position, job)
        return None

    def _wait(self) -> tuple[int, Record]:
        done = next_done(self._executor, self._run.until, [self._run.lock])
        if done is None:
            raise _TimeIsUpError
        return done[0], self._keep(*done)

    def _keep(self, position: int, measurement: Measurement) -> Record:
        run, proposal = self._run, self._under_way[position]
        record = recorded(
            proposal.candidate,
            measurement,
            run.dataset,
            self._environment,
            run=run.name,
            name=proposal.name,
            origin=proposal.origin,
            purpose="search",
            seed=run.settings.seed,
            counted=proposal.cost,
            trial=proposal.trial,
            position=position,
            rejections=proposal.rejections,
        )
        self._longest = max(self._longest, measurement.train_seconds)
        self._store(position, record)
        del self._under_way[position]
        return record

    def _reused(self, proposal: Proposal) -> Record | None:
        """Return the record of an identical training of another run, as one of this run."""
        run, key = self._run, proposal.candidate.key
        known = run.store.trainings(key, run.settings.seed, run.dataset.fingerprint)
        alike = divided_alike(run.store, known, run.dataset.split)
        reused = reusable(alike, proposal.candidate, self._environment, run.reuse)
        if reused is None:
            return None
        found, elsewhere = reused
        run.models.take(run.store.folder_of(found.run) / f"{key}.keras", key)
        measurement = found.measurement
        if proposal.floor is not None:
            number, accuracy = proposal.floor
            reached = measurement.curve[number - 1].val_accuracy
            if reached is not None and reached < accuracy:
                # As it would have been in this run: what it proposes next must not depend on what other runs know.
                measurement = dataclasses.replace(measurement, curve=measurement.curve[:number])
        return dataclasses.replace(
            found,
            measurement=measurement,
            run=run.name,
            name=proposal.name,
            origin=proposal.origin,
            dataset=run.dataset.name,
            architecture=proposal.candidate.architecture,
            cost=proposal.cost,
            trial=proposal.trial,
            position=proposal.position,
            reused_from=found.run,
            other_environment=elsewhere,
            rejections=proposal.rejections,
            created_at="",
        )

    def _store(self, position: int, record: Record) -> None:
        with self._interrupts.deferred():
            self._run.store.append(record)
            self._run.history.record(position, record)
            self._executor.forget(position)
        self._run.models.add(record)
        self._watcher.on_record(position, record, self._run.history.rejections)


class _TimeIsUpError(Exception):
    """The time limit has come while candidates were being trained."""
