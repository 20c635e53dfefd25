"""Oracles of KerasTuner as strategies."""

from __future__ import annotations

import inspect
import random
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import keras_tuner
import numpy as np
import pytest

from tinysearch.errors import RunError
from tinysearch.results.record import Measurement, Record
from tinysearch.search.keras_tuner.replay import OracleReplay
from tinysearch.search.keras_tuner.strategy import ORACLES, KerasTunerOracle
from tinysearch.search.strategies.registry import strategy
from tinysearch.search.strategies.strategy import Problem
from tinysearch.space.architecture import Architecture
from tinysearch.space.cost import cost
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

Make = Callable[..., Problem]
Records = Callable[..., list[Record]]


class Echo(keras_tuner.Oracle):
    """Says what it was told, in a class variable, and asks for the best that it knows."""

    told: list[tuple[str, str, float | None]] = []  # noqa: RUF012

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        Echo.told = [(trial.trial_id, trial.status, trial.score) for trial in self.trials.values()]
        ended = [trial for trial in self.trials.values() if trial.status == "COMPLETED"]
        if not ended:
            return {"status": "RUNNING", "values": self._random_values()}
        return {"status": "RUNNING", "values": max(ended, key=lambda trial: trial.score).hyperparameters.values}


class Idle(keras_tuner.Oracle):
    """Always waits for something."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        return {"status": "IDLE"}


class Forgetful(keras_tuner.Oracle):
    """Asks for choices that make no architecture."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        return {"status": "RUNNING", "values": {"blocks/length": 99}}


class Broken(keras_tuner.Oracle):
    """Raises an error while KerasTuner holds its lock."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        raise ZeroDivisionError("of its own")


@pytest.fixture(autouse=True)
def own_oracles(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("own_oracles")
    for oracle in (Echo, Idle, Forgetful, Broken):
        setattr(module, oracle.__name__, oracle)
    monkeypatch.setitem(sys.modules, "own_oracles", module)


@pytest.fixture
def make(problem: Make, small: SearchSpace) -> Callable[..., KerasTunerOracle]:
    def made(oracle: str, budget: int = 10_000, **options: Any) -> KerasTunerOracle:
        return KerasTunerOracle(problem(budget, space=small, **options), f"keras-tuner:{oracle}")

    return made


@pytest.fixture
def past(small: SearchSpace, as_record: Callable[..., Record]) -> Records:
    """Return a function that makes records of some epochs, one for each score, of ever the same, distinct networks."""

    def made(scores: list[float], epochs: int = 10, first: int = 0) -> list[Record]:
        rng = np.random.default_rng(0)
        networks: list[Architecture] = []
        while len(networks) < first + len(scores):
            network = small.sample(rng)
            if cost(network, small.task).params < 10_000 and network not in networks:
                networks.append(network)
        pairs = zip(networks[first:], scores, strict=True)
        return [as_record(network, score, trial, Recipe(epochs=epochs)) for trial, (network, score) in enumerate(pairs)]

    return made


def asked(oracle: KerasTunerOracle, history: list[Record], pending: list[Candidate] | None = None) -> Candidate:
    return oracle.propose(history, np.random.default_rng(0), pending or [])


@pytest.mark.parametrize("oracle", ORACLES)
def test_nothing_of_an_oracle_is_left(
    oracle: str,
    make: Callable[..., KerasTunerOracle],
    past: Records,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    module = inspect.getmodule(keras_tuner.Oracle)
    before = len(module.LOCKS), len(module.THREADS)  # type: ignore[union-attr]
    state = random.getstate()
    asked(make(oracle), past([0.1, 0.2, 0.3]))
    assert (len(module.LOCKS), len(module.THREADS)) == before  # type: ignore[union-attr]
    assert random.getstate() == state
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("oracle", ["RandomSearch", "Hyperband"])
def test_what_the_whole_space_of_the_command_line_proposes_is_within_the_budget(oracle: str, problem: Make) -> None:
    proposer = strategy(f"keras-tuner:{oracle}", problem())
    assert proposer.problem.fits(proposer.propose([], np.random.default_rng(0)).architecture)


def test_an_oracle_hears_of_everything_in_order(make: Callable[..., KerasTunerOracle], past: Records) -> None:
    history = past([0.3, 0.9, 0.1, 0.4])
    history[2] = replace(history[2], measurement=Measurement(failure="out of memory"))
    pending = [Candidate(record.architecture, Recipe()) for record in past([0.0, 0.0], first=4)]
    asked(make("own_oracles.Echo"), history, pending)
    first = Echo.told[:6]
    assert [status for _, status, _ in first] == ["COMPLETED"] * 2 + ["FAILED", "COMPLETED"] + ["RUNNING"] * 2
    assert [score for _, _, score in first] == [0.3, 0.9, None, 0.4, None, None]


def test_what_is_known_is_not_asked_for_again(make: Callable[..., KerasTunerOracle], past: Records) -> None:
    history = past([0.3, 0.9, 0.1])
    candidate = asked(make("own_oracles.Echo"), history)
    assert candidate.key not in {record.key for record in history}
    assert make("own_oracles.Echo").problem.fits(candidate.architecture)


@pytest.mark.parametrize("oracle", ["Idle", "Forgetful"])
def test_an_oracle_that_gives_nothing_is_helped_out_by_random_search(
    oracle: str, make: Callable[..., KerasTunerOracle], past: Records
) -> None:
    proposer = make(f"own_oracles.{oracle}")
    assert proposer.problem.fits(asked(proposer, past([0.1, 0.2])).architecture)


def test_an_error_of_an_oracle_is_named_and_locks_nothing(make: Callable[..., KerasTunerOracle]) -> None:
    proposer = make("own_oracles.Broken")
    for _ in range(2):
        with pytest.raises(RunError, match=r"'keras-tuner:own_oracles\.Broken' failed: ZeroDivisionError: of its own"):
            asked(proposer, [])


def test_many_failures_in_a_row_abort_nothing(make: Callable[..., KerasTunerOracle], past: Records) -> None:
    failed = [replace(record, measurement=Measurement(failure="out of memory")) for record in past([0.0] * 12)]
    for oracle in ORACLES:
        assert make(oracle).problem.fits(asked(make(oracle), failed).architecture)


def test_documented_models_take_no_place_in_a_bracket(make: Callable[..., KerasTunerOracle], past: Records) -> None:
    documented = [replace(record, origin="baseline", trial=None) for record in past([0.99, 0.98], first=12)]
    history = documented + past([index / 12 for index in range(12)], epochs=2)
    assert asked(make("Hyperband"), history[:-1]).recipe.epochs == 2
    assert asked(make("Hyperband"), history) == Candidate(history[-1].architecture, Recipe(epochs=4))


def test_hyperband_begins_with_few_epochs_and_promotes_the_best(
    make: Callable[..., KerasTunerOracle], past: Records
) -> None:
    # Of 10 epochs: the first bracket trains 12 for 2 epochs, 4 for 4, 2 for 10. The first of the 4 can be chosen when
    # all but three are known to be worse.
    scores = [0.1, 0.2, 0.3, 0.9, 0.4, 0.5, 0.6, 0.7, 0.8, 0.15, 0.25, 0.35]
    hyperband = make("Hyperband")
    history = past(scores, epochs=2)
    for known in range(12):
        assert asked(hyperband, history[:known]).recipe.epochs == 2
    assert asked(hyperband, history) == Candidate(history[3].architecture, Recipe(epochs=4))


def test_hyperband_trains_the_best_in_full(make: Callable[..., KerasTunerOracle], past: Records) -> None:
    history = past([index / 12 for index in range(12)], epochs=2)
    hyperband = make("Hyperband")
    for score in (0.5, 0.9, 0.7, 0.6):
        candidate = asked(hyperband, history)
        assert candidate.recipe.epochs == 4
        told = past([score], epochs=4)[0]
        history.append(
            replace(told, key=candidate.key, architecture=candidate.architecture, recipe=candidate.recipe.to_dict())
        )
    assert asked(hyperband, history) == Candidate(history[13].architecture, Recipe(epochs=10))


@pytest.mark.parametrize("workers", [1, 3])
def test_hyperband_keeps_its_brackets_whatever_the_number_of_workers(
    workers: int, make: Callable[..., KerasTunerOracle], as_record: Callable[..., Record]
) -> None:
    # A first bracket of 12, 4 and 2 candidates, a second of 6 and 2, a third of 4.
    hyperband = make("Hyperband")
    proposed: list[Candidate] = []
    for trial in range(30):
        known = max(0, trial - workers + 1)
        history = [
            as_record(candidate.architecture, index * 7 % 30 / 30, index, candidate.recipe)
            for index, candidate in enumerate(proposed[:known])
        ]
        proposed.append(hyperband.propose(history, np.random.default_rng([0, trial]), proposed[known:]))
    assert len({candidate.key for candidate in proposed}) == 30
    epochs = [candidate.recipe.epochs for candidate in proposed]
    assert [epochs.count(number) for number in (2, 4, 10)] == [12, 10, 8]


def test_hyperband_of_one_epoch_is_random_search(make: Callable[..., KerasTunerOracle]) -> None:
    assert asked(make("Hyperband", epochs=1), []).recipe.epochs == 1


def test_a_grid_is_walked_in_order(
    make: Callable[..., KerasTunerOracle], proposals: Callable[..., list[Candidate]], small: SearchSpace
) -> None:
    values = [small.encode(candidate.architecture) for candidate in proposals(make("GridSearch"), 4)]
    assert [(value["head/pooling"], value["head/hidden"]) for value in values] == [
        ("average", 0), ("average", 8), ("average", 16), ("average", 32),
    ]  # fmt: skip
    assert all(value["blocks/length"] == 1 for value in values)


def test_bayesian_optimization_fits_its_process_once_it_knows_enough(
    make: Callable[..., KerasTunerOracle], past: Records, small: SearchSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    oracle = make("BayesianOptimization")._oracle(np.random.default_rng(0))
    oracle.num_initial_points = 6
    fitted: list[dict[float, int]] = []
    # The process itself takes a minute for some scores; that it is given points and scores is what is ours.
    monkeypatch.setattr(oracle.gpr, "fit", lambda x, y: fitted.append(dict(zip(y, map(len, x), strict=True))))
    monkeypatch.setattr(oracle.gpr, "predict", lambda x, return_std: (np.zeros(len(x)), np.ones(len(x))))
    with OracleReplay(oracle, small) as replay:
        replay.replay(past([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]), [])
        assert replay.ask() is not None
    # It minimizes. Each point has all choices of the space as coordinates.
    (points,) = fitted
    assert sorted(points) == [-0.6, -0.5, -0.4, -0.3, -0.2, -0.1]
    assert len(set(points.values())) == 1
