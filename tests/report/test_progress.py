from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from tinysearch.report.progress import TrainingProgress
from tinysearch.results.record import Record


def shown(records: list[Record], *, done: int = 0, **console: Any) -> str:
    """Return what is printed while some trainings are reported."""
    file = io.StringIO()
    total = len(records) + done
    with TrainingProgress(Console(file=file, width=200, highlight=False, **console), total, 2, done) as progress:
        for record in records:
            progress.start(f"the start of {record.name}")
            for number, epoch in enumerate(record.measurement.curve, start=1):
                progress.epoch(number, epoch)
            progress.note("best so far: [bold]", "rejected: 3")
            progress.finish(record)
    return file.getvalue()


@pytest.mark.parametrize("console", [{}, {"force_terminal": True, "no_color": True}, {"legacy_windows": False}])
def test_plain_output_has_a_line_when_a_training_begins_and_when_it_ends(
    make_record: Callable[..., Record], console: dict[str, Any]
) -> None:
    text = shown([make_record("aaa"), make_record("bbb", test_accuracy=0.5)], **console)
    assert "\x1b" not in text
    begin, end, second, last = (line for line in text.splitlines() if line)
    assert "1 of 2" in begin
    assert "the start of aaa" in begin
    assert "1/2" in end
    assert "90.00 %" in end
    assert "1,000 params" in end
    assert "2 of 2" in second
    assert "test 50.00 %" in last


def test_a_resumed_run_counts_on_from_what_was_done(make_record: Callable[..., Record]) -> None:
    text = shown([make_record()], done=3)
    assert "4 of 4" in text
    assert "4/4" in text


def test_a_failed_training_says_why(make_record: Callable[..., Record]) -> None:
    assert "loss [was] nan" in shown([make_record(failure="loss [was] nan")])


def test_a_terminal_gets_bars_and_keeps_a_line_per_training(make_record: Callable[..., Record]) -> None:
    text = shown([make_record("aaa")], force_terminal=True, color_system="standard")
    assert "\x1b[" in text
    assert "trained" in text
    assert "1/1  validation 90.00 %" in text


def test_several_trainings_at_a_time_are_shown_each(make_record: Callable[..., Record]) -> None:
    file = io.StringIO()
    console = Console(file=file, width=80, force_terminal=True, color_system="standard", highlight=False)
    records = [make_record("aaa"), make_record("bbb"), make_record("ccc", reused_from="elsewhere")]
    with TrainingProgress(console, 3, 2, workers=2) as progress:
        progress.start("the start of aaa", 0)
        progress.start("the start of bbb", 1)
        progress.epoch(1, records[1].measurement.curve[0], 1)
        console.print(progress._render())
        progress.finish(records[2], 2)
        progress.finish(records[1], 1)
        progress.finish(records[0], 0)
    text = file.getvalue()
    (first, second, third) = (line for line in text.splitlines() if "validation 90.00 %" in line and "/3" in line)
    assert ("ccc" in first, "bbb" in second, "aaa" in third) == (True, True, True)
    assert "reused" in first
    for what in ("trained", "0/3", "the start of aaa", "1/2", "the start of bbb"):
        assert what in text


def test_the_time_left_is_shared_among_the_workers(make_record: Callable[..., Record]) -> None:
    def left(workers: int) -> str:
        progress = TrainingProgress(Console(file=io.StringIO()), total=9, epochs=2, workers=workers)
        progress.start("first")
        progress.finish(make_record("aaa", train_seconds=60.0))
        return progress._left()

    assert (left(1), left(4)) == ("about 8m 00s left", "about 2m 00s left")
