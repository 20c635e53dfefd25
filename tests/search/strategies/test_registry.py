"""Names of strategies, and what is loaded when they are looked up."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from tinysearch.errors import PluginError, RunError
from tinysearch.search.keras_tuner.strategy import KerasTunerOracle
from tinysearch.search.strategies.pareto import COSTS, Pareto
from tinysearch.search.strategies.registry import STRATEGIES, check_name, strategy
from tinysearch.search.strategies.strategy import Problem

HEAVY = ("keras", "keras_tuner", "optuna", "scipy", "sklearn", "tensorflow")


def test_the_registry_names_these() -> None:
    assert sorted(STRATEGIES) == ["bayesian", "evolution", "halving", "pareto", "random"]


@pytest.mark.parametrize("name", ["annealing", "", "Random", "keras-tuner", "optuna"])
def test_an_unknown_strategy_lists_the_known_ones(name: str, problem: Callable[..., Problem]) -> None:
    with pytest.raises(RunError, match=r"bayesian, evolution, .*keras-tuner:Hyperband.*optuna:TPESampler.*package"):
        strategy(name, problem())


@pytest.mark.parametrize("cost", COSTS)
def test_accuracy_may_be_set_against_any_cost(cost: str, problem: Callable[..., Problem]) -> None:
    found = strategy(f"pareto:{cost}", problem())
    assert isinstance(found, Pareto)
    assert found.against == cost


@pytest.mark.parametrize("cost", ["", "latency", "Params"])
def test_an_unknown_cost_lists_the_known_ones(cost: str) -> None:
    with pytest.raises(RunError, match="pareto:params, pareto:macs, pareto:ram, pareto:flash; got 'pareto:"):
        check_name(f"pareto:{cost}")


@pytest.mark.parametrize("name", ["keras_tuner:RandomSearch", "json:dumps", "json:nothing", "no_such_package:Mine"])
def test_what_is_no_strategy_cannot_be_made_one(name: str, problem: Callable[..., Problem]) -> None:
    with pytest.raises(PluginError, match=name.split(":")[1]):
        strategy(name, problem())


@pytest.mark.parametrize("oracle", ["", "Annealing", "randomsearch", "package.", ".Oracle", "a b.Oracle"])
def test_a_name_that_no_oracle_can_have_lists_the_known_ones(oracle: str) -> None:
    with pytest.raises(RunError, match=r"keras-tuner:RandomSearch.*package\.MyOracle.*got 'keras-tuner:"):
        check_name(f"keras-tuner:{oracle}")


@pytest.mark.parametrize("oracle", ["no_such_package.Oracle", "json.NoOracle", "json.dumps", "json.JSONDecoder"])
def test_an_oracle_that_does_not_exist_is_refused_when_it_is_made(oracle: str, problem: Callable[..., Problem]) -> None:
    check_name(f"keras-tuner:{oracle}")
    with pytest.raises(RunError, match=oracle):
        strategy(f"keras-tuner:{oracle}", problem())


def test_any_oracle_can_be_named_by_its_import_path(problem: Callable[..., Problem]) -> None:
    assert isinstance(strategy("keras-tuner:keras_tuner.oracles.RandomSearchOracle", problem()), KerasTunerOracle)


def test_names_are_checked_without_loading_anything_heavy() -> None:
    code = (
        "import sys; from tinysearch.search.strategies.registry import check_name;"
        "check_name('bayesian'); check_name('keras-tuner:Hyperband'); check_name('keras-tuner:package.MyOracle');"
        "check_name('optuna:TPESampler'); check_name('optuna:package.MySampler');"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()).isdisjoint(HEAVY)
