"""Whatever is killed, the run ends with the records of one that was left in peace.

Five hundred kills: ``python tests/reliability/kills.py --kills 500 --workers 2``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from kills import carry_through


@pytest.mark.parametrize(("workers", "kills"), [(1, 3), (2, 2)])
def test_a_few_kills_in_every_kind_of_instant_change_nothing(tmp_path: Path, workers: int, kills: int) -> None:
    report = carry_through(tmp_path, kills, workers, seed=workers, images=400)
    assert report.problems == []
    assert report.training >= 1, "no kill hit a training"
    assert report.recorded >= 1, "no kill hit a run that had stored a record"


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_fifty_kills_at_random_instants_change_nothing(tmp_path: Path, workers: int) -> None:
    report = carry_through(tmp_path, kills=50, workers=workers, seed=workers)
    assert report.problems == []
    assert report.training >= 5, "too few kills hit a training: the test would prove little"
    assert report.recorded >= 3, "too few kills hit a run that had stored a record"
