"""What docs/devices.md says works on what tinysearch saves."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tinysearch.results.archive import REFERENCE

PAGE = Path(__file__).parents[1] / "docs" / "devices.md"


@pytest.mark.slow
def test_a_model_that_comes_with_tinysearch_becomes_bytes_for_a_microcontroller(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    model = min(REFERENCE.parent.glob("*.keras"), key=lambda path: path.stat().st_size)
    shutil.copyfile(model, tmp_path / "model.keras")
    np.savez(tmp_path / "mnist.npz", x_train=np.random.default_rng(0).integers(0, 256, (20, 28, 28), np.uint8))
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    content = (tmp_path / "model.tflite").read_bytes()
    assert content[4:8] == b"TFL3"
    assert len(content) < 30_000
