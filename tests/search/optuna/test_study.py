"""Studies that hold what a run has trained."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from tinysearch.results.record import Measurement, Record
from tinysearch.search.optuna.study import StudyReplay, Translation, generations, quiet
from tinysearch.space.architecture import Architecture, Pool
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

Past = Callable[[Sequence[float]], list[Record]]


class Bookkeeper(optuna.samplers.RandomSampler):
    """Keeps books of its own: which trials begin and end, and in which order."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(seed)
        self.books: list[tuple[str, int]] = []

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        self.books.append(("begins", trial.number))

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        self.books.append((state.name, trial.number))


@pytest.fixture(autouse=True)
def nothing_is_shown() -> Any:
    with quiet():
        yield


@pytest.fixture
def past(as_record: Callable[..., Record]) -> Past:
    def made(scores: Sequence[float]) -> list[Record]:
        rng = np.random.default_rng(0)
        space = SearchSpace()
        return [as_record(space.sample(rng), score, trial) for trial, score in enumerate(scores)]

    return made


def trials_of(sampler: Any, history: Sequence[Record], pending: Sequence[Candidate] = ()) -> list[FrozenTrial]:
    """Return the trials of a study to which a history and what is pending were replayed."""
    translation = Translation(SearchSpace())
    study = StudyReplay(sampler, translation)
    study.replay([*translation.ended(history), *translation.pending(pending)])
    return study._study.trials


@pytest.mark.parametrize("sampler", [optuna.samplers.TPESampler, optuna.samplers.NSGAIISampler, Bookkeeper])
def test_a_study_holds_what_was_really_trained_in_order(sampler: Callable[..., Any], past: Past) -> None:
    history = past([0.3, 0.9, 0.1, float("nan"), 0.4, 0.0])
    history[2] = replace(history[2], measurement=Measurement(failure="out of memory"))
    stranger = replace(history[0], architecture=Architecture((Pool("max", 2),), history[0].architecture.head))
    pending = [Candidate(history[5].architecture, Recipe())]
    trials = trials_of(sampler(seed=0), [stranger, *history[:5]], pending)
    space = SearchSpace()
    assert [trial.params for trial in trials] == [space.encode(record.architecture) for record in history]
    assert [trial.state.name for trial in trials] == ["COMPLETE", "COMPLETE", "FAIL", "FAIL", "COMPLETE", "RUNNING"]
    assert [trial.value for trial in trials] == [0.3, 0.9, None, None, 0.4, None]


def test_choices_keep_their_types(past: Past) -> None:
    for trial, record in zip(trials_of(optuna.samplers.TPESampler(), past([0.1] * 20)), past([0.1] * 20), strict=True):
        expected = SearchSpace().encode(record.architecture)
        assert {name: type(value) for name, value in trial.params.items()} == {
            name: type(value) for name, value in expected.items()
        }


def test_what_is_asked_for_has_only_the_choices_that_are_active() -> None:
    space = SearchSpace()
    study = StudyReplay(optuna.samplers.RandomSampler(seed=0), Translation(space))
    networks = [study.ask() for _ in range(30)]
    assert [trial.params for trial in study._study.trials] == [space.encode(network) for network in networks]
    assert len({len(network.layers) for network in networks}) > 5


def test_what_came_to_nothing_is_a_failed_trial_before_the_next_is_asked_for() -> None:
    study = StudyReplay(optuna.samplers.RandomSampler(seed=0), Translation(SearchSpace()))
    for _ in range(3):
        study.ask()
    assert [trial.state.name for trial in study._study.trials] == ["FAIL", "FAIL", "RUNNING"]


@pytest.mark.parametrize("lag", [0, 2])
def test_a_sampler_with_books_of_its_own_is_told_as_late_as_in_the_run(lag: int, past: Past) -> None:
    sampler = Bookkeeper()
    history = past([0.1, 0.2, float("nan"), 0.4, 0.5, 0.6, 0.7])
    known = len(history) - lag
    pending = [Candidate(record.architecture, Recipe()) for record in history[known:]]
    trials_of(sampler, history[:known], pending)
    expected: list[tuple[str, int]] = []
    for number in range(len(history)):
        if number > lag:
            expected.append(("FAIL" if number - lag - 1 == 2 else "COMPLETE", number - lag - 1))
        expected.append(("begins", number))
    assert sampler.books == [*expected, ("COMPLETE", known - 1)]


@pytest.mark.parametrize(("size", "lag"), [(2, 0), (3, 0), (4, 1), (4, 3), (4, 6)])
def test_generations_are_those_that_optuna_counts(size: int, lag: int) -> None:
    sampler = optuna.samplers.NSGAIISampler(population_size=size, seed=0)
    study = optuna.create_study(sampler=sampler, direction="maximize")
    asked: list[optuna.Trial] = []
    ended: list[bool] = []
    for number in range(30):
        if number > lag:
            known = number - lag - 1
            if ended[known]:
                study.tell(asked[known], known / 30)
            else:
                study.tell(asked[known], state=TrialState.FAIL)
        asked.append(study.ask())
        asked[-1].suggest_int("x", 0, 9)
        ended.append(number % 5 != 3)
    expected = [trial.system_attrs["NSGAIISampler:generation"] for trial in study.trials]
    assert generations(ended, size, lag) == expected
    assert expected[-1] > 1


def test_a_genetic_sampler_crosses_the_population_before(past: Past) -> None:
    translation = Translation(SearchSpace())
    study = StudyReplay(optuna.samplers.NSGAIISampler(population_size=5, seed=0), translation)
    study.replay(list(translation.ended(past([number / 20 for number in range(13)]))))
    study.ask()
    assert [trial.system_attrs["NSGAIISampler:generation"] for trial in study._study.trials] == [
        *[0] * 5, *[1] * 5, *[2] * 4,
    ]  # fmt: skip


def test_only_what_optuna_says_in_this_thread_is_not_shown() -> None:
    shown: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            shown.append(record.getMessage())

    logger, handler = logging.getLogger("optuna"), Handler()
    before = logger.level, logger.propagate, list(logger.handlers)
    logger.addHandler(handler)
    try:
        with quiet():
            logging.getLogger("optuna.samplers").warning("here")
            other = threading.Thread(target=lambda: logging.getLogger("optuna.samplers").warning("elsewhere"))
            other.start()
            other.join()
        logging.getLogger("optuna.samplers").warning("later")
    finally:
        logger.removeHandler(handler)
    assert shown == ["elsewhere", "later"]
    assert handler.filters == []
    assert (logger.level, logger.propagate, list(logger.handlers)) == before
