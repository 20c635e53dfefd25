"""Samplers of Optuna as strategies."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import FrozenTrial

from tinysearch.errors import RunError
from tinysearch.results.record import Record
from tinysearch.search.optuna.strategy import OptunaSampler
from tinysearch.search.strategies.random import RandomSearch
from tinysearch.search.strategies.registry import strategy
from tinysearch.search.strategies.strategy import Problem
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

Make = Callable[..., Problem]
Records = Callable[..., list[Record]]


class Echo(optuna.samplers.BaseSampler):
    """Wants what the best trial was, and keeps what it was told in a class variable."""

    told: list[FrozenTrial] = []  # noqa: RUF012

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, Any]:
        return {}

    def sample_relative(self, study: optuna.Study, trial: FrozenTrial, search_space: Any) -> dict[str, Any]:
        Echo.told = study.trials[:-1]
        return {}

    def sample_independent(self, study: optuna.Study, trial: FrozenTrial, param_name: str, distribution: Any) -> Any:
        return study.best_trial.params[param_name]


class Broken(Echo):
    def sample_relative(self, study: optuna.Study, trial: FrozenTrial, search_space: Any) -> dict[str, Any]:
        if len(study.trials) > 12:
            raise ZeroDivisionError("of its own")
        return {}


@pytest.fixture(autouse=True)
def own_samplers(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("own_samplers")
    for sampler in (Echo, Broken):
        setattr(module, sampler.__name__, sampler)
    monkeypatch.setitem(sys.modules, "own_samplers", module)


@pytest.fixture
def make(problem: Make) -> Callable[..., OptunaSampler]:
    def made(sampler: str, budget: int = 10_000, **options: Any) -> OptunaSampler:
        return OptunaSampler(problem(budget, **options), f"optuna:{sampler}")

    return made


@pytest.fixture
def past(as_record: Callable[..., Record]) -> Records:
    """Return a function that makes records, one for each score, of ever the same, distinct networks."""

    def made(scores: Sequence[float], first: int = 0) -> list[Record]:
        rng = np.random.default_rng(0)
        space = SearchSpace()
        networks = [space.scaled_below(space.sample(rng), 9_999) for _ in range(first + len(scores))]
        return [as_record(*pair, trial) for trial, pair in enumerate(zip(networks[first:], scores, strict=True))]

    return made


def asked(sampler: OptunaSampler, history: Sequence[Record], pending: Sequence[Candidate] = ()) -> Candidate:
    return sampler.propose(history, np.random.default_rng(0), pending)


@pytest.mark.parametrize("sampler", ["TPESampler", "NSGAIISampler", "own_samplers.Echo"])
def test_nothing_of_a_sampler_is_shown_or_left(
    sampler: str,
    make: Callable[..., OptunaSampler],
    past: Records,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    state, verbosity = random.getstate(), optuna.logging.get_verbosity()
    asked(make(sampler), past([index / 60 for index in range(60)]))
    assert random.getstate() == state
    assert optuna.logging.get_verbosity() == verbosity == optuna.logging.INFO
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_a_sampler_hears_of_everything_in_order(make: Callable[..., OptunaSampler], past: Records) -> None:
    history = past([0.3, 0.9, 0.1, float("nan"), *[0.2] * 8])
    pending = [Candidate(record.architecture, Recipe()) for record in past([0.0, 0.0], first=12)]
    asked(make("own_samplers.Echo"), history, pending)
    states = [trial.state.name for trial in Echo.told[:14]]
    assert states == ["COMPLETE"] * 3 + ["FAIL"] + ["COMPLETE"] * 8 + ["RUNNING"] * 2
    assert [trial.value for trial in Echo.told[:5]] == [0.3, 0.9, 0.1, None, 0.2]
    space = SearchSpace()
    networks = [*(record.architecture for record in history), *(candidate.architecture for candidate in pending)]
    assert [trial.params for trial in Echo.told[:14]] == [space.encode(network) for network in networks]


def test_what_is_known_is_not_asked_for_again(make: Callable[..., OptunaSampler], past: Records) -> None:
    history = past([index / 12 for index in range(12)])
    sampler = make("own_samplers.Echo")
    candidate = asked(sampler, history)
    # All that it asked for within this proposal came to nothing.
    assert [trial.state.name for trial in Echo.told[12:]] == ["FAIL"] * (sampler.attempts - 1)
    assert candidate.key not in {record.key for record in history}
    assert sampler.problem.fits(candidate.architecture)


@pytest.mark.parametrize(("sampler", "first"), [("TPESampler", 10), ("NSGAIISampler", 50), ("own_samplers.Echo", 10)])
def test_the_first_trials_are_drawn_at_random_until_enough_have_a_score(
    sampler: str, first: int, make: Callable[..., OptunaSampler], past: Records
) -> None:
    proposer = make(sampler)
    history = past([*[float("nan")] * 3, *[0.5] * (first - 1)])
    pending = [Candidate(record.architecture, Recipe()) for record in past([0.0] * 3, first=first + 2)]
    drawn = RandomSearch.upper_budget(proposer.problem).propose((), np.random.default_rng(0))
    assert asked(proposer, history, pending) == drawn
    assert asked(proposer, [*history, *past([0.5], first=first + 2)]) != drawn


def test_what_is_over_the_budget_is_repaired(make: Callable[..., OptunaSampler], past: Records) -> None:
    proposer = make("own_samplers.Echo", 2_000)
    history = past([record.cost.params / 10_000 for record in past([0.0] * 15)])
    best = max(history, key=lambda record: record.score)
    candidate = asked(proposer, history)
    assert best.cost.params > 2_000
    assert proposer.problem.fits(candidate.architecture)
    kinds = [layer.kind for layer in candidate.architecture.layers]
    assert kinds == [layer.kind for layer in best.architecture.layers]


@pytest.mark.parametrize(("length", "latest"), [(100, 40), (109, 49), (110, 40)])
def test_a_long_history_is_cut_to_the_latest_and_the_best(
    length: int, latest: int, make: Callable[..., OptunaSampler], past: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As for Optuna's samplers, which can be told of any trials.
    monkeypatch.setattr("tinysearch.search.optuna.strategy.decides_by_trials", lambda sampler: True)
    proposer = make("own_samplers.Echo")
    for name, number in (("memory", 40), ("block", 10), ("elite", 10)):
        monkeypatch.setattr(proposer, name, number)
    history = past([0.99 if index == 17 else 0.5 + index % 7 / 100 for index in range(length)])
    asked(proposer, history)
    told = [trial.params for trial in Echo.told[: 10 + latest]]
    expected = [SearchSpace().encode(record.architecture) for record in history]
    assert told[0] == expected[17]
    assert told[10:] == expected[-latest:]


def test_a_sampler_that_may_keep_a_state_hears_of_the_whole_run(
    make: Callable[..., OptunaSampler], past: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposer = make("own_samplers.Echo")
    for name, number in (("memory", 40), ("block", 10), ("elite", 10)):
        monkeypatch.setattr(proposer, name, number)
    history = past([0.5 + index % 7 / 100 for index in range(110)])
    asked(proposer, history)
    told = [trial.params for trial in Echo.told[:110]]
    assert told == [SearchSpace().encode(record.architecture) for record in history]


def test_what_is_pending_changes_what_is_asked_for(make: Callable[..., OptunaSampler], past: Records) -> None:
    history = past([index / 40 for index in range(40)])
    proposer = make("TPESampler")
    pending = [Candidate(asked(proposer, history).architecture, Recipe())] * 20
    assert asked(proposer, history, pending) != asked(proposer, history)


def test_a_sampler_learns_what_is_good(
    pointwise: Callable[[int, int], SearchSpace],
    problem: Make,
    as_record: Callable[..., Record],
) -> None:
    space = pointwise(1, 400)
    proposer = strategy("optuna:TPESampler", problem(100_000, space=space))
    rng = np.random.default_rng(0)
    networks = list({space.sample(rng): None for _ in range(60)})
    history = [
        as_record(network, 1 - abs(network.layers[0].filters - 100) / 400, trial)  # type: ignore[union-attr]
        for trial, network in enumerate(networks)
    ]
    asked_for = [proposer.propose(history, np.random.default_rng(seed)).architecture.layers[0] for seed in range(20)]
    assert np.median([abs(layer.filters - 100) for layer in asked_for]) < 25  # type: ignore[union-attr]


@pytest.mark.parametrize("sampler", ["BruteForceSampler", "QMCSampler"])
def test_a_sampler_that_has_come_to_its_end_stops_nothing(
    sampler: str,
    pointwise: Callable[[int, int], SearchSpace],
    make: Callable[..., OptunaSampler],
    as_record: Callable[..., Record],
) -> None:
    space = pointwise(1, 12)
    history = [as_record(network, 0.5, trial) for trial, network in enumerate(space.members())]
    assert asked(make(sampler, space=space), history).key in {record.key for record in history}


def test_a_brute_force_asks_for_what_is_left(
    pointwise: Callable[[int, int], SearchSpace], make: Callable[..., OptunaSampler], as_record: Callable[..., Record]
) -> None:
    space = pointwise(1, 12)
    *others, left = (as_record(network, 0.5, trial) for trial, network in enumerate(space.members()))
    assert asked(make("BruteForceSampler", space=space), others).key == left.key


def test_a_proposal_is_the_same_in_every_process(tmp_path: Path) -> None:
    code = """
import numpy as np
from tinysearch.results.record import Epoch, Measurement, Record
from tinysearch.search.strategies.registry import strategy
from tinysearch.search.strategies.strategy import Problem
from tinysearch.space.budget import Budget
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

problem = Problem(SearchSpace(), Budget(10_000), Recipe())
rng, history = np.random.default_rng(0), []
for trial in range(55):
    one = Candidate(problem.space.scaled_below(problem.space.sample(rng), 9_999), problem.recipe)
    measured = Measurement((Epoch(0.0, 0.0, None, float(rng.random()), 0.0, 0.0),))
    history.append(Record("run", one.key, one.key, "search", "search", trial, 0, "none", "", one.architecture,
                          problem.space.cost(one.architecture), one.recipe.to_dict(), measured))
for name in ("TPESampler", "NSGAIISampler"):
    print(strategy(f"optuna:{name}", problem).propose(history, np.random.default_rng(1)).key)
"""
    keys = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout.split()
        for seed in ("1", "2")
    ]
    assert keys[0] == keys[1]
    assert len(set(keys[0])) == 2


def test_an_error_of_a_sampler_is_named(make: Callable[..., OptunaSampler], past: Records) -> None:
    with pytest.raises(RunError, match=r"'optuna:own_samplers\.Broken' failed: ZeroDivisionError: of its own"):
        asked(make("own_samplers.Broken"), past([0.5] * 12))
