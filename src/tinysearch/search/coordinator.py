"""The loop that runs the trainings of a plan, for search, revalidation, evaluation and reproduction."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace

from tinysearch.errors import StoreWriteError
from tinysearch.results.artifacts import write
from tinysearch.results.callback import Callback
from tinysearch.results.record import Record
from tinysearch.results.store import Store
from tinysearch.results.training import Training
from tinysearch.runtime.interrupts import Interrupts
from tinysearch.search.plan import Plan
from tinysearch.training.job import Job, Outcome
from tinysearch.workers.executor import EpochDone, Event, Executor, Handle, JobDone
from tinysearch.workers.outcomes import outcome_of

# Seconds. Ctrl-C waits for the end of a step, so that no event is lost between an executor and the store.
_STEP = 0.25
# Number of executor errors that are ignored while finished trainings are stored.
_MOST_ERRORS = 100
# Seconds after which finished trainings are no longer looked for among other events.
_LONGEST_SEARCH = 10


class TimeIsUpError(Exception):
    """The time limit was reached before all trainings were done; finished trainings are stored."""


class Coordinator:
    """Loop that submits the trainings of a plan to an executor and stores their records.

    Whatever ends the loop (Ctrl-C, the time limit, an error of a callback, of the store or of the executor), finished
    trainings are stored and running ones are cancelled.

    Args:
        store: Store that receives the records.
        executor: Executor that trains the candidates; it is left open.
        callback: Callback that receives events.
        until: Deadline on the clock of ``time.monotonic``; None for no limit.
    """

    def __init__(self, store: Store, executor: Executor, callback: Callback, until: float | None = None) -> None:
        self._store = store
        self._executor = executor
        self._callback = callback
        self._until = until
        self._interrupts = Interrupts()
        self._under_way: dict[Handle, Training] = {}
        self._jobs: dict[Handle, tuple[Job, int]] = {}

    def carry_out(self, plan: Plan) -> None:
        """Run all trainings of a plan.

        Raises:
            KeyboardInterrupt: on Ctrl-C.
            TimeIsUpError: if the time limit is reached.
            StoreWriteError: if a result cannot be stored.
            CostMismatchError: if Keras and the arithmetic disagree.
            WorkerError: if candidates cannot be trained at all.
        """
        with self._interrupts:
            try:
                self._begin(plan)
                while self._under_way:
                    self._wait(plan)
                    self._begin(plan)
            except BaseException:
                # The error that ended the loop is raised, even if storing the finished trainings fails.
                with self._interrupts.deferred():
                    self._keep_finished(plan)
                raise
            finally:
                with self._interrupts.deferred():
                    for handle in self._under_way:
                        self._executor.cancel(handle)
                    self._under_way.clear()
                    self._jobs.clear()

    def _begin(self, plan: Plan) -> None:
        """Start trainings as long as the executor has room and the plan has a training."""
        while len(self._under_way) < self._executor.capacity and (training := plan.next()) is not None:
            self._interrupts.renew()
            self._show_life(plan)
            known = plan.known(training)
            if known is not None:
                self._keep(plan, training, known)
                continue
            self._callback.on_trial_start(training)
            job = plan.job(training)
            path = plan.checkpoint(training)
            if path is not None:
                job = replace(job, keep_states=True)
                with contextlib.suppress(OSError):
                    job = replace(job, state=path.read_bytes())
            with self._interrupts.deferred():
                self._submit(training, job, 1)

    def _submit(self, training: Training, job: Job, number: int) -> None:
        handle = self._executor.submit(job)
        self._under_way[handle] = training
        self._jobs[handle] = job, number

    def _wait(self, plan: Plan) -> None:
        """Wait until a training has ended and its record is stored, or until the capacity has grown."""
        room = self._executor.capacity
        while True:
            self._interrupts.renew()
            left = _STEP if self._until is None else min(_STEP, self._until - time.monotonic())
            with self._interrupts.deferred():
                event = self._executor.wait(max(0.0, left))
                ended = event is not None and self._heard(plan, event)
            self._show_life(plan)
            if ended or self._executor.capacity > room:
                return
            # There may always be another epoch to hear of, so only the end of a training is heard after the time limit.
            if self._until is not None and time.monotonic() >= self._until:
                raise TimeIsUpError

    def _heard(self, plan: Plan, event: Event) -> bool:
        """Process an event; return whether it ended a training."""
        training = self._under_way.get(event.handle)
        if training is None:
            # A duplicate event, or one that came too late.
            return False
        job, number = self._jobs[event.handle]
        if isinstance(event, EpochDone):
            path = plan.checkpoint(training)
            if path is not None and event.state is not None:
                # The state is optional for a training.
                with contextlib.suppress(OSError):
                    write(path, event.state)
                self._jobs[event.handle] = replace(job, state=event.state), number
            self._callback.on_epoch(training, event.number, event.epoch)
            return False
        outcome = outcome_of(event, number)
        if outcome is None:
            self._forget(event.handle)
            self._submit(training, job, number + 1)
            return False
        self._keep(plan, training, outcome, event.handle)
        return True

    def _keep(self, plan: Plan, training: Training, result: Outcome | Record, handle: Handle | None = None) -> None:
        """Store the record of a training, whether new or already known."""
        with self._interrupts.deferred():
            if isinstance(result, Record):
                record, predictions, model = result, None, None
            else:
                environment = result.environment or self._executor.environment(self._jobs[handle][0].resources)
                result = replace(result, environment=environment)
                (record, predictions), model = plan.recorded(training, result), result.model
            self._store.append(record, predictions)
            if handle is not None:
                self._forget(handle)
            plan.finished(training, record, model)
            path = plan.checkpoint(training)
            if path is not None:
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
        self._callback.on_record(training, record, plan.rejections)

    def _forget(self, handle: Handle) -> None:
        self._under_way.pop(handle, None)
        self._jobs.pop(handle, None)

    def _keep_finished(self, plan: Plan) -> None:
        """Store the trainings that had finished when the loop was ended."""
        errors, until = 0, time.monotonic() + _LONGEST_SEARCH
        while errors < _MOST_ERRORS:
            try:
                event = self._executor.wait(0)
                if event is None:
                    return
                if isinstance(event, JobDone) and (training := self._under_way.get(event.handle)) is not None:
                    self._keep(plan, training, event.outcome, event.handle)
                elif time.monotonic() > until:
                    return
            except StoreWriteError:
                return
            except Exception:
                errors += 1

    def _show_life(self, plan: Plan) -> None:
        """Renew the heartbeat of the plan's locks, for processes that watch the runs."""
        for lock in plan.locks:
            lock.beat()
