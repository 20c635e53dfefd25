from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from collections.abc import Callable

import pytest

from tinysearch.baselines.models import INCEPTION
from tinysearch.report.text import FORMATS, to_csv, to_json, to_markdown
from tinysearch.results.leaderboard import Leaderboard, rank
from tinysearch.results.record import Record

KEYS = [
    "rank",
    "key",
    "name",
    "origin",
    "run",
    "dataset",
    "params",
    "trainable_params",
    "non_trainable_params",
    "macs",
    "peak_activation_bytes",
    "epochs",
    "seed",
    "val_accuracy",
    "val_loss",
    "train_seconds",
    "test_accuracy_mean",
    "test_accuracy_std",
    "test_seeds",
    "on_pareto_front",
    "layers",
    "val_seeds",
    "other_environment",
    "metric",
    "val_metric",
    "test_metric_mean",
    "test_metric_std",
    "flash_bytes",
    "int8_accuracy_mean",
    "int8_accuracy_std",
    "int8_seeds",
]


@pytest.fixture
def board(make_record: Callable[..., Record]) -> Leaderboard:
    """Return a board with awkward names, several seeds, and figures that are missing."""
    return rank(
        [
            make_record("aaa", name="baseline:inception", origin="baseline", architecture=INCEPTION.architecture),
            make_record("bbb", run='a, "b" | c\nd', val_accuracy=None, dataset="x|y"),
            make_record("ccc", seed=0, test_accuracy=0.5, purpose="evaluation", val_accuracy=1 / 3),
            make_record("ccc", seed=1, test_accuracy=0.7, purpose="evaluation", val_accuracy=1 / 3),
        ]
    )


def test_json_has_exactly_the_documented_keys_in_their_order(board: Leaderboard) -> None:
    rows = json.loads(to_json(board))
    assert len(rows) == 3
    assert all(list(row) == KEYS for row in rows)


def test_json_has_fractions_and_null_for_what_was_not_measured(board: Leaderboard) -> None:
    rows = {row["key"]: row for row in json.loads(to_json(board))}
    assert rows["aaa"]["val_accuracy"] == 0.9
    assert rows["aaa"]["origin"] == "baseline"
    assert rows["aaa"]["test_accuracy_mean"] is None
    assert rows["aaa"]["test_seeds"] == 0
    assert rows["bbb"]["val_accuracy"] is None
    assert rows["bbb"]["val_loss"] is None
    assert rows["ccc"]["seed"] is None
    assert rows["ccc"]["test_accuracy_mean"] == pytest.approx(0.6)
    assert rows["ccc"]["on_pareto_front"] is False
    assert rows["aaa"]["on_pareto_front"] is True


def test_json_of_an_empty_board_is_an_empty_list() -> None:
    assert json.loads(to_json(rank([]))) == []


def test_csv_parses_back_to_the_same_rows(board: Leaderboard) -> None:
    reader = csv.DictReader(io.StringIO(to_csv(board), newline=""))
    expected = [
        {name: "" if value is None else str(value) for name, value in dataclasses.asdict(row).items()}
        for row in board.rows
    ]
    assert list(reader) == expected
    assert reader.fieldnames == KEYS


def test_csv_of_an_empty_board_is_its_header() -> None:
    assert to_csv(rank([])).strip() == ",".join(KEYS)


def test_markdown_has_a_table_for_each_dataset_in_which_every_row_has_every_cell(board: Leaderboard) -> None:
    lines = [line for line in to_markdown(board).splitlines() if line.startswith("|")]
    cells = [len(re.findall(r"(?<!\\)\|", line)) - 1 for line in lines]
    assert len(lines) == 2 * 2 + 3
    assert set(cells) == {8}


def test_markdown_escapes_what_would_break_the_table(board: Leaderboard) -> None:
    text = to_markdown(board)
    assert r'a, "b" \| c d' in text
    assert r"x\|y" in text
    assert r"[s2 M/1 c1k1\|c2k1 s2k5\|c2k1\|c2k1 s2]" in text


def test_markdown_marks_baselines_and_the_front(board: Leaderboard) -> None:
    (line,) = (line for line in to_markdown(board).splitlines() if "baseline:inception" in line)
    assert "**baseline:inception**" in line
    assert line.startswith("| 1 * |")


def test_markdown_of_an_empty_board_says_so() -> None:
    assert "No candidate" in to_markdown(rank([]))


def test_every_format_ends_in_a_single_line_break(board: Leaderboard) -> None:
    for render in FORMATS.values():
        assert re.search(r"\S\n\Z", render(board))
