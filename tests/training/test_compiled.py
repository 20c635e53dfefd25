"""Compiled epochs on JAX, in a process of its own, against Keras's ``fit`` on TensorFlow in this one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trainings import Trained, Wanted, deployed, pictures, trained

from tinysearch.errors import WorkError
from tinysearch.runtime.preparation import prepare_to_train
from tinysearch.space.architecture import Architecture, Conv, DepthwiseConv, Dropout, Head, Pool, SeparableConv
from tinysearch.training.predictions import classified
from tinysearch.training.recipe import Recipe, recipe
from tinysearch.training.saving import loaded

Train = Callable[[Wanted], Trained]

# Of every kind of layer that is another one on JAX, and none that draws.
NETWORK = Architecture(
    (Conv(4, norm="after"), Pool(), SeparableConv(6, norm="before", bias=False), DepthwiseConv(norm="before")),
    Head("average"),
)
DROPPED = Architecture((Conv(4, stride=2, norm="before"), Dropout(0.3)), Head("average"))
SERIES = Architecture((Conv(4, kernel=(3, 1), norm="before"), Pool(size=(2, 1))), Head("average"))
STEADY = {"schedule": "constant", "learning_rate": 0.02}


@pytest.fixture(scope="module")
def there(on_jax: Callable[..., Any]) -> Train:
    """Return a function that trains on JAX."""
    return lambda wanted: on_jax(trained, wanted)


@pytest.fixture(scope="module", autouse=True)
def _prepared() -> None:
    prepare_to_train()


def losses(result: Trained) -> list[float]:
    return [epoch.loss for epoch in result.curve]


def timeless(result: Trained) -> list[object]:
    return [dataclasses.replace(epoch, seconds=0.0) for epoch in result.curve]


@pytest.mark.slow
@pytest.mark.parametrize("gpu", [False, True], ids=["layers for a processor", "layers for a GPU"])
def test_the_losses_of_fifty_steps_are_those_of_tensorflow(gpu: bool, there: Train) -> None:
    # An epoch of one step: its loss is that of the step.
    wanted = Wanted(NETWORK, Recipe(epochs=50, batch_size=32), count=32, weights=True, gpu=gpu)
    ours, theirs = there(wanted), trained(wanted)
    assert len(losses(ours)) == 50
    np.testing.assert_allclose(losses(ours), losses(theirs), rtol=0, atol=1e-4)
    assert losses(ours)[-1] < losses(ours)[0] - 0.1


KNOBS = {
    # Five whole steps and a smaller one; the warm-up and the fall of the rate.
    "default": Recipe(epochs=8, batch_size=16),
    "adam": Recipe(
        epochs=5,
        batch_size=16,
        optimizer="adam",
        input_scaling="unit",
        clip_norm=0.0,
        label_smoothing=0.1,
        weight_decay=0.01,
        class_weight="balanced",
        plateau_factor=4.0,
        norm_momentum=0.8,
        schedule="constant",
        learning_rate=1e-9,
    ),
    "weighted": Recipe(epochs=3, batch_size=16, weight_decay=0.01, class_weight="balanced", label_smoothing=0.1),
    "averaged": Recipe(
        epochs=4,
        batch_size=16,
        ema_momentum=0.8,
        no_augment_final_epochs=1,
        zoom=0.2,
        shear_degrees=10.0,
        mirroring=0.5,
        cutout=0.4,
        brightness=0.3,
        scaling=0.2,
        jitter=0.1,
        **STEADY,  # type: ignore[arg-type]
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *(("grey", name) for name in KNOBS),
        *(pytest.param("colour", name, marks=pytest.mark.slow) for name in KNOBS),
    ],
)
def test_every_knob_of_a_recipe_does_what_it_does_on_tensorflow(kind: str, name: str, there: Train) -> None:
    wanted = Wanted(NETWORK, KNOBS[name], kind, weights=True)
    ours, theirs = there(wanted), trained(wanted)
    for one, other in zip(ours.curve, theirs.curve, strict=True):
        for value in ("loss", "val_loss", "learning_rate"):
            assert getattr(one, value) == pytest.approx(getattr(other, value), rel=2e-3, abs=1e-3), value
        for value in ("accuracy", "val_accuracy"):
            assert getattr(one, value) == pytest.approx(getattr(other, value), abs=1.5 / 37), value


@pytest.mark.slow
def test_series_are_trained_as_on_tensorflow(there: Train) -> None:
    how = Recipe(epochs=3, batch_size=16, rotation_degrees=0.0, shift_pixels=2.0, jitter=0.1, scaling=0.2, cutout=0.3)
    wanted = Wanted(SERIES, how, "series", weights=True)
    np.testing.assert_allclose(losses(there(wanted)), losses(trained(wanted)), rtol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(("count", "steps"), [(88, 1), (90, 2)])
def test_python_runs_no_step_and_one_is_compiled_or_one_and_a_smaller_one(count: int, steps: int, there: Train) -> None:
    # The last batch is one of 8, each of which can be taken twice, or one of 10.
    found = there(Wanted(NETWORK, Recipe(epochs=3, batch_size=16), count=count))
    assert found.traced == {"train_step": steps, "test_step": 1}
    assert found.numbers == [1, 2, 3]


@pytest.mark.slow
@pytest.mark.parametrize("count", [20, 22])
def test_an_image_that_is_taken_several_times_counts_once(count: int, there: Train) -> None:
    # 16 images and then 4, each taken four times, or 6; no weight moves in between.
    wanted = Wanted(NETWORK, dataclasses.replace(KNOBS["adam"], epochs=1), count=count, weights=True)
    ours, theirs = there(wanted).curve[0], trained(wanted).curve[0]
    assert ours.loss == pytest.approx(theirs.loss, rel=1e-5)
    assert ours.accuracy == pytest.approx(theirs.accuracy, rel=1e-6)


@pytest.mark.parametrize(
    ("how", "ends"),
    [
        pytest.param(recipe("default", epochs=4), (1, 3), marks=pytest.mark.slow),
        pytest.param(Recipe(epochs=2, batch_size=16, ema_momentum=0.9), (1,), marks=pytest.mark.slow),
    ],
)
def test_the_same_seed_gives_the_same_numbers_resumed_or_not(how: Recipe, ends: tuple[int, ...], there: Train) -> None:
    wanted = Wanted(DROPPED, how)
    whole, again = there(wanted), there(wanted)
    assert timeless(whole) == timeless(again)
    for after in ends:
        resumed = there(dataclasses.replace(wanted, state=whole.states[after - 1]))
        assert resumed.numbers == list(range(after + 1, how.epochs + 1))
        assert timeless(resumed) == timeless(whole)
        for one, other in zip(whole.weights, resumed.weights, strict=True):
            np.testing.assert_array_equal(one, other)
    assert losses(there(dataclasses.replace(wanted, seed=1))) != losses(whole)


@pytest.mark.slow
def test_another_objective_is_measured_after_every_epoch_of_what_is_kept(there: Train) -> None:
    wanted = Wanted(NETWORK, Recipe(epochs=3, batch_size=16, ema_momentum=0.8), objective="macro_f1", weights=True)
    ours, theirs = there(wanted), trained(wanted)
    assert all(set(epoch.metrics) == {"balanced_accuracy", "macro_f1"} for epoch in ours.curve)
    labels = pictures("grey", 88).validation
    assert labels is not None
    right = [float((ours.classes == labels.labels).mean()), ours.curve[-1].val_accuracy]
    assert right[0] == pytest.approx(right[1])
    assert ours.curve[-1].metrics["macro_f1"] == pytest.approx(theirs.curve[-1].metrics["macro_f1"], abs=0.1)


@pytest.mark.slow
def test_training_ends_below_the_floor_and_when_the_loss_is_no_number(there: Train) -> None:
    wanted = Wanted(NETWORK, Recipe(epochs=4, batch_size=16))
    assert there(dataclasses.replace(wanted, floor=(2, 1.1))).numbers == [1, 2]
    assert there(dataclasses.replace(wanted, floor=(2, 0.0))).numbers == [1, 2, 3, 4]
    failed = there(Wanted(DROPPED, Recipe(epochs=3), "broken"))
    assert failed.failure == "loss was nan after epoch 1"
    assert failed.numbers == []


@pytest.mark.slow
@pytest.mark.parametrize("bound", ["most", "memory"])
def test_images_that_are_too_many_for_the_device_are_trained_on_batch_by_batch_with_the_same_numbers(
    bound: str, there: Train
) -> None:
    wanted = Wanted(NETWORK, Recipe(epochs=2, batch_size=16, mirroring=0.5))
    compiled, by_keras = there(wanted), there(dataclasses.replace(wanted, **{bound: 1_000}))
    np.testing.assert_allclose(losses(compiled), losses(by_keras), rtol=1e-4)
    np.testing.assert_array_equal(compiled.classes, by_keras.classes)


@pytest.mark.slow
@pytest.mark.parametrize("gpu", [False, True], ids=["layers for a processor", "layers for a GPU"])
def test_a_model_that_was_trained_there_is_of_kerass_own_layers_and_answers_alike_anywhere(
    gpu: bool, there: Train
) -> None:
    found = there(Wanted(NETWORK, Recipe(epochs=3, batch_size=16), gpu=gpu))
    data = pictures("grey", 88)
    assert data.validation is not None
    model = loaded(found.model)
    assert {type(layer).__module__.split(".")[0] for layer in model.layers} == {"keras"}
    np.testing.assert_array_equal(classified(model, data.validation.pixels), found.classes)


@pytest.mark.slow
def test_a_network_can_be_deployed_there(on_jax: Callable[..., Any], tmp_path: Path) -> None:
    assert on_jax(deployed, NETWORK, "saved_model", str(tmp_path / "saved")) < 1e-5
    with pytest.raises(
        WorkError, match=r"the backend 'jax' of Keras cannot write ONNX .* set KERAS_BACKEND=tensorflow"
    ):
        on_jax(deployed, NETWORK, "onnx", str(tmp_path / "onnx"))
