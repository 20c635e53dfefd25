"""Test which further ingredients help a plain network below 5,000 parameters, with tinysearch's training on CPUs.

::

    python experiments/ingredients.py --data mnist.npz --seeds 3        # trains what is missing, then prints the table
    python experiments/ingredients.py --data mnist.npz --seeds 3 --only 'base; blurred pooling'
    python experiments/ingredients.py                                   # the table of what there is

Each ingredient is added to one network, whose widths are then scaled so that the whole stays just below the bound.
Ingredients of training are added to the base network. Order of images, augmentation, schedule and optimizer are those
of the recipe ``default``. The networks are trained on 50,000 random training images; the validation accuracy is that on
the 10,000 others after the last of 10 epochs. The split is that of ``ingredients.json``, which has these ingredients
below 1,000 parameters. Test images are not used.

In networks, c12 is a convolution to 12 channels and s12 a separable one, h12 a shift of the channels and a 1x1
convolution; M is max pooling, B blurred pooling, P space to depth, E4 squeeze-and-excitation with 4 units; = is padding
same, + a shortcut, & a dense connection. Every convolution has batch normalization and a rectifier.

Sources: squeeze-and-excitation (Hu et al., 2018), dense connections (Huang et al., 2017), shortcuts (He et al., 2016),
blurred pooling (Zhang, 2019), shifts (Wu et al., 2018), averaged weights (Izmailov et al., 2018), cycles of the rate
(Loshchilov and Hutter, 2017), gradient noise (Neelakantan et al., 2015), mixup (Zhang et al., 2018), cutmix (Yun et
al., 2019), factorized layers (Sainath et al., 2013).
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import re
import signal
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FOUND = Path(__file__).with_name("ingredients-5000.jsonl")
BOUND = 5_000
TRAINING = 50_000
# Number of steps that Keras executes together.
TOGETHER = 50
# Seed of the split in ingredients.json.
SPLIT_SEED = 12345
BASE = "c12 s22 M s23 s23 s23 s23 s23"


@dataclass(frozen=True)
class Ingredient:
    """Differences from the base.

    Args:
        network: Layers of the network, of any width.
        rank: Rank of the head, 0 for a full one.
        rate: Peak learning rate.
        cycles: Number of cycles of the learning rate.
        mean_from: Fraction of the training after which weights are averaged, 1 for no averaging.
        noise: Variance of the gradient noise at the first step.
        mixup: Both parameters of the beta distribution of mixing weights, 0 for no mixup.
        cutmix: Fraction of the batches in which a box of another image is pasted.
        decay: Weight decay of kernels, multiplied by the learning rate.
    """

    network: str = BASE
    rank: int = 0
    rate: float = 0.1
    cycles: int = 1
    mean_from: float = 1.0
    noise: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    decay: float = 0.0


INGREDIENTS = {
    "base": Ingredient(),
    "blurred pooling": Ingredient("c12 s22 B s23 s23 s23 s23 s23"),
    "squeeze-and-excitation at the end": Ingredient("c12 s22 M s23 s23 s23 s23 s23 E4"),
    "squeeze-and-excitation in every separable layer": Ingredient("c12 s22 E2 M s23 E2 s23 E2 s23 E2 s23 E2 s23 E2"),
    "averaged weights from 70 % of the training on": Ingredient(mean_from=0.7),
    "averaged weights from 70 % of the training on, peak rate 0.2": Ingredient(mean_from=0.7, rate=0.2),
    "two cycles of the rate": Ingredient(cycles=2),
    "shortcuts": Ingredient("c12 s22 M s23 +s23 +s23 +s23 +s23"),
    "dense connections": Ingredient("c12 s22 M &s8 &s8 &s8 &s8 &s8"),
    "a head of rank 4": Ingredient(rank=4),
    "shifts instead of depthwise convolutions, after the pooling": Ingredient("c12 s22 M h25 h25 h25 h25 h25"),
    "shifts instead of all depthwise convolutions": Ingredient("c12 h22 M h25 h25 h25 h25 h25"),
    "space to depth, 2x2, before the first layer": Ingredient("P c12 s22 s23 s23 s23 s23"),
    "pooling one layer later": Ingredient("c12 s22 s23 M s23 s23 s23 s23"),
    "pooling two layers later": Ingredient("c12 s22 s23 s23 M s23 s23 s23"),
    "padding same after the pooling, one more layer": Ingredient("c12 s22 M s23= s23= s23= s23= s23 s23"),
    "mixup, 0.2": Ingredient(mixup=0.2),
    "cutmix, for half of the batches": Ingredient(cutmix=0.5),
    "weight decay 5e-4": Ingredient(decay=5e-4),
    "gradient noise, 0.3": Ingredient(noise=0.3),
}

LAYER = re.compile(r"(?P<join>[+&]?)(?P<kind>[cshMBPE])(?P<size>\d*)(?P<same>=?)")
# Parameters of batch normalization for each channel, as Keras counts them.
NORM = 4


def layers(network: str) -> list[dict[str, str]]:
    """Return the layers of a network."""
    return [match.groupdict() for match in LAYER.finditer(network)]


def scaled(one: Ingredient) -> str:
    """Return the network as large as the bound permits: all widths scaled, then layers widened from the last one on."""

    def times(factor: float) -> str:
        return LAYER.sub(
            lambda m: (
                m[0] if m["kind"] in "MBPE" else m.expand(rf"\g<join>\g<kind>{round(int(m['size']) * factor)}\g<same>")
            ),
            one.network,
        )

    def fits(network: str) -> bool:
        return parameters(network, one.rank) < BOUND

    if one.network == BASE and not one.rank:
        return BASE
    best = max((times(f) for f in np.linspace(0.3, 2.0, 681) if fits(times(f))), key=lambda n: parameters(n, one.rank))
    parts = best.split()
    # A layer with a shortcut has the same number of channels as the one before, so single layers cannot be widened.
    for position in reversed(range(len(parts)) if "+" not in best else ()):
        layer = LAYER.fullmatch(parts[position])
        if layer and layer["size"] and layer["kind"] != "E":
            wider = f"{layer['join']}{layer['kind']}{int(layer['size']) + 1}{layer['same']}"
            changed = " ".join([*parts[:position], wider, *parts[position + 1 :]])
            if fits(changed):
                parts = changed.split()
    return " ".join(parts)


def parameters(network: str, rank: int) -> int:
    """Return the number of parameters of a network."""
    channels, total = 1, 0
    for layer in layers(network):
        size = int(layer["size"] or 0)
        match layer["kind"]:
            case "P":
                channels *= 4
            case "E":
                total += channels * size + size + size * channels + channels
            case "c" | "s" | "h":
                kernel = {"c": 9 * channels * size, "s": 9 * channels + channels * size, "h": channels * size}
                total += kernel[layer["kind"]] + NORM * size
                channels = channels + size if layer["join"] == "&" else size
    return total + (channels * rank + (rank + 1) * 10 if rank else (channels + 1) * 10)


def build(network: str, rank: int, scale: float, offset: float) -> Any:
    """Return the Keras model of a network, from raw pixels to class probabilities."""
    import keras

    from tinysearch.training.normalization import FusedBatchNormalization

    images = keras.Input((28, 28, 1))
    x = keras.layers.Rescaling(scale, offset)(images)
    for layer in layers(network):
        size, join = int(layer["size"] or 0), layer["join"]
        options = {"padding": "same" if layer["same"] or join else "valid", "use_bias": False}
        match layer["kind"]:
            case "M":
                x = keras.layers.MaxPooling2D()(x)
            case "B":
                x = blurred(keras.layers.MaxPooling2D(strides=1)(x))
            case "P":
                x = space_to_depth(x)
            case "E":
                units = keras.layers.Dense(size, activation="relu")(
                    keras.layers.GlobalAveragePooling2D(keepdims=True)(x)
                )
                x = keras.layers.Multiply()([x, keras.layers.Dense(x.shape[-1], activation="sigmoid")(units)])
            case kind:
                if kind == "c":
                    y = keras.layers.Conv2D(size, 3, **options)(x)
                elif kind == "s":
                    y = keras.layers.SeparableConv2D(size, 3, **options)(x)
                else:
                    y = keras.layers.Conv2D(size, 1, use_bias=False)(shifted(x))
                y = keras.layers.ReLU()(FusedBatchNormalization(momentum=0.9)(y))
                if join:
                    y = (keras.layers.Add() if join == "+" else keras.layers.Concatenate())([x, y])
                x = y
    x = keras.layers.GlobalAveragePooling2D()(x)
    if rank:
        x = keras.layers.Dense(rank, use_bias=False)(x)
    model = keras.Model(images, keras.layers.Dense(10, activation="softmax")(x))
    if model.count_params() != parameters(network, rank):
        raise RuntimeError(f"{network} has {model.count_params()} parameters, not {parameters(network, rank)}")
    return model


def shifted(x: Any) -> Any:
    """Shift the channels without padding: each ninth of them comes from another pixel of the 3x3 neighbourhood."""
    import keras

    height, width, channels = x.shape[1:]
    cut = [round(channels * part / 9) for part in range(10)]
    taken = [
        x[:, part // 3 : height - 2 + part // 3, part % 3 : width - 2 + part % 3, cut[part] : cut[part + 1]]
        for part in range(9)
        if cut[part] < cut[part + 1]
    ]
    return keras.layers.Concatenate()(taken)


def blurred(x: Any) -> Any:
    """Blur with a 3x3 binomial kernel, then take every second pixel."""
    from keras import ops

    kernel = np.outer([1, 2, 1], [1, 2, 1]).astype(np.float32) / 16
    return ops.depthwise_conv(x, np.tile(kernel[:, :, None, None], (1, 1, x.shape[-1], 1)), strides=2, padding="valid")


def space_to_depth(x: Any) -> Any:
    """Turn each 2x2 block of pixels into channels."""
    from keras import ops

    height, width, channels = x.shape[1:]
    x = ops.transpose(ops.reshape(x, (-1, height // 2, 2, width // 2, 2, channels)), (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (-1, height // 2, width // 2, 4 * channels))


def train(name: str, seed: int, data: Path) -> dict[str, Any]:
    """Train with an ingredient; return its result."""
    from tinysearch.runtime.preparation import prepare_to_train

    prepare_to_train(1, bare=True)
    import keras

    from tinysearch.data.images import Images
    from tinysearch.training.pipeline import TrainingBatches
    from tinysearch.training.recipe import Recipe

    began, one, how = time.process_time(), INGREDIENTS[name], Recipe()
    with np.load(data) as file:
        pixels, labels = file["x_train"][..., None], file["y_train"].astype(np.int64)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(labels))
    chosen, held_out = order[:TRAINING], order[TRAINING:]
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    mean, deviation = float(pixels[chosen].mean()), float(pixels[chosen].std())
    network = scaled(one)
    model = build(network, one.rank, 1 / deviation, -mean / deviation)
    batches = TrainingBatches(Images(pixels[chosen], labels[chosen]), how, seed)
    model.compile(
        optimizer=optimizer(one, batches.steps * how.epochs, seed),
        loss="categorical_crossentropy" if one.mixup or one.cutmix else "sparse_categorical_crossentropy",
        jit_compile=False,
        steps_per_execution=TOGETHER,
    )
    model.fit(
        mixed(batches.epochs(0, how.epochs), one, seed),
        epochs=how.epochs,
        steps_per_epoch=batches.steps,
        shuffle=False,
        verbose=0,
        callbacks=[mean_of_weights(round(one.mean_from * how.epochs * batches.steps))] if one.mean_from < 1 else [],
    )
    guesses = model.predict(pixels[held_out].astype(np.float32), batch_size=1_000, verbose=0).argmax(axis=1)
    return {
        "name": name,
        "network": network,
        "params": parameters(network, one.rank),
        "seed": seed,
        "validation": round(100 * float((guesses == labels[held_out]).mean()), 2),
        "cpu_seconds": round(time.process_time() - began),
    }


def mean_of_weights(first: int) -> Any:
    """Return a Keras callback that sets a model's variables to their mean over the end of a training.

    This includes the moving statistics of normalization.

    Args:
        first: Step from which the variables are summed, every ``TOGETHER`` steps.
    """
    import keras

    class Callback(keras.callbacks.Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            self.count, self.sums = 0, []

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if int(self.model.optimizer.iterations) >= first:
                values = self.model.get_weights()
                self.sums = [a + b for a, b in zip(self.sums, values, strict=True)] if self.count else values
                self.count += 1

        def on_train_end(self, logs: Any = None) -> None:
            self.model.set_weights([one / self.count for one in self.sums])

    return Callback()


def optimizer(one: Ingredient, steps: int, seed: int) -> Any:
    """Return the optimizer of the recipe, changed by the ingredient."""
    import keras
    import tensorflow as tf

    from tinysearch.training.optimization import OneCycle

    part = steps // one.cycles
    cycle = OneCycle(one.rate, part)

    class Cycles(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step: Any) -> Any:
            return cycle(step % part)

    class Noisy(keras.optimizers.SGD):
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            step = tf.cast(self.iterations, tf.float32)
            drawn = tf.random.stateless_normal(
                gradient.shape, [seed, 100_000 * self._get_variable_index(variable) + self.iterations]
            )
            super().update_step(gradient + drawn * tf.sqrt(one.noise / (1 + step) ** 0.55), variable, learning_rate)

    create = Noisy if one.noise else keras.optimizers.SGD
    rate = cycle if one.cycles == 1 else Cycles()
    found = create(rate, momentum=0.9, nesterov=True, global_clipnorm=1.0, weight_decay=one.decay or None)
    if one.decay:
        found.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return found


def mixed(batches: Any, one: Ingredient, seed: int) -> Any:
    """Return the batches with images mixed by mixup or cutmix, or unchanged if the ingredient has neither."""
    if not (one.mixup or one.cutmix):
        return batches
    import tensorflow as tf

    def mix(number: Any, batch: Any) -> Any:
        images, labels = batch[0], tf.one_hot(batch[1], 10)
        draw = [seed, tf.cast(number, tf.int32)]
        if one.mixup:
            # The share of one of two gamma variates has a beta distribution.
            parts = tf.random.stateless_gamma([2], draw, alpha=one.mixup)
            share = parts[0] / tf.reduce_sum(parts)
            weight = tf.fill([28, 28, 1], share)
        else:
            drawn = tf.random.stateless_uniform([4], draw)
            side = 28 * tf.sqrt(1 - drawn[0])
            rows, columns = tf.range(28.0)[:, None, None], tf.range(28.0)[None, :, None]
            inside = (tf.abs(rows - 28 * drawn[1]) < side / 2) & (tf.abs(columns - 28 * drawn[2]) < side / 2)
            weight = tf.where(inside & (drawn[3] < one.cutmix), 0.0, 1.0)
            share = tf.reduce_mean(weight)
        other_images, other_labels = tf.reverse(images, [0]), tf.reverse(labels, [0])
        return images * weight + other_images * (1 - weight), labels * share + other_labels * (1 - share)

    return batches.enumerate().map(mix)


def table(rows: list[dict[str, Any]]) -> None:
    """Print a row for each ingredient: accuracies, and differences from the base, paired by seed."""
    base = {row["seed"]: row["validation"] for row in rows if row["name"] == "base"}
    print("| ingredient | layers | params | validation | n | difference, points |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    lines = []
    for name in INGREDIENTS:
        own = [row for row in rows if row["name"] == name]
        if not own:
            continue
        values = [row["validation"] for row in own]
        paired = [row["validation"] - base[row["seed"]] for row in own if row["seed"] in base]
        difference = "" if name == "base" or not paired else f"{statistics.fmean(paired):+.2f}{error(paired)}"
        spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
        shown = f"{statistics.fmean(values):.2f}{spread} %"
        lines.append(
            (
                -statistics.fmean(values),
                f"| {name} | `{own[0]['network']}` | {own[0]['params']:,} | {shown} | {len(own)} | {difference} |",
            )
        )
    print("\n".join(line for _, line in sorted(lines)))


def error(values: list[float]) -> str:
    """Return the standard error of the mean as text; an empty string for a single value."""
    return f" ± {statistics.stdev(values) / math.sqrt(len(values)):.2f}" if len(values) > 1 else ""


def main() -> None:
    """Train the missing ingredients and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seeds", type=int, default=0)
    parser.add_argument("--only", default="", help="names of ingredients to train, separated by semicolons")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--found", type=Path, default=FOUND, help="file of finished trainings")
    given = parser.parse_args()
    only = [name.strip() for name in given.only.split(";") if name.strip()] or list(INGREDIENTS)
    if unknown := [name for name in only if name not in INGREDIENTS]:
        parser.error(f"there is no ingredient {unknown[0]!r}; there are {', '.join(INGREDIENTS)}")
    rows = [json.loads(line) for line in given.found.read_text().splitlines()] if given.found.exists() else []
    known = {(row["name"], row["seed"]) for row in rows}
    planned = [(name, seed) for seed in range(given.seeds) for name in only if (name, seed) not in known]
    if planned and given.data is None:
        parser.error("--data is needed to train")
    # Exit normally, so that trainings end when this program is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # A process for each training, so that the state left by one does not affect the next.
    with (
        multiprocessing.get_context("spawn").Pool(given.workers, maxtasksperchild=1) as pool,
        given.found.open("a") as file,
    ):
        trainings = [pool.apply_async(train, (name, seed, given.data)) for name, seed in planned]
        for training in trainings:
            row = training.get()
            rows.append(row)
            file.write(json.dumps(row) + "\n")
            file.flush()
    table(rows)


if __name__ == "__main__":
    main()
