"""Names of samplers, and what is said of what is not installed."""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Callable
from importlib.machinery import ModuleSpec

import optuna
import pytest

from tinysearch.errors import RunError
from tinysearch.search.optuna.strategy import SAMPLERS, OptunaSampler, check_sampler_name
from tinysearch.search.strategies.strategy import Problem

Make = Callable[[str], OptunaSampler]


@pytest.fixture
def make(problem: Callable[..., Problem]) -> Make:
    return lambda sampler: OptunaSampler(problem(), f"optuna:{sampler}")


def test_a_sampler_that_needs_more_than_a_seed_is_refused_when_it_is_made(make: Make) -> None:
    with pytest.raises(RunError, match=r"'optuna:optuna\.samplers\.GridSampler' cannot be made: .*search_space"):
        make("optuna.samplers.GridSampler")


@pytest.mark.parametrize("sampler", ["", "Annealing", "tpesampler", "package.", ".Sampler", "a b.Sampler"])
def test_a_name_that_no_sampler_can_have_lists_the_known_ones(sampler: str) -> None:
    with pytest.raises(RunError, match=r"optuna:NSGAIISampler.*optuna:TPESampler.*package\.MySampler; got 'optuna:"):
        check_sampler_name(f"optuna:{sampler}")


@pytest.mark.parametrize("sampler", ["no_such_package.Sampler", "json.NoSampler", "json.dumps", "json.JSONDecoder"])
def test_a_sampler_that_does_not_exist_is_refused_when_it_is_made(sampler: str, make: Make) -> None:
    check_sampler_name(f"optuna:{sampler}")
    with pytest.raises(RunError, match=sampler):
        make(sampler)


def test_the_known_samplers_are_optunas() -> None:
    for sampler in SAMPLERS:
        assert issubclass(getattr(optuna.samplers, sampler), optuna.samplers.BaseSampler)


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function after which a package is not found."""

    def hide(package: str) -> None:
        find_spec = importlib.util.find_spec

        def found(name: str, parent: str | None = None) -> ModuleSpec | None:
            return None if name == package else find_spec(name, parent)

        monkeypatch.setattr(importlib.util, "find_spec", found)

    return hide


@pytest.mark.parametrize(("sampler", "package"), [("CmaEsSampler", "cmaes"), ("GPSampler", "torch")])
def test_what_a_sampler_needs_and_is_not_there_is_said_when_it_is_made(
    sampler: str, package: str, make: Make, without: Callable[[str], None]
) -> None:
    without(package)
    with pytest.raises(RunError, match=f"'optuna:{sampler}' needs {package}: pip install {package}"):
        make(sampler)


def test_without_optuna_a_run_says_how_to_install_it_before_anything_is_trained(
    without: Callable[[str], None], tinysearch: Callable[..., subprocess.CompletedProcess[str]], untrained: None
) -> None:
    without("optuna")
    done = tinysearch("run", "--budget", 10_000, "--strategy", "optuna:TPESampler", "--dataset", "digits")
    assert done.returncode == 2
    assert "'optuna:TPESampler' needs Optuna: pip install optuna" in " ".join(done.stderr.split())
    assert "epoch" not in done.stderr
    assert done.stdout == ""
