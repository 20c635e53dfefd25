"""Trainings of tiny networks.

Keras takes a second or more to make ready any training, so that a few trainings are made and looked at from all sides.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from tinysearch.baselines.models import INCEPTION
from tinysearch.data.dataset import TrainingData
from tinysearch.data.images import Images
from tinysearch.data.loading import load
from tinysearch.errors import InputError, ShapeError
from tinysearch.results.objective import OBJECTIVES, Objective
from tinysearch.results.predictions import unpack
from tinysearch.results.record import Epoch, Measurement
from tinysearch.runtime.preparation import prepare_to_train
from tinysearch.space.architecture import Architecture, Conv, Dropout, Head, Inception, Pool, SeparableConv
from tinysearch.space.task import Task
from tinysearch.training.callbacks import PlateauRule
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import DataReference, Job
from tinysearch.training.optimization import OneCycle
from tinysearch.training.predictions import classified
from tinysearch.training.recipe import Recipe, recipe
from tinysearch.training.saving import loaded, saved
from tinysearch.training.trainer import Keeping, fit, train

SMALL = Architecture((Conv(4, stride=2, norm="before", bias=False), Pool()), Head("average"))
# Of every kind of layer that has a state of its own, or a generator.
BRANCHED = Architecture((Inception(((Conv(2, stride=2),), (Conv(2, stride=2), Dropout(0.2)))), Pool()), Head("average"))
SEPARABLE = Architecture((SeparableConv(4, stride=2, norm="after"), Dropout(0.25), Pool()), Head("flatten", hidden=4))
PLAIN = Candidate(SMALL, Recipe(epochs=2))
AVERAGED = Candidate(BRANCHED, Recipe(epochs=3, schedule="constant", learning_rate=0.05, ema_momentum=0.9))

Once = Callable[[Candidate, int], tuple[keras.Model, Measurement]]


@pytest.fixture(scope="module")
def data() -> TrainingData:
    prepare_to_train()
    whole = load("digits").training_data()
    return TrainingData(whole.task, head(whole.train, 200), whole.validation, whole.full_scale)


def head(images: Images, count: int) -> Images:
    return Images(images.pixels[:count], images.labels[:count])


@pytest.fixture(scope="module")
def fit_once(data: TrainingData) -> Once:
    """Return a function that trains a candidate with a seed, and gives back the same when it is asked for it again."""
    return functools.cache(lambda candidate, seed: fit(candidate, data, seed))


class Heard:
    """A watcher that keeps what it is told."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.epochs: list[Epoch] = []
        self.states: list[bytes | None] = []

    def __call__(self, number: int, epoch: Epoch, state: bytes | None) -> None:
        self.numbers.append(number)
        self.epochs.append(epoch)
        self.states.append(state)


def job(candidate: Candidate, seed: int = 0, **options: Any) -> Job:
    return Job(candidate, seed, DataReference("pixels", "labels", "the data", (8, 8, 1), 10, 16.0), **options)


@pytest.mark.parametrize(
    ("network", "name"),
    [
        pytest.param(SEPARABLE, "documented", marks=pytest.mark.slow),
        pytest.param(BRANCHED, "default", marks=pytest.mark.slow),
        pytest.param(SMALL, "default", marks=pytest.mark.slow),
    ],
)
def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(
    network: Architecture, name: str, data: TrainingData
) -> None:
    def curve(seed: int) -> list[tuple[float, float | None]]:
        candidate = Candidate(network, recipe(name, epochs=2))
        return [(epoch.loss, epoch.val_loss) for epoch in fit(candidate, data, seed)[1].curve]

    assert curve(0) == curve(0)
    assert curve(0) != curve(1)


def test_every_epoch_is_trained_with_exactly_its_steps_and_reported_and_a_step_is_traced_once(
    data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    traced = {"train_step": 0, "test_step": 0}
    for name in traced:
        step = getattr(keras.Model, name)

        def counted(*args: object, name: str = name, step: Callable[..., object] = step) -> object:
            traced[name] += 1
            return step(*args)

        monkeypatch.setattr(keras.Model, name, counted)
    heard = Heard()
    # 67 steps an epoch, the last of which has fewer images.
    model, measurement = fit(Candidate(SMALL, Recipe(epochs=3, batch_size=3)), data, 0, heard)
    assert int(model.optimizer.iterations) == 3 * math.ceil(200 / 3)
    assert heard.numbers == [1, 2, 3]
    assert tuple(heard.epochs) == measurement.curve
    assert measurement.val_accuracy == measurement.curve[-1].val_accuracy
    assert traced == {"train_step": 1, "test_step": 1}


def test_the_score_is_the_accuracy_on_the_validation_images(data: TrainingData, fit_once: Once) -> None:
    assert data.validation is not None
    model, measurement = fit_once(PLAIN, 3)
    images = data.validation
    guesses = model.predict(images.pixels, verbose=0).argmax(axis=1)
    assert measurement.val_accuracy == pytest.approx(float((guesses == images.labels).mean()), abs=1e-6)
    np.testing.assert_array_equal(classified(model, images.pixels), guesses)


@pytest.fixture(scope="module")
def whole(data: TrainingData) -> Measurement:
    """Return the measurement of four epochs without a floor, with all metrics after each."""
    return fit(Candidate(SMALL, Recipe(epochs=4)), data, 0, objective="macro_f1")[1]


@pytest.mark.parametrize(
    ("epoch", "above", "epochs"), [(2, 0.01, 2), (2, 0.0, 4), pytest.param(3, -1.0, 4, marks=pytest.mark.slow)]
)
def test_training_ends_after_the_epoch_of_the_floor_if_it_is_below(
    epoch: int, above: float, epochs: int, data: TrainingData, whole: Measurement
) -> None:
    floor = (epoch, max(0.0, (whole.curve[1].val_accuracy or 0.0) + above))
    heard = Heard()
    _, measurement = fit(Candidate(SMALL, Recipe(epochs=4)), data, 0, heard, Keeping("the data"), floor)
    # There is nothing to go on to after the last epoch.
    assert [state is None for state in heard.states] == [False] * (epochs - 1) + [True]
    assert measurement.failure is None
    assert [one.val_loss for one in measurement.curve] == [one.val_loss for one in whole.curve[:epochs]]
    # The epoch at which training may end has all metrics, whatever the objective.
    assert measurement.curve[-1].metrics == whole.curve[epochs - 1].metrics


def test_a_job_is_trained_as_it_says_and_tells_of_no_state_and_no_model_unless_it_is_to(
    data: TrainingData, fit_once: Once
) -> None:
    heard = Heard()
    outcome = train(job(PLAIN, 3), data, heard)
    expected = fit_once(PLAIN, 3)[1]
    assert [epoch.loss for epoch in outcome.measurement.curve] == [epoch.loss for epoch in expected.curve]
    assert (outcome.model, heard.states) == (None, [None, None])


def test_labels_are_smoothed(data: TrainingData) -> None:
    assert data.validation is not None
    model, measurement = fit(Candidate(SMALL, Recipe(epochs=1, label_smoothing=0.2)), data, 0)
    probabilities = model.predict(data.validation.pixels, verbose=0).astype(np.float64)
    target = np.eye(10)[data.validation.labels] * 0.8 + 0.02
    expected = -(target * np.log(probabilities)).sum(axis=1).mean()
    assert measurement.val_loss == pytest.approx(expected, rel=1e-4)
    assert measurement.val_accuracy == pytest.approx(
        float((probabilities.argmax(axis=1) == data.validation.labels).mean()), abs=1e-6
    )


def test_kernels_decay_and_scales_and_offsets_do_not(data: TrainingData) -> None:
    # Of a network without inputs to learn from, only the decay changes kernels: here a rate so low that it is all.
    how = Recipe(epochs=2, optimizer="sgd", schedule="constant", learning_rate=1e-6, weight_decay=0.0)
    before, _ = fit(Candidate(SMALL, how), data, 0)
    after, _ = fit(Candidate(SMALL, replace(how, weight_decay=1.0)), data, 0)
    for one, other in zip(before.trainable_variables, after.trainable_variables, strict=True):
        same = np.allclose(one.numpy(), other.numpy(), rtol=1e-6, atol=1e-9)
        assert same != (one.name == "kernel"), one.path


def test_averages_of_the_weights_are_what_is_scored_and_kept(data: TrainingData, fit_once: Once) -> None:
    assert data.validation is not None
    plain, _ = fit(replace(AVERAGED, recipe=replace(AVERAGED.recipe, ema_momentum=0.0)), data, 3)
    model, measurement = fit_once(AVERAGED, 3)
    right = classified(model, data.validation.pixels) == data.validation.labels
    assert measurement.val_accuracy == pytest.approx(float(right.mean()), abs=1e-6)
    kernels = [one.trainable_variables[0].numpy() for one in (plain, model)]
    assert not np.allclose(*kernels)
    np.testing.assert_allclose(*kernels, atol=0.1)


def test_a_candidate_learns(data: TrainingData) -> None:
    network = Architecture((Conv(8, kernel=5, stride=2, norm="before"), Pool()), Head("flatten"))
    _, measurement = fit(Candidate(network, Recipe(epochs=4, batch_size=16)), data, 0)
    assert measurement.curve[-1].loss < measurement.curve[0].loss
    assert (measurement.val_accuracy or 0.0) > 0.4


# Here the count of parameters of an Inception; that answers stay the same is shown by the next one too.
@pytest.mark.slow
def test_a_saved_model_takes_raw_pixels_and_gives_the_same_answers(data: TrainingData, tmp_path: Path) -> None:
    assert data.validation is not None
    model, measurement = fit(Candidate(INCEPTION.architecture, Recipe(epochs=1)), data, 0)
    path = tmp_path / "one.keras"
    path.write_bytes(saved(model))
    again = keras.saving.load_model(path)
    assert again.count_params() == INCEPTION.params
    right = classified(again, data.validation.pixels) == data.validation.labels
    assert right.mean() == pytest.approx(measurement.val_accuracy, abs=1e-6)


def test_a_model_of_any_recipe_is_saved_without_what_it_was_trained_by(data: TrainingData) -> None:
    how = Recipe(epochs=1, label_smoothing=0.1, weight_decay=1e-4, ema_momentum=0.9)
    outcome = train(job(Candidate(SMALL, how), keep_model=True), data)
    assert outcome.model is not None
    again = loaded(outcome.model)
    assert data.validation is not None
    assert not again.compiled
    right = classified(again, data.validation.pixels) == data.validation.labels
    assert right.mean() == pytest.approx(outcome.measurement.val_accuracy, abs=1e-6)


@pytest.mark.slow
def test_the_saved_model_predicts_the_test_images_of_an_evaluation_and_none_of_a_search(data: TrainingData) -> None:
    pixels = load("digits").test().pixels[:50]
    kept = job(Candidate(SMALL, Recipe(epochs=1)), keep_model=True)
    assert train(kept, data).measurement.predicted is None
    outcome = train(kept, replace(data, test=pixels))
    assert outcome.model is not None
    assert outcome.measurement.predicted is not None
    np.testing.assert_array_equal(unpack(outcome.measurement.predicted), classified(loaded(outcome.model), pixels))


def test_a_model_that_cannot_be_saved_does_not_cost_the_measurement_and_predicts_nothing(
    data: TrainingData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    shown = replace(data, test=load("digits").test().pixels[:5])
    outcome = train(job(Candidate(SMALL, Recipe(epochs=2)), keep_model=True), shown)
    assert (outcome.measurement.failure, outcome.measurement.predicted, outcome.model) == (None, None, None)
    assert len(outcome.measurement.curve) == 2


def test_a_loss_that_is_no_number_is_a_failure_with_its_epoch(data: TrainingData) -> None:
    hopeless = Architecture((Conv(8, activation="linear"), Conv(8, activation="linear")), Head("flatten"))
    _, measurement = fit(Candidate(hopeless, Recipe(epochs=3, learning_rate=100.0, clip_norm=0.0)), data, 0)
    assert measurement.failure is not None
    assert "epoch 1" in measurement.failure
    assert measurement.val_accuracy is None


def test_other_shapes_and_any_number_of_classes_are_trained_on_and_without_validation_nothing_is_measured() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.normal(size=(60, 9, 7, 3)).astype(np.float32)
    images = Images(pixels, (np.arange(60) % 3).astype(np.int32))
    data = TrainingData(Task((9, 7, 3), 3), images, None, 4.0)
    model, measurement = fit(Candidate(SMALL, Recipe(epochs=1)), data, 0, objective="macro_f1")
    assert model.output_shape == (None, 3)
    assert measurement.val_accuracy is None
    assert measurement.curve[0].val_loss is None
    assert measurement.curve[0].metrics == {}


def test_an_architecture_that_does_not_fit_the_images_is_refused(data: TrainingData) -> None:
    deep = Architecture((Pool(size=4),) * 4)
    with pytest.raises(ShapeError, match="1x1"):
        fit(Candidate(deep, Recipe(epochs=1)), data, 0)


class _Killed(Exception):  # noqa: N818
    pass


def interrupted(
    candidate: Candidate, data: TrainingData, seed: int, epoch: int, state: bytes | None = None
) -> bytes | None:
    """Train until an epoch is over, and end before its state is heard of; return the last state that was."""
    states = [state]

    def end(number: int, point: Epoch, state: bytes | None) -> None:
        if number == epoch:
            raise _Killed
        states.append(state)

    with pytest.raises(_Killed):
        fit(candidate, data, seed, end, Keeping("the data", state))
    return states[-1]


@pytest.mark.parametrize(
    ("network", "how"),
    [
        pytest.param(
            SMALL,
            replace(recipe("documented", epochs=5), plateau_factor=3.0, learning_rate=0.01),
            marks=pytest.mark.slow,
        ),
        (BRANCHED, recipe("default", epochs=5)),
        pytest.param(
            SEPARABLE,
            Recipe(epochs=5, label_smoothing=0.1, weight_decay=1e-3, ema_momentum=0.9),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_an_interrupted_training_goes_on_with_the_numbers_it_would_have_had(
    network: Architecture, how: Recipe, data: TrainingData
) -> None:
    candidate = Candidate(network, how)
    whole, measured = fit(candidate, data, 3)
    stops = (2, 5)
    state: bytes | None = None
    for stop in stops:
        state = interrupted(candidate, data, 3, stop, state)
    heard = Heard()
    resumed, again = fit(candidate, data, 3, heard, Keeping("the data", state))
    assert heard.numbers == list(range(stops[-1], 6))
    assert [replace(epoch, seconds=0.0) for epoch in again.curve] == [
        replace(epoch, seconds=0.0) for epoch in measured.curve
    ]
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert [epoch.seconds for epoch in again.curve] == sorted(epoch.seconds for epoch in again.curve)


@pytest.fixture(scope="module")
def kept(data: TrainingData) -> bytes:
    """Return the state after two of three epochs of ``SMALL``, with seed 0."""
    state = interrupted(Candidate(SMALL, Recipe(epochs=3)), data, 0, 3)
    assert state is not None
    return state


@pytest.mark.parametrize(
    "damage",
    [
        "another seed",
        *(
            pytest.param(one, marks=pytest.mark.slow)
            for one in ("cut off", "other data", "another candidate", "empty", "no archive")
        ),
    ],
)
def test_a_state_that_is_not_of_this_training_is_not_used(damage: str, data: TrainingData, kept: bytes) -> None:
    candidate = Candidate(SMALL, Recipe(epochs=3))
    state: bytes | None = kept
    if damage == "another candidate":
        state = interrupted(Candidate(Architecture((Conv(5),), Head("average")), Recipe(epochs=3)), data, 0, 3)
    elif damage == "cut off":
        state = kept[:-50]
    elif damage == "empty":
        state = b""
    elif damage == "no archive":
        state = b"a text"
    heard = Heard()
    mark = "other data" if damage == "other data" else "the data"
    _, measurement = fit(candidate, data, int(damage == "another seed"), heard, Keeping(mark, state))
    assert heard.numbers == [1, 2, 3]
    assert measurement.failure is None


def test_a_job_goes_on_from_its_state_if_that_is_of_the_same_fold(data: TrainingData) -> None:
    heard = Heard()
    candidate = Candidate(SMALL, Recipe(epochs=2))
    whole = train(job(candidate, keep_states=True), data, heard)
    for fold, epochs in ((0, [2]), (3, [1, 2])):
        later = Heard()
        again = train(job(candidate, fold=fold, state=heard.states[0]), data, later)
        assert later.numbers == epochs
        assert [one.loss for one in again.measurement.curve] == [one.loss for one in whole.measurement.curve]


def test_one_cycle_rises_to_its_peak_and_ends_at_zero() -> None:
    schedule = OneCycle(0.1, 100)
    rates = [float(schedule(step)) for step in range(100)]
    assert rates[19] == pytest.approx(0.1) == max(rates)
    assert rates[:20] == sorted(rates[:20])
    assert rates[19:] == sorted(rates[19:], reverse=True)
    assert rates[-1] == pytest.approx(0.0, abs=1e-7)


@pytest.mark.parametrize(
    ("accuracies", "reduced_after"),
    [
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], []),
        ([0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5], [3, 6]),
        ([0.5, 0.6, 0.7, 0.5, 0.6, 0.7, 0.8], [3]),
        ([0.9, 0.1, 0.1, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2], [3, 6]),
    ],
)
def test_the_plateau_rule_divides_the_rate_at_most_once_in_three_epochs(
    accuracies: list[float], reduced_after: list[int]
) -> None:
    rule = PlateauRule(factor=10.0)
    optimizer = SimpleNamespace(learning_rate=1.0)
    rule.set_model(SimpleNamespace(optimizer=optimizer))  # type: ignore[no-untyped-call]
    reduced = []
    for epoch, value in enumerate(accuracies):
        before = optimizer.learning_rate
        rule.on_epoch_end(epoch, {"val_accuracy": value})
        if optimizer.learning_rate != before:
            assert optimizer.learning_rate == pytest.approx(before / 10)
            reduced.append(epoch)
    assert reduced == reduced_after


def test_without_validation_images_the_plateau_rule_follows_the_training_accuracy() -> None:
    rule = PlateauRule(factor=10.0)
    optimizer = SimpleNamespace(learning_rate=1.0)
    rule.set_model(SimpleNamespace(optimizer=optimizer))  # type: ignore[no-untyped-call]
    for epoch, value in enumerate([0.1, 0.2, 0.3, 0.4, 0.5]):
        rule.on_epoch_end(epoch, {"accuracy": value})
    assert optimizer.learning_rate == 1.0
    rule.on_epoch_end(5, {"accuracy": 0.3})
    assert optimizer.learning_rate == pytest.approx(0.1)


def test_the_plateau_rule_reaches_the_optimizer_of_a_training(data: TrainingData) -> None:
    from dataclasses import replace

    stuck = replace(recipe("documented", epochs=5), learning_rate=1e-9, plateau_factor=2.0)
    _, measurement = fit(Candidate(SMALL, stuck), data, 0)
    assert [epoch.learning_rate for epoch in measurement.curve] == pytest.approx([1e-9] * 4 + [5e-10])


# Objectives


def values(labels: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    return {
        "balanced_accuracy": balanced_accuracy_score(labels, predicted),
        "macro_f1": f1_score(labels, predicted, average="macro", zero_division=0),
    }


@pytest.mark.parametrize("candidate", [PLAIN, AVERAGED], ids=["plain", "averaged"])
def test_every_objective_is_measured_after_the_last_epoch_of_the_model_that_is_kept(
    data: TrainingData, candidate: Candidate, fit_once: Once
) -> None:
    assert data.validation is not None
    model, measurement = fit_once(candidate, 3)
    guesses = classified(model, data.validation.pixels)
    assert [epoch.metrics for epoch in measurement.curve[:-1]] == [{}] * (candidate.recipe.epochs - 1)
    assert measurement.curve[-1].metrics == pytest.approx(values(data.validation.labels, guesses))
    assert measurement.val_accuracy == pytest.approx(float((guesses == data.validation.labels).mean()), abs=1e-6)


def test_another_objective_than_accuracy_is_measured_after_every_epoch_and_changes_nothing(
    data: TrainingData, fit_once: Once
) -> None:
    plain = fit_once(AVERAGED, 3)[1]
    seen: list[Epoch] = []
    _, measurement = fit(AVERAGED, data, 3, lambda number, epoch, state: seen.append(epoch), objective="macro_f1")
    assert all(set(epoch.metrics) == {"balanced_accuracy", "macro_f1"} for epoch in measurement.curve)
    assert tuple(seen) == measurement.curve
    assert [one.val_loss for one in measurement.curve] == [one.val_loss for one in plain.curve]
    assert measurement.curve[-1].metrics == plain.curve[-1].metrics
    # What is measured after an epoch is what would be if it were the last: of the averaged weights.
    assert data.validation is not None
    for number, epoch in enumerate(measurement.curve):
        right = (epoch.val_accuracy or 0.0) * len(data.validation)
        assert right == pytest.approx(round(right), abs=1e-3), number


@pytest.mark.parametrize(
    ("finite", "failure"),
    [
        pytest.param((2, 4), None, marks=pytest.mark.slow),
        ((1, 3), "sometimes was not finite after epoch 4"),
    ],
)
def test_an_objective_must_be_a_finite_number_after_the_last_epoch(
    finite: tuple[int, ...], failure: str | None, data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Sometimes(Objective):
        name = "sometimes"
        epoch = 0

        def value(self, labels: object, predicted: object) -> float:
            self.epoch += 1
            return 0.5 if self.epoch in finite else float("nan")

    monkeypatch.setitem(OBJECTIVES, "sometimes", Sometimes())
    _, measurement = fit(Candidate(SMALL, Recipe(epochs=4)), data, 0, objective="sometimes")
    assert measurement.failure == failure
    known = {number for number, epoch in enumerate(measurement.curve, 1) if epoch.value("sometimes") == 0.5}
    assert known == set(finite)


@pytest.mark.slow
def test_the_floor_is_of_the_objective(data: TrainingData, whole: Measurement) -> None:
    reached = whole.curve[1].metrics["macro_f1"]
    assert reached != whole.curve[1].val_accuracy
    for bound, epochs in ((reached + 0.001, 2), (reached, 4)):
        _, measurement = fit(Candidate(SMALL, Recipe(epochs=4)), data, 0, floor=(2, bound), objective="macro_f1")
        assert [one.val_loss for one in measurement.curve] == [one.val_loss for one in whole.curve[:epochs]]


def test_a_job_carries_its_objective_and_an_unknown_one_is_refused(data: TrainingData) -> None:
    one = job(Candidate(SMALL, Recipe(epochs=2)), objective="balanced_accuracy")
    assert Job.from_dict(json.loads(json.dumps(one.to_dict()))) == one
    measurement = train(one, data).measurement
    assert measurement.value("balanced_accuracy") == measurement.curve[-1].metrics["balanced_accuracy"]
    assert Measurement.from_dict(json.loads(json.dumps(measurement.to_dict()))) == measurement
    with pytest.raises(InputError, match="recall"):
        train(replace(one, objective="recall"), data)
