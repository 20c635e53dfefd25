"""Progress in a notebook, with a stand-in for IPython; ``tests/docs`` has a real kernel."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from rich.text import Text

from tinysearch.report import notebook
from tinysearch.report.board import Board
from tinysearch.report.display import display
from tinysearch.report.notebook import NotebookLive, in_notebook
from tinysearch.results.callback import Stage
from tinysearch.results.leaderboard import rank
from tinysearch.results.record import Record
from tinysearch.results.training import Training


class Output:
    """An output of a cell, and what it has shown."""

    def __init__(self, shown: dict[str, str]) -> None:
        self.shown = [shown]

    def update(self, data: dict[str, str], *, raw: bool) -> None:
        assert raw
        self.shown.append(data)

    @property
    def texts(self) -> list[str]:
        """What was shown, without tags."""
        return [re.sub(r"<[^>]*>", "", one["text/html"]) for one in self.shown]


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch) -> list[Output]:
    """Have this process be the kernel of a notebook; return its outputs."""
    found: list[Output] = []

    def show(data: dict[str, str], *, raw: bool, display_id: bool) -> Output:
        assert raw
        assert display_id
        found.append(Output(data))
        return found[-1]

    root: Any = ModuleType("IPython")
    root.get_ipython = lambda: SimpleNamespace(kernel=object())
    part: Any = ModuleType("IPython.display")
    part.display = show
    monkeypatch.setitem(sys.modules, "IPython", root)
    monkeypatch.setitem(sys.modules, "IPython.display", part)
    return found


def test_a_kernel_is_a_notebook_and_nothing_else_is(monkeypatch: pytest.MonkeyPatch, outputs: list[Output]) -> None:
    assert in_notebook()
    for shell in (None, SimpleNamespace()):
        monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda shell=shell: shell)
        assert not in_notebook()
    monkeypatch.delitem(sys.modules, "IPython")
    assert not in_notebook()
    assert "IPython" not in sys.modules


def test_one_output_is_drawn_anew_but_not_all_the_time(outputs: list[Output], monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(notebook.time, "monotonic", lambda: now[0])
    words = iter(["one", "two", "three", "four"])
    live = NotebookLive(lambda: Text(next(words)))
    live.refresh()
    assert outputs == []
    live.start()
    live.refresh()
    live.refresh()
    now[0] += 0.4
    live.refresh()
    now[0] += 0.2
    live.refresh()
    live.stop()
    live.refresh(now=True)
    (output,) = outputs
    assert [text.strip() for text in output.texts] == ["one", "two", "three", "four"]


def test_what_is_shown_is_never_markup() -> None:
    assert "all[final] :smile:" in re.sub(r"<[^>]*>", "", notebook.as_html("all[final] :smile:"))


def test_markup_of_a_page_is_text(outputs: list[Output]) -> None:
    live = NotebookLive(lambda: Text("<script>alert(1)</script>"))
    live.start()
    assert "<script>" not in outputs[0].shown[0]["text/html"]
    assert "&lt;script&gt;" in outputs[0].shown[0]["text/html"]


def test_a_study_in_a_notebook_shows_bars_in_an_output_and_lines_below(
    outputs: list[Output],
    make_record: Callable[..., Record],
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = display()
    assert shown is not None
    stage = Stage("search", "mine", 2, 1, plan=[("run", "mine in store.db")])
    record = make_record()
    names = ("run", "key", "name", "origin", "purpose", "seed", "architecture", "cost", "recipe", "trial")
    training = Training(**{name: getattr(record, name) for name in names})
    shown.on_stage_start(stage)
    shown.on_trial_start(training)
    shown.on_epoch(training, 1, record.measurement.curve[0])
    shown.on_record(training, record, {})
    shown.on_stage_end(stage)
    (output,) = outputs
    assert "0/2" in output.texts[0]
    assert "1/2" in output.texts[-1]
    said = capsys.readouterr()
    assert said.err == ""
    assert "mine in store.db" in said.out
    assert "1/2  validation 90.00 %" in said.out
    assert "\x1b" not in said.out


def test_a_leaderboard_in_a_notebook_is_the_output_of_its_cell_and_makes_no_other(
    make_record: Callable[..., Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    monkeypatch.setattr("rich.jupyter.display", lambda *words: pytest.fail("an output of its own"))
    board = Board.showing(rank([make_record()]))
    assert "<pre" in board._repr_html_()
    assert "Leaderboard: " in str(board)


def test_a_study_in_a_notebook_shows_nothing_if_it_is_not_to(outputs: list[Output]) -> None:
    assert display(False) is None
