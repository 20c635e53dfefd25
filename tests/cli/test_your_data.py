"""From data of every kind to a leaderboard, a report and an evaluation: each set is searched end to end."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import tinysearch
from tinysearch.results.store import Store
from tinysearch.workers.local import executor as local

Tinysearch = Callable[..., subprocess.CompletedProcess[str]]
QUICK = (
    "--trials",
    2,
    "--epochs",
    2,
    "--budget",
    2_000,
    "--folds",
    1,
    "--evaluate",
    1,
    "--workers",
    1,
    "--strategy",
    "random",
)
NARROW = {"format": 2, "depth": "1..2", "filters": "2..6", "kinds": ["conv", "separable"], "poolings": ["none"]}


def drawn(count: int, shape: tuple[int, ...], classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return images, or recordings, in which a bright stripe tells the class."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    pixels = rng.integers(0, 90, (count, *shape)).astype(np.uint8)
    for image, label in zip(pixels, labels, strict=True):
        image[shape[0] * label // classes] = 250
    return pixels, labels


def save(folder: Path, name: str = "set", **arrays: Any) -> list[str]:
    np.savez(folder / f"{name}.npz", **arrays)
    return [f"{name}.npz"]


def parts(shape: tuple[int, ...], classes: int = 3, count: int = 60) -> dict[str, np.ndarray]:
    x, y = drawn(count, shape, classes)
    t, u = drawn(count // 2, shape, classes, 1)
    return {"x_train": x, "y_train": y, "x_test": t, "y_test": u}


def pictures(folder: Path, shape: tuple[int, ...], *, mixed: bool = False) -> None:
    for part, count in (("train", 20), ("test", 8)):
        for place, name in enumerate(("ant", "bee", "cow")):
            (folder / "zoo" / part / name).mkdir(parents=True)
            for number in range(count):
                sides = (shape[0] + 3 * (number % 4), *shape[1:]) if mixed else shape
                pixels, _ = drawn(3, sides, 3, 100 * count + number)
                Image.fromarray(pixels[place]).save(folder / "zoo" / part / name / f"{number}.png")


def mixed_pngs(folder: Path) -> list[str]:
    pictures(folder, (12, 15, 3), mixed=True)
    return ["zoo", "--size", "14x14"]


def rgba(folder: Path) -> list[str]:
    pictures(folder, (12, 12, 4))
    return ["zoo"]


def table(folder: Path) -> list[str]:
    for name, count in (("train", 60), ("test", 30)):
        pixels, labels = drawn(count, (9, 9), 3, count)
        lines = [f"label,{','.join(f'p{place}' for place in range(81))}"]
        lines += [",".join(map(str, [label, *row.ravel()])) for row, label in zip(pixels, labels, strict=True)]
        (folder / f"{name}.csv").write_text("\n".join(lines))
    return ["train.csv"]


def words(folder: Path) -> list[str]:
    found = parts((10, 10))
    names = np.array(["ant", "bee", "cow"])
    return save(folder, **{**found, "y_train": names[found["y_train"]], "y_test": names[found["y_test"]]})


def own_validation(folder: Path) -> list[str]:
    x, y = drawn(30, (10, 10), 3, 2)
    return save(folder, **parts((10, 10)), x_val=x, y_val=y)


def skewed(folder: Path) -> list[str]:
    found = parts((10, 10), 20, 200)
    rare = {name: (array == 0).astype(int) if name.startswith("y") else array for name, array in found.items()}
    return [*save(folder, **rare), "--class-weight", "balanced"]


def without_test(folder: Path) -> list[str]:
    x, y = drawn(60, (10, 10), 3)
    return save(folder, x=x, y=y)


def words_spoken(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return features of sound as keyword spotting has them, 49 frames of 10: each word is a sweep of its own."""
    rng = np.random.default_rng(seed)
    words = np.array(["go", "left", "stop"])[np.arange(count) % 3]
    frames, bands = np.arange(49)[None, :, None], np.arange(10)[None, None, :]
    slope = np.array([0.0, 0.15, -0.15])[np.arange(count) % 3][:, None, None]
    begin = rng.uniform(0, 12, (count, 1, 1))
    pitch = 5 + slope * (frames - 24) + rng.normal(0, 0.5, (count, 1, 1))
    loud = (frames >= begin) & (frames < begin + 30)
    features = loud * 4 * np.exp(-((bands - pitch) ** 2) / 2) + rng.normal(0, 0.3, (count, 49, 10))
    return features.astype(np.float32), words


def keywords(folder: Path) -> list[str]:
    x, y = words_spoken(90, 0)
    t, u = words_spoken(45, 1)
    return save(folder, x_train=x, y_train=y, x_test=t, y_test=u, groups=np.arange(90) // 9)


SETS: dict[str, Callable[[Path], list[str]]] = {
    "pictures of sizes of their own": mixed_pngs,
    "a table": table,
    "labels are words": words,
    "RGBA": rgba,
    "series of 6 channels": lambda folder: save(folder, **parts((60, 6))),
    "keywords, by speaker": keywords,
    "images of 17x31": lambda folder: save(folder, **parts((17, 31))),
    "its own validation part": own_validation,
    "groups": lambda folder: save(folder, **parts((10, 10)), groups=np.arange(60) // 4),
    "no test part": without_test,
    "two classes at 95:5": skewed,
}
# The others take minutes together.
QUICKLY = ("pictures of sizes of their own",)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICKLY else pytest.mark.slow) for name in SETS]
)
@pytest.mark.usefixtures("trained_here")
def test_each_kind_of_data_is_searched_reported_and_evaluated(
    name: str, tmp_path: Path, tinysearch: Tinysearch
) -> None:
    data = SETS[name](tmp_path)
    (tmp_path / "space.json").write_text(json.dumps(NARROW))
    done = tinysearch("run", "--data", *data, *QUICK, "--name", "own", "--no-baselines", "--space", "space.json")
    assert done.returncode == 0, done.stderr
    with Store(tmp_path / "store.db") as store:
        records, run = store.records("own"), store.run("own")
    searched = [one for one in records if one.purpose == "search"]
    tested = [one for one in records if one.purpose == "evaluation"]
    assert len(searched) == 2
    assert all(one.measurement.failure is None and one.epochs == 2 for one in records)
    assert len(tested) == (0 if name == "no test part" else 1)
    report = tinysearch("report", "own", "-o", "report.html")
    assert report.returncode == 0, report.stderr
    assert (tmp_path / "report.html").exists()
    if name in ("labels are words", "RGBA", "pictures of sizes of their own"):
        assert run.class_names == ("ant", "bee", "cow")
        assert "bee" in tinysearch("show", searched[0].key).stdout
        assert "1. bee" in tinysearch("show", searched[0].key, "--format", "markdown").stdout
    if name == "no test part":
        assert "no test figures" in done.stderr
    if name == "its own validation part":
        assert run.settings["data"]["split"] == {"kind": "given", "seed": 0, "folds": 10, "held": 30}
    if name == "keywords, by speaker":
        assert run.class_names == ("go", "left", "stop")
        assert "49 steps x 10 channels" in done.stderr
    if name in ("groups", "keywords, by speaker"):
        assert run.settings["data"]["split"]["kind"] == "groups"
    if name == "two classes at 95:5":
        assert "95.0 % of the training images are of class '0'" in done.stderr
        assert searched[0].recipe["class_weight"] == "balanced"
    source = data[: data.index("--class-weight")] if "--class-weight" in data else data
    again = tinysearch("run", "--name", "own", "--resume", "--trials", 2, "--data", *source)
    assert again.returncode == 0, again.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("trained_here")
def test_one_hot_floats_from_python_are_searched_and_evaluated(tmp_path: Path) -> None:
    (x, y), (t, u) = drawn(60, (10, 10), 3), drawn(30, (10, 10), 3, 1)
    found = tinysearch.run(
        budget=2_000,
        data=((x / 255, np.eye(3)[y]), (t / 255, np.eye(3)[u])),
        trials=2,
        epochs=2,
        folds=1,
        evaluate=1,
        baselines=False,
        space=NARROW,
        store=tmp_path / "store.db",
    )
    with found:
        assert len(found.results) == 2
        assert len(found.best.test_accuracies) == 1
        assert found.best.load().input_shape == (None, 10, 10, 1)


@pytest.mark.usefixtures("untrained")
@pytest.mark.parametrize("fault", ["shape", "label", "range", "copies", "none"])
def test_nothing_is_trained_before_a_fault_in_the_test_part_is_reported(
    fault: str, tmp_path: Path, tinysearch: Tinysearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainings: list[object] = []
    submit = local.LocalExecutor.submit

    def counting(self: local.LocalExecutor, job: Any) -> Any:
        trainings.append(job)
        return submit(self, job)

    monkeypatch.setattr(local.LocalExecutor, "submit", counting)
    found = parts((10, 10))
    faults: dict[str, dict[str, Any]] = {
        "shape": {"x_test": found["x_test"][:, :9]},
        "label": {"y_test": found["y_test"] + 1},
        "range": {"x_test": found["x_test"] / 255},
        "copies": {"x_test": found["x_train"][:30]},
        "none": {},
    }
    data = save(tmp_path, **{**found, **faults[fault]})
    done = tinysearch("run", "--data", *data, *QUICK, "--no-baselines")
    if fault == "none":
        # So what is counted are trainings.
        assert done.returncode == 0, done.stderr
        assert trainings
        return
    assert (done.returncode, len(trainings)) == (2, 0)
    assert done.stderr.startswith("error: ")
    with Store(tmp_path / "store.db") as store:
        assert store.runs() == []
