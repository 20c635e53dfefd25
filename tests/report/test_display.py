"""What is shown of a study while it is carried out."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from rich.console import Console

from tinysearch.errors import TinySearchWarning
from tinysearch.report.display import Display, WarnedNotes, display, show, tell_of_interruption
from tinysearch.report.progress import TrainingProgress
from tinysearch.results.callback import Stage
from tinysearch.results.record import Record
from tinysearch.results.training import Training

MakeRecord = Callable[..., Record]
SEARCH = Stage("search", "mine", 3, 2, plan=[("run", "mine in store.db"), ("budget", "fewer than [9] parameters")])


class Shown:
    """A display, and what it has shown."""

    def __init__(self, **options: Any) -> None:
        self.file = io.StringIO()
        self.display = Display(Console(file=self.file, width=150, **options))

    def train(self, record: Record, rejections: Mapping[str, int] | None = None) -> None:
        """Tell of a training from its beginning to its end."""
        names = ("run", "key", "name", "origin", "purpose", "seed", "architecture", "cost", "recipe", "trial")
        training = Training(**{name: getattr(record, name) for name in names})
        self.display.on_trial_start(training)
        for number, epoch in enumerate(record.measurement.curve, start=1):
            self.display.on_epoch(training, number, epoch)
        self.display.on_record(training, record, rejections or {})

    @property
    def lines(self) -> list[str]:
        """What was shown, but for empty lines."""
        return [line.rstrip() for line in self.file.getvalue().splitlines() if line.strip()]


def test_a_search_shows_its_plan_and_a_line_as_a_training_begins_and_ends(make_record: MakeRecord) -> None:
    shown = Shown()
    shown.display.on_stage_start(SEARCH)
    shown.train(make_record(earlier=(0.5,)))
    shown.train(make_record("b" * 12, name="baseline:conv", origin="baseline", trial=None))
    shown.display.on_stage_end(SEARCH)
    plan, budget, begun, ended, begun_next, ended_next = shown.lines
    assert plan.split() == ["run", "mine", "in", "store.db"]
    assert budget.split(maxsplit=1)[1] == "fewer than [9] parameters"
    assert begun.startswith("training 1 of 3: trial 1  1,000 params  c4")
    assert "1/3  validation 90.00 %" in ended
    assert begun_next.startswith("training 2 of 3: baseline:conv  1,000 params")
    assert "2/3" in ended_next


def test_what_is_no_search_tells_its_purpose_and_the_seed(make_record: MakeRecord) -> None:
    shown = Shown()
    stage = Stage("evaluation", "mine", 1, 1, text="evaluating [the] winner")
    shown.display.on_stage_start(stage)
    shown.train(make_record(purpose="evaluation", seed=7, trial=None, test_accuracy=0.5))
    shown.display.on_stage_end(stage)
    text, begun, ended = shown.lines
    assert text.startswith("evaluating ")
    assert begun == "training 1 of 1: aaaaaaaaaaaa, seed 7"
    assert "test 50.00 %" in ended


def test_what_was_done_before_is_counted(make_record: MakeRecord) -> None:
    shown = Shown()
    stage = Stage("search", "mine", 4, 1, done=2, records=[make_record("c" * 12), make_record("d" * 12)])
    shown.display.on_stage_start(stage)
    shown.train(make_record())
    shown.display.on_stage_end(stage)
    assert "training 3 of 4" in shown.lines[0]
    assert "3/4" in shown.lines[1]


@pytest.mark.parametrize(("first", "after"), [(0.8, "90.00 % with 1,000 params, two"), (0.95, "95.00 % with 500")])
def test_the_best_so_far_is_told_and_what_was_rejected(
    make_record: MakeRecord, first: float, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(TrainingProgress, "note", lambda self, best, rejected: told.append((best, rejected)))
    shown = Shown()
    before = make_record("b" * 12, name="one", val_accuracy=first, params=500)
    evaluated = make_record("c" * 12, val_accuracy=0.99, purpose="evaluation")
    stage = Stage("search", "mine", 4, 1, done=1, records=[before, evaluated], rejections={"params": 5})
    shown.display.on_stage_start(stage)
    shown.train(make_record(name="two"), {"params": 9})
    shown.display.on_stage_end(stage)
    (best, rejected), (best_after, rejected_after) = told
    assert best.startswith(f"best so far: {100 * first:.2f} % with 500 params, one")
    assert best_after.startswith(f"best so far: {after}")
    assert "5" in rejected
    assert "9" in rejected_after


def test_notes_are_shown_unless_something_else_does(make_record: MakeRecord) -> None:
    shown = Shown()
    shown.display.on_note("[two] workers are too many")
    assert shown.lines == ["note: [two] workers are too many"]
    silent = io.StringIO()
    Display(Console(file=silent), notes=False).on_note("nothing")
    assert silent.getvalue() == ""


def test_what_happens_outside_of_a_stage_is_passed_over(make_record: MakeRecord) -> None:
    shown = Shown()
    shown.train(make_record())
    shown.display.on_stage_end(SEARCH)
    shown.display.on_end("finished")
    assert shown.lines == []


def test_notes_become_warnings() -> None:
    with pytest.warns(TinySearchWarning, match="too many"):
        WarnedNotes().on_note("two workers are too many")


@pytest.mark.parametrize("verbose", [False, True, 0, 1])
def test_progress_is_shown_unless_it_is_said_otherwise(verbose: bool | int) -> None:
    assert display() is not None
    assert (display(verbose) is not None) == bool(verbose)


def test_what_is_kept_of_an_interrupted_call_goes_to_the_error_stream(capsys: pytest.CaptureFixture[str]) -> None:
    tell_of_interruption("run 'mine' keeps [2] trainings", "call it again")
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.strip() == "interrupted: run 'mine' keeps [2] trainings; call it again"


def test_what_is_shown_goes_to_the_error_stream(make_record: MakeRecord, capsys: pytest.CaptureFixture[str]) -> None:
    made = display(True)
    assert made is not None
    made.on_stage_start(SEARCH)
    made.on_stage_end(SEARCH)
    said = capsys.readouterr()
    assert said.out == ""
    assert "mine in store.db" in said.err


@pytest.mark.parametrize("notebook", [False, True])
def test_what_is_shown_is_never_markup(
    notebook: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tinysearch.report.display.in_notebook", lambda: notebook)
    show("wrote all[final] :smile:")
    said = capsys.readouterr()
    assert (said.out if notebook else said.err) == "wrote all[final] :smile:\n"
