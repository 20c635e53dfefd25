"""Carrying out a run: KerasTuner's loop on one side, the workers on the other, the store between them."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from tinysearch.errors import StoreWriteError
from tinysearch.results.leaderboard import best
from tinysearch.results.record import Epoch, Measurement, Record
from tinysearch.runtime.backend import load_keras_tuner
from tinysearch.runtime.interrupts import Interrupts
from tinysearch.runtime.provenance import provenance
from tinysearch.search.proposer import Proposal
from tinysearch.search.run import SearchRun
from tinysearch.training.job import Job
from tinysearch.workers.executor import Executor

Ending = Literal["finished", "exhausted", "time limit", "interrupted"]


class Watcher(Protocol):
    """Is notified of what happens in a run; shows it, or ignores it."""

    def on_start(self, proposal: Proposal) -> None: ...

    def on_epoch(self, position: int, number: int, epoch: Epoch) -> None: ...

    def on_record(self, position: int, record: Record, rejections: Mapping[str, int]) -> None: ...


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What came of a run: its records in order, why it ended, and what the filter rejected, by reason.

    Revalidations come last, if the leaders have been trained again.
    """

    name: str
    records: tuple[Record, ...]
    ending: Ending
    rejections: Mapping[str, int]

    @property
    def best(self) -> Record | None:
        """The first record of the candidate with the highest validation accuracy, baselines included."""
        return best(self.records)


class Execution:
    """Carries out a run once.

    Args:
        run: What to carry out.
        watcher: Is notified of what happens.
    """

    def __init__(self, run: SearchRun, watcher: Watcher) -> None:
        self._run = run
        self._watcher = watcher
        trained = (one.measurement.train_seconds for one in run.history.records() if one.reused_from is None)
        self._longest = max(trained, default=0.0)
        self._out_of_time = False
        self._under_way: dict[int, Proposal] = {}
        self._executor = Executor(run.worker, run.settings.workers, watcher.on_epoch)
        self._interrupts = Interrupts()

    def carry_out(self) -> RunOutcome:
        """Train all candidates that are not in the store yet; for errors see ``SearchRun.carry_out``."""
        run, history = self._run, self._run.history
        run.models.tidy()
        ending: Ending = "finished"
        left = run.planned - history.done
        try:
            with self._interrupts, self._executor:
                if left and self._may_begin():
                    run.worker.prepare(min(left, run.settings.workers))
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
        taken = self._taken(proposal)
        if taken is not None:
            self._store(proposal, taken)
            return taken
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
        done = self._executor.wait(self._run.until)
        if done is None:
            raise _TimeIsUpError
        return done[0], self._keep(*done)

    def _keep(self, position: int, measurement: Measurement) -> Record:
        run, proposal = self._run, self._under_way[position]
        record = Record(
            run=run.name,
            key=proposal.candidate.key,
            name=proposal.name,
            origin=proposal.origin,
            purpose="search",
            trial=proposal.trial,
            seed=run.settings.seed,
            dataset=run.dataset.name,
            fingerprint=run.dataset.fingerprint,
            architecture=proposal.candidate.architecture,
            cost=proposal.cost,
            recipe=proposal.candidate.recipe.to_dict(),
            measurement=measurement,
            provenance={**provenance(), **run.worker.described()},
            position=proposal.position,
            rejections=proposal.rejections,
        )
        self._longest = max(self._longest, measurement.train_seconds)
        self._store(proposal, record)
        return record

    def _taken(self, proposal: Proposal) -> Record | None:
        """Return the record of another run that makes this training unnecessary."""
        run, key = self._run, proposal.candidate.key
        found = None if run.retrain else run.store.trained(key, run.settings.seed, run.dataset.fingerprint)
        if found is None:
            return None
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
            trial=proposal.trial,
            position=proposal.position,
            reused_from=found.run,
            rejections=proposal.rejections,
            created_at="",
        )

    def _store(self, proposal: Proposal, record: Record) -> None:
        with self._interrupts.deferred():
            self._run.store.append(record)
            self._run.history.record(proposal.position, record)
            self._executor.forget(proposal.position)
        self._run.models.add(record)
        self._watcher.on_record(proposal.position, record, self._run.history.rejections)


class _TimeIsUpError(Exception):
    """The time limit has come while candidates were being trained."""
