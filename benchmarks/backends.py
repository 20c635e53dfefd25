"""CPU time of training with compiled epochs on JAX, with Keras's ``fit`` on JAX, and on TensorFlow.

::

    python benchmarks/backends.py --data mnist.npz --runs 5
    python benchmarks/backends.py --networks light --runs 1 --json

The sides are trained in turn, each in its own process, on the same images for the same number of epochs with the recipe
``default`` and one thread. ``compiled`` is what tinysearch does if KERAS_BACKEND is jax; ``fit`` is Keras's own ``fit``
with Keras's own layers, which tinysearch used before; ``again`` is ``compiled`` with the compiled code in a cache. The
start is the time until the end of the first epoch minus the time of an epoch: building, tracing and compiling.

With ``--seeds 4`` the time of one step for 4 seeds at once (``vmap``) is measured as well, in steps of one seed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from candidate import NETWORKS, images, spread

from tinysearch.runtime.preparation import prepare_to_train
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import recipe

SIDES = ("compiled", "again", "fit", "tensorflow")
# Number of steps timed for one seed and for several.
STEPS = 30


def measured(side: str, network: str, options: argparse.Namespace) -> dict[str, Any]:
    """Train with one side in this process; return CPU seconds of an epoch and of the start, and the losses."""
    prepare_to_train(1, bare=True)
    data = images(options.data, options.images)
    from tinysearch.training import trainer
    from tinysearch.training.epochs import KerasEpochs

    if side == "fit":
        patched: Any = trainer
        patched.epochs_of = lambda model, course, recipe: KerasEpochs(model, course)
        patched.layers = dict
    ends = [time.process_time()]
    how = recipe("default", epochs=options.epochs)
    _, found = trainer.fit(
        Candidate(NETWORKS[network], how), data, 0, lambda number, epoch, state: ends.append(time.process_time())
    )
    epoch = (ends[-1] - ends[1]) / (options.epochs - 1)
    return {"epoch": epoch, "start": ends[1] - ends[0] - epoch, "losses": [one.loss for one in found.curve]}


def several(network: str, options: argparse.Namespace) -> dict[str, float]:
    """Return CPU seconds of a step of one seed, and of a step of several seeds at once."""
    prepare_to_train(1, bare=True)
    import jax
    import jax.numpy as jnp

    from tinysearch.training import trainer
    from tinysearch.training.compiled import CompiledEpochs

    kept: list[CompiledEpochs] = []

    class Kept(CompiledEpochs):
        def run(self, *_: Any) -> None:
            kept.append(self)

    patched: Any = trainer
    patched.epochs_of = Kept
    data = images(options.data, 320)
    model, _ = trainer.fit(Candidate(NETWORKS[network], recipe("default")), data, 0)
    pixels = jnp.asarray(data.train.pixels[:32], jnp.float32)
    labels = jnp.asarray(data.train.labels[:32])
    parts = (model.trainable_variables, model.non_trainable_variables)
    parts += (model.optimizer.variables, model.metrics_variables)
    state = tuple([variable.value for variable in part] for part in parts)

    def step(state: Any, pixels: Any, labels: Any) -> Any:
        return model.train_step(state, (pixels, labels))[1]

    def seconds(function: Any, *given: Any) -> float:
        def loop(*given: Any) -> Any:
            return jax.lax.scan(lambda state, _: (function(state, *given[1:]), None), given[0], None, length=STEPS)[0]

        compiled = jax.jit(loop)
        jax.block_until_ready(compiled(*given))
        began = time.process_time()
        jax.block_until_ready(compiled(*given))
        return (time.process_time() - began) / STEPS

    def times(tree: Any) -> Any:
        return jax.tree.map(lambda one: jnp.stack([one] * options.seeds), tree)

    one = seconds(step, state, pixels, labels)
    return {"one": one, "several": seconds(jax.vmap(step), times(state), times(pixels), times(labels))}


def measure(side: str, network: str, options: argparse.Namespace, cache: str) -> dict[str, Any]:
    """Measure one side in its own process."""
    command = [sys.executable, __file__, "--side", side, "--networks", network, "--epochs", str(options.epochs)]
    command += ["--images", str(options.images), "--seeds", str(options.seeds)]
    command += ["--data", str(options.data)] if options.data else []
    surroundings = {**os.environ, "KERAS_BACKEND": "tensorflow" if side == "tensorflow" else "jax"}
    surroundings |= {"JAX_COMPILATION_CACHE_DIR": cache, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.1"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=surroundings)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure each network with each side, in turn, and print the ratios over all rounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="an .npz file with MNIST; by default it is found as by tinysearch")
    parser.add_argument("--networks", default=",".join(NETWORKS), help=f"some of {','.join(NETWORKS)}")
    parser.add_argument("--runs", type=int, default=5)
    # As with 54,000 images, the last batch has 16 images.
    parser.add_argument("--images", type=int, default=3_024)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = options.networks.split(",")
    if options.side:
        found = several(names[0], options) if options.side == "seeds" else measured(options.side, names[0], options)
        print(json.dumps(found))
        return
    if not options.json:
        print("| network | side | CPU s per epoch | / fit on JAX | / TensorFlow | start, CPU s |")
        print("| --- | --- | ---: | ---: | ---: | ---: |")
    for network in names:
        rounds = []
        for _ in range(options.runs):
            with tempfile.TemporaryDirectory() as cache:
                each = {side: measure(side, network, options, cache) for side in SIDES[:2]}
            with tempfile.TemporaryDirectory() as cache:
                each |= {side: measure(side, network, options, cache) for side in SIDES[2:]}
            if options.seeds:
                with tempfile.TemporaryDirectory() as cache:
                    each["seeds"] = measure("seeds", network, options, cache)
            rounds.append(each)
        if options.json:
            print(json.dumps({"network": network, "rounds": rounds}), flush=True)
            continue
        for side in SIDES:
            epoch, start = (statistics.median(each[side][name] for each in rounds) for name in ("epoch", "start"))
            ratios = [
                spread([each[side]["epoch"] / each[other]["epoch"] for each in rounds])
                for other in ("fit", "tensorflow")
            ]
            print(f"| {network} | {side} | {epoch:.2f} | {' | '.join(ratios)} | {start:.1f} |", flush=True)
        if options.seeds:
            ratio = spread([each["seeds"]["several"] / each["seeds"]["one"] for each in rounds])
            print(f"{network}: a step of {options.seeds} seeds takes {ratio} steps of one", flush=True)


if __name__ == "__main__":
    main()
