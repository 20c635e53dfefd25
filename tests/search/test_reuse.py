from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
from typing import Any

import pytest

from tinysearch.results.leaderboard import rank
from tinysearch.results.record import Record
from tinysearch.runtime.environment import Environment
from tinysearch.search.reuse import divided_alike, reusable
from tinysearch.space.architecture import Architecture, Conv, Head, Inception, Pool
from tinysearch.space.budget import Budget
from tinysearch.space.cost import cost
from tinysearch.space.task import Task
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import Job, Resources
from tinysearch.training.recipe import Recipe
from tinysearch.workers.executor import Handle
from tinysearch.workers.threads import ThreadExecutor


class Elsewhere(ThreadExecutor):
    """Trains like a worker, but says that it is another machine."""

    def __init__(self, worker: Any, **changes: Any) -> None:
        super().__init__(worker.do)
        self.changes = changes

    def environment(self, resources: Resources) -> Environment:
        return dataclasses.replace(Environment.here(threads=1), **self.changes)


@pytest.mark.parametrize("change", [{"threads": "2"}, {"machine": "Darwin arm64"}, {"backend": "jax"}])
def test_what_was_trained_in_another_environment_is_trained_again(
    change: dict[str, str], runner: Any, fake_worker: Any
) -> None:
    runner.run("first", trials=2, documented={}, worker=Elsewhere(fake_worker()))
    same = runner.run("same", trials=2, documented={}, worker=Elsewhere(fake_worker()), reuse="same")
    assert [record.reused_from for record in same.records] == ["first", "first"]
    other = runner.run("other", trials=2, documented={}, worker=Elsewhere(fake_worker(), **change), reuse="same")
    assert [record.reused_from for record in other.records] == [None, None]


def test_other_environments_are_reused_when_asked_for_and_the_row_says_so(runner: Any, fake_worker: Any) -> None:
    runner.run("first", trials=2, documented={}, worker=Elsewhere(fake_worker()))
    other = Elsewhere(fake_worker(), threads="8")
    found = runner.run("second", trials=2, documented={}, worker=other, reuse="any")
    assert [record.reused_from for record in found.records] == ["first", "first"]
    assert [row.other_environment for row in rank(runner.store.records("second")).rows] == [True, True]
    assert [row.other_environment for row in rank(runner.store.summaries("second")).rows] == [True, True]
    assert found.records[0].provenance["threads"] == "1"
    here = runner.run("third", trials=2, documented={}, worker=Elsewhere(fake_worker()), reuse="any")
    assert [row.other_environment for row in rank(here.records).rows] == [False, False]


class Cluster(Elsewhere):
    """Starts its workers when it is told to, and must not be asked where they are before."""

    has_workers = False

    def prepare(self, count: int, resources: Resources) -> None:
        self.has_workers = True

    def environment(self, resources: Resources) -> Environment:
        assert self.has_workers, "a worker is waited for before anything is shown"
        return super().environment(resources)

    def expected_environment(self, resources: Resources) -> Environment:
        return Environment.here(threads=4)


class Unasked(Elsewhere):
    """Must not be asked where its workers are before there is something to train."""

    has_jobs = False

    def submit(self, job: Job) -> Handle:
        self.has_jobs = True
        return super().submit(job)

    def environment(self, resources: Resources) -> Environment:
        assert self.has_jobs, "a worker is waited for that nobody needs"
        return super().environment(resources)

    def expected_environment(self, resources: Resources) -> Environment:
        return Environment.here(threads=4)


def test_a_worker_is_waited_for_when_something_of_another_run_may_be_reused(runner: Any, fake_worker: Any) -> None:
    runner.run("first", trials=2, documented={}, worker=Unasked(fake_worker()), reuse="same")
    found = runner.run("second", trials=2, documented={}, worker=Cluster(fake_worker()), reuse="same")
    assert [record.reused_from for record in found.records] == ["first", "first"]


def damaged(runner: Any, run: str) -> None:
    with contextlib.closing(sqlite3.connect(runner.store.path)) as connection, connection:
        connection.execute("UPDATE runs SET settings = '{' WHERE name = ?", (run,))


def test_of_the_runs_of_a_store_only_those_that_trained_a_candidate_matter(runner: Any) -> None:
    found = runner.run("first", trials=2, documented={})
    runner.run("unrelated", trials=1, documented={})
    damaged(runner, "unrelated")
    # No warning tells of the other run, as it would of every one that is read.
    assert divided_alike(runner.store, found.records, runner.dataset.split) == [*found.records]


def test_what_a_run_trained_that_cannot_be_read_stands_for_nothing(runner: Any) -> None:
    found = runner.run("first", trials=2, documented={})
    damaged(runner, "first")
    assert divided_alike(runner.store, found.records, runner.dataset.split) == []


def branches(first: tuple[Any, ...], second: tuple[Any, ...]) -> Candidate:
    return Candidate(Architecture((Inception((first, second)), Pool()), Head("average")), Recipe())


WIDE = (Conv(8, kernel=5), Conv(2))
NARROW = (Conv(2, kernel=1),)


def test_the_order_of_branches_changes_memory_but_not_the_key() -> None:
    one, other = branches(WIDE, NARROW), branches(NARROW, WIDE)
    assert one.key == other.key
    assert len({cost(each.architecture, Task()).peak_activation_bytes for each in (one, other)}) == 2


def test_a_training_with_another_order_of_branches_is_not_reused(as_record: Any) -> None:
    one, other = branches(WIDE, NARROW), branches(NARROW, WIDE)
    here = Environment.here(threads=1)
    record: Record = dataclasses.replace(as_record(one.architecture, 0.9), provenance=here.to_dict())
    assert reusable([record], one, here, "same") == (record, False)
    assert reusable([record], other, here, "any") is None


def test_a_limit_of_memory_holds_for_what_another_run_has_trained(runner: Any) -> None:
    heavy, light = sorted(
        (branches(WIDE, NARROW), branches(NARROW, WIDE)),
        key=lambda one: -cost(one.architecture, Task()).peak_activation_bytes,
    )
    limit = cost(light.architecture, Task()).peak_activation_bytes
    runner.run("free", trials=1, documented={}, initial_candidates=(heavy,))
    bound = Budget(10_000, peak_activation_bytes=limit)
    runner.run("limited", trials=1, documented={}, initial_candidates=(light,), budget=bound, reuse="any")
    (record,) = runner.store.records("limited")
    assert record.key == heavy.key
    assert record.architecture == light.architecture
    assert record.cost.peak_activation_bytes <= limit
