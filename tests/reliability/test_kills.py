"""Whatever is killed, the run ends with the records of one that was left in peace.

Five hundred kills: ``python tests/reliability/kills.py --kills 500 --workers 2``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import gated
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from kills import Report, carry_through

SHALLOW = Path(__file__).parents[1] / "shallow.json"


def check(report: Report) -> None:
    assert report.problems == []
    assert report.training >= 1, "no kill hit a training"
    assert report.recorded >= 1, "no kill hit a run that had stored a record"


@pytest.mark.slow
def test_a_few_kills_in_every_kind_of_instant_change_nothing(tmp_path: Path) -> None:
    check(carry_through(tmp_path, kills=3, workers=1, seed=1, images=300, space=SHALLOW))


@pytest.fixture
def quick_workers(monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Return a program whose workers train at once: with two, the order in which they end is what is at stake."""
    monkeypatch.setenv("PYTHONPATH", str(Path(gated.__file__).parent))
    monkeypatch.setenv("TEST_EPOCH_SECONDS", "0.2")
    return (sys.executable, "-c", gated.MAIN)


@pytest.mark.slow
def test_a_few_kills_of_a_run_with_two_workers_change_nothing(tmp_path: Path, quick_workers: tuple[str, ...]) -> None:
    check(carry_through(tmp_path, kills=4, workers=2, seed=2, images=300, space=SHALLOW, program=quick_workers))


@pytest.mark.slow
def test_a_few_kills_of_two_workers_that_train_change_nothing(tmp_path: Path) -> None:
    check(carry_through(tmp_path, kills=6, workers=2, seed=3, images=300, space=SHALLOW))


@pytest.mark.slow
def test_fifty_kills_at_random_instants_change_nothing(tmp_path: Path) -> None:
    """Five hundred, and two workers that train: ``python tests/reliability/kills.py --kills 500 --workers 2``."""
    check_many(carry_through(tmp_path, kills=50, workers=1, seed=1))


@pytest.mark.slow
def test_fifty_kills_of_a_run_with_two_workers_change_nothing(tmp_path: Path, quick_workers: tuple[str, ...]) -> None:
    check_many(carry_through(tmp_path, kills=50, workers=2, seed=2, program=quick_workers))


def check_many(report: Report) -> None:
    assert report.problems == []
    assert report.training >= 5, "too few kills hit a training: the test would prove little"
    assert report.recorded >= 3, "too few kills hit a run that had stored a record"
