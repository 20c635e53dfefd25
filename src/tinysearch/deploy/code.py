"""The folder of C code: the network, its labels, test vectors with a program that runs them, and a README."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.deploy.evidence import Comparison, Sample
from tinysearch.deploy.folder import Folder
from tinysearch.deploy.int8 import Int8Network
from tinysearch.deploy.numeric import Float32, Int8
from tinysearch.deploy.origin import told
from tinysearch.deploy.source import Numeric, filled, literals, model_c, model_h, rows, template
from tinysearch.deploy.trained import Trained
from tinysearch.report import figures
from tinysearch.space.notation import notation
from tinysearch.space.task import Task

# Tolerance of float32 logits, because the C code adds in another order than Keras.
TOLERANCE = 1e-4
_C_TYPES = {"uint8_t": np.uint8, "int8_t": np.int8, "float": np.float32}


@dataclass(frozen=True, slots=True)
class Vectors:
    """Test images with the expected results of the C code.

    Args:
        pixels: Shape ``(images, height, width, channels)``.
        labels: Shape ``(images,)``.
        logits: Shape ``(images, classes)``, in the numeric type of the code.
        tolerance: Largest allowed difference of a logit.
    """

    pixels: npt.NDArray[Any]
    labels: npt.NDArray[np.int32]
    logits: npt.NDArray[Any]
    tolerance: float


@dataclass(frozen=True, slots=True)
class Words:
    """Texts about the network for the README of C code, besides its sizes.

    Args:
        takes: Description of its input, one sentence per item.
        sample: Images on which predictions were compared.
        comparisons: Comparisons with Keras by name, including Keras itself.
        verdict: Lines that say whether it is within the limits of its runs; empty if there are no limits.
    """

    takes: Sequence[str]
    sample: Sample
    comparisons: Mapping[str, Comparison]
    verdict: Sequence[str]


def numeric_of(trained: Trained, int8: Int8Network | None, *, bytes_in: bool) -> Numeric:
    """Return the numeric type of the C code: int8 if an int8 network is given, else float32."""
    if int8 is not None:
        return Int8(trained.plan, int8.numbers, int8.entry, bytes_in=bytes_in)
    return Float32(trained.plan, trained.weights, trained.scaling, bytes_in=bytes_in)


def write_code(folder: Folder, trained: Trained, numeric: Numeric, labels: Sequence[str], vectors: Vectors) -> None:
    """Write all files of the C code except its README, see ``write_readme``.

    Raises:
        InputError: if a file cannot be written, or the network has images that are too large, see ``model_c``.
    """
    title = f"{trained.name}: {notation(trained.architecture)} in {numeric.folder}, written by tinysearch."
    each = 1 if numeric.folder == "int8" else 4
    folder.write("model.c", model_c(trained.plan, numeric))
    folder.write("model.h", model_h(trained.plan, numeric, title.replace("*/", "* /"), each))
    folder.write("labels.h", _labels_h(labels))
    folder.write("test_vectors.h", _vectors_h(vectors, numeric))
    folder.write("check.c", template("check.c"))
    folder.write("Makefile", template("Makefile"))


def write_readme(
    folder: Folder,
    trained: Trained,
    numeric: Numeric,
    vectors: Vectors,
    sizes: Mapping[str, Mapping[str, int]],
    words: Words,
) -> None:
    """Write the README: how to use the code, and the memory that it needs.

    Args:
        folder, trained, numeric, vectors: See ``write_code``.
        sizes: Measured bytes, by processor and optimization level.
        words: Other texts of the README.

    Raises:
        InputError: if it cannot be written.
    """
    image = image_bytes(trained.task, numeric)
    rows = [f"| {build} | {one['flash']:,} | {one['ram']:,} | {image:,} |" for build, one in sizes.items()]
    table = ["| build | flash | RAM | image |", "| --- | ---: | ---: | ---: |", *rows, ""] if rows else []
    arrays = (vectors.pixels.astype(_C_TYPES[numeric.pixel]), vectors.logits.astype(_C_TYPES[numeric.value]))
    values = {
        "NAME": trained.name,
        "DTYPE": numeric.folder,
        "ARENA": f"{trained.plan.arena * (1 if numeric.folder == 'int8' else 4):,}",
        "IMAGE": f"{image:,}",
        "TRAINING": "".join(f"{line[0].upper()}{line[1:]}.\n\n" for line in told(trained.origin)),
        "MEASURED": "\n".join([*table, *_list(words.verdict)]),
        "TAKES": "\n".join(f"- {one}" for one in words.takes),
        "SAMPLE": words.sample.words,
        "KIND": words.sample.kind,
        "CAUTION": "" if words.sample.caution is None else f"{words.sample.caution}\n\n",
        "COMPARED": "\n".join(
            f"| {name} | {figures.percent(one.accuracy)} | {figures.percent(one.agreement)} |"
            for name, one in words.comparisons.items()
        ),
        "PIXEL": numeric.pixel,
        "RULE": numeric.conversion.rule,
        "VECTORS": len(vectors.labels),
        "VECTOR_BYTES": f"{sum(one.nbytes for one in arrays) + 8 * len(vectors.labels):,}",
    }
    folder.write("README.md", filled(template("README.md"), values))


def _list(verdict: Sequence[str]) -> list[str]:
    """Return a verdict in Markdown: a paragraph and a list for each run."""
    lines: list[str] = []
    for line in verdict:
        if line.startswith(" "):
            lines.append(f"- {line.strip()}")
        else:
            lines += [*([""] if lines else []), line[0].upper() + line[1:], ""]
    return [*lines, ""] if lines else []


def image_bytes(task: Task, numeric: Numeric) -> int:
    """Return the bytes of an input image in memory, as the code reads it."""
    return math.prod(task.input_shape) * np.dtype(_C_TYPES[numeric.pixel]).itemsize


def _labels_h(labels: Sequence[str]) -> str:
    quoted = [f'"{_escaped(label)}"' for label in labels]
    return (
        "#ifndef LABELS_H\n#define LABELS_H\n\n/* Names of the classes. */\n"
        f"static const char *const model_labels[{len(labels)}] = {{\n{rows(quoted)}\n}};\n\n#endif\n"
    )


def _escaped(label: str) -> str:
    """Return a text escaped for a C string literal, in plain ASCII."""
    plain = {chr(code) for code in range(32, 127)} - set('"\\?')
    escaped = [chr(byte) if chr(byte) in plain else f"\\{byte:03o}" for byte in label.encode()]
    return "".join(escaped).replace("\\042", '\\"')


def _vectors_h(vectors: Vectors, numeric: Numeric) -> str:
    images = vectors.pixels.reshape(len(vectors.labels), -1)
    answers = np.argmax(vectors.logits, axis=1)
    tolerance = f"{vectors.tolerance:.9g}" + (
        "" if "." in f"{vectors.tolerance:.9g}" or "e" in str(vectors.tolerance) else ".0"
    )
    parts = [
        "#ifndef TEST_VECTORS_H\n#define TEST_VECTORS_H\n",
        "/* Images, their true classes, and what LiteRT (int8) or Keras (float32) answers. */",
        f"#define TEST_VECTORS {len(images)}",
        f"#define TEST_TOLERANCE {tolerance}f\n",
        _matrix(f"static const model_pixel test_images[{len(images)}][MODEL_INPUT_SIZE]", images),
        f"static const int test_labels[{len(images)}] = {{\n{rows(literals(vectors.labels))}\n}};",
        f"static const int test_answers[{len(images)}] = {{\n{rows(literals(answers))}\n}};",
        _matrix(f"static const model_value test_logits[{len(images)}][MODEL_CLASSES]", vectors.logits),
        "\n#endif\n",
    ]
    return "\n".join(parts)


def _matrix(declaration: str, values: npt.NDArray[Any]) -> str:
    lines = ",\n".join(f"    {{\n{rows(literals(one), '        ')}\n    }}" for one in values)
    return f"{declaration} = {{\n{lines}\n}};"
