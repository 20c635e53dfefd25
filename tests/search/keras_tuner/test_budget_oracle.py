"""A budget for any oracle of KerasTuner: what is promised of it, and what plain KerasTuner does instead."""

from __future__ import annotations

import inspect
import os
import random
import re
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np
import pytest

from tinysearch.errors import BudgetError, InputError, ShapeError, TinySearchWarning
from tinysearch.keras_tuner import BudgetOracle, limit
from tinysearch.space.budget import Budget
from tinysearch.space.cost import Cost

Build = Callable[..., keras.Model]
Make = Callable[..., keras_tuner.Oracle]
Untrained = Callable[..., Any]

pytestmark = pytest.mark.filterwarnings("ignore:The optimal value found for dimension")

LOCKS: Any = inspect.getmodule(keras_tuner.Oracle)


def number(hp: keras_tuner.HyperParameters) -> int:
    """Cost a hundred numbers by themselves: a space that needs no models."""
    return int(hp.Int("number", 1, 100))


class Numbers(keras_tuner.Tuner):
    """Tries numbers, without any model."""

    score: Callable[[keras_tuner.HyperParameters], int] = staticmethod(number)

    def run_trial(self, trial: keras_tuner.engine.trial.Trial, *fit_args: Any, **fit_kwargs: Any) -> dict[str, float]:
        return {"val_accuracy": self.score(trial.hyperparameters) / 10_000}

    def _populate_initial_space(self) -> None:
        hp = self.oracle.get_space()
        self.score(hp)
        self.oracle.update_space(hp)


@pytest.fixture
def numbers(tmp_path: Path) -> Callable[..., Numbers]:
    def make(oracle: keras_tuner.Oracle, **options: Any) -> Numbers:
        oracle.verbose = 0
        return Numbers(oracle=oracle, directory=tmp_path, **options)

    return make


def tried(oracle: keras_tuner.Oracle) -> list[dict[str, Any]]:
    return [dict(oracle.trials[identity].hyperparameters.values) for identity in oracle.start_order]


def is_free(oracle: BudgetOracle) -> bool:
    return not LOCKS.LOCKS[oracle.oracle].locked() and LOCKS.THREADS[oracle.oracle] is None


# The budget holds


@pytest.mark.slow
def test_nothing_at_or_above_the_budget_is_built_for_training(
    make_oracle: Make, hypermodel: Build, untrained: Untrained
) -> None:
    oracle = BudgetOracle(make_oracle(), budget=1_000, hypermodel=hypermodel)
    tuner = untrained(oracle, hypermodel)
    tuner.search()
    assert max(tuner.built) < 1_000
    assert list(oracle.params.values()) == tuner.built
    assert oracle.rejections["params"] > 0
    assert all(trial.status == "COMPLETED" for trial in oracle.trials.values())
    assert oracle.max_trials in (None, len(oracle.trials))


@pytest.mark.slow
def test_hyperband_makes_as_many_trials_as_without_a_budget(dense_model: Build, untrained: Untrained) -> None:
    def searched(oracle: keras_tuner.Oracle, name: str) -> Any:
        untrained(oracle, dense_model, project_name=name).search()
        return [trial.hyperparameters.values["tuner/round"] for trial in oracle.trials.values()]

    plain = keras_tuner.oracles.HyperbandOracle("val_accuracy", max_epochs=3, seed=1)
    held = BudgetOracle(keras_tuner.oracles.HyperbandOracle("val_accuracy", max_epochs=3, seed=1), 700, dense_model)
    assert searched(held, "held") == searched(plain, "plain")


def test_a_grid_is_walked_in_its_order_without_what_is_over_the_budget(numbers: Callable[..., Numbers]) -> None:
    oracle = BudgetOracle(
        keras_tuner.oracles.GridSearchOracle("val_accuracy"), 50, cost=lambda hp: 7 * number(hp) % 101
    )
    numbers(oracle).search()
    assert [values["number"] for values in tried(oracle)] == [one for one in range(1, 101) if 7 * one % 101 < 50]
    assert oracle.rejections == {"params": sum(7 * one % 101 >= 50 for one in range(1, 101))}


def test_a_grid_whose_first_combination_is_over_the_budget_begins_with_the_next(
    numbers: Callable[..., Numbers],
) -> None:
    oracle = BudgetOracle(
        keras_tuner.oracles.GridSearchOracle("val_accuracy", max_trials=3), 50, cost=lambda hp: 101 - number(hp)
    )
    numbers(oracle).search()
    assert [values["number"] for values in tried(oracle)] == [52, 53, 54]


def test_bayesian_optimization_finds_the_best_below_the_budget(numbers: Callable[..., Numbers]) -> None:
    # The score grows with the cost: left alone, it would propose 100 again and again.
    inner = keras_tuner.oracles.BayesianOptimizationOracle("val_accuracy", max_trials=9, num_initial_points=4, seed=3)
    oracle = BudgetOracle(inner, 60, cost=number)
    numbers(oracle).search()
    assert len(oracle.trials) == 9
    assert max(values["number"] for values in tried(oracle)) == 59


def test_bayesian_optimization_goes_on_when_counting_finds_another_hyperparameter(
    numbers: Callable[..., Numbers],
) -> None:
    def score(hp: keras_tuner.HyperParameters) -> int:
        found = number(hp)
        return found + int(hp.Int("more", 0, 9)) if found > 90 else found

    inner = keras_tuner.oracles.BayesianOptimizationOracle("val_accuracy", max_trials=6, num_initial_points=1, seed=1)
    oracle = BudgetOracle(inner, 60, cost=score)
    numbers(oracle).search()
    assert len(oracle.trials) == 6
    assert "more" in [one.name for one in oracle.get_space().space]


def test_an_oracle_that_insists_on_what_is_over_the_budget_is_helped_out(numbers: Callable[..., Numbers]) -> None:
    asked: list[str] = []

    class Insists(keras_tuner.Oracle):
        def populate_space(self, trial_id: str) -> dict[str, Any]:
            asked.append(trial_id)
            return {"status": "RUNNING", "values": {"number": 99}}

    oracle = BudgetOracle(Insists("val_accuracy", max_trials=5, seed=1), 50, cost=number)
    numbers(oracle).search()
    assert len({values["number"] for values in tried(oracle)}) == 5
    assert max(oracle.params.values()) < 50
    assert {asked.count(one) for one in oracle.trials} == {5}


def test_parameters_that_are_not_trained_count(random_search: Make, untrained: Untrained) -> None:
    def build(hp: keras_tuner.HyperParameters) -> keras.Model:
        hp.Int("nothing", 1, 1_000)
        # 8 weights of which 4, the moving statistics, are not trainable.
        return keras.Sequential([keras.Input((2,)), keras.layers.BatchNormalization()])

    oracle = BudgetOracle(random_search(), 8, build, attempts=50)
    with pytest.raises(BudgetError, match="the smallest model has 8 parameters"):
        untrained(oracle, build).search()
    within = BudgetOracle(random_search(2), 9, build)
    untrained(within, build, project_name="within").search()
    assert list(within.params.values()) == [8, 8]


def test_what_cannot_be_built_is_rejected_and_counted(
    random_search: Make, dense_model: Build, untrained: Untrained
) -> None:
    def build(hp: keras_tuner.HyperParameters) -> keras.Model:
        if hp.Int("odd", 0, 9) % 2:
            raise ValueError("odd")
        return dense_model(hp)

    oracle = BudgetOracle(random_search(), 10_000, build)
    tuner = untrained(oracle, build)
    tuner.search()
    assert set(oracle.rejections) == {"cannot be built"}
    assert all(values["odd"] % 2 == 0 for values in tried(oracle))
    assert len(tuner.built) == 6


def test_what_does_not_fit_its_images_is_rejected_by_shape(
    random_search: Make, numbers: Callable[..., Numbers]
) -> None:
    def cost(hp: keras_tuner.HyperParameters) -> int:
        if number(hp) % 2:
            raise ShapeError("too large a window")
        return number(hp)

    oracle = BudgetOracle(random_search(), 60, cost=cost)
    numbers(oracle).search()
    assert set(oracle.rejections) == {"shape", "params"}


def test_other_bounds_hold_by_a_cost_function(random_search: Make, numbers: Callable[..., Numbers]) -> None:
    def cost(hp: keras_tuner.HyperParameters) -> Cost:
        return Cost(number(hp), 0, macs=1_000 * (101 - number(hp)), peak_activation_bytes=0, int8_weight_bytes=0)

    oracle = BudgetOracle(random_search(), Budget(60, macs=60_000), cost=cost)
    numbers(oracle).search()
    assert all(41 <= values["number"] < 60 for values in tried(oracle))
    assert set(oracle.rejections) == {"params", "macs"}


def test_an_earlier_search_beyond_another_bound_is_not_gone_on_with(
    random_search: Make, numbers: Callable[..., Numbers]
) -> None:
    def cost(hp: keras_tuner.HyperParameters) -> Cost:
        return Cost(number(hp), 0, macs=1_000 * number(hp), peak_activation_bytes=0, int8_weight_bytes=0)

    def begun(macs: int) -> Numbers:
        return numbers(BudgetOracle(random_search(), Budget(200, macs=macs), cost=cost), project_name="bounds")

    begun(100_000).search()
    with pytest.raises(BudgetError, match=r"trial . in .* is over the limit on macs of .*another project_name"):
        begun(2_000)


@pytest.mark.parametrize("cost", [None, -5, 10.9, float("nan"), True, "12", keras.Sequential([keras.Input((2,))])])
def test_a_cost_that_is_no_number_of_parameters_is_said_so(
    cost: Any, random_search: Make, numbers: Callable[..., Numbers]
) -> None:
    oracle = BudgetOracle(random_search(), 60, cost=lambda hp: number(hp) and cost)
    with pytest.raises(BudgetError, match="must return the number of parameters") as raised:
        numbers(oracle).search()
    assert ("hypermodel=" in str(raised.value)) == isinstance(cost, keras.Model)


def test_the_smallest_of_a_range_is_found_inside_of_it(random_search: Make, tmp_path: Path) -> None:
    def depth(hp: keras_tuner.HyperParameters) -> int:
        hp.Float("rate", 1e-4, 1e-1, sampling="log")
        return 300 + 200 * abs(int(hp.Int("depth", 1, 40)) - 20)

    class Valley(Numbers):
        score = staticmethod(depth)

    for seed in range(4):
        oracle = BudgetOracle(
            keras_tuner.oracles.RandomSearchOracle("val_accuracy", max_trials=2, seed=seed), 400, cost=depth
        )
        oracle.verbose = 0
        Valley(oracle=oracle, directory=tmp_path, project_name=str(seed)).search()
        assert tried(oracle)[0]["depth"] == 20


def test_one_name_under_several_conditions_is_at_its_default_where_it_is_not_active(
    numbers: Callable[..., Numbers], tmp_path: Path
) -> None:
    def cost(hp: keras_tuner.HyperParameters) -> int:
        units = 0
        kind = hp.Choice("kind", ["a", "b"])
        for name, options in (("a", [8, 16, 32]), ("b", [64, 128, 500])):
            with hp.conditional_scope("kind", [name]):
                units += hp.Choice("units", options) if kind == name else 0
        return units + int(100 * hp.Float("rate", 0.0, 1.0))

    class Sized(Numbers):
        score = staticmethod(cost)

    inner = keras_tuner.oracles.BayesianOptimizationOracle("val_accuracy", 5, num_initial_points=2, seed=1)
    oracle = BudgetOracle(inner, 250, cost=cost)
    oracle.verbose = 0
    Sized(oracle=oracle, directory=tmp_path, project_name="conditions").search()
    assert len(tried(oracle)) == 5


# Plain KerasTuner beside it


@pytest.mark.slow
def test_plain_keras_tuner_aborts_where_a_budget_goes_on(
    random_search: Make, dense_model: Build, untrained: Untrained
) -> None:
    plain = untrained(random_search(), dense_model, max_model_size=200, project_name="plain")
    with pytest.raises(RuntimeError, match="Number of consecutive failures exceeded"):
        plain.search()
    failed = [trial.status for trial in plain.oracle.trials.values()].count("FAILED")
    assert failed >= 3
    assert len(plain.oracle.trials) < 6
    assert not is_free_plain(plain.oracle)
    held = untrained(BudgetOracle(random_search(), 200, dense_model), dense_model, project_name="held")
    held.search()
    assert len(held.built) == 6


def is_free_plain(oracle: keras_tuner.Oracle) -> bool:
    return not LOCKS.LOCKS[oracle].locked()


def test_what_is_no_tuner_is_refused_with_what_is_wanted() -> None:
    with pytest.raises(InputError, match=r"limit takes a tuner of KerasTuner.*RandomSearch.*got <function"):
        limit(lambda hyperparameters: None, 3_000)  # type: ignore[arg-type]


def test_plain_keras_tuner_trains_what_is_over_its_limit_with_all_parameters(
    random_search: Make, untrained: Untrained
) -> None:
    def build(hp: keras_tuner.HyperParameters) -> keras.Model:
        return keras.Sequential([keras.Input((hp.Int("size", 2, 9),)), keras.layers.BatchNormalization()])

    plain = untrained(random_search(4), build, max_model_size=20)
    plain.search()
    assert max(plain.built) > 20


# Nothing fits


@pytest.mark.parametrize("smallest", [pytest.param(99, marks=pytest.mark.slow), 71])
def test_a_space_in_which_nothing_fits_is_said_so_before_anything_is_trained(
    smallest: int, random_search: Make, dense_model: Build, conv_model: Build, untrained: Untrained
) -> None:
    build = dense_model if smallest == 99 else conv_model
    oracle = BudgetOracle(random_search(), 20, build, attempts=50)
    tuner = untrained(oracle, build)
    words = (
        rf"no model with fewer than 20 parameters was found.*smallest model has {smallest} parameters.*above {smallest}"
    )
    with pytest.raises(BudgetError, match=words):
        tuner.search()
    assert oracle.trials == {}
    assert not hasattr(tuner, "built")
    assert oracle.filter.counted < 100
    assert is_free(oracle)


def test_a_model_that_no_descent_leads_to_is_found_by_drawing_on(
    random_search: Make, numbers: Callable[..., Numbers]
) -> None:
    def cost(hp: keras_tuner.HyperParameters) -> int:
        # It falls to both ends, but what fits is in the middle.
        return 10 if number(hp) == 36 else 1_000 - abs(50 - number(hp))

    for seed in (1, 2, 3):
        oracle = BudgetOracle(random_search(1, seed=seed), 20, cost=cost)
        numbers(oracle, project_name=str(seed)).search()
        assert list(oracle.params.values()) == [10]


@pytest.mark.parametrize("make_oracle", ["RandomSearch", "BayesianOptimization", "Hyperband"], indirect=True)
def test_a_model_that_no_draw_finds_is_found_by_descending(make_oracle: Make, tmp_path: Path) -> None:
    def cost(hp: keras_tuner.HyperParameters) -> int:
        return sum(int(hp.Int(name, 1, 100)) for name in "abc")

    class Sums(Numbers):
        score = staticmethod(cost)

    oracle = BudgetOracle(make_oracle(), 4, cost=cost, attempts=30)
    oracle.verbose = 0
    with warnings.catch_warnings(category=TinySearchWarning, action="ignore"):
        Sums(oracle=oracle, directory=tmp_path).search()
    assert list(oracle.params.values()) == [3]


@pytest.mark.parametrize("smallest", [1, 3])
def test_a_grid_is_left_only_if_no_small_model_is_found(smallest: int, tmp_path: Path) -> None:
    def cost(hp: keras_tuner.HyperParameters) -> int:
        layers = hp.Choice("layers", [3, 2, 1])
        hp.Int("other", 1, 40)
        return max(int(layers), smallest)

    class Deep(Numbers):
        score = staticmethod(cost)

    oracle = BudgetOracle(keras_tuner.oracles.GridSearchOracle("val_accuracy", 2), 2, cost=cost, attempts=30)
    oracle.verbose = 0
    tuner = Deep(oracle=oracle, directory=tmp_path)
    if smallest == 3:
        with pytest.raises(BudgetError, match="smallest model has 3 parameters"):
            tuner.search()
        assert oracle.filter.counted < 60
    else:
        tuner.search()
        assert tried(oracle) == [{"layers": 1, "other": 1}, {"layers": 1, "other": 2}]


def test_every_oracle_says_so(make_oracle: Make, numbers: Callable[..., Numbers]) -> None:
    oracle = BudgetOracle(make_oracle(), 20, cost=lambda hp: 1_000 + number(hp))
    with pytest.raises(BudgetError, match="smallest model has 1,001 parameters"):
        numbers(oracle).search()
    assert is_free(oracle)


@pytest.mark.parametrize("mistake", [False, True])
def test_a_chief_tells_its_worker_to_stop_and_ends_with_the_error(
    mistake: bool, random_search: Make, numbers: Callable[..., Numbers], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cost(hp: keras_tuner.HyperParameters) -> int:
        if mistake:
            raise AttributeError("a slip of the pen")
        return 1_000 + number(hp)

    oracle = BudgetOracle(random_search(), 20, cost=cost)
    numbers(oracle)
    assert oracle.ongoing_trials == {}
    for name, value in {"ORACLE_IP": "127.0.0.1", "ORACLE_PORT": "8000", "TUNER_ID": "chief"}.items():
        monkeypatch.setenv(f"KERASTUNER_{name}", value)
    assert oracle.create_trial("tuner0").status == "STOPPED"
    # KerasTuner's server asks for them once a worker was told to stop.
    with pytest.raises(BudgetError, match="AttributeError: a slip of the pen" if mistake else "above 1,001"):
        _ = oracle.ongoing_trials
    assert is_free(oracle)


@pytest.mark.parametrize("mistake", [NameError, AttributeError, ImportError])
def test_a_mistake_in_the_code_of_a_hypermodel_gets_out_with_its_traceback(
    mistake: type[Exception], random_search: Make, dense_model: Build, untrained: Untrained
) -> None:
    def build(hp: keras_tuner.HyperParameters) -> keras.Model:
        if hp.Int("odd", 0, 9) % 2:
            raise mistake("a slip of the pen")
        return dense_model(hp)

    oracle = BudgetOracle(random_search(), 10_000, build)
    tuner = untrained(oracle, build)
    with pytest.raises(mistake, match="a slip of the pen") as caught:
        tuner.search()
    assert caught.traceback[-1].name == "build"
    assert is_free(oracle)


def test_a_rare_model_within_the_budget_is_no_reason_to_give_up(
    random_search: Make, numbers: Callable[..., Numbers]
) -> None:
    oracle = BudgetOracle(random_search(1), 2, cost=number)
    numbers(oracle).search()
    assert tried(oracle) == [{"number": 1}]


def test_a_hypermodel_that_never_builds_is_named_with_its_error(
    random_search: Make, numbers: Callable[..., Numbers]
) -> None:
    def cost(hp: keras_tuner.HyperParameters) -> int:
        raise KeyError("of its own")

    oracle = BudgetOracle(random_search(), 60, cost=cost)
    with pytest.raises(BudgetError, match="the last one raised the KeyError shown above") as caught:
        numbers(oracle).search()
    assert isinstance(caught.value.__cause__, KeyError)


def test_an_error_of_the_hypermodel_is_shown_once(random_search: Make, numbers: Callable[..., Numbers]) -> None:
    def build(hp: keras_tuner.HyperParameters) -> keras.Model:
        number(hp)
        raise ValueError("no such shape")

    oracle = BudgetOracle(random_search(), 60, build)
    with pytest.raises(BudgetError) as caught:
        numbers(oracle).search()
    assert "".join(traceback.format_exception(caught.value)).count("ValueError: no such shape") == 1


def test_the_summary_of_results_has_the_parameters_of_each_trial(
    random_search: Make, numbers: Callable[..., Numbers], capsys: pytest.CaptureFixture[str]
) -> None:
    oracle = BudgetOracle(random_search(3), 60_000, cost=lambda hp: 1_000 * number(hp))
    tuner = numbers(oracle)
    tuner.search()
    tuner.results_summary()
    text = capsys.readouterr().out
    assert text.count("Trial ") == 3
    for trial in text.split("\nTrial ")[1:]:
        (value,) = re.findall(r"^number: (\d+)$", trial, re.MULTILINE)
        assert f"\nParameters: {1_000 * int(value):,}\n" in trial
    best, *others = oracle.get_best_trials(3)
    assert best.params == max(oracle.params.values()) == oracle.params[best.trial_id]
    assert best.metrics is oracle.oracle.trials[best.trial_id].metrics
    assert len(others) == 2


def test_it_shows_itself_with_its_budget(random_search: Make, numbers: Callable[..., Numbers]) -> None:
    oracle = BudgetOracle(random_search(2), 40, cost=number)
    assert repr(oracle) == ("<BudgetOracle: RandomSearchOracle, fewer than 40 parameters, 0 trials, 0 rejected>")
    numbers(oracle).search()
    assert repr(oracle).endswith(f", 2 trials, {oracle.rejections['params']} rejected>")


def test_a_search_ends_with_a_warning_when_nothing_new_is_within_the_budget(
    random_search: Make, numbers: Callable[..., Numbers]
) -> None:
    oracle = BudgetOracle(random_search(50), 8, cost=number, attempts=300)
    with pytest.warns(TinySearchWarning, match=r"ends after 7 trials: 300 draws in a row.*93 \(params\)"):
        numbers(oracle).search()
    assert sorted(values["number"] for values in tried(oracle)) == [1, 2, 3, 4, 5, 6, 7]


# It is the same for the same seed, and leaves the process alone


@pytest.mark.slow
def test_the_same_seed_tries_the_same(make_oracle: Make, dense_model: Build, untrained: Untrained) -> None:
    found = []
    for name in ("a", "b"):
        oracle = BudgetOracle(make_oracle(), 700, dense_model)
        random.seed(name)
        untrained(oracle, dense_model, project_name=name).search()
        found.append((tried(oracle), oracle.rejections))
    assert found[0] == found[1]


def test_counting_leaves_generators_and_environment_alone(random_search: Make, dense_model: Build) -> None:
    oracle = BudgetOracle(random_search(), 700, dense_model)
    space = oracle.get_space()
    dense_model(space)
    before = random.getstate(), str(np.random.get_state()), dict(os.environ)  # noqa: NPY002
    assert oracle.filter.accepts(space)
    assert (random.getstate(), str(np.random.get_state()), dict(os.environ)) == before  # noqa: NPY002


# Resuming


@pytest.mark.slow
def test_a_resumed_search_tries_what_an_uninterrupted_one_does(
    random_search: Make, dense_model: Build, untrained: Untrained
) -> None:
    whole = BudgetOracle(random_search(6), 700, dense_model)
    untrained(whole, dense_model, project_name="whole").search()
    untrained(BudgetOracle(random_search(3), 700, dense_model), dense_model).search()
    resumed = BudgetOracle(random_search(6), 700, dense_model)
    tuner = untrained(resumed, dense_model)
    assert tuner.remaining_trials == 3
    tuner.search()
    assert tried(resumed) == tried(whole)
    assert (resumed.rejections, resumed.params) == (whole.rejections, whole.params)
    assert len(tuner.built) == 3


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_resumed_grid_search_continues_in_its_order(interrupted: bool, numbers: Callable[..., Numbers]) -> None:
    def cost(hp: keras_tuner.HyperParameters) -> int:
        return number(hp) * int(hp.Choice("factor", [1, 10, 2]))

    def made(trials: int) -> BudgetOracle:
        return BudgetOracle(keras_tuner.oracles.GridSearchOracle("val_accuracy", max_trials=trials), 20, cost=cost)

    whole = made(8)
    numbers(whole, project_name="whole").search()
    first = numbers(made(4))
    first.search()
    if interrupted:
        first.oracle.max_trials = 5
        first.oracle.create_trial("tuner0")
    resumed = made(8)
    numbers(resumed).search()
    assert tried(resumed) == tried(whole)
    assert (resumed.rejections, resumed.params) == (whole.rejections, whole.params)


def test_a_resumed_grid_search_tries_nothing_twice_where_trials_overlapped(numbers: Callable[..., Numbers]) -> None:
    def made(trials: int) -> BudgetOracle:
        return BudgetOracle(keras_tuner.oracles.GridSearchOracle("val_accuracy", max_trials=trials), 3, cost=number)

    tuner = numbers(made(3))
    first = tuner.oracle
    one, other = first.create_trial("a"), first.create_trial("b")
    # Trainings declare something more: what follows the first trial comes before the second one in the grid.
    for trial in (one, other):
        trial.hyperparameters.Choice("batch", [8, 16])
        first.update_trial(trial.trial_id, {"val_accuracy": 0.5})
        trial.status = "COMPLETED"
        first.end_trial(trial)
    between = first.create_trial("a")
    assert between.hyperparameters.values == {"number": 1, "batch": 16}
    tuner.save()
    resumed = made(9)
    numbers(resumed).search()
    found = [(values["number"], values["batch"]) for values in tried(resumed)]
    assert found == [(1, 8), (2, 8), (1, 16), (2, 16)]


def test_an_interrupted_trial_is_begun_again(random_search: Make, dense_model: Build, untrained: Untrained) -> None:
    first = untrained(BudgetOracle(random_search(3), 700, dense_model), dense_model)
    first.save()
    begun = first.oracle.create_trial("tuner0")
    resumed = untrained(BudgetOracle(random_search(3), 700, dense_model), dense_model)
    again = resumed.oracle.create_trial("tuner0")
    assert (again.trial_id, again.hyperparameters.values) == (begun.trial_id, begun.hyperparameters.values)


def test_an_earlier_search_with_something_over_the_budget_is_not_gone_on_with(
    random_search: Make, dense_model: Build, untrained: Untrained
) -> None:
    plain = untrained(random_search(3), dense_model)
    plain.search()
    with pytest.raises(BudgetError, match=f"trial . in .* has {max(plain.built):,} parameters.*another project_name"):
        untrained(BudgetOracle(random_search(6), max(plain.built), dense_model), dense_model)
    untrained(BudgetOracle(random_search(6), max(plain.built) + 1, dense_model), dense_model)
    untrained(BudgetOracle(random_search(6), 700, dense_model), dense_model, overwrite=True)


def test_layers_that_models_share_can_be_trained_in_a_resumed_search(random_search: Make, untrained: Untrained) -> None:
    def searched(trials: int) -> keras.Layer:
        """Search as a program does that makes a layer outside of its hypermodel, and return the layer."""
        shared = keras.layers.Dense(8, name="shared")

        def build(hp: keras_tuner.HyperParameters) -> keras.Model:
            return keras.Sequential([keras.Input((4,)), shared, keras.layers.Dense(hp.Int("units", 1, 90))])

        untrained(BudgetOracle(random_search(trials), 500, build), build).search()
        return shared

    for trials in (2, 4):
        assert np.isfinite(np.asarray(searched(trials).kernel)).all()


def test_a_damaged_file_of_rejections_costs_only_these(
    random_search: Make, dense_model: Build, untrained: Untrained, tmp_path: Path
) -> None:
    untrained(BudgetOracle(random_search(3), 700, dense_model), dense_model).search()
    (path,) = tmp_path.rglob("rejections.json")
    path.write_text('{"rejections": {"par')
    resumed = BudgetOracle(random_search(4), 700, dense_model)
    tuner = untrained(resumed, dense_model)
    tuner.search()
    assert len(resumed.params) == 4
    assert max(resumed.params.values()) < 700


# Hyperparameters that appear while building


@pytest.mark.slow
def test_what_is_declared_while_building_is_searched(random_search: Make, untrained: Untrained) -> None:
    def build(hp: keras_tuner.HyperParameters) -> keras.Model:
        width = hp.Int("width", 4, 40)
        # No conditional scope: KerasTuner only learns of it from a build with a large width.
        more = hp.Int("more", 1, 9) if width > 20 else 1
        return keras.Sequential([keras.Input((4,)), keras.layers.Dense(width * more), keras.layers.Dense(2)])

    oracle = BudgetOracle(random_search(12), 900, build)
    tuner = untrained(oracle, build)
    tuner.search()
    assert len({values["more"] for values in tried(oracle) if "more" in values}) > 1
    assert max(tuner.built) < 900
    assert tuner.built == list(oracle.params.values())


def test_hyperparameters_of_one_name_and_several_conditions_stay_as_they_were_counted(
    random_search: Make, untrained: Untrained
) -> None:
    def build(hp: keras_tuner.HyperParameters) -> keras.Model:
        width = 1
        for kind in hp.Choice("kind", ["a", "b"]), "a", "b":
            with hp.conditional_scope("kind", [kind]):
                width = hp.Int("width", 4, 400) or width
        return keras.Sequential([keras.Input((4,)), keras.layers.Dense(width)])

    oracle = BudgetOracle(random_search(8), 900, build)
    tuner = untrained(oracle, build)
    tuner.search()
    assert [5 * values["width"] for values in tried(oracle)] == tuner.built
    assert max(tuner.built) < 900


# Errors and threads leave no lock behind


def test_an_error_of_the_oracle_gets_out_and_leaves_no_lock(numbers: Callable[..., Numbers]) -> None:
    class Broken(keras_tuner.Oracle):
        def populate_space(self, trial_id: str) -> dict[str, Any]:
            raise ZeroDivisionError("of its own")

    oracle = BudgetOracle(Broken("val_accuracy", max_trials=1), 60, cost=number)
    tuner = numbers(oracle)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            tuner.search()
        assert is_free(oracle)


def test_a_fatal_error_while_counting_gets_out(random_search: Make, numbers: Callable[..., Numbers]) -> None:
    def cost(hp: keras_tuner.HyperParameters) -> int:
        raise keras_tuner.errors.FatalValueError("of its own")

    oracle = BudgetOracle(random_search(), 60, cost=cost)
    with pytest.raises(keras_tuner.errors.FatalValueError):
        numbers(oracle).search()
    assert is_free(oracle)


def test_trainings_that_fail_in_a_row_end_the_search_and_leave_no_lock(
    random_search: Make, numbers: Callable[..., Numbers], monkeypatch: pytest.MonkeyPatch
) -> None:
    oracle = BudgetOracle(random_search(), 60, cost=number)
    tuner = numbers(oracle)

    def fail(trial: Any) -> None:
        raise keras_tuner.errors.FailedTrialError("of its own")

    monkeypatch.setattr(tuner, "run_trial", fail)
    with pytest.raises(RuntimeError, match="consecutive failures"):
        tuner.search()
    assert len(oracle.trials) == 3
    assert is_free(oracle)


def test_threads_that_ask_at_the_same_time_get_different_trials(
    random_search: Make, numbers: Callable[..., Numbers]
) -> None:
    oracle = BudgetOracle(random_search(12), 60, cost=number)
    numbers(oracle)
    got: list[Any] = []
    barrier = threading.Barrier(4)

    def ask(name: int) -> None:
        barrier.wait()
        for turn in range(4):
            got.append(oracle.create_trial(f"{name}-{turn}"))

    threads = [threading.Thread(target=ask, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    running = [trial for trial in got if trial.status == "RUNNING"]
    assert len({trial.trial_id for trial in running}) == len(running) == 12
    assert len({trial.hyperparameters.values["number"] for trial in running}) == 12
    assert max(oracle.params.values()) < 60


# All else is the wrapped oracle's


def test_what_is_set_and_asked_is_the_wrapped_oracles(random_search: Make, numbers: Callable[..., Numbers]) -> None:
    inner = random_search(3)
    oracle = BudgetOracle(inner, 60, cost=number)
    oracle.max_trials = 4
    oracle.multi_worker = True
    assert (inner.max_trials, inner.multi_worker, inner.verbose) == (4, True, 1)
    tuner = numbers(oracle)
    assert inner.verbose == 0
    tuner.search()
    best = oracle.get_best_trials(1)[0]
    assert inner.get_best_trials(1)[0] is oracle.get_trial(best.trial_id)
    assert best.hyperparameters is oracle.get_trial(best.trial_id).hyperparameters
    assert oracle.get_state() == inner.get_state()
    assert oracle.objective is inner.objective
    assert tuner.get_best_hyperparameters()[0].values == best.hyperparameters.values
    with pytest.raises(AttributeError):
        _ = oracle.nonsense


def test_a_line_says_what_was_rejected_before_each_trial(
    random_search: Make, numbers: Callable[..., Numbers], capsys: pytest.CaptureFixture[str]
) -> None:
    oracle = BudgetOracle(random_search(2), 40, cost=number)
    tuner = numbers(oracle)
    oracle.verbose = 1
    tuner.search()
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Budget")]
    assert len(lines) == 2
    assert lines[1].startswith(f"Budget: {list(oracle.params.values())[1]} parameters, below 40; ")
    assert lines[1].endswith(f"in all {oracle.rejections['params']} (params)")


def test_a_line_says_how_far_it_is_while_draws_are_rejected_for_long(
    random_search: Make,
    numbers: Callable[..., Numbers],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Each look at the clock takes a second.
    monkeypatch.setattr(time, "monotonic", map(float, range(10**6)).__next__)
    oracle = BudgetOracle(random_search(), 20, cost=lambda hp: 1_000 + number(hp), attempts=50)
    tuner = numbers(oracle)
    for verbose in (1, 0):
        oracle.verbose = verbose
        with pytest.raises(BudgetError):
            tuner.search()
        lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Budget")]
        assert bool(lines) == bool(verbose)
        assert len(lines) < 12
        for line in lines:
            assert re.fullmatch(
                r"Budget: looking for fewer than 20 parameters; rejected so far: \d+ \(params\); the smallest model "
                r"has 1,0\d\d parameters",
                line,
            )


def test_the_line_before_a_trial_says_nothing_of_rejections_where_there_were_none(
    random_search: Make, numbers: Callable[..., Numbers], capsys: pytest.CaptureFixture[str]
) -> None:
    oracle = BudgetOracle(random_search(1), 1_000, cost=number)
    tuner = numbers(oracle)
    oracle.verbose = 1
    tuner.search()
    (line,) = (one for one in capsys.readouterr().out.splitlines() if one.startswith("Budget"))
    assert line == f"Budget: {next(iter(oracle.params.values()))} parameters, below 1,000"


def test_the_first_error_of_what_cannot_be_built_is_printed_once(
    random_search: Make, numbers: Callable[..., Numbers], capsys: pytest.CaptureFixture[str]
) -> None:
    def cost(hp: keras_tuner.HyperParameters) -> int:
        if number(hp) > 20:
            raise TypeError("unsupported operand\n  in my code")
        return number(hp)

    oracle = BudgetOracle(random_search(3), 1_000, cost=cost)
    tuner = numbers(oracle)
    oracle.verbose = 1
    tuner.search()
    said = [one for one in capsys.readouterr().out.splitlines() if "cannot be built raised" in one]
    assert said == ["Budget: the first choice that cannot be built raised TypeError: unsupported operand in my code"]
    assert oracle.rejections["cannot be built"] > 1


def test_a_search_that_ends_after_a_single_trial_says_so(random_search: Make, numbers: Callable[..., Numbers]) -> None:
    oracle = BudgetOracle(random_search(2), 2, cost=number, attempts=300)
    with pytest.warns(TinySearchWarning, match="the search ends after 1 trial: 300 draws"):
        numbers(oracle).search()
    assert "1 trial, " in repr(oracle)


def test_hyperband_that_cannot_fill_a_bracket_says_what_it_does_not_do(numbers: Callable[..., Numbers]) -> None:
    inner = keras_tuner.oracles.HyperbandOracle("val_accuracy", max_epochs=9, seed=1)
    oracle = BudgetOracle(inner, 3, cost=number)
    with pytest.warns(TinySearchWarning, match="the search ends after 2 trials: .*nothing in it is trained further"):
        numbers(oracle).search()


def test_what_cannot_be_wrapped_or_counted_is_refused(random_search: Make, dense_model: Build) -> None:
    oracle = random_search()
    with pytest.raises(BudgetError, match="needs the hypermodel"):
        BudgetOracle(oracle, 10)
    with pytest.raises(BudgetError, match="bounds more than parameters"):
        BudgetOracle(oracle, Budget(10, macs=10), dense_model)
    with pytest.raises(BudgetError, match="got 0"):
        BudgetOracle(oracle, 0, dense_model)
    with pytest.raises(BudgetError, match="got 'random'"):
        BudgetOracle("random", 10, dense_model)
    with pytest.raises(BudgetError, match="no budget yet"):
        BudgetOracle(BudgetOracle(oracle, 10, dense_model), 10, dense_model)


def test_a_bound_that_the_cost_function_does_not_know_is_an_error(
    random_search: Make, numbers: Callable[..., Numbers]
) -> None:
    oracle = BudgetOracle(random_search(), Budget(60, macs=10), cost=number)
    with pytest.raises(BudgetError, match=r"must return a tinysearch\.Cost"):
        numbers(oracle).search()


# Tuners that make their oracle themselves, and real trainings


@pytest.fixture
def points() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    x = rng.normal(size=(60, 16)).astype(np.float32)
    x[:, 0] += 4 * y
    return {"x": x, "y": y, "validation_split": 0.2, "batch_size": 16, "verbose": 0}


# Keras warns that a model which was not trained yet has no state of an optimizer for what KerasTuner loads into it.
untroubled = pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer:UserWarning")


@pytest.mark.slow
@untroubled
@pytest.mark.parametrize("name", ["RandomSearch", "BayesianOptimization", "GridSearch"])
def test_a_tuner_that_makes_its_oracle_is_put_under_a_budget(
    name: str, dense_model: Build, points: dict[str, Any], tmp_path: Path
) -> None:
    made = getattr(keras_tuner, name)(dense_model, objective="val_accuracy", max_trials=2, seed=1, directory=tmp_path)
    tuner = limit(made, budget=300)
    tuner.search(epochs=1, **points)
    assert tuner is made
    assert len(tuner.oracle.params) == 2
    assert tuner.get_best_models()[0].count_params() == tuner.oracle.params[tuner.oracle.get_best_trials()[0].trial_id]
    assert max(tuner.oracle.params.values()) < 300


@pytest.mark.slow
@untroubled
def test_hyperband_goes_on_from_its_checkpoints_under_a_budget(
    dense_model: Build, points: dict[str, Any], tmp_path: Path
) -> None:
    made = keras_tuner.Hyperband(
        dense_model, objective="val_accuracy", max_epochs=2, factor=2, seed=1, directory=tmp_path
    )
    tuner = limit(made, budget=300)
    tuner.search(**points)
    trials = tuner.oracle.trials
    promoted = [trial for trial in trials.values() if "tuner/trial_id" in trial.hyperparameters.values]
    assert promoted
    for trial in promoted:
        parent = trial.hyperparameters.values["tuner/trial_id"]
        assert tuner.oracle.params[trial.trial_id] == tuner.oracle.params[parent] < 300
    assert all(trial.status == "COMPLETED" for trial in trials.values())
