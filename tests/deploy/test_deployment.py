from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinysearch.data.dataset import Dataset
from tinysearch.deploy import Trained, deploy, targets, toolchain
from tinysearch.errors import InputError, NoTestImagesError, WorkError
from tinysearch.space.architecture import Architecture, Conv, Head, Pool
from tinysearch.space.task import Task

SMALL = Architecture((Conv(3, norm="before"), Pool(), Conv(4, norm="after", repeat=1)), Head("average"))


@pytest.fixture(scope="module")
def small(make_trained: Callable[..., Trained]) -> Trained:
    return make_trained(SMALL)


@pytest.fixture
def no_cross_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "missing_arm_tools", lambda: ["arm-none-eabi-gcc"])


@pytest.mark.usefixtures("no_cross_tools")
def test_c_is_written_compared_and_recorded(small: Trained, dataset: Dataset, tmp_path: Path) -> None:
    done = deploy(small, "c", tmp_path / "out", dataset, labels=[f"digit {n}" for n in range(10)])
    assert set(done.files) == {"model.c", "model.h", "labels.h", "test_vectors.h", "check.c", "Makefile", "README.md"}
    assert '"digit 9"' in (tmp_path / "out" / "labels.h").read_text()
    assert done.findings.comparisons["C int8"] == done.findings.comparisons["LiteRT int8"]
    assert "30 of 30 images: the very logits of LiteRT's reference kernels" in done.findings.checks
    record = json.loads((tmp_path / "out" / "deployment.json").read_text())
    assert record["candidate"] == {"name": "a network", "seed": 0}
    for name, one in record["files"].items():
        content = (tmp_path / "out" / name).read_bytes()
        assert one == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


@pytest.mark.usefixtures("no_cross_tools")
def test_missing_tools_are_a_note(
    small: Trained, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(targets, "host_compiler", lambda: None)
    done = deploy(small, "c", tmp_path, dataset)
    assert (tmp_path / "model.c").exists()
    assert [note.split(":")[0] for note in done.findings.notes] == [
        "there is no C compiler on this machine (cc, gcc or clang)",
        "arm-none-eabi-gcc cannot be found",
    ]


@pytest.mark.usefixtures("no_cross_tools")
@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_c_without_scaling_takes_what_keras_would_have_made_of_the_pixels(
    small: Trained, dataset: Dataset, tmp_path: Path, dtype: Any
) -> None:
    done = deploy(small, "c", tmp_path, dataset, dtype=dtype, scaling=False)
    assert "typedef float model_pixel;" in (tmp_path / "model.h").read_text()
    assert done.findings.comparisons[f"C {dtype}"].agreement == 1.0 or dtype == "int8"
    assert any("30 of 30 answers as expected" in check for check in done.findings.checks)


@pytest.mark.parametrize(("dtype", "scaling"), [("int8", True), ("float32", True), ("float32", False)])
def test_litert_files_say_how_they_are_used(
    small: Trained, dataset: Dataset, tmp_path: Path, dtype: Any, scaling: bool
) -> None:
    done = deploy(small, "tflite", tmp_path, dataset, dtype=dtype, scaling=scaling)
    assert (tmp_path / "model.tflite").read_bytes()[4:8] == b"TFL3"
    use = json.loads((tmp_path / "model.json").read_text())
    assert use["labels"] == [str(number) for number in range(10)]
    assert use["input"].startswith(f"{dtype}: ")
    (found,) = done.findings.comparisons.values()
    assert found.agreement >= (0.9 if dtype == "int8" else 1.0)
    assert dtype == "int8" or found.largest_difference < 1e-4


@pytest.mark.parametrize("scaling", [True, False])
@pytest.mark.parametrize("target", ["onnx", "saved_model"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
def test_exchange_formats_answer_as_keras(
    small: Trained, dataset: Dataset, tmp_path: Path, needs: Any, target: str, scaling: bool
) -> None:
    if target == "onnx":
        for package in ("tf2onnx", "onnxruntime"):
            found = targets.importlib.util.find_spec(package)
            needs(found, package, "pip install 'tinysearch[deploy]'")
    done = deploy(small, target, tmp_path, dataset, scaling=scaling)
    (found,) = done.findings.comparisons.values()
    assert found.agreement == 1.0
    assert found.largest_difference < 1e-5
    assert all((tmp_path / name).is_file() for name in done.files)


def test_onnx_without_its_packages_says_how_they_are_had(
    small: Trained, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(targets.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WorkError, match=r"tf2onnx and onnxruntime cannot be found.*pip install 'tinysearch\[deploy\]'"):
        deploy(small, "onnx", tmp_path, dataset)


def test_unknown_targets_and_types_are_refused_by_name(small: Trained, dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="c, tflite, onnx, saved_model; got 'elf'"):
        deploy(small, "elf", tmp_path, dataset)
    with pytest.raises(InputError, match="int8 or float32; got 'int4'"):
        deploy(small, "c", tmp_path, dataset, dtype="int4")  # type: ignore[arg-type]


def test_images_of_another_shape_are_refused(
    make_trained: Callable[..., Trained], dataset: Dataset, tmp_path: Path
) -> None:
    other = make_trained(Architecture((Conv(1),), Head("average")), Task((8, 8, 1), 3))
    with pytest.raises(InputError, match=r"trained for images of shape \(8, 8, 1\) and 3 classes"):
        deploy(other, "c", tmp_path, dataset)


def test_a_folder_that_cannot_be_made_is_refused(small: Trained, dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot be written .*; name another folder with -o"):
        deploy(small, "c", tmp_path / "file" / "out", dataset)


def test_without_test_images_training_images_stand_in_and_that_is_said(
    small: Trained, dataset: Dataset, tmp_path: Path
) -> None:
    def none() -> Any:
        raise NoTestImagesError("none")

    import dataclasses

    done = deploy(small, "tflite", tmp_path, dataclasses.replace(dataset, load_test=none))
    assert done.compared_on == "60 training images (there are no others) of noise"


@pytest.mark.device
@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_emulated_microcontrollers_answer_as_this_machine_does(
    small: Trained, dataset: Dataset, tmp_path: Path, needs: Any, dtype: Any
) -> None:
    missing = toolchain.missing_arm_tools()
    needs(not missing, ", ".join(missing), f"apt-get install {toolchain.ARM_PACKAGES}")
    done = deploy(small, "c", tmp_path, dataset, dtype=dtype)
    assert done.findings.notes == []
    said = [check for check in done.findings.checks if check.startswith("Cortex")]
    assert len(said) == 4
    assert all("30 of 30 answers as expected" in one for one in said)
    assert len(done.findings.sizes) == 4
    assert all(one["ram"] == small.plan.arena * (1 if dtype == "int8" else 4) for one in done.findings.sizes.values())
    assert all(count > 100_000 for count in done.findings.instructions.values())


@pytest.mark.device
def test_instructions_are_counted_to_within_forty(tmp_path: Path, needs: Any) -> None:
    missing = toolchain.missing_arm_tools()
    needs(not missing, ", ".join(missing), f"apt-get install {toolchain.ARM_PACKAGES}")
    (tmp_path / "model.h").write_text("int model_classify(const char *image);\n")
    (tmp_path / "test_vectors.h").write_text("static const char *const test_images[1] = {0};\n")
    counts = []
    for rounds in (1_000, 2_000):
        # Two instructions a round.
        loop = f'__asm__ volatile("ldr r0, ={rounds}\\n1: subs r0, #1\\nbne 1b" ::: "r0", "cc");'
        (tmp_path / "model.c").write_text(
            f'#include "model.h"\nint model_classify(const char *image)\n{{\n(void)image;\n{loop}\nreturn 0;\n}}\n'
        )
        counts.append(toolchain.instructions(tmp_path, "cortex-m4", "-Os"))
    assert abs(counts[1] - counts[0] - 2_000) <= 40


@pytest.mark.usefixtures("no_cross_tools")
@pytest.mark.parametrize(("target", "scaling"), [("c", True), ("tflite", True), ("saved_model", False)])
def test_the_process_that_deploys_stays_as_it_is(
    small: Trained, dataset: Dataset, tmp_path: Path, target: str, scaling: bool
) -> None:
    def state() -> tuple[object, ...]:
        numpy = np.random.get_state()  # noqa: NPY002
        return random.getstate(), numpy[1].tolist(), numpy[2], dict(os.environ), Path.cwd()

    before = state()
    deploy(small, target, tmp_path, dataset, scaling=scaling)
    assert state() == before
