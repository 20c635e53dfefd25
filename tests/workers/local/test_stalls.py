"""Which trainings are given up because they are silent."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import pytest

from tinysearch.workers.local import stalls
from tinysearch.workers.local.stalls import STEP, StallWatch


class Silent:
    """A process that says nothing."""

    silence = 0.0
    stalled = False

    def give_up(self) -> None:
        self.stalled = True


def watched(monkeypatch: pytest.MonkeyPatch, limit: float, *steps: float) -> StallWatch:
    """Return a watch whose clock goes on by these steps from one look to the next."""
    times = itertools.accumulate(steps, initial=0.0)
    monkeypatch.setattr(stalls, "time", SimpleNamespace(monotonic=lambda: next(times)))
    return StallWatch(limit)


def test_a_training_that_is_silent_for_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = watched(monkeypatch, 2.5, STEP, STEP, STEP)
    process: Any = Silent()
    given_up = []
    for _ in range(3):
        watch.look({process: 7})
        given_up.append(process.stalled)
    assert given_up == [False, False, True]


def test_a_process_that_has_nothing_to_do_may_be_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = watched(monkeypatch, 0.5, STEP, STEP)
    idle: Any = Silent()
    for _ in range(2):
        watch.look({idle: None})
    assert not idle.stalled


def test_time_in_which_nobody_looked_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = watched(monkeypatch, 2.5, 1_000 * STEP)
    process: Any = Silent()
    watch.look({process: 7})
    assert (process.stalled, process.silence) == (False, 2 * STEP)
