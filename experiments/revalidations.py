"""What revalidations are worth, in a simulation: how good is the candidate that a search declares its winner.

::

    python experiments/revalidations.py

Candidates differ by chance (``--spread``, points), each training measures one with an error (``--noise``, points: that
of 6,000 images at 99.3 %, and of the seed). Compared are choosing by one training, of 20 candidates and of more; a
fixed number of finalists; and the race of ``--confirm``, with two workers. Better is a winner that is truly further
above the average candidate, for fewer trainings beside those of the 20 candidates. ``--harder`` makes the images held
out by revalidations harder than those of the search, by so many points (see ``folds.py``); below 0, easier.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

Array = np.ndarray[tuple[int], np.dtype[np.float64]]
Measure = Callable[[int], float]


def by_one_training(first: Array, measure: Measure) -> tuple[int, int]:
    """Return the winner and how many more trainings it took."""
    return int(np.argmax(first)), 0


def finalists(count: int, trainings: int) -> Callable[[Array, Measure], tuple[int, int]]:
    """Train the best few again, each as often."""

    def choose(first: Array, measure: Measure) -> tuple[int, int]:
        best = np.argsort(-first)[:count]
        means = [np.mean([first[one], *(measure(one) for _ in range(trainings - 1))]) for one in best]
        return int(best[int(np.argmax(means))]), count * (trainings - 1)

    return choose


def race(trainings: int, workers: int = 2) -> Callable[[Array, Measure], tuple[int, int]]:
    """Train the leaders again until one leads by the mean of so many trainings."""

    def choose(first: Array, measure: Measure) -> tuple[int, int]:
        scores = [[score] for score in first]
        more = 0
        while True:
            order = sorted(range(len(scores)), key=lambda one: -np.mean(scores[one]))
            if len(scores[order[0]]) >= trainings:
                return order[0], more
            for one in [one for one in order if len(scores[one]) < trainings][:workers]:
                scores[one].append(measure(one))
                more += 1

    return choose


def simulated(
    choose: Callable[[Array, Measure], tuple[int, int]], true: Array, noise: float, harder: float, seed: int
) -> Array:
    """Let a rule choose among candidates; return how good its winner is, and how many more trainings it took."""
    rng = np.random.default_rng([1, seed])

    def measure(one: int) -> float:
        return float(true[one] + rng.normal(0.0, noise))

    first = np.array([measure(one) for one in range(len(true))])
    winner, more = choose(first, lambda one: measure(one) - harder)
    return np.array([true[winner], more])


def main() -> None:
    """Simulate, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spread", type=float, default=0.08)
    parser.add_argument("--noise", type=float, default=0.11)
    parser.add_argument("--harder", type=float, default=0.0)
    parser.add_argument("--runs", type=int, default=4_000)
    given = parser.parse_args()
    rules = {
        "one training, 20 candidates": (20, by_one_training),
        "one training, 26 candidates": (26, by_one_training),
        "3 finalists, 3 trainings": (20, finalists(3, 3)),
        "6 finalists, 2 trainings": (20, finalists(6, 2)),
        "race, 2 trainings": (20, race(2)),
        "race, 3 trainings": (20, race(3)),
        "race, 4 trainings": (20, race(4)),
    }
    print("| rule | winner above the average, points | more trainings |\n| --- | ---: | ---: |")
    for name, (count, choose) in rules.items():
        searches = (np.random.default_rng([0, run]).normal(0.0, given.spread, count) for run in range(given.runs))
        each = [simulated(choose, true, given.noise, given.harder, run) for run, true in enumerate(searches)]
        found = np.mean(each, axis=0)
        print(f"| {name} | {found[0]:.3f} | {found[1]:.1f} |")


if __name__ == "__main__":
    main()
