"""What docs/keras_tuner.md shows works."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from without_extras import hidden

PAGE = Path(__file__).parents[1] / "docs" / "keras_tuner.md"

# Shorter searches; what is trained is noted, and looked at in the end.
SHORTER = (("max_trials=20", "max_trials=2"), ("epochs=10", "epochs=1"), ("max_epochs=1,", "max_epochs=2,"))
PROMISED = """
assert every and max(every) < 10_000, every
print(len(every), "trained")
"""
NOTED = """
import keras
every = []
fit = keras.Model.fit
def noted(model, *args, **given):
    every.append(model.count_params())
    return fit(model, *args, **{**given, "verbose": 0})
keras.Model.fit = noted
compile = keras.Model.compile
# Compiling by XLA would take longer than all of these trainings.
keras.Model.compile = lambda model, *args, **given: compile(model, *args, **{**given, "jit_compile": False})
"""


@pytest.mark.slow
def test_the_examples_run_and_train_nothing_at_or_above_the_budget(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 4
    code = "\n".join(blocks)
    for said, shorter in SHORTER:
        assert said in code
        code = code.replace(said, shorter)
    done = subprocess.run(
        [sys.executable, "-c", NOTED + code + PROMISED],
        cwd=tmp_path,
        env=hidden(tmp_path / "hidden"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    trained = int(done.stdout.splitlines()[-1].split()[0])
    assert done.stdout.count("Budget: ") == trained >= 8
    assert {path.name for path in (tmp_path / "searches").iterdir()} == {"digits", "hyperband", "macs", "space"}
