"""Each example of docs/data.md does what the page says it does."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

PAGE = (Path(__file__).parents[1] / "docs" / "data.md").read_text(encoding="utf-8")
COMMANDS = [line[2:] for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
TRAIN = ("run", "evaluate")
RNG = np.random.default_rng(0)


def drawn(count: int, *shape: int) -> np.ndarray:
    return RNG.integers(0, 256, (count, *shape)).astype(np.uint8)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Make the files that the examples are about."""
    lines = ["path,species"]
    for name in ("aster", "rose"):
        (tmp_path / "flowers" / name).mkdir(parents=True)
        (tmp_path / "people" / name).mkdir(parents=True)
        for number in range(20):
            Image.fromarray(drawn(1, 10 + number % 4, 12, 3)[0]).save(tmp_path / "flowers" / name / f"{number}.jpg")
            Image.fromarray(drawn(1, 9, 9)[0]).save(tmp_path / "people" / name / f"p{number % 5}_{number}.png")
            lines.append(f"people/{name}/p{number % 5}_{number}.png,{name}")
    (tmp_path / "flowers.csv").write_text("\n".join(lines))
    (tmp_path / "arrays").mkdir()
    np.save(tmp_path / "arrays" / "x_train.npy", drawn(40, 9, 9))
    np.save(tmp_path / "arrays" / "y_train.npy", np.arange(40) % 2)
    parts = {"train_images": drawn(60, 9, 9), "train_labels": np.arange(60) % 3}
    np.savez(tmp_path / "shapes.npz", **parts, test_images=drawn(30, 9, 9), test_labels=np.arange(30) % 3)
    digits = [[number % 10, *row] for number, row in enumerate(drawn(100, 64).tolist())]
    header = ",".join(["label", *(f"pixel{place}" for place in range(64))])
    (tmp_path / "digits.csv").write_text("\n".join([header, *(",".join(map(str, row)) for row in digits)]))
    np.savez(tmp_path / "movements.npz", x=RNG.normal(size=(60, 30, 12)), y=np.array(["up", "down"])[np.arange(60) % 2])
    skewed = (np.arange(100) % 20 == 0).astype(int)
    np.savez(
        tmp_path / "skewed.npz", x_train=drawn(100, 9, 9), y_train=skewed, x_test=drawn(60, 9, 9), y_test=skewed[:60]
    )
    (tmp_path / "mine.json").write_text('{"mirroring": 0.5, "shift_pixels": 2}')
    return tmp_path


# Those that train take as long as all others together.
@pytest.mark.parametrize(
    "command",
    [pytest.param(one, marks=pytest.mark.slow) if one.split()[1] in TRAIN else one for one in COMMANDS],
)
@pytest.mark.usefixtures("trained_here")
def test_each_command_of_the_page_works(
    command: str, home: Path, call: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    name, *words = shlex.split(command)
    assert name == "tinysearch"
    done = call(home, *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    if "--preview" in words:
        assert (home / "sheet.png").exists()


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS, ids=["arrays"])
@pytest.mark.usefixtures("trained_here")
def test_each_program_of_the_page_works(program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TINYSEARCH_STORE", str(tmp_path / "store.db"))
    said = io.StringIO()
    values: dict[str, Any] = {}
    with contextlib.redirect_stdout(said):
        exec(compile(program, "docs/data.md", "exec"), values)  # noqa: S102
    assert said.getvalue().strip()


def test_the_page_has_an_example_of_every_source() -> None:
    assert len(COMMANDS) >= 10
    assert len(PROGRAMS) == 1
