"""Files with plug-ins are loaded once, under the same name in every process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tinysearch.runtime.plugins import find

SOURCE = "class Mine:\n    pass\n"
ASK = "import json, sys; from tinysearch.runtime.plugins import find; print(find('strategy', sys.argv[1]).__module__)"


def test_a_file_is_loaded_once_though_another_module_has_its_name(tmp_path: Path) -> None:
    found = []
    for folder in ("one", "other", "third"):
        path = tmp_path / folder / "named_alike.py"
        path.parent.mkdir()
        path.write_text(SOURCE)
        found.append(find("strategy", f"{path}:Mine"))
        assert find("strategy", f"{path}:Mine") is found[-1]
    assert len({one.__module__ for one in found}) == 3


def test_where_another_module_has_its_name_its_own_is_the_same_in_every_process(tmp_path: Path) -> None:
    path = tmp_path / "json.py"
    path.write_text(SOURCE)
    command = [sys.executable, "-c", ASK, f"{path}:Mine"]
    said = [
        subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0].startswith("json_")
    assert said[0] == said[1]
