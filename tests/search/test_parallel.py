"""A run with several workers is a function of its settings, whatever the timing."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from typing import Any

import pytest
from stand_ins import Worker

from tinysearch.results.artifacts import BestModels
from tinysearch.results.callback import Callback
from tinysearch.results.record import Measurement, Record
from tinysearch.training.job import EpochWatcher, Job


def essentials(records: Any) -> list[tuple[Any, ...]]:
    return [(one.key, one.trial, one.measurement, one.rejections) for one in records]


class Shuffled(Worker):
    """Ends trainings in an order of its own; where they are to be together, the first when another has begun."""

    def __init__(self, inner: Worker, seed: int, stop_after: int | None = None, *, together: bool = False) -> None:
        self._inner = inner
        self._rng = random.Random(seed)  # noqa: S311
        self._lock = threading.Lock()
        self._stop_after = stop_after
        self.most = 0
        self._now = 0
        self._another = threading.Event()
        self._together = together

    def train(self, job: Job, on_epoch: EpochWatcher) -> Measurement:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            wait = self._rng.random() * 0.01
            begins = self._together and self.most == 1
            if self._now > 1:
                self._another.set()
            if self._stop_after is not None:
                self._stop_after -= 1
                if self._stop_after < 0:
                    raise KeyboardInterrupt
        if begins:
            self._another.wait(60)
        threading.Event().wait(wait)
        measurement = self._inner.train(job, on_epoch)
        with self._lock:
            self._now -= 1
        return measurement


@pytest.mark.parametrize(
    ("strategy", "workers"),
    [
        *(("evolution", 5), ("halving", 2)),
        *(
            pytest.param(*one, marks=pytest.mark.slow)
            for one in (("evolution", 2), ("random", 2), ("random", 5), ("halving", 5))
        ),
    ],
)
def test_the_same_settings_give_the_same_run_whichever_training_is_done_first(
    strategy: str, workers: int, runner: Any, fake_worker: Any
) -> None:
    def run(name: str, seed: int) -> list[Record]:
        worker = Shuffled(fake_worker(), seed, together=True)
        outcome = runner.run(name, trials=12, strategy=strategy, workers=workers, worker=worker)
        assert 1 < worker.most <= workers
        return list(outcome.records)

    first = run("first", 1)
    assert essentials(first) == essentials(run("second", 2)) == essentials(run("third", 3))
    assert [record.trial for record in first] == [None] * 3 + list(range(12))


@pytest.mark.parametrize("stop_after", [0, 6, *(pytest.param(number, marks=pytest.mark.slow) for number in (1, 15))])
def test_an_interrupted_run_goes_on_to_the_same_end(stop_after: int, runner: Any, fake_worker: Any) -> None:
    whole = runner.run("whole", trials=14, workers=3, worker=Shuffled(fake_worker(), 1))
    first = runner.run("parts", trials=14, workers=3, worker=Shuffled(fake_worker(), 2, stop_after))
    assert first.ending == "interrupted"
    assert len(first.records) == len(runner.store.records("parts")) <= stop_after
    second = runner.run("parts", trials=14, workers=3, worker=Shuffled(fake_worker(), 3), resume=True)
    assert essentials(second.records) == essentials(whole.records)
    assert second.rejections == whole.rejections
    assert len(runner.store.records("parts")) == 17


def test_the_number_and_the_speed_of_workers_change_nothing(runner: Any, fake_worker: Any) -> None:
    """Two workers throughout, and two, then one, then three of which some are ten times slower."""
    whole = runner.run("whole", trials=14, lag=3, workers=2, worker=Shuffled(fake_worker(), 1))

    def slow(number: int, job: Job) -> None:
        threading.Event().wait(0.05 if number % 3 == 0 else 0.005)

    for workers, stop_after in ((2, 5), (1, 4), (3, None)):
        worker = Shuffled(fake_worker(slow), workers, stop_after)
        known = runner.store.has("parts")
        last = runner.run("parts", trials=14, lag=3, workers=workers, worker=worker, resume=known)
    assert essentials(last.records) == essentials(whole.records)
    assert last.rejections == whole.rejections


def test_no_more_trainings_are_under_way_than_there_are_workers_or_than_the_lag(runner: Any, fake_worker: Any) -> None:
    for workers, lag in ((2, 5), (5, 2)):
        worker = Shuffled(fake_worker(), 1)
        runner.run(f"{workers}-{lag}", trials=12, lag=lag, workers=workers, worker=worker, documented={})
        assert worker.most <= 2


@pytest.mark.parametrize("stop_after", [0, 4, 9])
def test_a_run_without_a_lag_proposes_the_same_again_when_it_is_resumed(
    stop_after: int, runner: Any, fake_worker: Any
) -> None:
    """What a proposal knew is stored: what was under way when the run was interrupted is proposed again."""
    begun: list[str] = []

    class Noting(Callback):
        def on_trial_start(self, training: Any) -> None:
            begun.append(training.key)

    options = {"trials": 14, "workers": 3, "schedule": "async", "documented": {}, "watcher": Noting()}
    first = runner.run("run", worker=Shuffled(fake_worker(), 2, stop_after), **options)
    assert first.ending == "interrupted"
    before = list(begun)
    begun.clear()
    second = runner.run("run", worker=Shuffled(fake_worker(), 3), resume=True, **options)
    assert second.ending == "finished"
    keys = [record.key for record in second.records]
    assert len(keys) == len(set(keys)) == 14
    assert set(before) <= set(keys)
    known = runner.store.proposals("run")
    assert sorted(known) == list(range(14))
    assert known[0] == (0, ())


@pytest.mark.parametrize(
    ("place", "at"),
    [
        *(("models", 3), ("on_record", 0)),
        *(pytest.param(*one, marks=pytest.mark.slow) for one in (("models", 0), ("on_record", 3))),
    ],
)
def test_the_outcome_of_an_interrupted_run_is_what_the_store_holds(
    place: str, at: int, runner: Any, fake_worker: Any, watcher: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = iter(range(100))

    def interrupt(*_: Any) -> None:
        if next(calls) == at:
            raise KeyboardInterrupt

    search = runner.prepare(trials=6, workers=2, documented={})
    if place == "on_record":
        watcher.on_record = interrupt
    else:
        monkeypatch.setattr(BestModels, "add", interrupt)
    outcome = runner.carry_out(search, watcher=watcher)
    search.close()
    monkeypatch.undo()
    assert outcome.ending == "interrupted"
    assert essentials(outcome.records) == essentials(runner.store.records("run"))
    assert len(outcome.records) >= at + 1
    whole = runner.run("whole", trials=6, workers=2, documented={})
    again = runner.run("run", trials=6, workers=2, documented={}, resume=True)
    assert essentials(again.records) == essentials(whole.records)


def test_measurements_that_are_done_when_an_error_ends_the_run_are_stored(runner: Any, fake_worker: Any) -> None:
    from tinysearch.errors import CostMismatchError

    first_is_done = threading.Event()

    def react(number: int, job: Job) -> Measurement | None:
        if number == 1:
            raise CostMismatchError("counted wrongly")
        return None

    class Watcher(Callback):
        def on_epoch(self, training: Any, number: int, epoch: Any) -> None:
            first_is_done.set()

    with pytest.raises(CostMismatchError):
        runner.run(trials=2, workers=2, documented={}, worker=fake_worker(react), watcher=Watcher())
    assert len(runner.store.records("run")) == 1


def test_a_run_whose_proposals_have_changed_since_is_completed_without_repeats(runner: Any, fake_worker: Any) -> None:
    whole = runner.run("whole", trials=6, workers=3, documented={})
    stored = {record.position: record for record in whole.records}
    runner.store.create_run("gap", "noise", "0123456789abcdef", runner.store.run("whole").settings)
    # What would be proposed at the gap is stored at another place.
    for position, source in {0: 0, 2: 2, 3: 1, 4: 4}.items():
        runner.store.append(replace(stored[source], run="gap", position=position, trial=position))
    done = runner.run("gap", trials=6, workers=3, documented={}, resume=True)
    assert done.ending == "finished"
    assert len({record.key for record in done.records}) == len(runner.store.records("gap")) == 6
