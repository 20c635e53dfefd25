"""CPU time until a search finds a good network below a budget, against KerasTuner's own tuners.

::

    python benchmarks/search.py --data mnist.npz --budget 10000 --target 0.985 --seeds 5
    python benchmarks/search.py --data mnist.npz --budget 3000 --target 0.975 --seeds 5

All sides search the same space on the same images, with the same recipe, the same training code and one thread, each in
its own process: only the search differs. KerasTuner's tuners get the whole space as hyperparameters, and the budget as
``max_model_size``, KerasTuner's bound on the size of a network. Their other settings stay at the defaults, except that
a search ends after ``--limit`` CPU seconds. To be fair to them, a network that cannot be built because its layers do
not fit together takes no time and gets the score 0, as KerasTuner cannot reject one; and if KerasTuner gives up because
three networks in a row were too large, it is restarted with another seed, as a user would do.

For each side the table has the CPU seconds until a candidate reached the target (the start of Python and TensorFlow
included), the number of candidates trained until then, the number of trials lost to networks that were too large, the
number lost to networks that could not be built, and how often KerasTuner gave up.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from candidate import images

from tinysearch.baselines.models import architectures
from tinysearch.data.dataset import Dataset, TrainingData
from tinysearch.data.images import fingerprint
from tinysearch.errors import TinySearchError
from tinysearch.results.callback import Callback
from tinysearch.results.record import Record
from tinysearch.results.store import Store
from tinysearch.results.training import Training
from tinysearch.runtime.backend import load_keras_tuner
from tinysearch.runtime.preparation import prepare_to_train
from tinysearch.search.run import SearchRun
from tinysearch.search.settings import RunSettings
from tinysearch.search.stages import Stages
from tinysearch.space.budget import Budget
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import EpochWatcher, Job, Outcome
from tinysearch.training.recipe import Recipe
from tinysearch.workers.threads import ThreadExecutor

TUNERS = ("RandomSearch", "BayesianOptimization", "Hyperband")


class Referee:
    """Referee of a search: ends the process as soon as the target is reached or the time is up."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.target: float = options.target
        self.limit: float = options.limit
        self.trained = 0
        self.best = 0.0
        self.lost = {"oversize": 0, "unbuildable": 0, "gave_up": 0}

    def lose(self, reason: str) -> None:
        """Count a trial that trained nothing."""
        self.lost[reason] += 1
        self.check()

    def see(self, score: float) -> None:
        """Record the score of a candidate; end if it reached the target."""
        self.trained += 1
        self.best = max(self.best, score)
        if score >= self.target:
            self.end(time.process_time())
        self.check()

    def check(self) -> None:
        """End the process if the time is up."""
        if time.process_time() > self.limit:
            self.end(None)

    def end(self, reached: float | None) -> NoReturn:
        """Print the figures, and end the process; ``reached`` is None if the target was not reached."""
        print(json.dumps({"seconds": reached, "trained": self.trained, "best": self.best, **self.lost}), flush=True)
        os._exit(0)


class Watcher(Callback):
    """Callback that reports each training to the referee."""

    def __init__(self, referee: Referee) -> None:
        self.referee = referee

    def on_record(self, training: Training, record: Record, rejections: Mapping[str, int]) -> None:
        """Report the score; the run has no hand-designed baselines."""
        self.referee.see(record.score if math.isfinite(record.score) else 0.0)


def ours(options: argparse.Namespace, data: TrainingData, strategy: str, seed: int) -> None:
    """Search with a strategy of tinysearch."""
    recipe = replace(Recipe(), epochs=options.epochs)
    settings = RunSettings(
        Budget(options.budget), recipe, strategy=strategy, trials=10_000, seed=seed, baselines=False, lag=1
    )
    mark = fingerprint(data.train)

    def train(job: Job, given: TrainingData, on_epoch: EpochWatcher) -> Outcome:
        """Train in this process, so that one clock counts everything."""
        from tinysearch.training.trainer import fit

        return Outcome(fit(job.candidate, data, job.seed, on_epoch)[1])

    dataset = Dataset("mnist", "given", data.task, data.train, mark, data.full_scale, None, lambda: data.train)
    with (
        tempfile.TemporaryDirectory() as folder,
        Store(Path(folder) / "store.db", create=True) as store,
        SearchRun(store, "search", settings, dataset, architectures()) as run,
    ):
        Stages(run, ThreadExecutor(train), Watcher(Referee(options))).search()


def theirs(options: argparse.Namespace, data: TrainingData, name: str, seed: int) -> None:
    """Search with a tuner of KerasTuner."""
    import keras
    import keras_tuner

    from tinysearch.space import choices
    from tinysearch.space.keras_builder import build
    from tinysearch.training.trainer import fit

    referee, space = Referee(options), SearchSpace()
    recipe = replace(Recipe(), epochs=options.epochs)

    class Networks(keras_tuner.HyperModel):  # type: ignore[misc]
        def build(self, hp: keras_tuner.HyperParameters) -> Any:
            try:
                model = build(space.decode(hp.values), data.task)
            except TinySearchError:
                model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
            if model.count_params() >= options.budget:
                referee.lose("oversize")
            # KerasTuner requires a compiled model; ``fit`` below trains with the recipe instead.
            model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
            return model

        def fit(self, hp: keras_tuner.HyperParameters, model: Any, **given: Any) -> dict[str, float]:
            if len(model.layers) == 1:
                referee.lose("unbuildable")
                return {"val_accuracy": 0.0}
            epochs = int(hp.values.get("tuner/epochs", options.epochs))
            candidate = Candidate(space.decode(hp.values), replace(recipe, epochs=epochs))
            score = fit(candidate, data, seed)[1].val_accuracy or 0.0
            referee.see(score)
            return {"val_accuracy": score}

    makers: dict[str, Callable[..., Any]] = {
        "RandomSearch": partial(keras_tuner.RandomSearch, max_trials=10_000),
        "BayesianOptimization": partial(keras_tuner.BayesianOptimization, max_trials=10_000),
        "Hyperband": partial(keras_tuner.Hyperband, max_epochs=options.epochs),
    }
    for attempt in itertools.count():
        with tempfile.TemporaryDirectory() as folder:
            hp = keras_tuner.HyperParameters()
            choices.register(space.tree, hp)
            tuner = makers[name](
                Networks(),
                # Otherwise it would build a network for each of a thousand conditions before it searches.
                hyperparameters=hp,
                tune_new_entries=False,
                objective=keras_tuner.Objective("val_accuracy", "max"),
                directory=folder,
                # KerasTuner treats a seed of 0 as none.
                seed=1 + seed + 1_000 * attempt,
                # A model of this many parameters is still within KerasTuner's bound.
                max_model_size=options.budget - 1,
            )
            # It gives up with a RuntimeError; Hyperband returns when it has finished.
            with contextlib.suppress(RuntimeError):
                tuner.search(verbose=0)
            referee.lose("gave_up")


def measure(side: str, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """Run one search in its own process; return its figures."""
    command = [sys.executable, __file__, "--side", side, "--seed", str(seed)]
    for name in ("budget", "target", "images", "epochs", "limit"):
        command += [f"--{name}", str(getattr(options, name))]
    command += ["--data", str(options.data)] if options.data else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise RuntimeError(f"{side} with seed {seed} told nothing:\n{done.stderr[-2_000:]}")
    found: dict[str, Any] = json.loads(lines[-1])
    return {"side": side, "seed": seed, **found}


def main() -> None:
    """Run all searches, alternating between the sides, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="an .npz file with MNIST; by default it is found as by tinysearch")
    parser.add_argument("--budget", type=int, default=10_000)
    parser.add_argument("--target", type=float, default=0.985, help="validation accuracy of the last epoch")
    parser.add_argument("--sides", default=f"bayesian,evolution,{','.join(TUNERS)}")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--images", type=int, default=5_400)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--limit", type=float, default=600.0, help="CPU seconds of one search")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        prepare_to_train(1)
        load_keras_tuner()
        data = images(options.data, options.images)
        (theirs if options.side in TUNERS else ours)(options, data, options.side, options.seed)
        return
    sides = options.sides.split(",")
    found: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
    for seed in range(options.seeds):
        for side in sides:
            found[side].append(measure(side, seed, options))
            if options.json:
                print(json.dumps(found[side][-1]), flush=True)
    if options.json:
        return
    print(
        "| search | CPU s until the target (least to most) | reached | trained | too large | not buildable | gave up |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for side, searches in found.items():
        times = [each["seconds"] or math.inf for each in searches]
        words = [f"{value:.0f}" if math.isfinite(value) else f"over {options.limit:.0f}" for value in times]
        order = sorted(range(len(times)), key=times.__getitem__)
        middle = statistics.median_low(times)
        shown = f"{middle:.0f}" if math.isfinite(middle) else f"over {options.limit:.0f}"
        print(
            f"| {side} | {shown} ({words[order[0]]} to {words[order[-1]]}) "
            f"| {sum(map(math.isfinite, times))} of {len(times)} "
            f"| {statistics.median(each['trained'] for each in searches):g} "
            f"| {statistics.median(each['oversize'] for each in searches):g} "
            f"| {statistics.median(each['unbuildable'] for each in searches):g} "
            f"| {statistics.median(each['gave_up'] for each in searches):g} |"
        )


if __name__ == "__main__":
    main()
