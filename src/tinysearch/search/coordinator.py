"""The loop that carries out plans: search, revalidation, evaluation and reproduction all go through it."""

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
# How many errors of an executor are passed over while what was finished is stored.
_MOST_ERRORS = 100


class TimeIsUpError(Exception):
    """The time limit has come before all trainings were done; what was finished is stored."""


class Coordinator:
    """Has the trainings of a plan carried out, and stores what comes of them.

    Whatever ends it (Ctrl-C, the time limit, an error of a callback, of the store or of the executor), what was
    finished is stored and what was under way is cancelled.

    Args:
        store: Takes the records.
        executor: Where candidates are trained; it is left open.
        callback: Is notified of what happens.
        until: When all ends at the latest, on the clock of ``time.monotonic``; None for no limit.
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
        """Carry out a plan.

        Raises:
            KeyboardInterrupt: on Ctrl-C.
            TimeIsUpError: if the time limit comes.
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
                # What ends it is the error to be seen, whatever becomes of these.
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
        """Begin trainings as long as there is room, and something to train."""
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
        """Wait until a training is done, and store what came of it; or until there is room for more than before."""
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
            if event is None and self._until is not None and time.monotonic() >= self._until:
                raise TimeIsUpError

    def _heard(self, plan: Plan, event: Event) -> bool:
        """Take note of an event; return whether a training has ended by it."""
        training = self._under_way.get(event.handle)
        if training is None:
            # It came twice, or too late.
            return False
        job, number = self._jobs[event.handle]
        if isinstance(event, EpochDone):
            path = plan.checkpoint(training)
            if path is not None and event.state is not None:
                # A training can do without.
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
        """Store what came of a training, or what was known of it."""
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
        """Store what was finished when the work came to its end."""
        errors = 0
        while errors < _MOST_ERRORS:
            try:
                event = self._executor.wait(0)
                if event is None:
                    return
                if isinstance(event, JobDone) and (training := self._under_way.get(event.handle)) is not None:
                    self._keep(plan, training, event.outcome, event.handle)
            except StoreWriteError:
                return
            except Exception:
                errors += 1

    def _show_life(self, plan: Plan) -> None:
        """Give a sign of life to those who watch the runs."""
        for lock in plan.locks:
            lock.beat()
