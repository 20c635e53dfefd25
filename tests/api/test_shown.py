"""What a person sees of an object that is printed or stands last in a notebook's cell: a line or a table to read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from stand_ins import FakeWorker

import tinysearch
from tinysearch.report.board import Board
from tinysearch.results.leaderboard import Leaderboard, rank
from tinysearch.results.record import Record
from tinysearch.search.outcome import RunOutcome
from tinysearch.search.settings import RunSettings
from tinysearch.space.architecture import Architecture, Conv

MakeRecord = Callable[..., Record]


@pytest.fixture
def study(tiny: Path, tmp_path: Path) -> tinysearch.Study:
    given = {"data": tiny, "store": tmp_path / "store.db", "name": "mine", "baselines": False, "strategy": "random"}
    return tinysearch.Study(2_000, trials=3, folds=1, evaluate=0, verbose=0, **given)


def test_a_study_shows_its_data_budget_trials_and_best(study: tinysearch.Study) -> None:
    with study:
        about = f"<Study 'mine': {study.dataset.name}, fewer than 2,000 parameters"
        assert repr(study) == f"{about}, 0 of 3 trials>"
        study.run(2, executor=FakeWorker().executor())
        best = study.best
        assert repr(study) == f"{about}, 2 of 2 trials, best {best.key} with {best.params:,} params>"
    assert repr(study) == f"{about}, closed>"


def test_a_study_without_a_name_says_so(tiny: Path, tmp_path: Path) -> None:
    with tinysearch.Study(data=tiny, store=tmp_path / "store.db") as study:
        assert repr(study).startswith("<Study without a name: ")


def test_outcome_and_candidates_are_a_line_each(study: tinysearch.Study) -> None:
    with study:
        outcome = study.run(executor=FakeWorker().executor())
        assert repr(outcome) == f"<RunOutcome 'mine': finished, 3 records, best {outcome.best!r}>"
        best = study.best
        assert repr(best) == f"<Result {best.key}: {best.params:,} params, validation accuracy {best.val_accuracy:.4f}>"
        assert all("\n" not in repr(one) and len(repr(one)) < 130 for one in (*study.results, *study.records))


def test_a_leaderboard_is_printed_as_its_table_and_is_one_in_a_notebook(study: tinysearch.Study) -> None:
    with study:
        study.run(executor=FakeWorker().executor())
        board = study.leaderboard
        assert repr(board) == f"<Leaderboard: 3 candidates on {study.dataset.name}>"
    for text in (str(board), board._repr_html_()):
        assert all(row.name in text and f"{row.params:,}" in text for row in board.rows)
    assert board._repr_html_().startswith("<pre")


def test_a_board_has_what_the_leaderboard_has(make_record: MakeRecord) -> None:
    plain = rank([make_record(), make_record("b" * 12, failure="no memory")], top=1)
    board = Board.showing(plain)
    assert isinstance(board, Leaderboard)
    assert [getattr(board, name) for name in plain.__dataclass_fields__] == [
        getattr(plain, name) for name in plain.__dataclass_fields__
    ]
    assert repr(Board.showing(Leaderboard(()))) == "<Leaderboard: 0 candidates>"


def test_a_record_shows_what_it_measured_or_why_it_failed(make_record: MakeRecord) -> None:
    measured = make_record(test_accuracy=0.875, purpose="evaluation", seed=2, trial=None)
    assert repr(measured) == (
        f"<Record {measured.name} of {measured.run!r}: evaluation, seed 2, 1,000 params, validation accuracy 0.9000, "
        f"test accuracy 0.8750>"
    )
    failed = make_record(failure="no memory\nat all")
    assert repr(failed).endswith("1,000 params, failed: no memory>")


def test_a_result_has_the_mean_of_its_seeds(make_record: MakeRecord, tmp_path: Path) -> None:
    record = make_record()
    result = tinysearch.Result(record, tinysearch.Task(), tmp_path, 0.5, (), (0.25, 0.75))
    assert repr(result).endswith("validation accuracy 0.5000, test accuracy 0.5000 (2 seeds)>")


def test_a_frontier_is_a_line_for_each_budget(make_record: MakeRecord) -> None:
    record = make_record()
    found = tinysearch.Frontier({2_000: [record], 500: []}, "finished")
    assert repr(found).splitlines() == [
        "<Frontier: finished",
        "  below 500: None",
        f"  below 2,000: {record!r}>",
    ]


def test_a_frontier_shows_the_best_of_all_runs_below_each_budget(make_record: MakeRecord) -> None:
    small = make_record("a" * 12, run="mine-500", params=400, val_accuracy=0.95)
    failed = make_record("a" * 12, run="mine-500", params=400, failure="no memory")
    large = make_record("b" * 12, run="mine-2000", params=1_900, val_accuracy=0.9)
    found = tinysearch.Frontier({500: [failed, small], 2_000: [large]}, "finished")
    assert repr(found).splitlines()[1:] == [f"  below 500: {small!r}", f"  below 2,000: {small!r}>"]


def test_what_went_wrong_is_shown_with_the_ending(make_record: MakeRecord) -> None:
    problem = tinysearch.TinySearchError("no test images")
    assert "problem: no test images" in repr(RunOutcome("mine", (make_record(),), "finished", {}, problem))
    assert "problem: no test images" in repr(tinysearch.Frontier({}, "finished", problem))


def test_settings_show_what_is_not_as_it_is_by_default() -> None:
    assert repr(RunSettings()) == "RunSettings()"
    changed = RunSettings(budget=tinysearch.Budget(500), trials=3)
    assert repr(changed) == "RunSettings(budget=Budget(params=500), trials=3)"


def test_a_reproduction_shows_what_is_documented_beside_what_was_measured() -> None:
    from tinysearch.baselines.models import BASELINES
    from tinysearch.baselines.reproduce import Reproduction

    cost = tinysearch.cost(Architecture((Conv(4),)), tinysearch.Task())
    shown = repr(Reproduction(BASELINES["conv"], cost, (0.25, 0.75), (0.5,), 1.0))
    assert shown == "<Reproduction conv: test accuracy 0.5000 (2 seeds), documented 0.9920 on MNIST>"


def test_a_cost_shows_totals_and_images_their_shape(study: tinysearch.Study) -> None:
    with study:
        assert "layers" not in repr(tinysearch.cost(Architecture((Conv(4),)), tinysearch.Task()))
        images = study.dataset.train
        assert repr(images) == f"<Images: {images.pixels.shape} {images.pixels.dtype}>"
        shape = "x".join(map(str, study.dataset.task.input_shape))
        assert f"{len(images):,} training images of {shape}" in repr(study.dataset)
