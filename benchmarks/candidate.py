"""CPU time of training one candidate: with tinysearch, with KerasTuner's defaults, and of the kernels alone.

::

    python benchmarks/candidate.py --data mnist.npz --runs 5
    python benchmarks/candidate.py --networks conv --runs 1 --json
    python benchmarks/candidate.py --networks light --batch-size 32

KerasTuner on TensorFlow requires TensorBoard: ``pip install '.[benchmarks]'``.

The sides are trained in turn, each in its own process, on the same images for the same number of epochs, with one
thread. The time of an epoch is the mean from the end of the first epoch to the end of the last: start and tracing do
not count. ``theirs`` is ``keras_tuner.RandomSearch(...).search`` on ``model.compile("adam", ...)`` with everything else
left at its defaults. ``ours`` trains with the recipe ``default``, ``documented`` with the recipe of the hand-designed
baselines, which is also that of ``theirs``. ``floor`` is the time of the kernels of an epoch of ``ours``: each layer,
the loss, the optimizer step and the augmentation are run separately and repeatedly at the same batch size.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tinysearch.baselines.models import CONV
from tinysearch.data.dataset import TrainingData
from tinysearch.data.images import Images
from tinysearch.data.loading import load
from tinysearch.runtime.preparation import prepare_to_train
from tinysearch.space.architecture import Architecture, Conv, DepthwiseConv, Head, Pool, SeparableConv
from tinysearch.training.candidate import Candidate
from tinysearch.training.pipeline import apply_affine, draw_affine
from tinysearch.training.recipe import Recipe, recipe

UNIT: dict[str, Any] = {"bias": False, "norm": "before", "padding": "valid"}
NETWORKS = {
    "conv": CONV.architecture,
    # The two best networks on the Pareto front of the run in the README.
    "wide": Architecture(
        (
            Conv(14, **UNIT),
            Conv(21, **UNIT),
            Pool(),
            SeparableConv(15, **UNIT),
            Pool(),
            Conv(20, **UNIT),
            Conv(19, **UNIT),
        )
    ),
    "light": Architecture(
        (
            Conv(12, **UNIT),
            DepthwiseConv(**UNIT),
            Pool(),
            Conv(17, **UNIT),
            Pool(),
            Conv(24, **UNIT),
            SeparableConv(20, **UNIT),
        ),
        Head("average"),
    ),
}
SIDES = ("ours", "documented", "theirs")
REPEATS = 15


def one_thread() -> None:
    """Limit TensorFlow to one thread, and leave its other settings unchanged."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def images(path: Path | None, train: int) -> TrainingData:
    """Return the first ``train`` training images, and a ninth of that number for validation."""
    whole = load("mnist", path).training_data()
    assert whole.validation is not None  # noqa: S101
    parts = [
        Images(part.pixels[:count], part.labels[:count])
        for part, count in ((whole.train, train), (whole.validation, train // 9))
    ]
    return TrainingData(whole.task, parts[0], parts[1], whole.full_scale)


def ours(architecture: Architecture, data: TrainingData, how: Recipe) -> dict[str, float]:
    """Train with tinysearch; with a recipe other than ``documented``, time the kernels as well."""
    from tinysearch.training.trainer import fit

    ends: list[float] = []
    candidate = Candidate(architecture, how)
    model, measurement = fit(candidate, data, 0, lambda number, epoch, state: ends.append(time.process_time()))
    result = {"epoch": (ends[-1] - ends[0]) / (how.epochs - 1), "accuracy": measurement.val_accuracy or 0.0}
    if how.name != "documented":
        result["floor"] = floor(model, candidate, data)
    return result


def theirs(architecture: Architecture, data: TrainingData, epochs: int) -> dict[str, float]:
    """Train with KerasTuner."""
    import keras
    import keras_tuner

    from tinysearch.space.keras_builder import build

    ends: list[float] = []
    last: dict[str, float] = {}

    class Clock(keras.callbacks.Callback):  # type: ignore[misc]
        def __deepcopy__(self, memo: Any) -> Clock:  # KerasTuner copies callbacks.
            return self

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            ends.append(time.process_time())
            last.update(logs or {})

    def model(hyperparameters: keras_tuner.HyperParameters) -> keras.Model:
        hyperparameters.Int("unused", 0, 9)
        built = build(architecture, data.task, scale=1 / data.full_scale)
        built.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return built

    assert data.validation is not None  # noqa: S101
    with tempfile.TemporaryDirectory() as folder:
        tuner = keras_tuner.RandomSearch(model, objective="val_accuracy", max_trials=1, directory=folder)
        tuner.search(
            data.train.pixels,
            data.train.labels,
            epochs=epochs,
            validation_data=(data.validation.pixels, data.validation.labels),
            callbacks=[Clock()],
            verbose=0,
        )
    return {"epoch": (ends[-1] - ends[0]) / (epochs - 1), "accuracy": last["val_accuracy"]}


def floor(model: Any, candidate: Candidate, data: TrainingData) -> float:
    """Return the CPU seconds of an epoch's kernels, each run separately."""
    import keras
    import tensorflow as tf

    assert data.validation is not None  # noqa: S101
    size, large = candidate.recipe.batch_size, 1_000
    steps, validations = len(data.train) / size, len(data.validation) / large
    rng = np.random.default_rng(0)

    def noise(shape: tuple[int | None, ...], batch: int) -> Any:
        return tf.constant(rng.normal(size=(batch, *shape[1:])), tf.float32)

    total = 0.0
    for layer in model.layers[1:]:
        given = layer.input if isinstance(layer.input, list) else [layer.input]
        # The gradient of the image is not needed.
        first = all(
            isinstance(tensor._keras_history.operation, (keras.layers.InputLayer, keras.layers.Rescaling))
            for tensor in given
        )
        total += steps * seconds(
            _forward_and_back(layer, first),
            [noise(tensor.shape, size) for tensor in given] + [noise(layer.output.shape, size)],
        )
        total += validations * seconds(_forward(layer), [noise(tensor.shape, large) for tensor in given])
    labels = tf.constant(rng.integers(0, data.task.classes, size), tf.int32)

    def loss(probabilities: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(probabilities)
            value = keras.losses.sparse_categorical_crossentropy(labels, probabilities)
        return tape.gradient(value, probabilities)

    total += steps * seconds(loss, [tf.nn.softmax(noise((None, data.task.classes), size))])
    gradients = [tf.zeros_like(variable.value) for variable in model.trainable_variables]
    weights = model.trainable_variables
    total += steps * seconds(lambda *given: model.optimizer.apply(list(given), weights), gradients)
    pixels, transforms = data.train.pixels[:size], draw_affine(size, data.train.pixels.shape, candidate.recipe, rng)
    total += steps * seconds(
        lambda batch, moves: apply_affine(tf.cast(batch, tf.float32), moves, 0.0),
        [tf.constant(pixels), tf.constant(transforms)],
    )
    return total


def _forward_and_back(layer: Any, first: bool) -> Callable[..., Any]:
    import tensorflow as tf

    def step(*given: Any) -> Any:
        inputs, upstream = list(given[:-1]), given[-1]
        sources = [] if first else list(inputs)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            results = layer(inputs if len(inputs) > 1 else inputs[0], training=True)
        wanted = [*sources, *[variable.value for variable in layer.trainable_variables]]
        return tape.gradient(results, wanted, upstream) if wanted else results

    return step


def _forward(layer: Any) -> Callable[..., Any]:
    return lambda *given: layer(list(given) if len(given) > 1 else given[0], training=False)


def seconds(step: Callable[..., Any], given: list[Any]) -> float:
    """Return the CPU seconds of one call, minus those of a call of an empty function with the same arguments."""
    import tensorflow as tf

    def timed(function: Any) -> float:
        function(*given)
        taken = []
        for _ in range(REPEATS):
            start = time.process_time()
            function(*given)
            taken.append(time.process_time() - start)
        return statistics.median(taken)

    nothing = tf.function(lambda *arguments: tf.constant(0.0))
    return max(0.0, timed(tf.function(step)) - timed(nothing))


def measure(side: str, network: str, options: argparse.Namespace) -> dict[str, float]:
    """Measure one side in its own process."""
    command = [sys.executable, __file__, "--side", side, "--networks", network, "--epochs", str(options.epochs)]
    command += ["--images", str(options.images), "--batch-size", str(options.batch_size)]
    command += ["--data", str(options.data)] if options.data else []
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure each network with each side, in turn, and print the ratios over all rounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="an .npz file with MNIST; by default it is found as by tinysearch")
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--images", type=int, default=9_000)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=recipe("default").batch_size, help="of side ``ours``")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = options.networks.split(",")
    if options.side:
        if options.side == "theirs":
            one_thread()
        else:
            prepare_to_train(1)
        data, architecture = images(options.data, options.images), NETWORKS[names[0]]
        if options.side == "theirs":
            print(json.dumps(theirs(architecture, data, options.epochs)))
        else:
            how = recipe("default" if options.side == "ours" else "documented", epochs=options.epochs)
            how = replace(how, batch_size=options.batch_size) if options.side == "ours" else how
            print(json.dumps(ours(architecture, data, how)))
        return
    if not options.json:
        print("| network | side | CPU s per epoch | / theirs | / floor | validation accuracy |")
        print("| --- | --- | ---: | ---: | ---: | ---: |")
    for network in names:
        rounds = [{side: measure(side, network, options) for side in SIDES} for _ in range(options.runs)]
        if options.json:
            print(json.dumps({"network": network, "rounds": rounds}), flush=True)
            continue
        for side in SIDES:
            epoch = statistics.median(each[side]["epoch"] for each in rounds)
            accuracy = statistics.mean(each[side]["accuracy"] for each in rounds)
            ratio = spread([each[side]["epoch"] / each["theirs"]["epoch"] for each in rounds])
            above = spread([each["ours"]["epoch"] / each["ours"]["floor"] for each in rounds]) if side == "ours" else ""
            print(f"| {network} | {side} | {epoch:.2f} | {ratio} | {above} | {100 * accuracy:.2f} % |", flush=True)


def spread(values: list[float]) -> str:
    """Return median, minimum and maximum as text."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
