"""Compare hundreds of searches by tinysearch and peers in a table of networks with recorded trainings.

::

    python benchmarks/evidence_table.py --evidence mnist-10-epochs.json --seeds 300
    python benchmarks/evidence_table.py --evidence mnist-10-epochs.json --exact --trials 79 --sides bayesian evolution

The table is a set of ``--evidence``, a file of networks of stages that is not part of the project;
``experiments/surrogates.py`` describes its format. A search tries ``--trials`` of the networks, none of them twice. For
each seed, true qualities are drawn from the distribution of each network's quality given its recorded trainings, and
measured with the error of a training, as in ``experiments/races.py``; they are the same for all sides. The leader is
the network with the best measurement. The benchmark reports its regret, the true quality of the best network of the
table minus that of the leader, in points; and the regret of the best network tried, which revalidations may find.
``--exact`` measures without errors. A proposal knows all earlier results; a real run has a lag.

- ``plain`` draws at random, without any search. The strategy ``random`` of tinysearch is not here: it draws from the
  whole space, which a table of stages does not contain.
- ``plain-rule`` first draws the networks that the rule of ``plain_stages.py`` could draw: one pooling after the second
  or third layer, no padding, no shortcuts.
- ``bayesian`` is the model of tinysearch. It begins with the networks nearest to the 5 designs, in the features of the
  model, then takes the best of 8 random ones by the prior mean until it has 10 results. Then it chooses among the
  remaining networks of ``plain-rule`` and the networks nearest to the best one by the model. ``no-prior`` has no prior
  mean, ``random-start`` no designs, ``cold`` neither.
- ``evolution`` has the tournament, the ageing and the beginning of the strategy of tinysearch. A mutant is one of the 5
  untried networks nearest to the parent.
- Optuna's samplers and KerasTuner's oracle choose the values of 13 parameters, see ``stage_parameters.py``. Their
  proposal is moved to the nearest untried network, and they receive its result with its own parameters. NSGA-II begins
  with a generation of 50 random trials and KerasTuner with 3 random trials for each parameter, so a search of 30 trials
  is random. Further rows have generations of 10, and 5 random trials. In the latter, KerasTuner's acquisition function
  is maximized over the networks of the table, so no proposal is moved. Such a search takes a second or two, so it has
  only ``--few`` seeds. The budget wrapper for KerasTuner has nothing to reject here, as all networks of the table are
  within the budget.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
from pathlib import Path

import numpy as np
from table_searches import SIDES, SLOW, Search, Side, Table
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1] / "experiments"))
from prior_mean import searches as searches_of
from prior_mean import trained as fitted_to
from races import SETS, Floats
from surrogates import drawn, from_evidence

from tinysearch.results.archive import REFERENCE
from tinysearch.search.strategies.prior_mean import prior_mean

OFTEN = (1, 3, 5, 10, 15, 20, 30)
COMPARED_AT = 20
# Regret in points that counts as close to the best network.
CLOSE = {"<1000": 0.1, "<10000": 0.03}


def tried(table: Table, side: Side, measured: Floats, trials: int, seed: int) -> list[int]:
    """Run a search; return the indices of the networks tried, in order."""
    search = Search(table, np.random.default_rng([5, seed]))
    proposals = side(search)
    for place in itertools.islice(proposals, min(trials, len(measured))):
        if place in search.tried:
            raise AssertionError(f"network {place} was tried before, in trial {search.tried.index(place) + 1}")
        search.tried.append(place)
        search.results.append(float(measured[place]))
    return search.tried


def measurements(table: Table, seed: int, *, exact: bool) -> tuple[Floats, Floats]:
    """Return true qualities and measurements of all networks, fractions of shape ``(n,)``."""
    true, measured = drawn(table.pool, np.random.default_rng([4, seed]))
    return true, true if exact else measured


def regrets(table: Table, side: Side, trials: int, seed: int, *, exact: bool = False) -> Floats:
    """Return the regret after each trial of a search, in points: of the leader, and of the best network tried.

    Returns:
        Shape ``(2, trials)``.
    """
    true, measured = measurements(table, seed, exact=exact)
    places = tried(table, side, measured, trials, seed)
    leaders = list(itertools.accumulate(places, lambda one, other: max(one, other, key=measured.__getitem__)))
    return 100 * (true.max() - np.stack([true[leaders], np.maximum.accumulate(true[places])]))


def regret_of_all(table: Table, seed: int, *, exact: bool) -> float:
    """Return the regret of the leader if all networks are tried, in points: the effect of luck in training alone."""
    true, measured = measurements(table, seed, exact=exact)
    return 100 * float(true.max() - true[np.argmax(measured)])


def row(side: str, curves: Floats, reference: Floats, close: float) -> str:
    """Return the table row of a side.

    Args:
        side: Name of the side.
        curves: Its regrets, shape ``(seeds, 2, trials)``.
        reference: Regrets of ``plain``, of the same shape; it may have more seeds.
        close: Regret in points that counts as close to the best network.
    """
    seeds, _, trials = curves.shape
    leader, best = curves[:, 0], curves[:, 1]
    cells = [_mean_and_error(leader[:, after - 1]) for after in OFTEN if after <= trials]
    at = min(COMPARED_AT, trials) - 1
    cells.append(_mean_and_error(leader[:, at] - reference[:seeds, 0, at], "+"))
    cells.append(_mean_and_error(best[:, at]))
    is_close = leader <= close
    first = np.where(is_close.any(axis=1), is_close.argmax(axis=1) + 1.0, math.inf)
    quartiles = np.quantile(first, (0.5, 0.25, 0.75), method="inverted_cdf")
    shown = [f"{one:.0f}" if math.isfinite(one) else f"over {trials}" for one in quartiles]
    return f"| `{side}` | {seeds} | " + " | ".join(cells) + " | {} ({} to {}) |".format(*shown)


def _mean_and_error(values: Floats, sign: str = "") -> str:
    return f"{values.mean():{sign}.3f} ± {values.std(ddof=1) / math.sqrt(len(values)):.3f}"


def describe(name: str, table: Table) -> None:
    """Print the size of the table, how well the prior mean ranks it, and the ranks of the designs."""
    from scipy.stats import spearmanr

    seen = np.concatenate([x for x, _ in fitted_to(searches_of(REFERENCE))])
    known = sum(bool((np.abs(seen - one).max(axis=1) < 1e-9).any()) for one in table.pool.x)
    reached = [one.score for one in table.pool.candidates]
    rank = spearmanr(prior_mean()(table.pool.x), reached).statistic
    order = sorted(reached, reverse=True)
    ranks = ", ".join(str(order.index(reached[place]) + 1) for place in table.designs)
    print(f"\n**{SETS[name]}**, {len(reached)} networks, {len(table.plain)} of them by the rule of plain stages\n")
    print(f"- The prior mean was fitted to {known} of them, and ranks them with a correlation of {rank:.2f}.")
    print(f"- The networks nearest to the designs have the measured ranks {ranks}.")


def main() -> None:
    """Search with each side and seed, and print a table for each set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evidence", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", choices=tuple(SETS), default=list(SETS))
    parser.add_argument("--sides", nargs="+", choices=tuple(SIDES), default=list(SIDES))
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--few", type=int, default=60, help="number of seeds of the slow side")
    parser.add_argument("--exact", action="store_true", help="measure without errors")
    options = parser.parse_args()
    records = from_evidence(options.evidence)
    for name in options.sets:
        table = Table.of(records, name)
        describe(name, table)
        of_all = np.array([regret_of_all(table, seed, exact=options.exact) for seed in range(options.seeds)])
        print(f"- If all networks were tried, the regret of the leader would be {_mean_and_error(of_all)}.\n")
        columns = [after for after in OFTEN if after <= options.trials]
        at = min(COMPARED_AT, options.trials)
        titles = ["side", "n", *map(str, columns)]
        titles += [f"minus plain, after {at}", f"best tried, after {at}", f"within {CLOSE[name]} after"]
        print(f"| {' | '.join(titles)} |")
        print(f"| --- |{' ---: |' * (len(titles) - 1)}")
        found: dict[str, Floats] = {}
        for side in dict.fromkeys(["plain", *options.sides]):
            seeds = min(options.few, options.seeds) if side == SLOW else options.seeds
            with threadpool_limits(1):
                curves = [
                    regrets(table, SIDES[side], options.trials, seed, exact=options.exact) for seed in range(seeds)
                ]
            found[side] = np.array(curves)
            print(row(side, found[side], found["plain"], CLOSE[name]), flush=True)


if __name__ == "__main__":
    main()
