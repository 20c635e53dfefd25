"""Settings as people give them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tinysearch.errors import BudgetError, InputError, PluginError, RecipeError, RunError, SpaceError
from tinysearch.results.objective import MacroF1, Objective
from tinysearch.results.store import Store
from tinysearch.search.given import known_settings, plugins_of, recipe_of, search_space_of, settings_of, space_of
from tinysearch.search.settings import RunSettings
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.space.budget import Budget
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.space_spec import tree_of
from tinysearch.space.task import Task
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe, recipe

NETWORK = Architecture((Conv(3),), Head("average"))


class Weighted(MacroF1):
    """An objective with an argument that has the name of another one."""

    def __init__(self, weight: float = 1.0) -> None:
        self.weight = weight


@pytest.fixture
def given(tmp_path: Path) -> Callable[..., RunSettings]:
    """Return a function that makes settings of what is given for a run, new or begun before."""
    store = Store(tmp_path / "store.db", create=True)

    def make(before: RunSettings | None = None, **values: Any) -> RunSettings:
        return settings_of(values, before, store)

    return make


def test_what_is_not_given_has_the_defaults_of_the_settings(given: Callable[..., RunSettings]) -> None:
    assert given() == RunSettings()


def test_in_a_run_that_goes_on_what_is_not_given_is_as_it_began(given: Callable[..., RunSettings]) -> None:
    before = RunSettings(Budget(3_000, macs=50_000), recipe("default", epochs=3), trials=7, seed=5, lag=2)
    assert given(before) == before
    assert given(before, trials=9) == replace(before, trials=9)
    assert given(before, budget=3_000) == before
    assert given(before, epochs=4) == replace(before, recipe=replace(before.recipe, epochs=4))
    assert given(before, recipe="documented").recipe == recipe("documented", epochs=3)


@pytest.mark.parametrize(
    ("name", "near"),
    [("trails", "trials"), ("budge", "budget"), ("warmstart", "warm_start"), ("max_mac", "max_macs")],
)
def test_a_name_that_is_misspelt_is_refused_with_the_one_that_may_be_meant(
    given: Callable[..., RunSettings], name: str, near: str
) -> None:
    with pytest.raises(RunError, match=f"'{name}'; did you mean '{near}'?"):
        given(**{name: 3})


@pytest.mark.parametrize("name", ["colour", "warm_start_trials", "own_space"])
def test_what_cannot_be_given_is_refused_with_all_that_can(given: Callable[..., RunSettings], name: str) -> None:
    with pytest.raises(RunError) as caught:
        given(**{name: 3})
    assert f"{name!r}" in str(caught.value)
    assert all(known in str(caught.value) for known in known_settings())


def test_a_budget_is_a_number_or_a_budget_and_limits_are_parts_of_it(given: Callable[..., RunSettings]) -> None:
    assert given(budget=500).budget == Budget(500)
    assert given(budget=Budget(500, macs=9)).budget == Budget(500, macs=9)
    limits = {"max_macs": 7, "max_ram": 8, "max_weight_bytes": 9, "max_flash": 10}
    assert given(budget=500, **limits).budget == Budget(500, 7, 8, 9, 10)
    with pytest.raises(BudgetError, match="'many'"):
        given(budget="many")


@pytest.mark.parametrize(
    "name", ["max_macs", "max_ram", "max_weight_bytes", "max_flash", "device", "threads", "warm_start"]
)
def test_none_where_it_is_the_default_is_the_same_as_nothing_given(
    given: Callable[..., RunSettings], name: str
) -> None:
    budget = Budget(500, 7, 8, 9, 10, device="arduino-uno")
    assert given(budget=budget, **{name: None}) == given(budget=budget)
    before = RunSettings(budget, threads=2)
    assert given(before, **{name: None}) == before


@pytest.mark.parametrize(
    ("own", "name"),
    [
        (Weighted, f"{__name__}:Weighted"),
        (Weighted(), f"{__name__}:Weighted"),
        (MacroF1(), "macro_f1"),
        ("macro_f1", "macro_f1"),
    ],
)
def test_an_objective_is_known_by_its_class(own: str | Objective | type[Objective], name: str) -> None:
    assert plugins_of({"objective": own})[0] == {"objective": name}


def test_an_objective_whose_values_would_be_lost_is_refused() -> None:
    with pytest.raises(PluginError, match="Weighted without arguments"):
        plugins_of({"objective": Weighted(2.0)})


def test_a_device_has_limits_and_those_that_are_given_go_before_them(given: Callable[..., RunSettings]) -> None:
    assert given(budget=500, device="arduino-uno").budget == Budget(
        500, peak_activation_bytes=1_536, flash_bytes=24_576, device="arduino-uno"
    )
    assert given(budget=500, device="arduino-uno", max_ram=99).budget.peak_activation_bytes == 99
    assert given(device="arduino-uno", max_flash="20K").budget.flash_bytes == 20_480
    with pytest.raises(BudgetError, match="'toaster'"):
        given(device="toaster")


def test_a_run_that_was_begun_with_the_flash_of_a_cortex_goes_on_so(given: Callable[..., RunSettings]) -> None:
    before = RunSettings(Budget(500, peak_activation_bytes=1_536, flash_bytes=24_576))
    assert given(before, device="arduino-uno").budget == before.budget
    assert given(before, device="attiny1614").budget.processor == "avr"
    assert given(given(budget=500, device="arduino-uno"), max_ram=99).budget.processor == "avr"


def test_a_device_that_was_taken_to_have_more_leaves_a_run_as_it_was_begun(given: Callable[..., RunSettings]) -> None:
    limits = {"flash_bytes": 3_145_728, "peak_activation_bytes": 399_360}
    before = RunSettings(Budget(500, **limits, device="esp32"))
    assert given(before, device="esp32").budget == before.budget
    assert given(before, device="esp32", max_ram=9_000).budget.peak_activation_bytes == 9_000
    assert given(budget=500, device="esp32").budget.peak_activation_bytes == 122_880


def test_flash_alone_bounds_the_parameters_which_take_a_byte_each(given: Callable[..., RunSettings]) -> None:
    assert given(max_flash=16_384).budget == Budget(16_384, flash_bytes=16_384)
    assert given(device="arduino-uno").budget.params == 24_576
    assert given(max_ram=8_192).budget == Budget(10_000, peak_activation_bytes=8_192)


@pytest.mark.parametrize("form", ["recipe", "mapping", "path", "text"])
def test_a_recipe_is_a_value_a_mapping_or_a_file(given: Callable[..., RunSettings], form: str, tmp_path: Path) -> None:
    wanted = Recipe(epochs=3, learning_rate=0.2, zoom=0.1)
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(wanted.to_dict()))
    forms = {"recipe": wanted, "mapping": wanted.to_dict(), "path": path, "text": str(path)}
    assert given(recipe=forms[form]).recipe == wanted
    assert given(recipe=forms[form], epochs=5).recipe == replace(wanted, epochs=5)


@pytest.mark.parametrize("name", ["default", "documented"])
def test_a_recipe_may_be_named_and_has_the_epochs_of_the_run(given: Callable[..., RunSettings], name: str) -> None:
    assert given(recipe=name).recipe == recipe(name, epochs=10)
    assert given(recipe=name, epochs=2).recipe == recipe(name, epochs=2)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        ("{", "not JSON"),
        ("[]", "a JSON list"),
        ('{"speed": 3}', "no field 'speed'"),
        ('{"epochs": 0}', "epochs"),
    ],
)
def test_a_recipe_in_a_file_that_cannot_be_used_is_an_error_that_names_the_file(
    content: str | None, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(RecipeError, match=words) as caught:
        recipe_of(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("wrong", ["quick", "recipe.toml", 3])
def test_a_recipe_that_is_none_is_refused_with_those_that_are(wrong: object) -> None:
    with pytest.raises(RecipeError, match=r"default, documented or a \.json file"):
        recipe_of(wrong)


def test_a_space_is_a_mapping_or_a_file(given: Callable[..., RunSettings], tmp_path: Path) -> None:
    spec = {"format": 2, "depth": "1..2", "kinds": ["conv"]}
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(spec))
    for form in (spec, path, str(path)):
        settings = given(space=form)
        assert (settings.space, settings.own_space) == (spec, "")
    with pytest.raises(SpaceError, match="widths"):
        given(space={"widths": [8]})


def test_a_space_may_be_a_value_and_is_marked_by_what_it_allows(given: Callable[..., RunSettings]) -> None:
    narrow = {"format": 2, "depth": "1..2", "kinds": ["conv"]}
    own, same, other = (SearchSpace(tree=tree_of(spec)) for spec in (narrow, dict(narrow), {**narrow, "depth": "1..3"}))
    assert dict(given(space=own).space) == {}
    assert given(space=own).own_space == given(space=same).own_space != given(space=other).own_space
    assert len(space_of(own)[1]) == 16


def test_a_space_is_made_for_the_task_at_hand() -> None:
    task = Task((9, 7, 3), 4)
    own = SearchSpace(tree=tree_of({"format": 2, "depth": "1..2"}))
    for given in ({"format": 2, "depth": "1..2"}, own):
        found = search_space_of(given, task)
        assert found.task == task
        assert found.rows() == own.rows()
    assert search_space_of(own, own.task) is own


def test_initial_candidates_are_architectures_mappings_or_candidates(given: Callable[..., RunSettings]) -> None:
    quick = Recipe(epochs=1)
    settings = given(initial_candidates=[NETWORK, NETWORK.to_dict(), Candidate(NETWORK, quick)], epochs=3)
    expected = Candidate(NETWORK, Recipe(epochs=3))
    assert settings.initial_candidates == (expected, expected, Candidate(NETWORK, quick))
    with pytest.raises(RunError, match="3"):
        given(initial_candidates=[3])


def test_runs_to_learn_from_are_counted_up_to_the_first_gap(tmp_path: Path, make_record: Callable[..., Any]) -> None:
    store = Store(tmp_path / "other.db", create=True)
    store.create_run("first", "toy", "0123456789abcdef", {})
    for number in (0, 1, 3):
        store.append(make_record(f"{number}" * 12, trial=number, position=number))
    for given in ("first", ["first"]):
        assert settings_of({"warm_start": given}, None, store).warm_start_trials == (("first", 2, 0),)
    with pytest.raises(InputError, match="'second'"):
        settings_of({"warm_start": "second"}, None, store)


def test_limits_of_memory_may_be_written_with_a_unit(given: Callable[..., RunSettings]) -> None:
    found = given(budget=5_000, max_flash="24K", max_ram="6K").budget
    assert (found.flash_bytes, found.peak_activation_bytes, found.params) == (24_576, 6_144, 5_000)
    assert given(max_flash="24K").budget.params == 24_576
    with pytest.raises(BudgetError, match=r"max_flash: a size of memory .* got 'much'"):
        given(max_flash="much")
