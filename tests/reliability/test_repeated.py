"""Every stage, and what trains again what is known, ends with the records of one that was left in peace."""

from __future__ import annotations

import sys
from pathlib import Path

import gated
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from repeated import carry_through

GATED = (sys.executable, "-c", gated.MAIN)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have workers load no Keras, take a moment for each epoch, and find candidates that are much alike."""
    monkeypatch.setenv("PYTHONPATH", str(Path(gated.__file__).parent))
    monkeypatch.setenv("TEST_EPOCH_SECONDS", "0.15")
    # So close together that the leaders are revalidated.
    monkeypatch.setenv("TEST_APART", "0.04")


@pytest.mark.slow
def test_a_few_kills_and_other_numbers_of_workers_change_nothing(tmp_path: Path, quick: None) -> None:
    seen = carry_through(tmp_path, "reproduce", 3, (2, 1, 3), seed=1, program=GATED)
    assert seen.problems == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "kills", "purposes"),
    [
        ("run", 12, {"search", "revalidation"}),
        # What it begins with was evaluated before.
        ("evaluate", 3, {"evaluation"}),
        ("reproduce", 5, {"evaluation"}),
    ],
)
def test_kills_in_every_stage_change_nothing(
    command: str, kills: int, purposes: set[str], tmp_path: Path, quick: None
) -> None:
    """More of them: ``python tests/reliability/repeated.py --kills 500 --command run``."""
    seen = carry_through(tmp_path, command, kills, (2, 1, 3), seed=2, program=GATED)
    assert seen.problems == []
    assert purposes <= seen.by_purpose.keys(), "too few kills hit a stage: the test would prove little"
