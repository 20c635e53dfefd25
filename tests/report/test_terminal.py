from __future__ import annotations

import io
import itertools
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from tinysearch.baselines.models import BASELINES, CONV, INCEPTION
from tinysearch.report import details, terminal
from tinysearch.results.leaderboard import Leaderboard, rank
from tinysearch.results.record import Record
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.space.budget import Budget
from tinysearch.space.cost import Cost, cost
from tinysearch.space.survey import survey
from tinysearch.space.task import Task

MakeRecord = Callable[..., Record]
LONG = "a-run-with-a-very-long-name-that-says-everything-about-what-it-was-made-for-and-by-whom"


def printed(what: RenderableType, width: int, *, colour: bool = False) -> str:
    file = io.StringIO()
    system = "standard" if colour else None
    Console(file=file, width=width, force_terminal=colour, color_system=system, highlight=False).print(what)
    return file.getvalue()


@pytest.fixture
def board(make_record: MakeRecord) -> Leaderboard:
    """Return a board of the hand-designed baselines and of deep networks in runs and datasets with long names."""
    deep = Architecture(tuple(Conv(20 + index, kernel=(7, 5)) for index in range(30)), Head("average", 32))
    baselines = [
        make_record(
            f"{name:a<12}",
            run=LONG,
            name=f"baseline:{name}",
            origin="baseline",
            trial=None,
            val_accuracy=0.8 + index / 100,
            architecture=model.architecture,
            cost=cost(model.architecture, Task()),
            dataset=f"{LONG}-data",
        )
        for index, (name, model) in enumerate(BASELINES.items())
    ]
    found = make_record("0123456789ab", architecture=deep, run="other", params=1_234_567, dataset=f"{LONG}-data")
    tested = make_record(
        "ba9876543210", architecture=deep, run="other", test_accuracy=0.7, val_accuracy=0.7, dataset=f"{LONG}-data"
    )
    elsewhere = make_record("cccccccccccc", architecture=deep, train_seconds=7_500)
    return rank([*baselines, found, tested, elsewhere])


@pytest.mark.parametrize("width", [80, 100, 120, 160])
def test_the_table_fits_the_terminal_and_keeps_what_matters(board: Leaderboard, width: int) -> None:
    text = printed(terminal.leaderboard(board, width), width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    for row in board.rows:
        (line,) = (line for line in text.splitlines() if re.search(rf"\s{row.name}\s", line))
        assert re.match(rf"\s*\*?{row.rank}\s+{row.name}\s", line)
        assert f"{row.params:,} ({row.trainable_params:,} + {row.non_trainable_params:,})" in line
        assert f"{100 * (row.val_accuracy or 0):.2f} %" in line


def test_columns_are_left_out_one_after_another_as_it_gets_narrower(board: Leaderboard) -> None:
    everything = ("candidate", "params", "validation", "MACs", "test", "RAM", "time", "epochs", "run", "layers")

    def titles(width: int) -> set[str]:
        text = printed(terminal.leaderboard(board, width), width)
        known = (*everything, "trainable")
        head = next(line for line in text.splitlines() if line.lstrip().startswith("#"))
        return {title for title in known if title in head}

    shown = [titles(width) for width in range(300, 69, -10)]
    assert shown[0] == {*everything, "trainable"}
    assert shown[-1] == {"candidate", "params", "validation", "MACs", "test"}
    # What is trainable of the parameters gives way to the test figures, and others find room again.
    for part in (True, False):
        steps = [each for each in shown if ("trainable" in each) is part]
        assert all(narrower <= wider for wider, narrower in itertools.pairwise(steps))


def test_a_column_goes_before_a_figure_is_cut(make_record: MakeRecord) -> None:
    board = rank([make_record("a", run="first"), make_record("b", run=LONG)])
    assert "first" in printed(terminal.leaderboard(board, 160), 160)
    narrow = printed(terminal.leaderboard(board, 80), 80)
    assert "first" not in narrow
    assert re.search(r"hidden for lack of space: .*run", narrow)


def test_what_the_rows_are_sorted_by_is_a_column_where_others_have_no_room(board: Leaderboard) -> None:
    def head(sort: str) -> str:
        text = printed(terminal.leaderboard(board, 80, sort=sort), 80)
        return next(line for line in text.splitlines() if line.lstrip().startswith("#"))

    assert "RAM" not in head("val_accuracy")
    assert "RAM" in head("peak_activation_bytes")


@pytest.mark.parametrize("width", [80, 120, 200])
def test_what_the_runs_have_limits_on_is_exact_and_never_hidden(make_record: MakeRecord, width: int) -> None:
    costs = [Cost(900, 8, 1_234_567, 10_816, 2_000, flash_bytes=flash) for flash in (5_172, None)]
    records = [
        make_record(key, cost=one, test_accuracy=0.75, run=f"{LONG}-{key}")
        for key, one in zip(("aaaaaaaaaaaa", "bbbbbbbbbbbb"), costs, strict=True)
    ]
    limited = {"peak_activation_bytes", "flash_bytes"}
    text = printed(terminal.leaderboard(rank(records), width, limited=limited), width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert re.search(r"RAM +flash", text)
    assert re.search(r"aaaaaaaaaaaa.* 10,816 +5,172", text)
    assert re.search(r"bbbbbbbbbbbb.* 10,816 +-", text)
    assert "RAM and flash in bytes; RAM: activations in int8; a buffer for the image" in " ".join(text.split())
    hidden = re.search(r"hidden for lack of space: ([^;]*);", " ".join(text.split()))
    assert hidden is None or not re.search("RAM|flash", hidden[1])
    assert "1.23M" not in printed(terminal.leaderboard(rank(records), 200, limited={"macs"}), 200)


def test_remarks_are_of_what_is_there(make_record: MakeRecord, board: Leaderboard) -> None:
    alone = printed(terminal.leaderboard(rank([make_record()]), 200), 200)
    assert not re.search("bold|twice|hidden", alone)
    assert "baselines are bold" in printed(terminal.leaderboard(board, 120), 120)
    twice = [make_record(key, name="baseline:conv", origin="baseline") for key in ("aaa", "bbb")]
    assert "is listed more than once" in printed(terminal.leaderboard(rank(twice), 120), 120)


def test_baselines_are_marked(board: Leaderboard) -> None:
    lines = printed(terminal.leaderboard(board, 120), 120, colour=True).splitlines()
    bold = [line for line in lines if re.search(r"\x1b\[1m[^\x1b]*baseline:\w+", line)]
    assert len(bold) == len(BASELINES)
    assert not any(re.search(r"\x1b\[1m[^\x1b]*0123456789ab", line) for line in lines)


def test_every_dataset_has_a_table_of_its_own(make_record: MakeRecord) -> None:
    board = rank([make_record("a", dataset="digits"), make_record("b", dataset="mnist", run="second")])
    text = printed(terminal.leaderboard(board, 80), 80)
    assert text.index("digits") < text.index(" a ") < text.index("mnist") < text.index(" b ")


def test_names_are_printed_as_they_are_and_not_as_markup(make_record: MakeRecord) -> None:
    board = rank(
        [
            make_record("a", run="[bold]x[/bold]", dataset="[red]data", architecture=INCEPTION.architecture),
            make_record("b", run="other", dataset="[red]data"),
        ]
    )
    text = printed(terminal.leaderboard(board, 200), 200)
    assert "[bold]x[/bold]" in text
    assert "[red]data" in text
    assert "[s2 M/1 c1k1|" in text


def test_failed_trainings_are_mentioned(make_record: MakeRecord) -> None:
    board = rank([make_record("a"), make_record("b", failure="loss was nan")])
    assert "1 failed" in printed(terminal.leaderboard(board, 80), 80)


def test_an_empty_board_says_so() -> None:
    assert "No candidate" in printed(terminal.leaderboard(rank([]), 80), 80)


def test_plain_is_text_without_escape_codes(board: Leaderboard) -> None:
    text = terminal.plain(board)
    assert "\x1b" not in text
    assert all(row.name in text for row in board.rows)
    assert max(cell_len(line) for line in text.splitlines()) <= 120


def test_layers_list_every_operation_and_the_totals() -> None:
    counted = cost(CONV.architecture, Task())
    text = printed(details.layers(counted), 120)
    assert all(layer.name in text for layer in counted.layers)
    (total,) = (line for line in text.splitlines() if line.split()[:1] == ["total"])
    assert total.split() == ["total", "8,640", "8,580", "1,270,820"]


def test_a_curve_has_a_line_per_epoch(make_record: MakeRecord) -> None:
    record = make_record(earlier=(0.25, 0.5), val_accuracy=1.0)
    lines = printed(details.curve(record.measurement.curve), 80).splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["1", "2", "3"]
    assert ["25.00 %" in lines[1], "100.00 %" in lines[3]] == [True, True]


def test_a_curve_without_validation_is_printed_too(make_record: MakeRecord) -> None:
    text = printed(details.curve(make_record(val_accuracy=None).measurement.curve), 80)
    assert "-" in text.splitlines()[1].split()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"trial": 3}, ["trial 4", "toy", "0123456789abcdef", "90.00 %"]),
        ({"trial": None, "origin": "baseline", "test_accuracy": 0.75}, ["baseline", "75.00 %"]),
        ({"trial": None, "purpose": "evaluation", "test_accuracy": 0.75}, ["retraining", "75.00 %"]),
        ({"failure": "loss was nan"}, ["failed", "loss was nan"]),
        ({"recipe": {"optimizer": "sgd"}, "provenance": {"python": "3.11", "commit": None}}, ["sgd", "python 3.11"]),
    ],
)
def test_provenance_tells_where_figures_come_from(
    make_record: MakeRecord, fields: dict[str, object], words: list[str]
) -> None:
    text = printed(details.provenance([make_record(**fields)]), 120)
    assert all(word in text for word in words)
    assert "None" not in text


def test_trainings_that_differ_in_their_seeds_alone_share_a_block(make_record: MakeRecord) -> None:
    scored = {"trial": None, "purpose": "evaluation", "val_accuracy": None}
    records = [make_record(trial=0), make_record(**scored, seed=2, test_accuracy=0.75)]
    records.append(make_record(**scored, seed=0, test_accuracy=0.25))
    records.append(make_record(**scored, run="other", test_accuracy=1.0))
    text = printed(details.trainings(records, [None, None, Path("kept.keras"), None]), 120)
    assert text.count("0123456789abcdef") == 3
    assert "50.00 ± 35.36 % (n=2)" in text
    assert re.search(r"seeds +0, 2\b", text)
    assert re.findall(r"^ +(\d) .* - +(\S+) % *$", text, re.MULTILINE) == [("0", "25.00"), ("2", "75.00")]
    assert text.count("kept.keras") == 1


def test_a_survey_is_printed_within_the_width() -> None:
    text = printed(details.survey(survey(Budget(10_000), draws=40, samples=3)), 80)
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert "10,000" in text


def test_the_documented_figure_stands_beside_the_measured_one(make_record: MakeRecord) -> None:
    records = [
        make_record(dataset, name="baseline:conv", origin="baseline", dataset=dataset, fingerprint=dataset * 4)
        for dataset in ("mnist", "toys")
    ]
    text = printed(terminal.leaderboard(rank(records), 120, {"baseline:conv": 0.992}), 120)
    mnist, toys = text.split("Leaderboard: toys")
    assert "documented" in mnist
    assert "99.20 %" in mnist
    assert "documented" not in toys
