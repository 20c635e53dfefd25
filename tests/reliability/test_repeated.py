"""Every stage, and what trains again what is known, ends with the records of one that was left in peace."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import gated
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from repeated import carry_through, ends_within

GATED = (sys.executable, "-c", gated.MAIN)


class InStage:
    """Some time after a training of a stage has ended its first epoch, and before it can have ended its last one."""

    def __init__(self, stage: str, gate: Path, seconds: float) -> None:
        self.environment = {"TEST_STAGE": stage, "TEST_MAY_GO_ON": str(gate)}
        self._gate = gate
        self._seconds = seconds

    def comes(self, process: Any, log: Path) -> bool:
        while not list(self._gate.parent.glob(f"{self._gate.name}.*")):
            if ends_within(process, 0.05):
                return False
        self._gate.touch()
        return not ends_within(process, self._seconds)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "stages"),
    [
        ("run", ["search"] * 4 + ["revalidation"] * 4 + ["evaluation"] * 4),
        ("evaluate", ["evaluation"] * 4),
        # It trains as a search does: without the last tenth.
        ("reproduce", ["search"] * 4),
    ],
)
def test_kills_in_every_stage_change_nothing(
    command: str, stages: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At instants of chance, and with real trainings: ``python tests/reliability/repeated.py --kills 500``."""
    # Workers load no Keras and take a moment for each epoch.
    monkeypatch.setenv("PYTHONPATH", str(Path(gated.__file__).parent))
    monkeypatch.setenv("TEST_EPOCH_SECONDS", "0.15")
    # So close together that the leaders are revalidated.
    monkeypatch.setenv("TEST_APART", "0.04")
    instants = [
        InStage(stage, tmp_path / f"gate-{number}", seconds=0.2 * (number % 4) / 3)
        for number, stage in enumerate(stages)
    ]
    seen = carry_through(tmp_path, command, instants, (2, 1, 3), seed=2, program=GATED)
    assert seen.problems == []
