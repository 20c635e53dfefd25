"""Searches in a table of trained networks try each network once, and lose nothing where nothing is left to chance."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tinysearch.space.cost import cost
from tinysearch.space.task import Task

NETWORKS = (
    "c5 s8 M s10 s10 s10",
    "c6 s6 M s6= s7= s9= s11=",
    "c7 M s13 s21",
    "c3 s7 M s8 s10k5 s13",
    "c9 M s9x2 s9 s15",
    "c13 M +s13 +s13",
    "c7 M3/2 s11 s17k5",
    "c2 M c5 c6 c8",
    "c6 s6 s7 M s9= s9= s9=",
    "c3 M3/2 s10 s10 s10 M s10",
    "c6 s7 M s9 s9 s14",
    "c10 M s10 s10 s10x2",
)
SEEDS = 200
SLOW = ("keras-tuner:BayesianOptimization", "keras-tuner:BayesianOptimization, 5 at random")


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> ModuleType:
    monkeypatch.syspath_prepend(request.config.rootpath / "experiments")
    monkeypatch.syspath_prepend(request.config.rootpath / "benchmarks")
    import evidence_table

    return evidence_table


@pytest.fixture
def table(benchmark: ModuleType, tmp_path: Path) -> object:
    from surrogates import from_evidence, network

    rows = [
        {"set": "<1000", "network": line, "params": cost(network(line), Task()).params, "validation": [97 + place / 8]}
        for place, line in enumerate(NETWORKS)
    ]
    evidence = tmp_path / "evidence.json"
    evidence.write_text(json.dumps({"rows": rows}), encoding="utf-8")
    return benchmark.Table.of(from_evidence(evidence), "<1000")


def test_no_network_is_tried_twice_and_without_errors_the_best_is_found(benchmark: ModuleType, table: object) -> None:
    for name, side in benchmark.SIDES.items():
        if name in SLOW:
            continue
        places = benchmark.tried(table, side, np.linspace(0.97, 0.98, len(NETWORKS)), 30, seed=0)
        assert sorted(places) == list(range(len(NETWORKS))), name
        curve = benchmark.regrets(table, side, 30, seed=1, exact=True)[0].tolist()
        assert len(curve) == len(NETWORKS)
        assert sorted(curve, reverse=True) == curve, name
        assert curve[-1] == 0, name


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_nor_does_keras_tuner_try_a_network_twice(benchmark: ModuleType, table: object, name: str) -> None:
    curve = benchmark.regrets(table, benchmark.SIDES[name], 30, seed=1, exact=True)[0]
    assert len(curve) == len(NETWORKS)
    assert curve[-1] == 0


def test_plain_is_a_draw_without_replacement(benchmark: ModuleType, table: object) -> None:
    from surrogates import drawn

    apart = []
    for seed in range(SEEDS):
        true, measured = drawn(table.pool, np.random.default_rng([4, seed]))  # type: ignore[attr-defined]
        curve = benchmark.regrets(table, benchmark.SIDES["plain"], len(NETWORKS), seed)[0]
        apart.append(curve - expected(true, measured))
    error = np.std(apart, axis=0, ddof=1) / math.sqrt(SEEDS)
    assert np.all(np.abs(np.mean(apart, axis=0)) <= 4 * error + 1e-9)


def expected(true: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Return the expected regret of the leader after each of so many draws without replacement, in points."""
    number = len(true)
    order = np.argsort(-measured, kind="stable")
    curve = []
    for drawn in range(1, number + 1):
        # The leader is the one of a rank if it is drawn, and the others are of those that are worse.
        leads = [math.comb(number - rank - 1, drawn - 1) / math.comb(number, drawn) for rank in range(number)]
        curve.append(100 * (true.max() - float(np.dot(leads, true[order]))))
    return np.array(curve)


def test_parameters_of_a_network_of_stages(benchmark: ModuleType) -> None:
    from stage_parameters import is_plain, parameters
    from surrogates import network

    found = parameters(network("c3 M3/2 s10 +s10k5 s10x2 M s12="))
    assert found == {
        "before": 1,
        "after": 5,
        "first_width": 3,
        "width_before": 3,
        "width_after": 10,
        "last_width": 12,
        "separable_before": 0,
        "separable_after": 1,
        "same_padding": 1,
        "shortcuts": 1,
        "wide_kernels": 1,
        "overlapping_pool": 1,
        "pools": 2,
    }
    assert [is_plain(network(line)) for line in NETWORKS[:3]] == [True, False, False]
