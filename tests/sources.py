"""Sources and oddities, each with what makes it, for the table in ``docs/sources.md``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

Make = Callable[[Path], Any]


class Source(NamedTuple):
    """One row of the table: what kind of source, what is odd about it, what makes it, and the options it needs.

    ``make`` fills an empty folder and returns the words for the command line; or the value that a program has.
    """

    kind: str
    told: str
    make: Make
    in_python: bool = False


def pixels(count: int, shape: tuple[int, ...] = (6, 5), seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, *shape)).astype(np.uint8)


def labels(count: int, classes: int = 3) -> np.ndarray:
    return np.arange(count) % classes


def npz(*options: str, **changes: Any) -> Make:
    """Return what saves an archive: 60 images to train, 30 for tests, with changes; None leaves an array out."""

    def make(folder: Path) -> list[str]:
        arrays: dict[str, Any] = {
            "x_train": pixels(60),
            "y_train": labels(60),
            "x_test": pixels(30, seed=1),
            "y_test": labels(30),
            **changes,
        }
        np.savez(folder / "my.npz", **{name: array for name, array in arrays.items() if array is not None})
        return ["my.npz", *options]

    return make


def named(x: str, y: str) -> Make:
    return npz(x_train=None, y_train=None, x_test=None, y_test=None, **{x: pixels(60), y: labels(60)})


def shaped(*shape: int, options: tuple[str, ...] = (), kind: Any = np.uint8) -> Make:
    return npz(*options, x_train=pixels(60, shape).astype(kind), x_test=pixels(30, shape, 1).astype(kind))


def labelled(make: Callable[[np.ndarray], Any]) -> Make:
    return npz(y_train=make(labels(60)), y_test=make(labels(30)))


def folder(
    *options: str,
    parts: tuple[str, ...] = ("",),
    shape: tuple[int, ...] = (6, 5),
    mixed: bool = False,
    suffix: str = ".png",
) -> Make:
    """Return what saves pictures of three classes, 20 of each in every part."""

    def make(home: Path) -> list[str]:
        for seed, part in enumerate(parts):
            for place, name in enumerate(("cat", "dog", "emu")):
                (home / "zoo" / part / name).mkdir(parents=True)
                for number in range(20):
                    sides = (shape[0] + number % 3, *shape[1:]) if mixed else shape
                    drawn = pixels(1, sides, 1_000 * seed + 100 * place + number)[0]
                    Image.fromarray(drawn).save(home / "zoo" / part / name / f"p{number % 4}_{number}{suffix}")
        return ["zoo", *options]

    return make


def larger_tests(home: Path) -> list[str]:
    folder(parts=("train", "test"))(home)
    for path in (home / "zoo" / "test").rglob("*.png"):
        Image.fromarray(pixels(1, (8, 7))[0]).save(path)
    return ["zoo"]


def empty(home: Path) -> list[str]:
    (home / "zoo").mkdir()
    return ["zoo"]


def table(text: Callable[[], str], *options: str, **others: Callable[[], str]) -> Make:
    def make(home: Path) -> list[str]:
        (home / "my.csv").write_text(text())
        for name, content in others.items():
            (home / f"{name}.csv").write_text(content())
        return ["my.csv", *options]

    return make


def rows(header: bool = True, words: bool = False, count: int = 60, side: int = 6) -> str:
    drawn = pixels(count, (side * side,)).tolist()
    lines = [f"label,{','.join(f'pixel{place}' for place in range(side * side))}"] if header else []
    for number, row in enumerate(drawn):
        label = ("cat", "dog", "emu")[number % 3] if words else number % 3
        lines.append(f"{label},{','.join(map(str, row))}")
    return "\n".join(lines)


def indexed() -> str:
    head, *lines = rows().split("\n")
    return "\n".join([f",{head}", *[f"{number},{line}" for number, line in enumerate(lines)]])


def listed(folder: Path) -> list[str]:
    lines = ["path,label,split"]
    (folder / "pictures").mkdir()
    for number in range(60):
        Image.fromarray(pixels(1, seed=number)[0]).save(folder / "pictures" / f"{number}.png")
        lines.append(f"pictures/{number}.png,{'cat' if number % 2 else 'dog'},{'test' if number % 6 == 0 else 'train'}")
    (folder / "my.csv").write_text("\n".join(lines))
    return ["my.csv"]


def files(*names: str) -> Make:
    def make(folder: Path) -> list[str]:
        for name, array in zip(names, (pixels(60), labels(60)), strict=True):
            np.save(folder / f"{name}.npy", array)
        return ["."]

    return make


def written(name: str, content: bytes) -> Make:
    def make(folder: Path) -> list[str]:
        (folder / name).write_bytes(content)
        return [name]

    return make


def value(made: Any) -> Make:
    return lambda folder: made


def stream(folder: Path) -> Any:
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((pixels(60, (6, 5, 1)), labels(60))).batch(16)


TRAIN, TEST = (pixels(60), labels(60)), (pixels(30, seed=1), labels(30))
COPIED = np.concatenate([TRAIN[0][:20], TEST[0][:10]])
TWICE = np.concatenate([TRAIN[0][:50], TRAIN[0][:10]])
PEOPLE = np.arange(60) // 5
FLAT = TRAIN[0].copy()
FLAT[:4] = 7

SOURCES = [
    Source("name", "digits, which come with scikit-learn", lambda _: ["digits"]),
    Source("name", "MNIST without network or file", lambda _: ["mnist"]),
    Source("name", "CIFAR-10 without network or file", lambda _: ["cifar10"]),
    Source("name", "a name that no dataset has", lambda _: ["cifar"]),
    Source(".npz", "x_train, y_train, x_test, y_test", npz()),
    Source(".npz", "with a validation part", npz(x_val=pixels(12, seed=2), y_val=labels(12))),
    Source(".npz", "train_images, train_labels", named("train_images", "train_labels")),
    Source(".npz", "x, y", named("x", "y")),
    Source(".npz", "images, labels", named("images", "labels")),
    Source(".npz", "no labels", npz(y_train=None)),
    Source(".npz", "test images without labels", npz(y_test=None)),
    Source(".npz", "cut short", written("my.npz", b"PK\x03\x04 and no more")),
    Source(".npz", "an array of objects", npz(x_train=np.array([None] * 60))),
    Source(".npz", "with groups", npz(groups=np.arange(60) // 5)),
    Source(".npy", "x_train.npy and y_train.npy", files("x_train", "y_train")),
    Source("folder", "a folder for each class", folder()),
    Source("folder", "train, val and test above them", folder(parts=("train", "val", "test"))),
    Source("folder", "colour (RGB)", folder(shape=(6, 5, 3))),
    Source("folder", "colour with transparency (RGBA)", folder(shape=(6, 5, 4))),
    Source("folder", "JPEG", folder(suffix=".jpg")),
    Source("folder", "WebP", folder(suffix=".webp")),
    Source("folder", "TIFF", folder(suffix=".tif")),
    Source("folder", "sizes of their own", folder(mixed=True)),
    Source("folder", "sizes of their own, --size 8x8", folder("--size", "8x8", mixed=True)),
    Source("folder", "folders inside those of classes", folder(parts=("north", "south"))),
    Source("folder", "a folder above that of the classes", folder(parts=("all",))),
    Source("folder", "pictures for tests of another size", larger_tests),
    Source("folder", "test beside folders of classes, no train", folder(parts=("", "test"))),
    Source("folder", "val and valid", folder(parts=("train", "val", "valid"))),
    Source("folder", "an empty folder", empty),
    Source("folder", "groups in the names of files, --groups '^(p.)_'", folder("--groups", "^(p.)_")),
    Source("table", "label and pixels", table(rows)),
    Source("table", "labels are words", table(lambda: rows(words=True))),
    Source("table", "no header", table(lambda: rows(header=False))),
    Source("table", "no header, --label-column 0", table(lambda: rows(header=False), "--label-column", "0")),
    Source("table", "an index that pandas wrote", table(indexed)),
    Source(
        "table",
        "rows of 12 steps x 3 channels, --layout tc --size 12x3",
        table(rows, "--layout", "tc", "--size", "12x3"),
    ),
    Source("table", "a value is no number", table(lambda: rows().replace("\n0,", "\n0,x", 1))),
    Source("table", "path, label, split", listed),
    Source("table", "a row is too short", table(lambda: rows() + "\n1,2,3")),
    Source("labels", "whole numbers with gaps", labelled(lambda y: y * 5 - 3)),
    Source("labels", "shape (n, 1)", labelled(lambda y: y[:, None])),
    Source("labels", "one-hot rows", labelled(lambda y: np.eye(3)[y])),
    Source("labels", "probabilities", labelled(lambda y: np.full((len(y), 3), 1 / 3))),
    Source("labels", "floats that are whole", labelled(lambda y: y.astype(float))),
    Source("labels", "booleans", labelled(lambda y: y > 0)),
    Source("labels", "texts", labelled(lambda y: np.array(["cat", "dog", "emu"])[y])),
    Source("labels", "measurements", labelled(lambda y: y / 7)),
    Source("labels", "one class only", labelled(lambda y: y * 0)),
    Source("labels", "a class of the test part is new", npz(y_test=labels(30) + 1)),
    Source("pixels", "17x31 images", shaped(17, 31)),
    Source("pixels", "uint16", shaped(6, 5, kind=np.uint16)),
    Source("pixels", "int8", shaped(6, 5, kind=np.int8)),
    Source("pixels", "float64", shaped(6, 5, kind=np.float64)),
    Source("pixels", "NaN", npz(x_train=np.full((60, 6, 5), np.nan))),
    Source("pixels", "6 channels last", shaped(20, 20, 6)),
    Source("pixels", "channels first", shaped(3, 20, 20)),
    Source("pixels", "channels first or last", shaped(6, 9, 12)),
    Source("pixels", "channels first or last, --layout chw", shaped(6, 9, 12, options=("--layout", "chw"))),
    Source("pixels", "flat squares", shaped(64)),
    Source("pixels", "flat, no square", shaped(60)),
    Source("pixels", "flat, --size 6x10", shaped(60, options=("--size", "6x10"))),
    Source("series", "50 steps x 6 channels", shaped(50, 6)),
    Source("series", "series or images", shaped(40, 15)),
    Source("series", "channels first, --layout ct", shaped(6, 50, options=("--layout", "ct"))),
    Source("problems", "train 0..255, test 0..1", npz(x_test=pixels(30, seed=1) / 255)),
    Source("problems", "test images of another shape", npz(x_test=pixels(30, (5, 5)))),
    Source("problems", "most test images are training images", npz(x_test=COPIED)),
    Source("problems", "the validation part is the test part", npz(x_val=pixels(30, seed=1), y_val=labels(30))),
    Source("problems", "persons of the test part were trained on", npz(groups=PEOPLE, groups_test=PEOPLE[:30])),
    Source("problems", "images that are there twice", npz(x_train=TWICE)),
    Source("problems", "images of one value", npz(x_train=FLAT)),
    Source("problems", "a class that the test part lacks", npz(y_test=labels(30, 2))),
    Source("problems", "classes at 95:5", npz(y_train=labels(60, 20) // 19, y_test=labels(30, 20) // 19)),
    Source("problems", "too few images", npz(x_train=pixels(12), y_train=labels(12))),
    Source("Python", "(x, y)", value(TRAIN), True),
    Source("Python", "((x, y), (x_test, y_test))", value((TRAIN, TEST)), True),
    Source("Python", "(train, validation, test)", value((TRAIN, TEST, (pixels(30, seed=3), labels(30)))), True),
    Source("Python", "tf.data.Dataset", stream, True),
    Source("Python", "images of different sizes", value(([np.zeros((3, 3)), np.zeros((4, 4))], [0, 1])), True),
    Source("Python", "an array without labels", value(pixels(60)), True),
]
