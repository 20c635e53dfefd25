"""Simulate revalidations: the regret of the winner that a run declares, and the number of additional trainings.

::

    python experiments/races.py --evidence mnist-10-epochs.json --seeds 1000
    python experiments/races.py --fit --evidence mnist-10-epochs.json

A search ends with 20 candidates whose true qualities are drawn from the results of real ones: from searches of the
reference archive, and from random networks (``--evidence``: networks of stages on a GPU, ``{"rows": [{"set": ...,
"validation": [...]}]}``, percent). These measurements have errors of their own, so a quality is drawn from its
distribution given the measurement. A training then measures a quality with the error of ``racing.error_of`` and with
the hardness of its fold, which all candidates share. Each rule chooses a winner. The table has its regret, the true
quality of the best candidate minus that of the winner, in points, with a 95 % interval; the difference from the regret
of the earlier rule, ``BEFORE``, on the same candidates and trainings; how often the regret exceeds 0.03; and the number
of trainings after the search.

``--harder`` makes the folds of revalidations harder than that of the search, by this many points. ``--fit`` estimates
the error of a training instead: from seeds on the same images, and from the residuals of revalidations after
subtracting effects of candidates and folds.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.search.racing import CLOSEST, OF_IMAGES, decide, error_of
from tinysearch.search.rounds import BEST, WORTH, fold_of

Floats = npt.NDArray[np.float64]
TRIALS = 20
RUNS = ("sweep-1000", "sweep-2000", "sweep-3000", "sweep-8000", "sweep-10000")
SETS = {"<1000": "below 1,000", "<10000": "below 10,000"}


class Trainings:
    """Simulated trainings of candidates; counts the trainings after the search.

    Args:
        true: True qualities of the candidates, fractions.
        images: Number of images of each fold.
        harder: How much harder the folds of revalidations are than that of the search, a fraction.
        rng: Random generator of the errors.
    """

    def __init__(self, true: Floats, images: int, harder: float, rng: np.random.Generator) -> None:
        self.images = images
        self.count = len(true)
        good = float(np.clip(np.mean(np.sort(true)[-BEST:]), 0, 1 - 0.5 / images))
        folds = rng.normal(0, math.sqrt((1 - OF_IMAGES) * good * (1 - good) / images), 10) - harder
        folds[0] = 0
        errors = np.array([error_of(float(min(one, 1.0)), images) for one in true])
        measured = true[:, None] + folds + errors[:, None] * rng.normal(0, 1, (self.count, 10))
        self._measured = np.minimum(1, np.round(measured * images) / images)
        self.more = 0

    @property
    def searched(self) -> Floats:
        """Scores of all candidates in the search."""
        found: Floats = self._measured[:, 0]
        return found

    def again(self, one: int, fold: int) -> float:
        """Train a candidate again on another fold; return its score."""
        self.more += 1
        return float(self._measured[one, fold])


Rule = Callable[[Trainings], int]


def by_one_training(trainings: Trainings) -> int:
    """Choose the candidate with the best score in the search."""
    return int(np.argmax(trainings.searched))


def by_means(trainings: Trainings, folds: int = 3) -> int:
    """Train two leaders again until the leader by mean score has ``folds`` trainings: the rule up to version 1."""
    scores = [[score] for score in trainings.searched]
    while True:
        order = sorted(range(len(scores)), key=lambda one: -np.mean(scores[one]))
        if len(scores[order[0]]) >= folds:
            return order[0]
        for one in [one for one in order if len(scores[one]) < folds][:2]:
            scores[one].append(trainings.again(one, len(scores[one])))


def halving(*sizes: int) -> Rule:
    """Return a rule that in each round trains this many of the best candidates by mean again (successive rejects)."""

    def choose(trainings: Trainings) -> int:
        left = np.argsort(-trainings.searched, kind="stable")
        totals = trainings.searched.copy()
        for fold, size in enumerate(sizes, start=1):
            left = left[:size]
            totals[left] += [trainings.again(int(one), fold) for one in left]
            left = left[np.argsort(-totals[left], kind="stable")]
        return int(left[0])

    return choose


def race(folds: int, worth: float = WORTH) -> Rule:
    """Return a rule that trains all candidates again that may still be the best, as a run does."""

    def choose(trainings: Trainings) -> int:
        order = np.argsort(-trainings.searched, kind="stable")
        searched = trainings.searched[order]
        images = trainings.images
        if searched[1] == 1:
            return int(order[0])
        values, error = searched[:, None], error_of(float(np.mean(searched[:BEST])), images)
        for fold in range(1, folds):
            room = trainings.count // 2 - trainings.more
            verdict = decide(values, error, searched, worth=worth / images, rounds=folds - fold, room=room)
            if not verdict.chosen:
                break
            order = order[list(verdict.chosen)]
            found = [trainings.again(int(one), fold_of(fold)) for one in order]
            values = np.column_stack([values[list(verdict.chosen)], found])
        return int(order[np.argmax(values.mean(axis=1))])

    return choose


BEFORE = "leaders by means, 3 folds (before)"
RULES: dict[str, Rule] = {
    "none": by_one_training,
    BEFORE: by_means,
    "rounds of 6, 4": halving(6, 4),
    "rounds of 5, 3, 2": halving(5, 3, 2),
    "race, 2 folds": race(2),
    "race, 3 folds": race(3),
    "race, 4 folds (now)": race(4),
    "race, 6 folds": race(6),
    "race, 4 folds, never alike": race(4, 0.0),
}


def pools(evidence: Path | None) -> Iterator[tuple[str, Floats, int]]:
    """Yield titles, scores of real candidates as fractions, and the number of images they were validated on."""
    if evidence is not None:
        rows = json.loads(evidence.read_text())["rows"]
        for kind, title in SETS.items():
            reached = [float(np.mean(row["validation"])) / 100 for row in rows if row["set"] == kind]
            reached = [one for one in reached if one > 0.5]
            yield f"random stages, {title}", np.array(reached), 10_000
            yield f"the better half of them, {title}", np.sort(reached)[len(reached) // 2 :], 10_000
    by_run = defaultdict(list)
    for record in records():
        if record["purpose"] == "search" and not record["measurement"]["failure"]:
            by_run[record["run"]].append(record["measurement"]["curve"][-1]["val_accuracy"])
    for run in RUNS:
        yield f"{run} of the archive", np.array(by_run[run]), 6_000


def records() -> list[Mapping[str, Any]]:
    """Return the records of the reference archive."""
    lines = (files("tinysearch.results") / "reference" / "records.jsonl").read_text().splitlines()
    return [line["record"] for line in map(json.loads, lines) if "record" in line]


def qualities(reached: Floats, images: int, rng: np.random.Generator) -> Floats:
    """Return true qualities of networks, drawn from their distribution given one measurement of each."""
    errors = np.array([error_of(one, images) for one in reached])
    middle = float(np.median(reached))
    good = reached >= middle
    error = float(np.median(errors[good]))
    spread = math.sqrt(max(float(np.mean((reached[good] - middle) ** 2)) - error**2, (CLOSEST * error) ** 2))
    certain = spread**2 / (spread**2 + errors**2)
    means = np.where(good, middle + certain * (reached - middle), reached)
    true: Floats = means + rng.normal(0, 1, len(reached)) * np.sqrt(certain) * errors
    return true


def drawn(reached: Floats, images: int, rng: np.random.Generator) -> Floats:
    """Return true qualities of the candidates of a search."""
    true = qualities(reached, images, rng)
    chosen: Floats = rng.choice(true, TRIALS, replace=len(true) < TRIALS)
    # Copies of a candidate that is drawn twice count as different candidates.
    return chosen + rng.normal(0, 1e-7, TRIALS)


def nearly_perfect(best: float) -> Callable[[np.random.Generator], Floats]:
    """Return a function that draws qualities of candidates on data that is easy for most of them."""
    return lambda rng: np.minimum(1.0, best - np.abs(rng.normal(0, 0.004, TRIALS)))


def simulate(name: str, draw: Callable[[np.random.Generator], Floats], images: int, seeds: int, harder: float) -> None:
    """Simulate all rules, and print a table with a row for each."""
    print(f"\n**{name}**, {images:,} validation images, n = {seeds:,}\n")
    print("| rule | more than 0.03 lost | regret, points | than before | more trainings | at most | none at all |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    found = np.empty((len(RULES), seeds, 2))
    for row, rule in enumerate(RULES.values()):
        for seed in range(seeds):
            true = draw(np.random.default_rng([0, seed]))
            trainings = Trainings(true, images, harder / 100, np.random.default_rng([1, seed]))
            found[row, seed] = 100 * (true.max() - true[rule(trainings)]), trainings.more
    before = found[list(RULES).index(BEFORE), :, 0]
    for row, rule_name in enumerate(RULES):
        regret, more = found[row].T
        print(
            f"| {rule_name} | {np.mean(regret > 0.03):.0%} | {_interval(regret)} | {_interval(regret - before, '+')} "
            f"| {more.mean():.1f} | {more.max():.0f} | {np.mean(more == 0):.0%} |"
        )


def _interval(values: Floats, sign: str = "") -> str:
    """Return the mean with its 95 % interval as text."""
    half = 1.96 * values.std(ddof=1) / math.sqrt(len(values))
    return f"{values.mean():{sign}.4f} ± {half:.4f}"


def fit(evidence: Path | None) -> None:
    """Print the observed errors of seeds and of revalidations, and the error of a training that fits both best."""
    # Mean error rate, sum of squared residuals, their degrees of freedom, and whether the images were the same.
    found: list[tuple[float, float, int, bool]] = []
    if evidence is not None:
        for row in json.loads(evidence.read_text())["rows"]:
            values = np.array(row["validation"]) / 100
            if len(values) > 1 and values.mean() > 0.975:
                found.append((1 - values.mean(), float(((values - values.mean()) ** 2).sum()), len(values) - 1, True))
    by_run: dict[str, dict[tuple[str, int], float]] = defaultdict(dict)
    for record in records():
        if record["purpose"] in ("search", "revalidation") and not record["measurement"]["failure"]:
            fold = 0 if record["purpose"] == "search" else fold_of(record["seed"])
            by_run[record["run"]][record["key"], fold] = record["measurement"]["curve"][-1]["val_accuracy"]
    for values_of in by_run.values():
        again = {key for key, fold in values_of if fold}
        rows = {place: value for place, value in values_of.items() if place[0] in again}
        keys, folds = sorted(again), sorted({fold for _, fold in rows})
        if not rows:
            continue
        design = np.zeros((len(rows), len(keys) + len(folds)))
        for number, (key, fold) in enumerate(rows):
            design[number, [keys.index(key), len(keys) + folds.index(fold)]] = 1
        values = np.array(list(rows.values()))
        effects, _, rank, _ = np.linalg.lstsq(design, values, rcond=None)
        squares = float(((values - design @ effects) ** 2).sum())
        found.append((1 - values.mean(), squares, len(rows) - int(rank), False))
    grid = [(seed, image) for seed in np.arange(0.01, 0.2, 0.005) for image in np.arange(0, 1.001, 0.05)]

    def likelihood(seed: float, image: float) -> float:
        total = 0.0
        for wrong, squares, freedom, same in found:
            variance = (seed * wrong) ** 2 + (0 if same else image * wrong * (1 - wrong) / 6_000)
            total -= freedom * math.log(variance) / 2 + squares / variance / 2
        return total

    seed, image = max(grid, key=lambda pair: likelihood(*pair))
    print("| mean error rate | standard deviation | degrees of freedom | of |\n| ---: | ---: | ---: | --- |")
    for low, high in ((0.0, 0.0085), (0.0085, 0.0125), (0.0125, 0.017), (0.017, 0.025)):
        for same, title in ((True, "seeds, the same images"), (False, "revalidations, other folds")):
            part = [one for one in found if low <= one[0] < high and one[3] == same]
            if freedom := sum(one[2] for one in part):
                deviation = math.sqrt(sum(one[1] for one in part) / freedom)
                mean = sum(one[0] * one[2] for one in part) / freedom
                print(f"| {mean:.2%} | {deviation:.3%} | {freedom} | {title} |")
    print(f"\nmost likely: OF_SEED = {seed:.3f}, OF_IMAGES = {image:.2f} ({sum(one[2] for one in found)} residuals)")


def main() -> None:
    """Simulate, or fit, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evidence", type=Path)
    parser.add_argument("--seeds", type=int, default=1_000)
    parser.add_argument("--harder", type=float, default=0.0)
    parser.add_argument("--fit", action="store_true")
    given = parser.parse_args()
    if given.fit:
        fit(given.evidence)
        return
    for name, reached, images in pools(given.evidence):
        simulate(name, lambda rng, of=(reached, images): drawn(*of, rng), 6_000, given.seeds, given.harder)  # type: ignore[misc]
    for best in (1.001, 0.997):
        title = f"candidates of at most {min(best, 1):.1%}"
        simulate(title, nearly_perfect(best), 180, given.seeds, given.harder)


if __name__ == "__main__":
    main()
