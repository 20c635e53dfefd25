from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tinysearch.cli.app import app
from tinysearch.results.store import Store

URL = "sqlite:///runs.db"
Tinysearch = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["leaderboard", "--store", URL], "--store"),
        (["run", "--store", URL], "--store"),
        (["run", "--data", "https://example.org/mnist.npz"], "--data"),
        (["run", "--space", "https://example.org/space.json"], "--space"),
        (["frontier", "--plot", "s3://bucket/front.html"], "--plot"),
        (["leaderboard", "-o", "s3://bucket/board.md"], "--output"),
        (["report", "-o", "s3://bucket/report.html"], "--output"),
        (["report", "--data", "file:///home/me/mnist.npz"], "--data"),
        (["export", "-o", "s3://bucket/results.jsonl"], "--output"),
        (["export", "--tensorboard", "gs://bucket/logs"], "--tensorboard"),
        (["import", "--from", "https://example.org/results.jsonl"], "--from"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_a_url_is_refused_where_a_path_is_wanted(
    words: list[str], option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert option in done.stderr
    assert f"not a URL; got {words[-1]!r}" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "variables"),
    [
        (["leaderboard"], {"TINYSEARCH_STORE": URL}),
        (["run"], {"TINYSEARCH_STORE": URL}),
        (["run", "--dataset", "https://example.org/mnist.npz"], {}),
        (["run"], {"TINYSEARCH_DATA": "https://example.org/mnist.npz"}),
        (["cost", "https://example.org/network.json"], {}),
    ],
    ids=str,
)
def test_a_url_in_a_variable_or_a_name_is_refused_too(
    words: list[str], variables: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TINYSEARCH_DATA", raising=False)
    monkeypatch.setenv("TINYSEARCH_STORE", str(tmp_path / "store.db"))
    done = CliRunner().invoke(app, words, env=variables)
    assert done.exit_code == 2
    assert "not a URL; got" in done.stderr
    assert not (tmp_path / "sqlite:").exists()


@pytest.mark.parametrize("variable", [False, True])
def test_a_path_may_begin_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: bool) -> None:
    """What a shell does not expand: ``--store=~/x`` in some, quotes and variables in all."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    Store(home / "runs.db", create=True).close()
    words = ["leaderboard", "--format", "csv", "-o", "~/board.csv"]
    variables = {"TINYSEARCH_STORE": "~/runs.db"} if variable else {}
    done = CliRunner().invoke(app, words if variable else [*words, "--store", "~/runs.db"], env=variables)
    assert done.exit_code == 0, done.output
    assert (home / "board.csv").read_text(encoding="utf-8").startswith("rank,")
    assert not (tmp_path / "~").exists()


def test_data_and_spaces_may_lie_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tinysearch.data.loading import load

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    pixels, labels = np.zeros((40, 6, 5), np.uint8), np.arange(40) % 2
    np.savez(tmp_path / "mine.npz", x_train=pixels, y_train=labels)
    monkeypatch.setenv("TINYSEARCH_DATA", "~/mine.npz")
    assert load().fingerprint == load("~/mine.npz").fingerprint == load("auto", tmp_path / "mine.npz").fingerprint
    (tmp_path / "space.json").write_text('{"format": 2, "depth": [1, 2]}', encoding="utf-8")
    done = CliRunner().invoke(app, ["space", "--space", "~/space.json", "--samples", "0", "--format", "json"])
    assert done.exit_code == 0, done.output


def test_numbers_are_read_as_people_write_them() -> None:
    plain, short = (
        CliRunner().invoke(app, ["space", "--samples", "0", "--format", "json", "--budget", text])
        for text in ("10000", "10k")
    )
    assert plain.exit_code == short.exit_code == 0
    assert plain.output == short.output
