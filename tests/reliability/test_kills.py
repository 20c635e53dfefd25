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


@pytest.mark.slow
def test_a_few_kills_of_a_run_with_two_workers_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The order in which two workers end is what is at stake: what they train is not.
    monkeypatch.setenv("PYTHONPATH", str(Path(gated.__file__).parent))
    monkeypatch.setenv("TEST_EPOCH_SECONDS", "0.2")
    program = (sys.executable, "-c", gated.MAIN)
    check(carry_through(tmp_path, kills=4, workers=2, seed=2, images=300, space=SHALLOW, program=program))


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_fifty_kills_at_random_instants_change_nothing(tmp_path: Path, workers: int) -> None:
    report = carry_through(tmp_path, kills=50, workers=workers, seed=workers)
    assert report.problems == []
    assert report.training >= 5, "too few kills hit a training: the test would prove little"
    assert report.recorded >= 3, "too few kills hit a run that had stored a record"
