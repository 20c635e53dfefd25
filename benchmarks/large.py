"""Measure the memory of a search on many large images: all its processes together, sampled while it runs.

::

    python benchmarks/large.py                     # 60,000 images of 96x96x3, two workers, below 6 GB
    python benchmarks/large.py --images 6000 --limit 2

The script writes an ``.npz`` file of made-up images, and runs ``tinysearch run`` on it with networks small enough that
one epoch of two trials takes minutes. Memory is the proportional set size of the run and its workers: pages that
several processes share count once. The exit code is 1 if the peak is at or above the limit.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import psutil

SHAPE = (96, 96, 3)
CHUNK = 500
SPACE = {"format": 2, "depth": "1..2", "filters": "2..6", "kinds": ["separable"]}


def write_images(path: Path, count: int) -> None:
    """Write an archive of images of two classes in chunks, so that they are never all in memory."""
    labels = np.arange(count) % 2
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open("x_train.npy", "w", force_zip64=True) as stream:
            header = {"descr": "|u1", "fortran_order": False, "shape": (count, *SHAPE)}
            np.lib.format.write_array_header_1_0(stream, header)
            for start in range(0, count, CHUNK):
                some = labels[start : start + CHUNK]
                pixels = rng.integers(0, 200, (len(some), *SHAPE), np.uint8)
                pixels[some == 1, :, 48:] += 55
                stream.write(pixels.tobytes())
        with archive.open("y_train.npy", "w") as stream:
            np.lib.format.write_array(stream, labels)


def memory_of(process: psutil.Process) -> int:
    """Return the total bytes of a process and all its descendants."""
    total = 0
    for one in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.Error):
            total += one.memory_full_info().pss
    return total


def main() -> int:
    """Print the peak memory and the duration of the run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--limit", type=float, default=6.0, help="peak memory in GB from which the exit code is 1")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_images(place / "large.npz", given.images)
        (place / "space.json").write_text(json.dumps(SPACE))
        words = f"run --data large.npz --budget 500 --space space.json --strategy random --trials {given.workers}"
        words += f" --epochs 1 --folds 1 --evaluate 0 --no-baselines --workers {given.workers} --store store.db"
        begin = time.monotonic()
        with (place / "said.txt").open("w") as said:
            run = psutil.Popen(
                [sys.executable, "-m", "tinysearch", *words.split()], cwd=place, stdout=said, stderr=said
            )
            most = 0
            while run.poll() is None:
                with contextlib.suppress(psutil.Error):
                    most = max(most, memory_of(run))
                with contextlib.suppress(psutil.TimeoutExpired):
                    run.wait(0.5)
        if run.returncode:
            print((place / "said.txt").read_text(), file=sys.stderr)
            return 1
        size = (place / "large.npz").stat().st_size
    print(
        f"{given.images:,} images, {size / 1e9:.2f} GB, {given.workers} workers: {most / 1e9:.2f} GB at most, "
        f"{time.monotonic() - begin:.0f} s"
    )
    return int(most >= given.limit * 1e9)


if __name__ == "__main__":
    sys.exit(main())
