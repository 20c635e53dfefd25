"""The worker processes of a study, of which none is started before it has something to train."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tinysearch.api.processes import Processes
from tinysearch.data.dataset import Dataset
from tinysearch.data.loading import load
from tinysearch.workers.local import executor


@pytest.fixture
def dataset(tiny: Path) -> Dataset:
    return load(data=tiny)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, float]]:
    """Return the numbers of workers and stall limits of the executors that are made from now on."""
    found: list[tuple[int, float]] = []

    class Watched(executor.LocalExecutor):
        def __init__(self, workers: int, *, stall_seconds: float) -> None:
            found.append((workers, stall_seconds))
            super().__init__(workers, stall_seconds=stall_seconds)

    monkeypatch.setattr(executor, "LocalExecutor", Watched)
    return found


@pytest.fixture
def processes() -> Iterator[Processes]:
    made = Processes()
    yield made
    made.end()


def test_the_same_processes_train_until_others_are_asked_for(
    processes: Processes, dataset: Dataset, made: list[tuple[int, float]]
) -> None:
    def get(workers: int | None = None, stall_limit: float | None = None) -> Any:
        return processes.get(dataset, workers, None, stall_limit)

    first = get(2)
    assert get() is get(2) is first
    hasty = get(None, 60.0)
    assert get(2, 60.0) is get() is hasty
    with pytest.raises(Exception, match="stopped"):
        first.submit(None)
    get(3)
    assert made == [(2, 1_800.0), (2, 60.0), (3, 60.0)]
