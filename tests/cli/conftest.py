from __future__ import annotations

from pathlib import Path

import pytest

from tinysearch.results.store import Store


@pytest.fixture
def three_runs(tmp_path: Path) -> Path:
    """Return a store with two runs on one dataset and a third on another, all of them empty."""
    path = tmp_path / "store.db"
    with Store(path, create=True) as store:
        for run, dataset, mark in (("one", "toy", "1"), ("two", "toy", "1"), ("three", "other", "2")):
            store.create_run(run, dataset, mark * 16, {})
    return path
