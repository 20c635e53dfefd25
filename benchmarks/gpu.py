"""Number of candidates that a GPU trains per minute with 1, 4, 8 and 16 workers, compared with the processor.

::

    pip install '.[benchmarks]' 'jax[cuda12]'
    python benchmarks/gpu.py --data mnist.npz

The command takes about five minutes. Each number of workers gets an equal part of ``--seconds``. If TensorFlow is
installed, the processor gets such a part too, with one single-thread worker per core, at most 8. Each phase is printed
when it ends. Its workers are started and warmed up first. Then new random networks below 10,000 parameters are trained
by the recipe ``default`` with ``--epochs``, and whole epochs are counted until the time is up: ``--epochs`` of them
count as one candidate. The time to compile a network is included; no compiled code of earlier runs is reused, and
compiling takes 15 s or more, so a phase should have a minute. Without a GPU both sides run on the processor, which only
shows that the command works.

With ``--mps on`` workers are clients of a daemon of CUDA's Multi-Process Service, which lets kernels of several
processes overlap instead of taking turns; with ``--mps both`` each number of workers is measured without and with it.
The command runs its own daemon: its pipes are in a temporary folder, it changes no setting of the GPU, and it is
stopped at the end. See https://docs.nvidia.com/deploy/mps/.

The start of a candidate is the time of its first epoch minus that of its second. GPU utilisation is the mean of the
values that ``nvidia-smi`` reports every second; CPU utilisation is the CPU seconds of all workers divided by those of
all cores. Needs psutil.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from tinysearch.data.dataset import TrainingData
from tinysearch.data.images import Images
from tinysearch.data.loading import load
from tinysearch.results.record import Epoch
from tinysearch.runtime.cores import MOST_WORKERS, usable_cores
from tinysearch.runtime.devices import accelerator, visible_gpus
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import DataReference, Job
from tinysearch.training.recipe import recipe
from tinysearch.workers.executor import EpochDone, JobDone
from tinysearch.workers.local.executor import LocalExecutor

BELOW = 10_000
WARM = 64
MPS = "nvidia-cuda-mps-control"


class Utilisation:
    """Thread that samples the utilisation of the GPUs every second."""

    def __init__(self) -> None:
        self.samples: list[float] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> Utilisation:
        if visible_gpus():
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _ask(self) -> None:
        command = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
        command.append(f"--id={','.join(visible_gpus())}")
        while not self._over.wait(1.0):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                self.samples.append(statistics.mean(float(line) for line in done.stdout.split()))


def shared(executor: LocalExecutor, data: TrainingData, mark: str) -> DataReference:
    """Share images with an executor; the validation images come last, because jobs hold out the last tenth."""
    assert data.validation is not None  # noqa: S101
    parts = (data.train, data.validation)
    return DataReference(
        executor.share(f"{mark}-pixels", np.concatenate([part.pixels for part in parts])),
        executor.share(f"{mark}-labels", np.concatenate([part.labels for part in parts])),
        mark,
        data.task.input_shape,
        data.task.classes,
        data.full_scale,
    )


def phase(options: argparse.Namespace) -> dict[str, Any]:
    """Train for ``options.seconds`` on the devices visible to this process and its workers; return the figures."""
    found = load(options.dataset, options.data).training_data()
    assert found.validation is not None  # noqa: S101
    train, validation = _head(found.train, options.images), _head(found.validation, options.images // 9)
    data = TrainingData(found.task, train, validation, found.full_scale)
    few = TrainingData(found.task, _head(train, WARM), _head(validation, WARM // 8), found.full_scale)
    space, rng = SearchSpace(data.task), np.random.default_rng(0)
    curves: dict[Any, list[Epoch]] = {}
    failures = []
    with LocalExecutor(options.workers, stall_seconds=600.0, gpus=() if options.phase == "cpu" else None) as executor:
        small, whole = shared(executor, few, "few"), shared(executor, data, "whole")

        def next_job() -> Job:
            network = space.sample_between(BELOW // 2, BELOW - 1, rng) or space.sample(rng)
            return Job(Candidate(network, recipe("default", epochs=options.epochs)), 0, whole)

        # Loading CUDA takes long, so each worker trains a network first that compiles quickly.
        first = Architecture((Conv(2),), Head("average"))
        waiting = {
            executor.submit(Job(Candidate(first, recipe("default", epochs=1)), 0, small))
            for _ in range(options.workers)
        }
        while waiting:
            event = executor.wait()
            if isinstance(event, JobDone):
                waiting.discard(event.handle)
            reason = event.outcome.measurement.failure if isinstance(event, JobDone) else getattr(event, "reason", None)
            if reason is not None:
                raise SystemExit(f"a worker cannot train: {reason}")
        began, busy = time.perf_counter(), spent()
        with Utilisation() as gpu:
            for _ in range(options.workers):
                curves[executor.submit(next_job())] = []
            while (left := options.seconds - (time.perf_counter() - began)) > 0:
                event = executor.wait(left)
                if isinstance(event, EpochDone):
                    curves[event.handle].append(event.epoch)
                elif event is not None:
                    failures += [event.outcome.measurement.failure] if isinstance(event, JobDone) else [event.reason]
                    curves[executor.submit(next_job())] = []
        passed, cpu = time.perf_counter() - began, spent() - busy
    if options.phase == "gpu" and gpu.samples and not any(gpu.samples):
        raise SystemExit("the GPU was idle all the time: what was measured is the processor")
    starts = [2 * curve[0].seconds - curve[1].seconds for curve in curves.values() if len(curve) > 1]
    epochs = sum(map(len, curves.values()))
    return {
        "workers": options.workers,
        "accelerator": accelerator() if options.phase == "gpu" else None,
        "epochs": epochs,
        "a_minute": 60 * epochs / options.epochs / passed,
        "start": statistics.median(starts) if starts else None,
        "gpu": statistics.mean(gpu.samples) if gpu.samples else None,
        "cpu": 100 * cpu / passed / usable_cores(),
        "failed": sum(failure is not None for failure in failures),
        "reasons": sorted({failure for failure in failures if failure is not None}),
    }


def spent() -> float:
    """Return the CPU seconds of the running workers."""
    return sum(sum(process.cpu_times()[:2]) for process in psutil.Process().children(recursive=True))


def _head(part: Images, count: int) -> Images:
    return Images(part.pixels[:count], part.labels[:count])


@contextlib.contextmanager
def multi_process_service() -> Iterator[dict[str, str]]:
    """Run a daemon of CUDA's Multi-Process Service; yield the environment that makes a process its client."""
    # The daemon may still write its log while the folder is removed.
    with tempfile.TemporaryDirectory(prefix="mps", ignore_cleanup_errors=True) as folder:
        where = {"CUDA_MPS_PIPE_DIRECTORY": folder, "CUDA_MPS_LOG_DIRECTORY": folder}
        # The daemon would renumber the devices listed there, but clients use the original numbers.
        surroundings = {key: value for key, value in os.environ.items() if key != "CUDA_VISIBLE_DEVICES"} | where
        subprocess.run([MPS, "-d"], check=True, env=surroundings)
        try:
            yield where
            servers = subprocess.run([MPS], input="get_server_list\n", env=surroundings, capture_output=True, text=True)
            if not servers.stdout.split():
                raise SystemExit("no process became a client of the Multi-Process Service, so nothing was shared by it")
        finally:
            # Processes left by a failed phase must not keep the daemon running.
            with contextlib.suppress(subprocess.TimeoutExpired):
                subprocess.run([MPS], input=b"quit -t 10\n", check=False, env=surroundings, timeout=30.0)


def measure(
    name: str, workers: int, seconds: float, options: argparse.Namespace, client: dict[str, str]
) -> dict[str, Any]:
    """Run a phase in its own process, with an empty cache of compiled code."""
    backend = options.backend if name == "gpu" else "tensorflow"
    command = [sys.executable, __file__, "--phase", name, "--workers", str(workers), "--seconds", str(seconds)]
    command += ["--images", str(options.images), "--epochs", str(options.epochs), "--dataset", options.dataset]
    command += ["--data", str(options.data)] if options.data else []
    with tempfile.TemporaryDirectory() as cache:
        surroundings = {**os.environ, **client, "KERAS_BACKEND": backend, "JAX_COMPILATION_CACHE_DIR": cache}
        if name == "cpu":
            surroundings["CUDA_VISIBLE_DEVICES"] = ""
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=surroundings)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure the processor and each number of workers, in turn, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="an .npz file with MNIST; by default it is found as by tinysearch")
    parser.add_argument("--dataset", default="mnist", help="mnist, or digits where MNIST is not available")
    parser.add_argument("--workers", default="1,4,8,16")
    parser.add_argument("--backend", default="jax", help="jax or tensorflow")
    parser.add_argument("--seconds", type=float, default=150.0, help="total seconds of training, without starts")
    parser.add_argument("--images", type=int, default=54_000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--mps", choices=("off", "on", "both"), default="off", help="without MPS, with it, or both")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--phase", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.phase:
        options.workers = int(options.workers)
        print(json.dumps(phase(options)))
        return
    if options.mps != "off" and shutil.which(MPS) is None:
        parser.error(f"--mps needs {MPS}, which comes with NVIDIA's driver and is not on this machine")
    numbers = [int(number) for number in options.workers.split(",")]
    beside = importlib.util.find_spec("tensorflow") is not None
    sharing = {"off": (False,), "on": (True,), "both": (False, True)}[options.mps]
    part = options.seconds / (beside + len(numbers) * len(sharing))
    phases = [("cpu", min(usable_cores(), MOST_WORKERS), False)] if beside else []
    phases += [("gpu", number, mps) for number in numbers for mps in sharing]
    if not options.json:
        print(f"{accelerator() or 'no GPU: all on the processor'}; {options.backend}")
        print("| workers | candidates a minute | / processor | start, s | GPU busy | CPU busy | failed |")
        print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
    processor = None
    for name, workers, mps in phases:
        with multi_process_service() if mps else contextlib.nullcontext({}) as client:
            each = {**measure(name, workers, part, options, client), "mps": mps}
        if name == "cpu":
            processor = each["a_minute"]
        if options.json:
            print(json.dumps(each), flush=True)
            continue
        ratio = f"{each['a_minute'] / processor:.2f}" if processor else ""
        start = "" if each["start"] is None else f"{each['start']:.1f}"
        gpu = "" if each["gpu"] is None else f"{each['gpu']:.0f} %"
        where = " (processor, TensorFlow)" if name == "cpu" else ", MPS" if mps else ""
        print(
            f"| {workers}{where} | {each['a_minute']:.2f} | {ratio} | {start} | {gpu} | {each['cpu']:.0f} % | "
            f"{each['failed']} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
