"""Whatever is killed, the run ends with the records of one that was left in peace."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from kills import carry_through


@pytest.mark.parametrize("workers", [1, 2])
def test_fifty_kills_at_random_instants_change_nothing(tmp_path: Path, workers: int) -> None:
    report = carry_through(tmp_path, kills=50, workers=workers, seed=workers)
    assert report.problems == []
    assert report.training >= 5, "too few kills hit a training: the test would prove little"
    assert report.recorded >= 3, "too few kills hit a run that had stored a record"
