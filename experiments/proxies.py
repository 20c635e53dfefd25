"""How well scores of an untrained network predict its accuracy.

::

    python experiments/proxies.py --data mnist.npz
    python experiments/proxies.py --data mnist.npz --seeds 1 --json

The networks and their accuracies are those of ``stand_in.json``, real trainings on MNIST. The scores are:

- ``synflow``, the logarithm of the sum of weight times gradient with all weights positive (Tanaka et al., 2020);
- ``naswot``, the log-determinant of the matrix that counts, for pairs of 64 images, how many rectifiers agree in being
  on or off (Mellor et al., 2021);
- ``gradient``, the norm of the gradient of the loss on 64 images (Abdelfattah et al., 2021);
- scores that cost nothing: parameters, MACs, number of layers.

Scores that depend on the initial weights are means over seeds. The table has Spearman's rank correlation with the
validation accuracy after the last epoch, with the 95 % interval of 2,000 bootstrap samples, for all networks and for
those with at least 60 % of the budget, which are the ones that a search under a budget chooses among. The accuracy
after the first of the 4 epochs is there for comparison.
"""

# The modules that are slow to import are always needed here.
# ruff: noqa: TID253

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from tinysearch.data.images import Images
from tinysearch.data.loading import load
from tinysearch.runtime.preparation import prepare_to_train
from tinysearch.space.architecture import Architecture
from tinysearch.space.cost import cost
from tinysearch.space.task import Task

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from stand_in import RECORDS

PROXIES = ("synflow", "naswot", "gradient", "params", "MACs", "layers", "first epoch")
BATCH = 64
BOUND, LOWEST = 10_000, 0.6
Array = np.ndarray[Any, np.dtype[np.float64]]


def scores(architecture: Architecture, images: Images, seed: int) -> dict[str, float]:
    """Return the scores of a network with new initial weights."""
    import keras

    from tinysearch.space.keras_builder import build

    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    model = build(architecture, Task(), scale=1 / 255)
    return {"naswot": naswot(model, images), "gradient": gradient(model, images), "synflow": synflow(model)}


def synflow(model: Any) -> float:
    """Return the logarithm of the synaptic flow. This changes the weights and the last activation of the model."""
    import keras
    import tensorflow as tf

    head = model.layers[-1]
    head.activation = keras.activations.linear
    weights = [
        one for one in model.trainable_variables if one.name in ("kernel", "depthwise_kernel", "pointwise_kernel")
    ]
    for one in weights:
        one.assign(abs(one))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(model(tf.fill((1, *model.input_shape[1:]), 255.0), training=False))
    gradients = tape.gradient(total, [one.value for one in weights])
    flow = sum(float(tf.reduce_sum(one.value * slope)) for one, slope in zip(weights, gradients, strict=True))
    return math.log(max(flow, 1e-30))


def naswot(model: Any, images: Images) -> float:
    """Return the log-determinant of the agreement of rectifiers between the images of a batch."""
    import keras

    outputs = [
        layer.output
        for layer in model.layers
        if isinstance(layer, (keras.layers.ReLU, keras.layers.LeakyReLU))
        or (isinstance(layer, keras.layers.Activation) and layer.activation is not keras.activations.linear)
    ]
    if not outputs:
        return 0.0
    codes = keras.Model(model.input, outputs)(images.pixels.astype(np.float32), training=True)
    codes = codes if isinstance(codes, list) else [codes]
    kernel = np.zeros((len(images), len(images)))
    for code in codes:
        on = (np.asarray(code).reshape(len(images), -1) > 0).astype(np.float64)
        kernel += on @ on.T + (1 - on) @ (1 - on).T
    return float(np.linalg.slogdet(kernel)[1])


def gradient(model: Any, images: Images) -> float:
    """Return the norm of the gradient of the loss."""
    import keras
    import tensorflow as tf

    with tf.GradientTape() as tape:
        probabilities = model(images.pixels.astype(np.float32), training=True)
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(images.labels, probabilities))
    found = tape.gradient(loss, [one.value for one in model.trainable_variables])
    return float(tf.linalg.global_norm([one for one in found if one is not None]))


def correlation(one: Array, other: Array) -> tuple[float, float, float]:
    """Return the rank correlation of two arrays of shape ``(n,)`` and its 95 % bootstrap interval."""
    rng = np.random.default_rng(0)
    draws = [rng.integers(len(one), size=len(one)) for _ in range(2_000)]
    low, high = np.nanpercentile([spearmanr(one[draw], other[draw]).statistic for draw in draws], [2.5, 97.5])
    return float(spearmanr(one, other).statistic), float(low), float(high)


def main() -> None:
    """Score all networks and print the correlations."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="an .npz file with MNIST; by default it is found as by tinysearch")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    prepare_to_train(1)
    train = load("mnist", options.data).training_data().train
    images = Images(train.pixels[:BATCH], train.labels[:BATCH])
    stored = json.loads(RECORDS.read_text())["records"]
    rows = []
    for record in stored:
        architecture = Architecture.from_dict(record["architecture"])
        counted = cost(architecture, Task())
        row = {"params": counted.params, "MACs": counted.macs, "layers": len(architecture.layers)}
        drawn = [scores(architecture, images, seed) for seed in range(options.seeds)]
        row |= {name: statistics.fmean(one[name] for one in drawn) for name in drawn[0]}
        rows.append({**row, "first epoch": record["val_accuracy"][0], "accuracy": record["val_accuracy"][-1]})
    columns = {name: np.array([row[name] for row in rows], float) for name in (*PROXIES, "accuracy")}
    tight = columns["params"] >= LOWEST * BOUND
    groups = {"all": np.ones(len(rows), bool), "tight": tight}
    found = {
        name: {group: correlation(columns[name][mask], columns["accuracy"][mask]) for group, mask in groups.items()}
        for name in PROXIES
    }
    if options.json:
        print(json.dumps({"n": {group: int(mask.sum()) for group, mask in groups.items()}, "correlation": found}))
        return
    print(f"| score | all {len(rows)} | the {int(tight.sum())} with {LOWEST * BOUND:,.0f} parameters or more |")
    print("| --- | ---: | ---: |")
    for name, each in found.items():
        print(
            f"| {name} | "
            + " | ".join(f"{mid:.2f} ({low:.2f} to {high:.2f})" for mid, low, high in each.values())
            + " |"
        )


if __name__ == "__main__":
    main()
