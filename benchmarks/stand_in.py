"""A stand-in for training: validation accuracy as a function of the architecture, fitted to real trainings.

``stand_in.json`` holds architectures and their validation accuracies. ``StandIn.fit`` fits a model to them that
predicts in a millisecond, so that search strategies can be compared over many seeds::

    python benchmarks/stand_in.py                                      # how well the stand-in predicts
    python benchmarks/stand_in.py collect STORE... > stand_in.json     # make the file from stores of tinysearch

The model predicts the logit of the error rate from ``profile``. It is a Gaussian process whose kernel is a linear plus
a smooth one, or a random forest, so that no conclusion depends on one family of models. The stand-in adds noise as
large as the residuals of cross-validation, derived from the candidate's key and the number of a world. The part of it
that the size of the validation set explains is luck, different for each training; the rest belongs to the architecture
and is the same for all its trainings, however long they are.
"""

# The modules that are slow to import are always needed here.
# ruff: noqa: TID253

from __future__ import annotations

import hashlib
import json
import math
import sqlite3
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm, spearmanr
from sklearn.ensemble import RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, WhiteKernel
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from tinysearch.space.architecture import Architecture, Dropout
from tinysearch.space.canonical import canonical
from tinysearch.space.cost import cost
from tinysearch.space.task import Task
from tinysearch.training.candidate import Candidate

RECORDS = Path(__file__).with_name("stand_in.json")
PLACES = np.linspace(0.0, 1.0, 5)
CONTINUITY = 2e-3
FAMILIES = ("process", "forest")
Array = np.ndarray[Any, np.dtype[np.float64]]


def profile(architecture: Architecture) -> list[float]:
    """Return features of a network that describe how its tensors change from input to output, shape ``(27,)``.

    Channels, image sides, parameters and kinds of the operations with weights are interpolated at five places spread
    evenly over its depth. Totals and features that no tensor shows follow.
    """
    network = canonical(architecture)
    costs = cost(network, Task())
    weighted = [layer for layer in costs.layers if layer.macs and len(layer.output_shape) == 3]
    kinds = [layer.kind for layer in costs.layers]

    def read(values: list[float]) -> list[float]:
        return list(np.interp(PLACES, np.linspace(0.0, 1.0, len(values)), values)) if values else [0.0] * len(PLACES)

    return [
        *read([math.log(layer.output_shape[2]) for layer in weighted]),
        *read([math.log(layer.output_shape[0]) for layer in weighted]),
        *read([math.log(1 + layer.params) for layer in weighted]),
        *read([float(layer.kind == "separable") for layer in weighted]),
        math.log(len(weighted) + 1),
        math.log(costs.params),
        math.log(costs.layers[-1].macs),
        kinds.count("batch_norm") / (len(weighted) + 1),
        kinds.count("relu") / (len(weighted) + 1),
        sum(layer.rate for layer in network.layers if isinstance(layer, Dropout)),
        float(network.head.pooling == "flatten"),
    ]


def logit(accuracy: Array) -> Array:
    """Return the negative logit of the error rate, finite at an accuracy of 1."""
    return np.log((accuracy + CONTINUITY) / (1 - accuracy + CONTINUITY))


def unlogit(value: float) -> float:
    """Return the accuracy of a logit, the inverse of ``logit``."""
    odds = math.exp(value)
    return min(1.0, max(0.0, (odds * (1 + CONTINUITY) - CONTINUITY) / (1 + odds)))


@dataclass(frozen=True)
class StandIn:
    """Model that predicts validation accuracies instead of training.

    Args:
        model: Predicts the logit of a full training from a profile.
        kept: Standard deviation of the residual that belongs to the architecture.
        luck: Standard deviation of the residual that differs for each training.
        lines: Row ``k``: intercept, slope and standard deviation of the logit after ``k + 1`` of the recorded epochs,
            given the logit after the last, shape ``(epochs, 3)``.
        quality: Figures from cross-validation, by name.
        world: Number of the world. Each world draws its own residual of each network and luck of each training, with
            these standard deviations.
    """

    model: Pipeline
    kept: float
    luck: float
    lines: Array
    quality: dict[str, float]
    world: int = 0

    @classmethod
    def fit(cls, family: str = "process", path: Path = RECORDS) -> StandIn:
        """Fit a model of a family to the records of a file, and cross-validate it (8 parts, 3 times)."""
        document = json.loads(path.read_text(encoding="utf-8"))
        rows = document["records"]
        x = np.array([profile(Architecture.from_dict(row["architecture"])) for row in rows])
        curves = logit(np.array([row["val_accuracy"] for row in rows]))
        y = curves[:, -1]
        predicted = np.zeros((3, len(y)))
        for repetition in range(len(predicted)):
            for train, test in KFold(8, shuffle=True, random_state=repetition).split(x):
                predicted[repetition, test] = _model(family, x[train], y[train]).predict(x[test])
        rest = y - predicted.mean(axis=0)
        upper = y > np.median(y)
        # Poor networks are predicted worse than good ones, and searches are about good ones.
        noise = float(rest[upper].std())
        typical = unlogit(float(np.median(y[upper])))
        luck = min(noise, 1 / math.sqrt(document["validation_images"] * typical * (1 - typical)))
        average = predicted.mean(axis=0)
        quality = {
            "records": len(y),
            "r2": 1 - float((rest**2).mean() / y.var()),
            "rank_correlation": float(spearmanr(average, y).statistic),
            "rank_correlation_upper_half": float(spearmanr(average[upper], y[upper]).statistic),
            "residual_sd": float(rest.std()),
            "residual_sd_upper_half": noise,
            "luck_sd": luck,
        }
        lines = []
        for column in curves.T:
            slope, intercept = np.polyfit(y, column, 1)
            lines.append((intercept, slope, (column - intercept - slope * y).std()))
        return cls(_model(family, x, y), math.sqrt(noise**2 - luck**2), luck, np.array(lines), quality)

    def score(self, candidate: Candidate, epochs: int) -> float:
        """Return the validation accuracy of a candidate as it would be observed, noise included.

        Args:
            candidate: The candidate.
            epochs: Number of epochs of a full training; the candidate's recipe may have fewer.
        """
        whole = self._whole(candidate.architecture) + self.luck * self._normal(candidate.key)
        share = candidate.recipe.epochs / epochs
        recorded = np.linspace(0.0, 1.0, len(self.lines) + 1)[1:]
        intercept, slope, spread = (np.interp(share, recorded, column) for column in self.lines.T)
        return unlogit(float(intercept + slope * whole + spread * self._normal(f"{candidate.key} epochs")))

    def expected(self, architecture: Architecture) -> float:
        """Return the accuracy of a full training without luck."""
        return unlogit(self._whole(architecture))

    def _whole(self, architecture: Architecture) -> float:
        predicted = float(self.model.predict([profile(architecture)])[0])
        return predicted + self.kept * self._normal(canonical(architecture).key)

    def _normal(self, key: str) -> float:
        """Return a pseudo-random number of the standard normal distribution, always the same for a key in a world."""
        digits = hashlib.sha256(f"{key} in world {self.world}".encode()).hexdigest()[:13]
        return float(norm.ppf((int(digits, 16) + 0.5) / 16**13))


def _model(family: str, x: Array, y: Array) -> Pipeline:
    if family == "forest":
        return make_pipeline(RandomForestRegressor(50, min_samples_leaf=2, max_features=0.5, random_state=0)).fit(x, y)
    kernel = ConstantKernel(1.0) * RBF(8.0, (2.0, 50.0)) + ConstantKernel(0.1) * DotProduct(1.0) + WhiteKernel(0.2)
    model = make_pipeline(StandardScaler(), GaussianProcessRegressor(kernel, normalize_y=True))
    with warnings.catch_warnings():
        # Warnings that a parameter of the kernel is at its bound.
        warnings.simplefilter("ignore")
        return model.fit(x, y)


def collect(paths: list[str]) -> None:
    """Print the networks that searches and baselines of stores trained as a JSON document, each network once."""
    rows: dict[str, str] = {}
    for path in paths:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            found = connection.execute(
                "SELECT architecture, measurement FROM records WHERE purpose = 'search' AND failure IS NULL ORDER BY id"
            )
            for architecture, measurement in found:
                network = Architecture.from_dict(json.loads(architecture))
                curve = [round(point["val_accuracy"], 5) for point in json.loads(measurement)["curve"]]
                row = {"architecture": network.to_dict(), "val_accuracy": curve}
                rows.setdefault(canonical(network).key, json.dumps(row, separators=(",", ":")))
    about = (
        "Validation accuracy after each of 4 epochs (recipe 'default') on the first 8,000 training images of MNIST, "
        "7,200 for training and 800 for validation: networks of searches below 10,000 parameters."
    )
    print(f'{{"about": {json.dumps(about)}, "validation_images": 800, "records": [')
    print(",\n".join(rows.values()))
    print("]}")


def main() -> None:
    """Print how well the stand-in predicts, or collect the networks that it is fitted to."""
    if sys.argv[1:2] == ["collect"]:
        collect(sys.argv[2:])
        return
    stand_in = StandIn.fit()
    forest = StandIn.fit("forest")
    print(f"{'':28}" + "".join(f"{family:>10}" for family in FAMILIES))
    for name, value in stand_in.quality.items():
        print(f"{name:28}{value:10.3g}{forest.quality[name]:10.3g}")
    for epoch, (intercept, slope, spread) in enumerate(stand_in.lines, start=1):
        print(f"epoch {epoch} of {len(stand_in.lines)}: {intercept:5.2f} + {slope:.2f} * last, deviation {spread:.2f}")


if __name__ == "__main__":
    main()
