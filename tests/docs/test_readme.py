"""What the README shows and says: its commands run, its figures are those of the reference results."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinysearch.results.archive import REFERENCE, read
from tinysearch.results.leaderboard import Row, rank

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
Launch = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def tested() -> list[Row]:
    with read(REFERENCE) as store:
        return list(rank(store.summaries(), tested=True).rows)


def test_it_is_short_and_its_links_lead_somewhere() -> None:
    assert len(README.splitlines()) < 120
    links = re.findall(r"\]\(([^)]+)\)|src(?:set)?=\"([^\"]+)\"", README)
    headings = {f"#{one.lower().replace(' ', '-')}" for one in re.findall(r"^## (.+)$", README, re.MULTILINE)}
    for link in (one or other for one, other in links):
        assert link.startswith("https://") or link in headings or (ROOT / link).exists(), link


def test_the_headline_is_what_was_measured(tested: list[Row]) -> None:
    headline = README.split("</picture>")[1].split("## Set-up")[0]
    claims = re.findall(r"([\d.]+) ± ([\d.]+) % with ([\d,]*\d)", headline.replace("**", ""))
    assert len(claims) == 5
    for mean, std, params in claims:
        (row,) = (one for one in tested if f"{one.params:,}" == params)
        assert (f"{100 * (row.test_accuracy_mean or 0):.2f}", f"{100 * (row.test_accuracy_std or 0):.2f}") == (
            mean,
            std,
        )
        assert f"of {row.test_seeds} seeds" in headline


def test_the_picture_of_the_terminal_shows_the_same_figures(tested: list[Row]) -> None:
    picture = (ROOT / "docs" / "images" / "leaderboard.svg").read_text(encoding="utf-8").replace("&#160;", " ")
    shown = [row for row in tested if row.name in picture]
    assert len(shown) == 9
    for row in shown:
        assert f"{100 * (row.test_accuracy_mean or 0):.2f} ± {100 * (row.test_accuracy_std or 0):.2f} %" in picture
    assert "@font-face" not in picture


@pytest.mark.slow
@pytest.mark.usefixtures("trained_here")
def test_the_way_from_data_to_a_device_is_walked(call: Launch, tmp_path: Path) -> None:
    section = README.split("## From data to device")[1]
    commands = [line.split("  #")[0] for line in section.split("```sh\n")[1].split("```")[0].splitlines()]
    assert len(commands) == 4
    rng = np.random.default_rng(0)
    for place, name in enumerate(("nut", "bolt", "washer")):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(20):
            pixels = rng.integers(0, 90, (32, 32, 3), np.uint8)
            pixels[10 * place : 10 * place + 9] += 150
            Image.fromarray(pixels).save(tmp_path / "pictures" / name / f"{number}.png")
    quickly = [
        "--trials",
        "1",
        "--epochs",
        "1",
        "--folds",
        "1",
        "--strategy",
        "random",
        "--workers",
        "1",
        "--no-baselines",
    ]
    key = ""
    for command in commands:
        _, verb, *words = shlex.split(command.replace("KEY", key))
        done = call(tmp_path, verb, *words, *(quickly if verb == "run" else []))
        assert done.returncode == 0, done.stderr
        if verb == "run":
            (row,) = json.loads(call(tmp_path, "leaderboard", "--format", "json").stdout)
            assert row["flash_bytes"] <= 32 * 1024
            assert row["peak_activation_bytes"] <= 16 * 1024
            key = row["key"]
    assert (tmp_path / "sheet.png").exists()
    assert (tmp_path / "report.html").exists()
    assert '"washer"' in (tmp_path / "firmware" / "labels.h").read_text()


@pytest.mark.slow
def test_the_picture_is_made_of_the_reference_results(tmp_path: Path, needs: Callable[..., None]) -> None:
    import importlib.util
    import sys

    needs(importlib.util.find_spec("matplotlib"), "Matplotlib", "pip install -e '.[docs]'")
    command = [sys.executable, str(ROOT / "tools" / "picture.py"), "-o", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    for name in ("frontier-light.svg", "frontier-dark.svg"):
        new, old = ((folder / name).read_text(encoding="utf-8") for folder in (tmp_path, ROOT / "docs" / "images"))
        # The points, which are placed by their figures, but not the paths of letters and of other versions.
        points = [re.findall(r'<use xlink:href="#\w+" x="([\d.]+)" y="([\d.]+)"', text) for text in (new, old)]
        assert len(points[0]) > 30
        assert points[0] == points[1], f"python tools/picture.py makes another {name}"
