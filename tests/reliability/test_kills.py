"""Whatever is killed, the run ends with the records of one that was left in peace."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from kills import carry_through


def test_fifty_kills_at_random_instants_change_nothing_with_one_worker_or_two(tmp_path: Path) -> None:
    folders = {workers: tmp_path / str(workers) for workers in (1, 2)}
    for folder in folders.values():
        folder.mkdir()
    with ThreadPoolExecutor(2) as threads:
        reports = list(
            threads.map(
                lambda workers: carry_through(folders[workers], kills=50, workers=workers, seed=workers), (1, 2)
            )
        )
    for report in reports:
        assert report.problems == []
        assert report.training >= 5, "too few kills hit a training: the test would prove little"
        assert report.recorded >= 3, "too few kills hit a run that had stored a record"
