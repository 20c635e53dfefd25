"""A run by another objective than accuracy, from the command line to its leaderboard, with real trainings."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tinysearch.results.objective import measured
from tinysearch.results.predictions import unpack
from tinysearch.results.store import Store

Tinysearch = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def rare(tmp_path: Path) -> Path:
    """Return a dataset of two classes, one of which has every tenth image."""
    rng = np.random.default_rng(0)
    arrays = {}
    for part, count in (("train", 200), ("test", 60)):
        labels = (np.arange(count) % 10 == 0).astype(np.uint8)
        pixels = rng.integers(0, 60, (count, 28, 28), dtype=np.uint8)
        pixels[labels == 1, 10:18] = 250
        arrays |= {f"x_{part}": pixels, f"y_{part}": labels}
    np.savez(tmp_path / "rare.npz", **arrays)
    return tmp_path / "rare.npz"


@pytest.mark.slow
def test_a_run_is_ranked_resumed_and_evaluated_by_its_objective(
    tinysearch: Tinysearch, rare: Path, trained_here: None, hasty_draws: None, tmp_path: Path
) -> None:
    space = tmp_path / "space.json"
    space.write_text('{"format": 2, "depth": [1], "kinds": ["conv"], "filters": "2..6"}')
    given = ["--data", rare, "--budget", 600, "--epochs", 2, "--workers", 1, "--no-baselines", "--folds", 1]
    given += ["--evaluate", 1, "--name", "rare", "--space", space]
    done = tinysearch("run", *given, "--trials", 1, "--objective", "balanced_accuracy")
    assert done.returncode == 0, done.stderr
    assert "objective balanced accuracy" in done.stderr
    assert "validation balanced accuracy" in done.stderr
    assert "validation balanced accuracy" in done.stdout
    resumed = tinysearch("run", *given, "--trials", 2, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    other = tinysearch("run", *given, "--trials", 3, "--resume", "--metric", "accuracy")
    assert other.returncode == 2
    assert "started with objective 'balanced_accuracy', now it is 'accuracy'" in other.stderr
    rows = json.loads(tinysearch("leaderboard", "--format", "json").stdout)
    assert {row["metric"] for row in rows} == {"balanced_accuracy"}
    assert [row["val_metric"] for row in rows] == sorted((row["val_metric"] for row in rows), reverse=True)
    with Store(tmp_path / "store.db") as store:
        records = store.records("rare")
        for record in records:
            if record.purpose != "evaluation":
                # After every epoch, for it is not accuracy.
                assert all("balanced_accuracy" in epoch.metrics for epoch in record.measurement.curve)
                continue
            (found,) = (
                one
                for one in store.evaluations(record.test_fingerprint or "")
                if (one.key, one.seed) == (record.key, record.seed)
            )
            assert found.predictions is not None
            labels, predicted = unpack(found.predictions.labels), unpack(found.predictions.predicted)
            assert record.test_metrics == measured(labels, predicted)
    assert {record.purpose for record in records} == {"search", "evaluation"}


def test_an_unknown_objective_is_refused_before_anything_is_trained(light: Tinysearch, tmp_path: Path) -> None:
    done = light("run", "--objective", "recall")
    assert done.returncode == 2
    assert "an objective is one of accuracy, balanced_accuracy, macro_f1 or module:Class; got 'recall'" in done.stderr
