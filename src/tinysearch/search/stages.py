"""The stages of a run, one after the other: search, revalidation of the leaders, evaluation of the winner."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from tinysearch.errors import NoTestImagesError, TinySearchError
from tinysearch.results.record import Epoch, Record
from tinysearch.search.coordinator import Coordinator, Ending, RunOutcome, Watcher
from tinysearch.search.evaluation import best_of, evaluate
from tinysearch.search.proposer import Proposal
from tinysearch.search.retraining import Limits, Retraining, RetrainingWatcher, TimeIsUpError
from tinysearch.search.revalidation import Workers, revalidate
from tinysearch.search.run import SearchRun


class Silent:
    """A watcher of a search that shows nothing."""

    def on_start(self, proposal: Proposal) -> None:
        """Ignore it."""

    def on_epoch(self, position: int, number: int, epoch: Epoch) -> None:
        """Ignore it."""

    def on_record(self, position: int, record: Record, rejections: Mapping[str, int]) -> None:
        """Ignore it."""


class Display:
    """What shows the stages; this one shows nothing."""

    def search(self, run: SearchRun) -> AbstractContextManager[Watcher]:
        """Return what shows the search."""
        return nullcontext(Silent())

    def revalidation(self, run: SearchRun, planned: Sequence[Retraining]) -> AbstractContextManager[RetrainingWatcher]:
        """Return what shows a round of revalidations."""
        return nullcontext(RetrainingWatcher())

    def evaluation(self, run: SearchRun, planned: Sequence[Retraining]) -> AbstractContextManager[RetrainingWatcher]:
        """Return what shows the evaluation."""
        return nullcontext(RetrainingWatcher())

    def note(self, text: str) -> None:
        """Show a sentence about something that was not done."""


def carry_out(run: SearchRun, workers: Workers, display: Display) -> tuple[RunOutcome, TinySearchError | None]:
    """Carry out all stages of a run.

    The winner is revalidated if the run asks for more than one fold, and evaluated if it asks for evaluations and the
    dataset has test images; each whatever the other. The time limit of the run binds all stages.

    Args:
        run: Its lock is held, and still held afterwards.
        workers: Called with training data and a number of candidates to train at a time; returns their worker.
        display: Shows what happens.

    Returns:
        What came of it, and what went wrong after the search, whose results are there all the same.

    Raises:
        StoreWriteError: if a result of the search cannot be stored.
        CostMismatchError: if Keras and the arithmetic disagree.
        WorkerError: if candidates cannot be trained at all.
    """
    size = run.settings.workers
    worker = workers(run.dataset.training_data(), size)
    for note in (run.dataset.fallback, *run.dataset.notes, *run.dataset.warnings, worker.note(size)):
        if note:
            display.note(note)
    with display.search(run) as watcher:
        outcome = Coordinator(run, worker, watcher).run()
    ending: Ending = outcome.ending
    if ending not in ("finished", "exhausted") or outcome.best is None:
        return _whole(run, outcome, ending), None
    problem: TinySearchError | None = None
    try:
        revalidate(run, workers, lambda planned: display.revalidation(run, planned))
        _evaluate_winner(run, workers, display)
    except KeyboardInterrupt:
        ending = "interrupted"
    except TimeIsUpError:
        ending = "time limit"
    except NoTestImagesError as error:
        display.note(f"no test figures: {error}")
    except TinySearchError as error:
        problem = error
    return _whole(run, outcome, ending), problem


def _whole(run: SearchRun, outcome: RunOutcome, ending: Ending) -> RunOutcome:
    """Return an outcome with all that the store has of the run, revalidations from before included."""
    records = tuple(one for one in run.store.records(run.name) if one.purpose != "evaluation")
    return dataclasses.replace(outcome, records=records, ending=ending)


def _evaluate_winner(run: SearchRun, workers: Workers, display: Display) -> None:
    seeds, size = run.settings.evaluate, run.settings.workers
    if seeds == 0:
        return
    planned = best_of(run.store, run.name, run.dataset, 1, range(seeds))
    key = planned[0].candidate.key
    left = sum(run.store.training(run.name, key, one.seed, "evaluation") is None for one in planned)
    winner = run.store.training(run.name, key, run.settings.seed, "search")
    if left and winner is not None and not run.has_time(math.ceil(left / size), winner):
        raise TimeIsUpError
    size = max(1, min(size, len(planned)))
    worker = workers(run.dataset.evaluation_data(), size)
    with display.evaluation(run, planned) as watcher:
        evaluate(run.store, planned, run.dataset, worker, size, watcher, Limits(run.until, held=run.lock))
