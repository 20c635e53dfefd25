from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import NamedTuple

import pytest

import tinysearch
from tinysearch.data.loading import load
from tinysearch.results.leaderboard import rank
from tinysearch.results.store import Store

# What is exported


def test_the_exported_names_are_these() -> None:
    assert tinysearch.__all__ == [
        "Architecture",
        "Budget",
        "Cost",
        "Recipe",
        "Result",
        "SearchResult",
        "SearchSpace",
        "Task",
        "TinySearchError",
        "build",
        "cost",
        "run",
    ]
    assert dir(tinysearch) == tinysearch.__all__


@pytest.mark.parametrize("name", tinysearch.__all__)
def test_every_exported_name_is_there(name: str) -> None:
    assert getattr(tinysearch, name).__doc__


def test_an_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="'nonsense'"):
        _ = tinysearch.nonsense


def test_the_package_and_the_function_do_not_share_a_name() -> None:
    import tinysearch.search.strategies.registry as registry

    assert tinysearch.search.strategies.registry is registry
    assert isinstance(tinysearch.run, FunctionType)


# A search


class Made(NamedTuple):
    """What a search gave, and where its store is."""

    result: tinysearch.SearchResult
    folder: Path


@pytest.fixture
def made(tiny: Path, once: Callable[..., Made], trained_here: None) -> Made:
    """Search for a single candidate below the smallest hand-designed baseline."""

    def one_candidate(folder: Path) -> Made:
        given = {"budget": 3_077, "data": tiny, "trials": 1, "epochs": 1, "evaluate": 2}
        return Made(tinysearch.run(**given, store=folder / "store.db", name="one"), folder)

    return once(one_candidate)


@pytest.fixture
def folder(made: Made) -> Path:
    return made.folder


@pytest.fixture
def result(made: Made) -> tinysearch.SearchResult:
    return made.result


def test_a_search_trains_what_was_asked_for(result: tinysearch.SearchResult) -> None:
    assert result.outcome.ending == "finished"
    searched = [record for record in result.outcome.records if record.purpose == "search"]
    assert [(record.origin, record.epochs) for record in searched] == [("search", 1)]
    assert result.outcome.best == result.best.record
    assert result.best.params < 3_077


def test_a_search_ends_in_a_leaderboard_of_its_records(result: tinysearch.SearchResult, folder: Path) -> None:
    with Store(folder / "store.db") as store:
        assert result.leaderboard == rank(store.records("one"))
    assert [row.key for row in result.leaderboard.rows] == [one.record.key for one in result.results]


def test_the_best_is_the_first_result_and_tells_its_accuracy(result: tinysearch.SearchResult) -> None:
    assert result.best == result.results[0]
    assert result.best.val_accuracy == result.leaderboard.rows[0].val_accuracy
    assert len(result.best.revalidations) == 2
    assert result.leaderboard.rows[0].val_seeds == 3
    assert result.best.task == tinysearch.Task((28, 28, 1), 10)


def test_the_winner_has_a_test_accuracy_for_each_seed(result: tinysearch.SearchResult) -> None:
    assert len(result.best.test_accuracies) == 2
    assert all(0 <= one <= 1 for one in result.best.test_accuracies)
    assert result.leaderboard.rows[0].test_seeds == 2


def test_the_best_can_be_built_and_has_the_parameters_it_claims(result: tinysearch.SearchResult) -> None:
    model = result.best.build()
    counted = tinysearch.cost(result.best.architecture, result.best.task)
    assert model.count_params() == result.best.params == counted.params
    assert model.input_shape == (None, 28, 28, 1)
    assert model.output_shape == (None, 10)


def test_the_trained_model_takes_raw_pixels_and_is_as_good_as_it_was(
    result: tinysearch.SearchResult, tiny: Path
) -> None:
    held_out = load(data=tiny).training_data().validation
    assert held_out is not None
    guesses = result.best.load().predict(held_out.pixels, verbose=0).argmax(axis=1)
    assert (guesses == held_out.labels).mean() == pytest.approx(result.best.record.measurement.val_accuracy)


def test_a_model_that_was_not_kept_is_an_error(result: tinysearch.SearchResult, tmp_path: Path) -> None:
    gone = tinysearch.Result(result.best.record, result.best.task, tmp_path / "gone.keras")
    with pytest.raises(tinysearch.TinySearchError, match="gone"):
        gone.load()


# What it refuses, before anything is trained


def test_a_space_whose_lists_were_ranges_is_a_warning_that_shows_the_new_form(tmp_path: Path) -> None:
    given = {"dataset": "cats", "store": tmp_path / "store.db"}
    with (
        pytest.warns(FutureWarning, match=r'"format": 2, "depth": "1\.\.6"'),
        pytest.raises(ValueError, match="'cats'"),
    ):
        tinysearch.run(space={"depth": [1, 6]}, **given)
    for space in ({"kinds": ["conv"]}, {"format": 2, "depth": [1, 6]}):
        with pytest.raises(ValueError, match="'cats'"):
            tinysearch.run(space=space, **given)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"budget": 0}, "0"),
        ({"budget": 3}, "budget of 3"),
        ({"trials": -1}, "-1"),
        ({"epochs": 0}, "0"),
        ({"seed": -5}, "-5"),
        ({"strategy": "luck"}, "'luck'"),
        ({"space": {"widths": [8]}}, "'widths'"),
        ({"dataset": "cats", "data": None}, "'cats'"),
        ({"data": "missing.npz"}, "missing.npz"),
    ],
)
def test_what_cannot_be_used_is_a_value_error_that_names_it(
    arguments: dict[str, object], words: str, tiny: Path, tmp_path: Path
) -> None:
    given = {"data": tiny, "trials": 1, "epochs": 1, "store": tmp_path / "store.db", **arguments}
    with pytest.raises(ValueError, match=words) as caught:
        tinysearch.run(**given)  # type: ignore[arg-type]
    assert isinstance(caught.value, tinysearch.TinySearchError)


def test_a_taken_name_is_refused(result: tinysearch.SearchResult, folder: Path, tiny: Path) -> None:
    with pytest.raises(tinysearch.TinySearchError, match="'one'"):
        tinysearch.run(data=tiny, store=folder / "store.db", name="one")


def test_a_search_without_any_candidate_has_no_best(tiny: Path, tmp_path: Path) -> None:
    empty = tinysearch.run(data=tiny, trials=0, baselines=False, store=tmp_path / "store.db", name="nothing")
    assert empty.results == ()
    with pytest.raises(tinysearch.TinySearchError, match="'nothing'"):
        _ = empty.best
