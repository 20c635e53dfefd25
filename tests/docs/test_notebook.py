"""The README's example in a real Jupyter kernel: progress is shown, and an interrupted cell goes on when run again."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from without_extras import hidden

import tinysearch

README = Path(__file__).parents[2] / "README.md"


def example(store: Path) -> str:
    """Return the README's Python, for digits, few trials and a store of the test."""
    text = README.read_text("utf-8")
    (code,) = re.findall(r"^```python\n(import tinysearch\n.*?)^```$", text, re.MULTILINE | re.DOTALL)
    small = f'data="digits", epochs=2, baselines=False, folds=1, evaluate=1, workers=1, store={str(store)!r}'
    changed = code.replace('data="mnist"', small).replace("trials=20", "trials=3").replace("10_000", "1_500")
    assert changed.count("digits") == changed.count("trials=3") == 1
    return changed


@pytest.mark.slow
def test_the_example_shows_progress_and_goes_on_after_an_interruption(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    script = Path(__file__).with_name("interrupted.py")
    command = [sys.executable, str(script), example(store), str(tmp_path), "1/3", "best so far", "trained", "epoch"]
    # The kernel has what a notebook needs, and of the rest only what tinysearch depends on.
    environment = hidden(tmp_path / "hidden", "ipykernel", "nbclient", "nbformat")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.stdout, done.stderr
    seen = json.loads(done.stdout.splitlines()[0])
    for word in ("1/3", "best so far", "trained", "epoch"):
        assert word in seen["first"]
    assert seen["ended"] == ["KeyboardInterrupt"]
    (kept,) = re.findall(r"(\d) of 3 trained already", seen["again"])
    assert int(kept) >= 1
    assert re.search(r"\d+ 0\.\d+ \(0\.\d+,\)", seen["again"]), seen["again"]
    assert (tmp_path / "firmware" / "model.c").is_file()
    with tinysearch.open("mnist-10k", store=store, data="digits") as study:
        assert [record.purpose for record in study.records] == ["search"] * 3 + ["evaluation"]
