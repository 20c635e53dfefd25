from __future__ import annotations

import pytest

from tinysearch.runtime import capacity
from tinysearch.runtime.capacity import Capacity

GIGABYTE = 10**9


@pytest.mark.parametrize(
    ("cores", "gigabytes", "workers"), [(2, 64, 2), (8, 64, 8), (32, 64, 8), (8, 2, 2), (8, 5.5, 5), (8, 0.3, 1)]
)
def test_there_are_as_many_workers_as_cores_and_memory_allow(cores: int, gigabytes: float, workers: int) -> None:
    assert Capacity(cores, int(gigabytes * GIGABYTE), GIGABYTE).workers == workers


@pytest.mark.parametrize(
    ("workers", "words"),
    [
        (1, None),
        (2, "a worker takes about 1.0 GB of memory, and 2.5 GB can be used: 2 at a time, where 8 cores would allow 8"),
        (3, "3 at a time may be killed by the system; give fewer `workers=`"),
    ],
)
def test_a_note_says_where_memory_decides(workers: int, words: str | None) -> None:
    note = Capacity(8, int(2.5 * GIGABYTE), GIGABYTE).note(workers)
    assert (note is None) if words is None else (words in (note or ""))


def test_a_note_says_that_not_even_one_worker_has_enough() -> None:
    assert "it may be killed" in (Capacity(2, GIGABYTE // 2, GIGABYTE).note(1) or "")
    assert Capacity(2, 64 * GIGABYTE, GIGABYTE).note(2) is None


def test_a_worker_takes_no_more_than_it_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "usable_memory", lambda: 2 * GIGABYTE)
    monkeypatch.setattr(capacity, "usable_cores", lambda: 16)
    assert Capacity.here(0).workers == 3
    assert Capacity.here(0, worker_memory=300_000_000).workers == 6
    assert Capacity.here(GIGABYTE, worker_memory=None).workers == 1
