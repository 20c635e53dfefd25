"""Compare surrogate models: how well they predict the accuracy of networks, and how much that helps a search.

::

    python experiments/surrogates.py --evidence mnist-10-epochs.json
    python experiments/surrogates.py --evidence mnist-10-epochs.json --search --seeds 200

Networks are those of ``--evidence`` (stages on a GPU, ``{"rows": [{"set": ..., "network": ..., "params": ...,
"validation": [...]}]}``, percent) and of the searches in the reference archive, with their revalidations. Each is
predicted from the others (ten parts, ``--repeats`` times). The table has Spearman's rank correlation within each
search, and the logarithm of the density that the model gives to the result of a network's first training, each with its
standard error and the difference from the earlier model, ``BEFORE``.

``--search`` simulates a search of 20 trials among the networks of a set, the first 8 of them random: true qualities are
drawn and measured with errors as in ``races.py``. Regret is the true quality of the best network of the set minus that
of the best one tried, in points. With ``--warm``, 20 networks of the other set were trained before, and the first 5
trials are random, as many as a run has designs. BoTorch is included if it is installed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from races import SETS, qualities

from tinysearch.results.archive import REFERENCE, open_to_read
from tinysearch.results.record import Epoch, Measurement, Record
from tinysearch.search.racing import error_of
from tinysearch.search.strategies.features import features
from tinysearch.search.strategies.observations import Replicates, observed, replicates
from tinysearch.search.strategies.surrogate import (
    LENGTHS,
    Process,
    distances,
    expected_improvement,
    likeliest,
    matern,
)
from tinysearch.space.architecture import Architecture, Conv, Convolution, Head, Layer, Pool, Residual, SeparableConv
from tinysearch.space.canonical import canonical
from tinysearch.space.convolution import Activation
from tinysearch.space.cost import cost
from tinysearch.space.lowering import lower
from tinysearch.space.task import Task
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

Floats = npt.NDArray[np.float64]
RUNS = ("mnist-10000-2", "sweep-1000", "sweep-2000", "sweep-3000", "sweep-5000", "sweep-8000", "sweep-10000")
PARTS, WARM_UP, DESIGNS, TRIALS, PATHS = 10, 8, 5, 20, 512
# Shares of a kernel on the sequence of layers; the rest is the kernel on features.
SHARES = (0.0, 0.25, 0.5, 0.75)
_STAGE = re.compile(r"(\+?)([cs])(\d+)(?:k(\d+))?(?:x(\d+))?(=?)")


def network(text: str) -> Architecture:
    """Return the network of stages of a line such as ``c5 s8 M s10= +s10k5 s10x2``.

    Raises:
        ValueError: if a word of the line is not a stage.
    """
    layers: list[Layer] = []
    for word in text.split():
        if word.startswith("M"):
            layers.append(Pool() if word == "M" else Pool(size=3, stride=2, padding="same"))
            continue
        match = _STAGE.fullmatch(word)
        if match is None:
            raise ValueError(f"a stage is c8, s8, +s8, s8k5, s8x2, s8= or M, got {word!r}")
        plus, letter, filters, kernel, times, same = match.groups()
        kind = Conv if letter == "c" else SeparableConv
        layer = kind(
            int(filters),
            kernel=int(kernel or 3),
            padding="same" if same or plus else "valid",
            bias=False,
            norm="before",
            repeat=int(times or 1),
        )
        layers.append(Residual((layer,)) if plus else layer)
    return Architecture(tuple(layers), Head("average"))


def from_evidence(path: Path) -> list[Record]:
    """Return records of the networks of the two sets: a training for each seed, all on the same images."""
    found = []
    for row in json.loads(path.read_text())["rows"]:
        if row["set"] in SETS:
            candidate = Candidate(network(row["network"]), Recipe())
            counted = cost(candidate.architecture, Task())
            assert counted.params == row["params"], row  # noqa: S101
            for seed, percent in enumerate(row["validation"]):
                found.append(_record(candidate, row["set"], seed, percent / 100))
    return found


def _record(candidate: Candidate, run: str, seed: int, accuracy: float) -> Record:
    return Record(
        run=run,
        key=candidate.key,
        name=candidate.key,
        origin="search",
        purpose="search" if seed == 0 else "revalidation",
        trial=None,
        seed=seed,
        dataset="mnist",
        fingerprint="",
        architecture=candidate.architecture,
        cost=cost(candidate.architecture, Task()),
        recipe=candidate.recipe.to_dict(),
        measurement=Measurement((Epoch(0.0, 0.0, 0.0, accuracy, 0.0, 0.0),) * candidate.recipe.epochs),
        provenance={"validated_on": "the images of the evidence"},
    )


def from_archive() -> list[Record]:
    """Return the records of the searches in the reference archive, with the revalidations."""
    with open_to_read(REFERENCE) as store:
        found = [record for run in RUNS for record in store.records(run)]
    return [one for one in found if one.purpose != "evaluation" and one.origin == "search" and not one.failed]


# Kernels on the sequence of layers


def weighted_degree(networks: Sequence[Architecture], longest: int = 4) -> Floats:
    """Return the weighted degree kernel (Raetsch and Sonnenburg, 2004) of layers with their widths in octaves.

    It counts equal pieces of up to ``longest`` layers at the same place in both networks.
    """
    words = [[_word(layer) for layer in canonical(one).layers] for one in networks]
    kernel = np.zeros((len(words), len(words)))
    for (i, left), (j, right) in itertools.combinations_with_replacement(enumerate(words), 2):
        run, total = 0, 0.0
        for one, other in zip(left, right, strict=False):
            run = run + 1 if one == other else 0
            # A run of equal layers ends with a piece of each length up to its own.
            total += sum(longest - length for length in range(min(run, longest)))
        kernel[i, j] = kernel[j, i] = total
    return _normalized(kernel)


def _word(layer: Layer) -> str:
    if isinstance(layer, Residual):
        return "+" + " ".join(map(_word, layer.body))
    width = getattr(layer, "filters", 0)
    plain = {name: value for name, value in layer.to_dict().items() if name != "filters"}
    return json.dumps({**plain, "octave": round(math.log2(width)) if width else 0}, sort_keys=True)


def weisfeiler_lehman(networks: Sequence[Architecture], rounds: int = 3) -> Floats:
    """Return the Weisfeiler-Lehman kernel (Shervashidze et al., 2011) of the graphs of operations."""
    histograms: list[Counter[Any]] = []
    for one in networks:
        graph = _Graph()
        lower(one, Task(), graph, graph.add_node("input", ()))
        labels: list[Any] = list(graph.labels)
        counts: Counter[Any] = Counter(labels)
        for _ in range(rounds):
            labels = [
                hash((label, tuple(sorted(hash(labels[place]) for place in sources))))
                for label, sources in zip(labels, graph.sources, strict=True)
            ]
            counts.update(labels)
        histograms.append(counts)
    kernel = np.array([[float(sum((a & b).values())) for b in histograms] for a in histograms])
    return _normalized(kernel)


@dataclass
class _Graph:
    """Graph of operations, built by an interpreter whose values are the numbers of nodes."""

    labels: list[str] = field(default_factory=list)
    sources: list[tuple[int, ...]] = field(default_factory=list)

    def add_node(self, label: str, sources: tuple[int, ...]) -> int:
        self.labels.append(label)
        self.sources.append(sources)
        return len(self.labels) - 1

    def convolution(self, x: int, name: str, *, layer: Convolution, folds: bool) -> int:
        return self.add_node(_word(layer), (x,))

    def batch_normalization(self, x: int, name: str, *, folds: bool) -> int:
        return x

    def activation(self, x: int, name: str, *, kind: Activation) -> int:
        return x

    def pool(self, x: int, name: str, *, layer: Pool) -> int:
        return self.add_node(_word(layer), (x,))

    def dropout(self, x: int, name: str, *, rate: float) -> int:
        return self.add_node(f"dropout {rate}", (x,))

    def concatenate(self, xs: Sequence[int], name: str) -> int:
        return self.add_node("concatenate", tuple(xs))

    def add(self, x: int, y: int, name: str) -> int:
        return self.add_node("add", (x, y))

    def flatten(self, x: int, name: str) -> int:
        return self.add_node("flatten", (x,))

    def global_pool(self, x: int, name: str, *, average: bool) -> int:
        return self.add_node(f"global {average}", (x,))

    def dense(self, x: int, name: str, *, units: int, activation: str) -> int:
        return self.add_node(f"dense {units}", (x,))


def _normalized(kernel: Floats) -> Floats:
    size = np.sqrt(np.diag(kernel))
    size[size == 0] = 1.0
    found: Floats = kernel / np.outer(size, size)
    np.fill_diagonal(found, 1.0)
    return found


# Models


@dataclass(frozen=True)
class Measured:
    """Networks with their trainings, features and kernels.

    Args:
        candidates: The networks with their trainings.
        images: Number of images that each training was validated on.
        x: Features, shape ``(n, features)``.
        strings, graphs: Kernels on the sequence of layers, each of shape ``(n, n)``.
    """

    candidates: list[Replicates]
    images: int
    x: Floats
    strings: Floats
    graphs: Floats

    @classmethod
    def of(cls, records: Sequence[Record], images: int) -> Measured:
        found = replicates(records)
        networks = [one.first.architecture for one in found]
        x = np.array([features(one.first.architecture, one.first.cost) for one in found])
        return cls(found, images, x, weighted_degree(networks), weisfeiler_lehman(networks))

    @property
    def groups(self) -> list[str]:
        return [one.first.run for one in self.candidates]


@dataclass(frozen=True)
class Fitted:
    """A model fitted to the results of some networks of a pool.

    Attributes:
        mean, joint: Posterior mean and covariance of all networks of the pool, shapes ``(n,)``, ``(n, n)``.
        rest: Variance of the part of a network's quality that the kernel does not explain.
        noise: Variance of the error of a training if the model estimates it, otherwise NaN.
    """

    mean: Floats
    joint: Floats
    rest: float
    noise: float = math.nan


Model = Callable[[Measured, Sequence[int], Sequence[Replicates]], Fitted]


def before(pool: Measured, known: Sequence[int], results: Sequence[Replicates]) -> Fitted:
    """Fit the model used up to version 1: to the first training of each network, with one fitted noise for all."""
    from scipy.linalg import cho_factor, cho_solve

    y = observed([Replicates(one.trainings[:1]) for one in results], pool.images).values
    level, unit = y.mean(), y.std()
    places = list(known)
    best: tuple[float, Fitted] | None = None
    for kernel, noise in itertools.product(_on_features(pool, places), (0.05, 0.15, 0.4, 1.0)):
        own = kernel[np.ix_(places, places)] + noise * np.eye(len(places))
        factor = cho_factor(own, lower=True)
        weights = cho_solve(factor, (y - level) / unit)
        variance = float((y - level) / unit @ weights) / len(y)
        evidence = -0.5 * len(y) * math.log(variance) - float(np.log(np.diag(factor[0])).sum())
        if best is None or evidence > best[0]:
            cross = kernel[:, places]
            joint = kernel - cross @ cho_solve(factor, cross.T)
            mean = level + unit * (cross @ weights)
            best = evidence, Fitted(mean, unit**2 * variance * joint, 0.0, unit**2 * variance * noise)
    assert best is not None  # noqa: S101
    return best[1]


def with_noise(pool: Measured, known: Sequence[int], results: Sequence[Replicates], sequences: str = "") -> Fitted:
    """Fit the model of ``surrogate.py``.

    Args:
        pool: All networks.
        known: Places of the networks with results.
        results: Their trainings.
        sequences: Kernel on the sequence of layers that is added to that on features: ``"strings"`` for the weighted
            degree kernel, ``"graphs"`` for the Weisfeiler-Lehman kernel, ``""`` for none.
    """
    found = observed(results, pool.images)
    places = list(known)
    kernels = _on_features(pool, places)
    if sequences:
        other = pool.strings if sequences == "strings" else pool.graphs
        kernels = [(1 - share) * one + share * other for one in kernels for share in SHARES]
    model = likeliest([one[np.ix_(places, places)] for one in kernels], found.values, found.errors)
    kernel = kernels[model.kernel]
    return Fitted(
        model.predict(kernel[:, places], np.ones(len(kernel)))[0], _joint(model, kernel, places), _rest(model)
    )


def _joint(model: Process, kernel: Floats, places: list[int]) -> Floats:
    from scipy.linalg import cho_solve

    cross = model.scale * kernel[:, places]
    found: Floats = model.unit**2 * (model.scale * kernel - cross @ cho_solve((model.factor, True), cross.T))
    return found


def _rest(model: Process) -> float:
    return model.unit**2 * model.rest


def _on_features(pool: Measured, places: list[int]) -> list[Floats]:
    centre, scale = pool.x[places].mean(axis=0), pool.x[places].std(axis=0)
    scale[scale < 1e-9] = 1.0
    apart = distances((pool.x - centre) / scale, (pool.x - centre) / scale)
    return [matern(apart / length) for length in LENGTHS]


BEFORE = "one noise, fitted (before)"
MODELS: dict[str, Model] = {
    BEFORE: before,
    "known noise (now)": with_noise,
    "known noise, weighted degree kernel": lambda *of: with_noise(*of, "strings"),
    "known noise, WL kernel": lambda *of: with_noise(*of, "graphs"),
}


# Predictions


def predicted(pool: Measured, model: Model, repeats: int) -> tuple[Floats, Floats]:
    """Return predicted mean and log density of each network's first result, from the others; each of shape ``(n,)``."""
    count = len(pool.candidates)
    first = [Replicates(one.trainings[:1]) for one in pool.candidates]
    target = observed(first, pool.images)
    means, densities = np.zeros(count), np.zeros(count)
    for repeat in range(repeats):
        order = np.random.default_rng([2, repeat]).permutation(count)
        for part in range(PARTS):
            left = order[part::PARTS]
            places = sorted(set(range(count)) - set(left.tolist()))
            fitted = model(pool, places, [pool.candidates[place] for place in places])
            noise = np.diag(target.errors)[left] if math.isnan(fitted.noise) else fitted.noise
            variance = np.diag(fitted.joint)[left] + fitted.rest + noise
            means[left] += fitted.mean[left] / repeats
            off = target.values[left] - fitted.mean[left]
            densities[left] -= 0.5 * (np.log(2 * math.pi * variance) + off**2 / variance) / repeats
    return means, densities


def rank_correlation(means: Floats, values: Floats, groups: npt.NDArray[np.str_]) -> float:
    """Return Spearman's rank correlation within groups, weighted by their sizes."""
    from scipy.stats import rankdata

    total = weight = 0.0
    for group in np.unique(groups):
        here = groups == group
        if here.sum() >= 5 and np.ptp(values[here]) > 0 and np.ptp(means[here]) > 0:
            found = np.corrcoef(rankdata(means[here]), rankdata(values[here]))[0, 1]
            total, weight = total + here.sum() * found, weight + here.sum()
    return total / weight


def compare(title: str, pool: Measured, repeats: int) -> None:
    """Print a table of how well the models predict."""
    values = observed([Replicates(one.trainings[:1]) for one in pool.candidates], pool.images).values
    groups = np.array(pool.groups)
    more = sum(len(one.trainings) > 1 for one in pool.candidates)
    print(f"\n**{title}**, n = {len(values)}, {more} of them trained more than once\n")
    print("| model | rank correlation | than before | log density | than before |\n| --- | ---: | ---: | ---: | ---: |")
    found = {name: predicted(pool, model, repeats) for name, model in MODELS.items()}
    rng = np.random.default_rng(0)
    draws = [rng.integers(len(values), size=len(values)) for _ in range(1_000)]

    def correlations(means: Floats) -> Floats:
        return np.array([rank_correlation(means[one], values[one], groups[one]) for one in draws])

    reference = correlations(found[BEFORE][0])
    for name, (means, densities) in found.items():
        own = correlations(means)
        gain = densities - found[BEFORE][1]
        spread = densities.std(ddof=1) / math.sqrt(len(densities))
        of_gain = gain.std(ddof=1) / math.sqrt(len(gain))
        more_correlated = rank_correlation(means, values, groups) - rank_correlation(found[BEFORE][0], values, groups)
        print(
            f"| {name} | {rank_correlation(means, values, groups):.3f} ± {own.std():.3f} "
            f"| {more_correlated:+.3f} ± {(own - reference).std():.3f} "
            f"| {densities.mean():.3f} ± {spread:.3f} | {gain.mean():+.3f} ± {of_gain:.3f} |",
            flush=True,
        )


# Searches

Choose = Callable[[Measured, list[int], list[Replicates], list[int]], int]


def by_improvement(model: Model) -> Choose:
    """Return a rule that chooses by expected improvement on the best mean of the networks tried."""

    def choose(pool: Measured, known: list[int], results: list[Replicates], able: list[int]) -> int:
        fitted = model(pool, known, results)
        tried = [place for place in known if pool.groups[place] == pool.groups[able[0]]]
        spread = np.sqrt(np.maximum(np.diag(fitted.joint)[able], 1e-12))
        gains = expected_improvement(fitted.mean[able], spread, float(fitted.mean[tried].max()))
        return able[int(np.argmax(gains))]

    return choose


def by_noisy_improvement(pool: Measured, known: list[int], results: list[Replicates], able: list[int]) -> int:
    """Choose by noisy expected improvement (Letham et al., 2019): over the best in paths of the posterior."""
    fitted = with_noise(pool, known, results)
    tried = [place for place in known if pool.groups[place] == pool.groups[able[0]]]
    factor = np.linalg.cholesky(fitted.joint + 1e-9 * np.trace(fitted.joint) * np.eye(len(fitted.mean)))
    paths = fitted.mean + np.random.default_rng(len(known)).normal(size=(PATHS, len(fitted.mean))) @ factor.T
    gains = np.maximum(0, paths[:, able] - paths[:, tried].max(axis=1)[:, None]).mean(axis=0)
    return able[int(np.argmax(gains))]


def by_botorch(pool: Measured, known: list[int], results: list[Replicates], able: list[int]) -> int:
    """Choose by BoTorch's noisy expected improvement, with its own Gaussian process and the known noise."""
    import torch
    from botorch.acquisition.logei import qLogNoisyExpectedImprovement
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from gpytorch.mlls import ExactMarginalLogLikelihood

    torch.manual_seed(len(known))
    found = observed(results, pool.images)
    low, high = pool.x.min(axis=0), pool.x.max(axis=0)
    inputs = torch.tensor((pool.x - low) / np.maximum(high - low, 1e-9), dtype=torch.double)
    level, unit = found.values.mean(), found.values.std()
    y = torch.tensor((found.values - level) / unit, dtype=torch.double)[:, None]
    noise = torch.tensor(np.diag(found.errors) / unit**2, dtype=torch.double)[:, None]
    model = SingleTaskGP(inputs[known], y, noise)
    fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    tried = [place for place in known if pool.groups[place] == pool.groups[able[0]]]
    gain = qLogNoisyExpectedImprovement(model, inputs[tried], prune_baseline=False)
    with torch.no_grad():
        return able[int(gain(inputs[able][:, None, :]).argmax())]


def at_random(pool: Measured, known: list[int], results: list[Replicates], able: list[int]) -> int:
    """Choose the next network; they are in random order."""
    return able[0]


RULES: dict[str, Choose] = {
    "random": at_random,
    "EI, one noise, fitted (before)": by_improvement(before),
    "EI, known noise (now)": by_improvement(with_noise),
    "EI, known noise, weighted degree kernel": by_improvement(MODELS["known noise, weighted degree kernel"]),
    "noisy EI, known noise": by_noisy_improvement,
    "BoTorch: qLogNoisyExpectedImprovement": by_botorch,
}


def drawn(pool: Measured, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return true qualities of the networks of a pool, and a measurement of each by a training; shapes ``(n,)``."""
    groups = np.array(pool.groups)
    reached = np.array([one.score for one in pool.candidates])
    true = np.zeros(len(reached))
    for each in np.unique(groups):
        true[groups == each] = qualities(reached[groups == each], pool.images, rng)
    errors = np.array([error_of(float(min(one, 1.0)), pool.images) for one in true])
    measured = np.clip(np.round((true + errors * rng.normal(size=len(true))) * pool.images) / pool.images, 0, 1)
    return true, measured


def trained(pool: Measured, place: int, accuracy: float) -> Replicates:
    """Return a network of a pool with one training that reached an accuracy, a fraction."""
    first = pool.candidates[place].first
    candidate = Candidate(first.architecture, Recipe.from_dict(first.recipe))
    return Replicates((_record(candidate, first.run, 0, accuracy),))


def search(pool: Measured, group: str, choose: Choose, seed: int, warm: bool) -> float:
    """Simulate a search; return the regret of the best network tried, in points."""
    rng = np.random.default_rng([3, seed])
    true, measured = drawn(pool, rng)
    groups = np.array(pool.groups)
    order = rng.permutation(len(true)).tolist()
    known = [place for place in order if groups[place] != group][: TRIALS if warm else 0]
    able = [place for place in order if groups[place] == group]
    tried: list[int] = []

    results = [trained(pool, place, float(measured[place])) for place in known]
    beginning = DESIGNS if warm else WARM_UP
    while len(tried) < TRIALS:
        chosen = able[0] if len(tried) < beginning else choose(pool, known, results, able)
        able.remove(chosen)
        tried.append(chosen)
        known.append(chosen)
        results.append(trained(pool, chosen, float(measured[chosen])))
    return 100 * float(true[groups == group].max() - true[tried].max())


def simulate(pool: Measured, group: str, seeds: int, warm: bool, rules: Sequence[str]) -> None:
    """Print a table with the regret of each rule."""
    count = sum(one == group for one in pool.groups)
    print(f"\n**{SETS[group]}{', warm' if warm else ''}**, {count} networks, {TRIALS} trials, n = {seeds}\n")
    print("| rule | regret, points | than before |\n| --- | ---: | ---: |")
    reference = np.zeros(0)
    for name in rules:
        found = np.array([search(pool, group, RULES[name], seed, warm) for seed in range(seeds)])
        reference = found if "before" in name else reference
        error = found.std(ddof=1) / math.sqrt(seeds)
        apart = found - reference if len(reference) else np.full(seeds, math.nan)
        gain = f"{apart.mean():+.4f} ± {apart.std(ddof=1) / math.sqrt(seeds):.4f}" if len(reference) else "-"
        print(f"| {name} | {found.mean():.4f} ± {error:.4f} | {gain} |", flush=True)


def main() -> None:
    """Compare the models, or simulate searches with ``--search``, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evidence", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--of", help="predict networks of stages, or of the archive", choices=("stages", "archive"))
    parser.add_argument("--search", action="store_true")
    parser.add_argument("--warm", action="store_true")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--rules", nargs="+", default=[""], help="prefixes of names of rules; all rules by default")
    given = parser.parse_args()
    records = from_evidence(given.evidence)
    if given.search:
        pool = Measured.of(records, 10_000)
        rules = [name for name in RULES if name.startswith(tuple(given.rules))]
        if find_spec("botorch") is None:
            rules = [name for name in rules if RULES[name] is not by_botorch]
        for group in SETS:
            simulate(pool, group, given.seeds, given.warm, rules)
        return
    if given.of != "archive":
        by_set = defaultdict(list)
        for record in records:
            by_set[record.run].append(record)
        for name, title in SETS.items():
            compare(f"networks of stages {title}", Measured.of(by_set[name], 10_000), given.repeats)
        compare("both", Measured.of(records, 10_000), given.repeats)
    if given.of != "stages":
        compare("the searches of the archive", Measured.of(from_archive(), 6_000), given.repeats)


if __name__ == "__main__":
    main()
