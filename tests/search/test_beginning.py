"""Which networks a run begins with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tinysearch.errors import RunError
from tinysearch.results.callback import Callback
from tinysearch.results.record import Record
from tinysearch.search.plugins import Plugins
from tinysearch.search.settings import RunSettings
from tinysearch.search.strategies.registry import strategy
from tinysearch.search.strategies.strategy import Problem, begun_with
from tinysearch.space.architecture import Architecture, Conv, Head, Pool
from tinysearch.space.budget import Budget, Verdict
from tinysearch.space.constraint import Constraint
from tinysearch.space.cost import Cost
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.task import Task
from tinysearch.training.augmentation import by_size
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

OWN = Architecture((Conv(7, bias=False),), Head("average"))


def problem(**bounds: int) -> Problem:
    return Problem(SearchSpace(), Budget(10_000, **bounds), Recipe())


def keys(records: Any) -> list[str]:
    return [record.key for record in records]


@pytest.mark.parametrize("name", ["bayesian", "evolution"])
def test_the_first_trials_are_designs_whatever_the_seed_and_the_number_of_trials(name: str, runner: Any) -> None:
    expected = [candidate.key for candidate in begun_with(strategy(name, problem()), 5)]
    assert len(expected) == 5
    short = runner.run("short", trials=3, strategy=name, documented={})
    long = runner.run("long", trials=7, strategy=name, documented={}, seed=5)
    assert keys(short.records) == expected[:3]
    assert keys(long.records)[:5] == expected
    assert len(set(keys(long.records))) == 7


@pytest.mark.parametrize("name", ["random", "halving", "keras-tuner:RandomSearch"])
def test_yardsticks_and_strategies_with_a_beginning_of_their_own_begin_without(name: str, runner: Any) -> None:
    designed = {candidate.key for candidate in begun_with(strategy("bayesian", problem()), 8)}
    assert begun_with(strategy(name, problem()), 5) == []
    assert not designed & set(keys(runner.run(trials=3, strategy=name, documented={}).records))


def test_candidates_of_ones_own_come_first(runner: Any) -> None:
    own = Candidate(OWN, Recipe())
    first, second = begun_with(strategy("bayesian", problem()), 2)
    found = runner.run(trials=3, documented={}, initial_candidates=(own,))
    assert keys(found.records) == [own.key, first.key, second.key]


class Notes(Callback):
    """Remembers notes."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def on_note(self, text: str) -> None:
        self.told.append(text)


class NotThis(Constraint):
    """Refuses a single network."""

    def check(self, architecture: Architecture, cost: Cost) -> Verdict:
        return Verdict(architecture.layers != (Conv(8),), "mine", "it takes too long")


def test_candidates_of_ones_own_that_cannot_be_trained_are_told_with_the_reason_once(runner: Any) -> None:
    shrunk = Architecture((Pool(size=8), Pool(size=8)), Head("average"))
    large, slow = (Architecture((Conv(filters),), Head("average")) for filters in (900, 8))
    given = tuple(Candidate(one, Recipe()) for one in (large, OWN, slow, shrunk))
    plugins = Plugins(constraints=(("mine", NotThis()),))
    notes = Notes()
    options = {"documented": {}, "initial_candidates": given, "constraints": ("mine",), "plugins": plugins}
    found = runner.run("told", trials=0, watcher=notes, **options)
    assert found.records == ()
    over, late, shape = notes.told
    assert over.startswith("initial candidate 1, c900, is not trained: 18,010 parameters are at or above the budget of")
    assert late.startswith("initial candidate 3, c8, is not trained: it takes too long; ")
    assert shape.startswith("initial candidate 4, M8 M8, is not trained: pool2 slides a 8x8 window without")
    again = Notes()
    runner.run("told", trials=0, watcher=again, resume=True, **options)
    assert again.told == []


def test_designs_are_within_all_limits() -> None:
    tight = problem(macs=100_000, peak_activation_bytes=4_000)
    found = begun_with(strategy("bayesian", tight), 5)
    assert len(found) == 5
    assert all(tight.fits(candidate.architecture) for candidate in found)


def test_a_run_from_before_there_were_designs_goes_on_without() -> None:
    plain = RunSettings().to_dict()
    assert RunSettings.from_dict(plain).designs == 5
    del plain["designs"]
    assert RunSettings.from_dict(plain).designs == 0


def test_fewer_designs_than_none_are_an_error() -> None:
    with pytest.raises(RunError, match="at least 0 designs, got -1"):
        RunSettings(designs=-1)


def test_a_candidate_of_ones_own_is_augmented_by_size_unless_it_has_a_recipe_of_its_own(runner: Any) -> None:
    whole, other = Candidate(OWN, Recipe()), Candidate(OWN, Recipe(batch_size=64))
    found = runner.run(
        trials=2, documented={}, initial_candidates=(whole, other), augmentation={"chosen": "by size"}, designs=0
    )
    first, second = (Recipe.from_dict(record.recipe) for record in found.records)
    assert not first.augments
    assert second == other.recipe


def test_of_several_budgets_the_designs_take_turns() -> None:
    budgets = (1_000, 3_000, 10_000)
    found = begun_with(strategy("pareto", Problem(SearchSpace(), Budget(10_000), Recipe(), budgets=budgets)), 2)
    alone = [begun_with(strategy("pareto", Problem(SearchSpace(), Budget(bound), Recipe())), 2) for bound in budgets]
    assert found == [designs[turn] for turn in range(2) for designs in alone]


def test_a_run_with_several_budgets_augments_each_network_by_its_size(runner: Any) -> None:
    given = {"strategy": "pareto", "budgets": (1_000, 10_000), "augmentation": {"chosen": "by size"}, "trials": 14}
    records = runner.run(documented={}, **given).records
    sizes = {one.cost.params < 1_000 for one in records}
    assert sizes == {True, False}
    for one in records:
        assert Recipe.from_dict(one.recipe) == by_size(Recipe(), one.cost.params)[1]


def test_a_run_that_learns_from_others_begins_with_their_best_network(runner: Any) -> None:
    teacher = runner.run("teacher", trials=4, strategy="random", seed=5, documented={})
    # A small one may be better by chance; what is far below the budget is left to the runs below smaller ones.
    best = max((one for one in teacher.records if one.cost.params >= 5_000), key=lambda record: record.score)
    designs = [candidate.key for candidate in begun_with(strategy("bayesian", problem()), 4)]
    taught = runner.run("taught", trials=5, documented={}, warm_start_trials=(("teacher", 4, 0),))
    assert keys(taught.records) == [best.key, *designs]
    alone = runner.run("alone", trials=5, documented={}, warm_start_trials=(("teacher", 4, 0),), designs=0)
    assert best.key not in keys(alone.records)


def test_the_best_known_network_is_one_that_fits(runner: Any) -> None:
    runner.run("teacher", trials=4, strategy="random", seed=5, documented={})
    records = runner.store.records("teacher")
    small = Problem(SearchSpace(), Budget(min(record.cost.params for record in records)), Recipe())
    assert begun_with(strategy("bayesian", small), 3, records) == begun_with(strategy("bayesian", small), 3)


def test_the_best_known_network_is_the_best_by_the_mean_of_its_trainings(runner: Any) -> None:
    runner.run("teacher", trials=4, strategy="random", seed=5, documented={})
    records = [one for one in runner.store.records("teacher") if one.cost.params >= 5_000]
    records.sort(key=lambda one: -one.score)
    lucky, second = records[:2]

    def again(record: Record, accuracy: float) -> Record:
        point = replace(record.measurement.curve[-1], val_accuracy=accuracy)
        curve = (*record.measurement.curve[:-1], point)
        return replace(record, purpose="revalidation", seed=1, measurement=replace(record.measurement, curve=curve))

    known = [*records, again(lucky, 0.5), again(second, 0.9)]
    assert begun_with(strategy("bayesian", problem()), 1, records)[0].key == lucky.key
    assert begun_with(strategy("bayesian", problem()), 1, known)[0].key == second.key
    for record in known[-2:]:
        runner.store.append(record)
    # A strategy that is shown one training of each candidate begins with the same network.
    for name in ("bayesian", "evolution"):
        learnt = {"warm_start_trials": (("teacher", 4, 2),), "strategy": name}
        assert keys(runner.run(name, trials=1, documented={}, **learnt).records) == [second.key]


def test_networks_near_the_designs_are_quick_enough_to_be_looked_at() -> None:
    for task in (Task(), Task((16, 16, 1), 10), Task((32, 32, 3), 10), Task((16, 1, 3), 4)):
        where = Problem(SearchSpace(task), Budget(10_000), Recipe())
        assert all(where.is_low_mac(one.architecture) for one in begun_with(strategy("bayesian", where), 5))
    # What is wide and never shrinks its images still is not.
    assert not problem().is_low_mac(Architecture((Conv(16, bias=False), Conv(32, bias=False)), Head("average")))
