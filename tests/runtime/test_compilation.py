from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from tinysearch.runtime.compilation import cache_folder

LOOK = """
import json, os, sys
def of_jax(): return sorted(item for item in os.environ.items() if item[0].startswith(("XLA", "JAX")))
given = of_jax()
{prepare}
import jax
print(json.dumps([jax.config.jax_compilation_cache_dir, {changed}]))
"""
PREPARE = "from tinysearch.runtime.preparation import prepare_to_train\nprepare_to_train(1, bare=True)"
LOAD = "from tinysearch.runtime.backend import load_keras\nload_keras()"


@pytest.fixture(autouse=True)
def _jax(needs: Callable[..., None]) -> None:
    needs(find_spec("jax"), "jax", "pip install jax")


def looked(prepare: str, **environment: str) -> list[object]:
    changed = "given == of_jax()"
    done = subprocess.run(
        [sys.executable, "-c", LOOK.format(prepare=prepare, changed=changed)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "KERAS_BACKEND": "jax", **environment},
    )
    found: list[object] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
def test_a_process_that_trains_keeps_what_is_compiled_in_the_cache_of_its_user(tmp_path: Path) -> None:
    kept, _ = looked(PREPARE, XDG_CACHE_HOME=str(tmp_path))
    assert Path(str(kept)).parent == tmp_path / "tinysearch"
    assert Path(str(kept)).is_dir()


@pytest.mark.slow
def test_a_folder_that_was_named_to_jax_stays_and_one_that_cannot_be_made_is_no_matter(tmp_path: Path) -> None:
    named = str(tmp_path / "named")
    assert looked(PREPARE, JAX_COMPILATION_CACHE_DIR=named, XDG_CACHE_HOME=str(tmp_path))[0] == named
    (tmp_path / "a file").touch()
    assert looked(PREPARE, XDG_CACHE_HOME=str(tmp_path / "a file"))[0] is None


@pytest.mark.slow
def test_loading_keras_for_a_caller_keeps_nothing_and_changes_nothing(tmp_path: Path) -> None:
    assert looked(LOAD, XDG_CACHE_HOME=str(tmp_path)) == [None, True]
    # KerasTuner may load Matplotlib, which has a cache of its own.
    assert not [one for one in tmp_path.iterdir() if one.name != "matplotlib"]


def test_every_kind_of_processor_has_a_folder_of_its_own(tmp_path: Path) -> None:
    folders = set()
    for number, flags in enumerate(("fpu avx", "fpu avx avx2")):
        cpuinfo = tmp_path / str(number)
        cpuinfo.write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
        folders.add(cache_folder(cpuinfo))
    assert len(folders) == 2
    assert cache_folder(tmp_path / "missing").name.startswith("xla-")
