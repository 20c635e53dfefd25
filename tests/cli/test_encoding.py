"""Every command ends well on a stream of any encoding, and prints nothing that it cannot carry."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from stand_ins import Here, Untrained

from tinysearch.cli.app import app, main
from tinysearch.cli.encoding import survive_any_encoding

NAME = "Größe ✓ 大"
# Words of each command that make it show all that it can.
COMMANDS = {
    "run": ["--resume", "--name", NAME, "--trials", "1"],
    "frontier": ["--budgets", "600", "--trials", "1", "--evaluate", "0", "--folds", "1", "--epochs", "1"],
    "evaluate": [NAME, "--seeds", "2"],
    "reproduce": ["conv", "--epochs", "1"],
    "leaderboard": [],
    "show": ["231495f5d1eb", "--reference"],
    "cost": ["baseline:inception"],
    "space": ["--samples", "2"],
    "report": ["-o", "report.html"],
    "watch": [NAME],
    "export": ["-o", "results.jsonl"],
    "data": ["digits"],
    "deploy": ["baseline:conv", "--to", "tflite", "-o", "out"],
    "import": ["frontier-1000", "--reference"],
}
ON_DATA = ("run", "frontier", "evaluate", "reproduce")


class Done(NamedTuple):
    code: int
    out: bytes
    err: bytes


def call(*words: str, encoding: str = "ascii") -> Done:
    """Run the command line in this process, with streams of an encoding."""
    streams = [io.BytesIO(), io.BytesIO()]
    out, err = (io.TextIOWrapper(stream, encoding=encoding) for stream in streams)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        patch.setattr(sys, "argv", ["tinysearch", *words])
        with pytest.raises(SystemExit) as ending:
            main()
        out.flush()
        err.flush()
    return Done(ending.value.code or 0, *(stream.getvalue() for stream in streams))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Iterator[tuple[Path, Done]]:
    """Make a folder with a run, whose name no narrow encoding carries; nothing is trained, which changes no text."""
    where = tmp_path_factory.mktemp("ascii")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(where)
        patch.setenv("TINYSEARCH_STORE", str(where / "störe.db"))
        here = type("InThisProcess", (Here,), {"train_on": staticmethod(Untrained().train_on)})
        patch.setattr("tinysearch.workers.local.executor.LocalExecutor", here)
        words = ["--budget", "600", "--trials", "1", "--epochs", "1", "--evaluate", "1", "--folds", "1"]
        yield where, call("run", *words, "--workers", "1", "--name", NAME, "--data", str(tiny))


def test_a_run_is_searched_and_evaluated(folder: tuple[Path, Done]) -> None:
    _, done = folder
    assert (done.code, done.out.isascii(), done.err.isascii()) == (0, True, True), done.err
    assert b"Leaderboard: tiny" in done.out
    assert rb"Gr\xf6\xdfe \u2713 \u5927" in done.err


def test_no_command_is_left_out() -> None:
    names = {one.name or one.callback.__name__ for one in app.registered_commands if one.callback}
    # A server goes on for ever, and what it serves is UTF-8.
    assert names == {*COMMANDS, "dashboard"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_works_in_ascii(folder: tuple[Path, Done], tiny: Path, command: str) -> None:
    words = [*COMMANDS[command], *(["--data", str(tiny), "--workers", "1"] if command in ON_DATA else [])]
    if command == "deploy":
        # This process may not have run the command that trains the network.
        call("reproduce", *COMMANDS["reproduce"], "--data", str(tiny), "--workers", "1")
        words += ["--data", str(tiny)]
    done = call(command, *words)
    assert (done.code, done.out.isascii(), done.err.isascii()) == (0, True, True), done.err


@pytest.mark.parametrize("words", [[], *([command] for command in COMMANDS)], ids=str)
def test_all_help_is_ascii(words: list[str]) -> None:
    done = call(*words, "--help")
    assert done.code == 0
    assert done.out.isascii()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "shift_jis", "utf-8"])
@pytest.mark.parametrize("kind", ["table", "json", "csv", "markdown"])
def test_every_format_goes_to_a_stream_of_any_encoding(folder: tuple[Path, Done], kind: str, encoding: str) -> None:
    done = call("leaderboard", "--format", kind, encoding=encoding)
    assert done.code == 0, done.err
    assert done.out.decode(encoding)
    if kind == "json":
        assert [row["run"] for row in json.loads(done.out) if row["run"] == NAME]
    for candidate in (["231495f5d1eb", "--reference"], ["baseline:conv"]):
        if kind != "csv":
            assert call("show", *candidate, "--format", kind, encoding=encoding).code == 0


def test_bars_and_spreads_have_stand_ins_of_their_width() -> None:
    wide, narrow = (
        call("show", "231495f5d1eb", "--reference", encoding=encoding).out.decode(encoding)
        for encoding in ("utf-8", "ascii")
    )
    assert "█" * 10 in wide
    assert "#" * 10 in narrow
    assert [len(line) for line in wide.splitlines()] == [len(line) for line in narrow.splitlines()]
    card = call("show", "231495f5d1eb", "--reference", "--format", "markdown")
    assert b" +-0.0" in card.out


def test_files_stay_utf_8_and_a_page_says_so_itself(folder: tuple[Path, Done]) -> None:
    where, _ = folder
    assert call("leaderboard", "--format", "markdown", "-o", "board.md").code == 0
    board = (where / "board.md").read_text(encoding="utf-8")
    assert NAME in board
    assert "±" in board
    page = call("leaderboard", "--format", "html").out.decode("utf-8")
    assert NAME in page or "Größe" in page
    assert 'charset="utf-8"' in page.lower()


def test_an_error_names_what_was_given_in_any_encoding(folder: tuple[Path, Done]) -> None:
    done = call("leaderboard", "Ω")
    assert done.code == 2
    assert rb"no run named '\u03a9'" in done.err
    assert rb"\xdfe \u2713" in done.err


def test_a_name_that_is_no_text_is_refused(folder: tuple[Path, Done], tiny: Path) -> None:
    """So do words on the command line arrive whose bytes are not in its encoding."""
    done = call("run", "--name", "caf\udce9", "--data", str(tiny), "--trials", "0", encoding="utf-8")
    assert done.code == 2, done.err
    assert rb"'caf\udce9'" in done.err
    assert b"not text" in done.err


def test_a_file_whose_name_is_no_text_gives_its_dataset_one(tmp_path: Path, tiny: Path) -> None:
    from tinysearch.data.loading import load

    path = tmp_path / os.fsdecode(b"caf\xe9.npz")
    try:
        path.write_bytes(tiny.read_bytes())
    except (OSError, UnicodeError):
        pytest.skip("this file system takes names in UTF-8 only")
    assert load(data=path).name == r"caf\udce9"


def test_data_whose_path_is_no_text_is_refused_before_the_run_is_stored(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / os.fsdecode(b"caf\xe9.npz")
    try:
        path.write_bytes(tiny.read_bytes())
    except (OSError, UnicodeError):
        pytest.skip("this file system takes names in UTF-8 only")
    words = ("--store", "a.db", "--name", "one", "--trials", "0", "--no-baselines")
    assert call("run", "--data", str(tiny), "--budget", "600", *words).code == 0
    for more in (["--resume"], ["--budget", "600", "--name", "two"]):
        done = call("run", "--data", str(path), *words, *more)
        assert done.code == 2, done.err
        assert rb"caf\udce9.npz' is not valid in UTF-8" in done.err
    assert call("run", "--resume", *words, "--data", str(tiny)).code == 0


def test_the_streams_of_a_program_that_imports_tinysearch_stay_as_they_are() -> None:
    import tinysearch  # noqa: F401

    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        from tinysearch.cli.reporting import stdout

        stdout().print("as it is")
        assert stream.errors == "strict"
        survive_any_encoding()
        assert stream.errors != "strict"


def test_a_stream_that_is_no_file_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(sys, "stderr", None)
    survive_any_encoding()


def test_a_process_of_its_own_survives_the_encoding_of_its_environment(
    launch: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    done = launch(tmp_path, "show", "231495f5d1eb", "--reference", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "##########" in done.stdout
