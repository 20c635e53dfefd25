"""What a tuner answers where trained models lie in files."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import keras_tuner
import pytest

from tinysearch.errors import CandidateError
from tinysearch.search.keras_tuner.saved_models import SavedModels


class Answers(SavedModels):
    """Four trials: scores 0.5, 0.9, a failure, and 0.7."""

    def __init__(self, folder: Path) -> None:
        self.oracle = keras_tuner.oracles.RandomSearchOracle("val_accuracy", max_trials=4, seed=1)
        for index, score in enumerate((0.5, 0.9, None, 0.7)):
            hp = keras_tuner.HyperParameters()
            hp.Fixed("width", index + 1)
            trial = keras_tuner.engine.trial.Trial(hp, str(index), "FAILED" if score is None else "COMPLETED")
            trial.score = score
            self.oracle.trials[str(index)] = trial
            keras.Sequential([keras.Input((2,)), keras.layers.Dense(index + 1)]).save(folder / f"{index}.keras")
        self.model_of = lambda trial: folder / f"{trial.trial_id}.keras"


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    return Answers(tmp_path)


def test_the_best_models_are_loaded_as_they_were_saved_the_best_first(answers: Answers) -> None:
    assert [model.output_shape[-1] for model in answers.get_best_models(2)] == [2, 4]
    assert [model.output_shape[-1] for model in answers.get_best_models()] == [2]


def test_what_failed_is_not_among_the_best(answers: Answers) -> None:
    assert [hp.get("width") for hp in answers.get_best_hyperparameters(9)] == [2, 4, 1]
    assert len(answers.get_best_models(9)) == 3


def test_a_model_that_was_not_kept_is_an_error_that_names_its_trial(answers: Answers, tmp_path: Path) -> None:
    (tmp_path / "3.keras").unlink()
    with pytest.raises(CandidateError, match="trial 3"):
        answers.get_best_models(2)


def test_the_summary_shows_the_best_trials_and_what_was_rejected(
    answers: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    answers.results_summary(2)
    plain = capsys.readouterr().out
    assert "Showing 2 best trials" in plain
    assert plain.index("Trial 1 summary") < plain.index("Trial 3 summary")
    assert "Trial 0" not in plain
    assert "Rejected" not in plain
    known: Any = answers.oracle
    answers.oracle = SimpleNamespace(
        rejections={"params": 1_200, "shape": 3}, objective=known.objective, get_best_trials=known.get_best_trials
    )
    answers.results_summary()
    assert "Rejected: 1,200 (params), 3 (shape)" in capsys.readouterr().out


def test_it_comes_before_keras_tuners_own_answers(tmp_path: Path) -> None:
    class Tuner(SavedModels, keras_tuner.Tuner):
        def run_trial(self, trial: Any, *fit_args: Any, **fit_kwargs: Any) -> None:
            return None

    assert Tuner.get_best_models is SavedModels.get_best_models
    assert Tuner.load_model is SavedModels.load_model
