from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import random
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from tinysearch.data.dataset import Dataset
from tinysearch.data.images import Images
from tinysearch.deploy import Deployment, Trained, builds, deploy, targets, toolchain
from tinysearch.deploy.deployment import _lost
from tinysearch.deploy.findings import Findings
from tinysearch.deploy.fit import Bound
from tinysearch.deploy.summary import summary
from tinysearch.errors import InputError, NoTestImagesError, WorkError
from tinysearch.space.architecture import Architecture, Conv, Dropout, Head, Inception, Pool, SeparableConv
from tinysearch.space.budget import Budget
from tinysearch.space.devices import device
from tinysearch.space.task import Task

SMALL = Architecture((Conv(3, norm="before"), Pool(), Conv(4, norm="after", repeat=1)), Head("average"))


@pytest.fixture(scope="module")
def small(make_trained: Callable[..., Trained]) -> Trained:
    return make_trained(SMALL)


@pytest.fixture
def no_cross_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builds, "missing_arm_tools", lambda: ["arm-none-eabi-gcc"])


@pytest.mark.usefixtures("no_cross_tools")
def test_c_is_written_compared_and_recorded(small: Trained, dataset: Dataset, tmp_path: Path) -> None:
    done = deploy(small, "c", tmp_path / "out", dataset, labels=[f"digit {n}" for n in range(10)])
    assert set(done.files) == {"model.c", "model.h", "labels.h", "test_vectors.h", "check.c", "Makefile", "README.md"}
    assert '"digit 9"' in (tmp_path / "out" / "labels.h").read_text()
    assert done.findings.comparisons["C int8"] == done.findings.comparisons["LiteRT int8"]
    assert "30 of 30 images: the same logits as LiteRT's reference kernels" in done.findings.checks
    record = json.loads((tmp_path / "out" / "deployment.json").read_text())
    assert record["candidate"] == {"name": "a network", "seed": 0}
    for name, one in record["files"].items():
        content = (tmp_path / "out" / name).read_bytes()
        assert one == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


@pytest.mark.usefixtures("no_cross_tools")
@pytest.mark.parametrize(("ram", "fits"), [(4_000, True), (2_000, False)])
def test_c_is_checked_against_the_limits_of_its_run(
    small: Trained, dataset: Dataset, tmp_path: Path, ram: int, fits: bool
) -> None:
    budget = Budget(10_000, flash_bytes=100_000, peak_activation_bytes=ram)
    done = deploy(small, "c", tmp_path, dataset, budgets={"mine": budget})
    assert done.fits is fits
    words = "fits" if fits else f"does not fit: {small.plan.arena - ram:,} bytes of RAM over the limit"
    assert all(one.words.startswith(f"{one.build} {words}") for one in done.fit if one.build != "the network")
    assert len(done.fit) == 3
    record = json.loads((tmp_path / "deployment.json").read_text())
    assert (record["fits"], len(record["fit"]), record["image_bytes"]) == (fits, 3, 784)
    readme = (tmp_path / "README.md").read_text()
    assert "Limits of run mine: " in readme
    assert f"- cortex-m4 -Os {words}" in readme
    console = Console(width=200, file=io.StringIO())
    console.print(summary(done))
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert f"  cortex-m0plus -Os {words}" in printed.splitlines()[-3]


@pytest.mark.usefixtures("no_cross_tools")
def test_times_of_slow_devices_are_written_without_an_exponent(
    small: Trained, dataset: Dataset, tmp_path: Path
) -> None:
    done = deploy(small, "c", tmp_path, dataset)
    done.findings.sizes["cortex-m4 -Os"] = {"flash": 5_000, "ram": 3_000}
    done.findings.instructions["cortex-m4 -Os"] = 16_493_000
    console = Console(width=80, file=io.StringIO())
    console.print(summary(done))
    (row,) = (one for one in console.file.getvalue().splitlines() if "Cortex-M4 -Os" in one)  # type: ignore[attr-defined]
    assert row.split()[-4:] == ["16,493,000", "1,031", "258", "34.4"]


@pytest.mark.usefixtures("no_cross_tools")
def test_what_has_no_limits_is_not_judged(small: Trained, dataset: Dataset, tmp_path: Path) -> None:
    done = deploy(small, "c", tmp_path, dataset)
    assert (done.fits, done.fit) == (None, ())
    assert "imits of run" not in (tmp_path / "README.md").read_text()


@pytest.mark.usefixtures("no_cross_tools")
def test_float32_is_held_to_the_limits_with_the_memory_that_it_takes(
    small: Trained, dataset: Dataset, tmp_path: Path
) -> None:
    bound = 2 * small.plan.arena
    budget = Budget(10_000, flash_bytes=100_000, peak_activation_bytes=bound)
    done = deploy(small, "c", tmp_path, dataset, dtype="float32", budgets={"mine": budget})
    assert done.fits is False
    # Flash is only predicted of int8.
    assert [one.bounds for one in done.fit[1:]] == [(Bound("bytes of RAM", 2 * bound, bound),)] * 2


@pytest.mark.usefixtures("no_cross_tools")
@pytest.mark.parametrize("more", [{}, {"peak_activation_bytes": 100_000}], ids=["flash", "flash and RAM"])
def test_the_flash_of_float32_is_unchecked_without_a_cross_compiler(
    small: Trained, dataset: Dataset, tmp_path: Path, more: dict[str, int]
) -> None:
    budget = Budget(10_000, flash_bytes=9_000, **more)
    done = deploy(small, "c", tmp_path, dataset, dtype="float32", budgets={"mine": budget})
    assert done.fits is None
    unchecked = "not checked: flash, which is not predicted for float32 and was not measured"
    assert unchecked in [line.strip() for line in done.findings.verdict]
    assert deploy(small, "c", tmp_path, dataset, budgets={"mine": budget}).fits is True


def test_limits_of_c_are_said_to_be_unchecked_for_other_targets(
    small: Trained, dataset: Dataset, tmp_path: Path
) -> None:
    done = deploy(small, "tflite", tmp_path, dataset, budgets={"mine": Budget(10_000, flash_bytes=9_000)})
    assert done.fits is None
    assert done.findings.verdict[-1].strip() == "not checked: limits on flash and RAM apply only to C code"


@pytest.mark.usefixtures("no_cross_tools")
def test_there_are_as_many_test_vectors_as_were_asked_for(small: Trained, dataset: Dataset, tmp_path: Path) -> None:
    done = deploy(small, "c", tmp_path, dataset, vectors=3)
    assert "#define TEST_VECTORS 3\n" in (tmp_path / "test_vectors.h").read_text()
    assert any("3 of 3 answers as expected" in check for check in done.findings.checks)
    # Bytes of pixels, int8 logits, and two numbers for each image.
    assert f"and {3 * (784 + 10 + 8):,} bytes of flash" in (tmp_path / "README.md").read_text()
    with pytest.raises(InputError, match="`vectors=` must be at least 1, got 0"):
        deploy(small, "c", tmp_path, dataset, vectors=0)


def test_bytes_of_a_small_range_keep_their_accuracy_in_int8_and_what_is_lost_is_said(
    make_trained: Callable[..., Trained], tmp_path: Path
) -> None:
    # Images of 0 and 1: of 256 levels from 0 to 255 they would take up two.
    pixels = np.random.default_rng(0).integers(0, 2, (60, 28, 28, 1), np.uint8)
    task = Task(values="levels")
    trained = make_trained(SMALL, task, scaling=(2.0, -1.0))
    answers = np.argmax(trained.logits(pixels), axis=1).astype(np.int32)
    images = Images(pixels, answers)
    data = Dataset("dots", "drawn", task, images, "0123456789abcdef", 255.0, None, lambda: images)
    done = deploy(trained, "tflite", tmp_path, data)
    assert done.findings.comparisons["LiteRT int8"].agreement > 0.9
    worse = dataclasses.replace(done.keras, accuracy=done.keras.accuracy - 0.023)
    assert _lost(done.keras, Findings({"LiteRT int8": worse}), 1_000) == [
        "int8 costs 2.3 points of accuracy here; float32 costs none, but takes four times the memory"
    ]
    # One of 60 images is no loss.
    assert _lost(done.keras, Findings({"LiteRT int8": worse}), 60) == []
    assert _lost(done.keras, Findings({"LiteRT int8": done.keras}), 1_000) == []


def test_what_a_target_cannot_have_is_refused(small: Trained, dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="`vectors=` is the number of test images in the C code; leave it out for tflite"
    ):
        deploy(small, "tflite", tmp_path, dataset, vectors=5)
    with pytest.raises(InputError, match="onnx is written in float32; leave out `dtype=`, or deploy to c or tflite"):
        deploy(small, "onnx", tmp_path, dataset, dtype="int8")


@pytest.mark.usefixtures("no_cross_tools")
def test_the_sketch_for_arduino_only_answers_whole_images(
    small: Trained, dataset: Dataset, tmp_path: Path, needs: Any
) -> None:
    needs(shutil.which("g++"), "a C++ compiler", "apt-get install g++")
    needs(shutil.which("gcc"), "a C compiler", "apt-get install gcc")
    done = deploy(small, "c", tmp_path, dataset)
    (sketch,) = re.findall(r"```cpp\n(.*?)```", (tmp_path / "README.md").read_text(), re.DOTALL)
    (tmp_path / "sketch.cpp").write_text(_ARDUINO + sketch + "int main() { setup(); while (Serial.left) loop(); }\n")
    flags = ["-Wall", "-Wextra", "-Werror", "-I", str(tmp_path)]
    subprocess.run(["gcc", *flags, "-c", "-o", str(tmp_path / "model.o"), str(tmp_path / "model.c")], check=True)
    program = tmp_path / "sketch"
    subprocess.run(
        ["g++", *flags, "-o", str(program), str(tmp_path / "sketch.cpp"), str(tmp_path / "model.o")], check=True
    )
    images = dataset.test().pixels.reshape(-1, 784)
    sent = images[0].tobytes() + images[1].tobytes() + images[2].tobytes()[:500]
    said = subprocess.run([str(program)], input=sent, capture_output=True, check=True).stdout.decode().splitlines()
    assert [bool(re.fullmatch(r"\d after 5 us", line)) for line in said[:2]] == [True, True]
    assert said[2:] == ["error: got 500 bytes of 784"]
    assert done.findings.image_bytes == 784


# What a sketch takes from Arduino, with standard input and output in the place of the serial port.
_ARDUINO = """
#include <cstdio>
#include <cstring>
static unsigned long now;
static unsigned long micros() { return now += 5; }
struct Port {
  int left = 1;
  void begin(long) {}
  void setTimeout(long) {}
  int available() { int c = std::getchar(); std::ungetc(c, stdin); return left = c != EOF; }
  std::size_t readBytes(char *to, std::size_t count) { return std::fread(to, 1, count, stdin); }
  void print(const char *text) { std::printf("%s", text); }
  void print(unsigned long number) { std::printf("%lu", number); }
  void println(const char *text) { std::printf("%s\\n", text); }
  void println(unsigned long number) { std::printf("%lu\\n", number); }
} Serial;
"""


@pytest.mark.device
@pytest.mark.usefixtures("no_cross_tools")
def test_the_commands_of_the_readme_build_for_other_chips_and_give_what_is_measured(
    small: Trained, dataset: Dataset, tmp_path: Path, needs: Any
) -> None:
    missing = [one for one in ("arm-none-eabi-gcc", "avr-gcc", "make") if shutil.which(one) is None]
    needs(not missing, ", ".join(missing), "apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi gcc-avr make")
    deploy(small, "c", tmp_path, dataset)
    commands = re.findall(r"^    (make size .*)$", (tmp_path / "README.md").read_text(), re.MULTILINE)
    assert len(commands) == 3
    for command, processor in zip(commands, (*toolchain.EMULATED, None), strict=True):
        done = subprocess.run(shlex.split(command), cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found = toolchain.sections(done.stdout)
        assert found.ram == small.plan.arena
        assert processor is None or found == toolchain.sizes(tmp_path, processor, "-Os")
    named = ["make", "model.o", "CC=arm-none-eabi-gcc", "CFLAGS=-mcpu=cortex-m4 -mthumb -Os"]
    assert "arm-none-eabi-gcc" in subprocess.run(named, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    checked = subprocess.run(["make", "check"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "30 of 30 answers as expected" in checked.stdout


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
            needs(found, package, "pip install onnx onnxruntime tf2onnx")
    done = deploy(small, target, tmp_path, dataset, scaling=scaling)
    (found,) = done.findings.comparisons.values()
    assert found.agreement == 1.0
    assert found.largest_difference < 1e-5
    assert all((tmp_path / name).is_file() for name in done.files)


def test_a_saved_model_with_one_channel_can_be_run(
    make_trained: Callable[..., Trained], dataset: Dataset, tmp_path: Path
) -> None:
    # TensorFlow's kernels fail with this network of Keras's layers, once it is compiled.
    single = SeparableConv(1, kernel=(1, 1), padding="same", norm="before")
    network = make_trained(Architecture((Inception(((single,), (Dropout(0.1),))),), Head("average")))
    (found,) = deploy(network, "saved_model", tmp_path, dataset).findings.comparisons.values()
    assert found.largest_difference < 1e-5


def test_onnx_without_its_packages_says_how_they_are_had(
    small: Trained, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(targets.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WorkError, match="ONNX needs tf2onnx and onnxruntime, not found here: pip install"):
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
    with pytest.raises(InputError, match=r"cannot be written .*; give another `folder=`$"):
        deploy(small, "c", tmp_path / "file" / "out", dataset)


def test_a_folder_may_lie_at_home_but_not_behind_a_url(
    small: Trained, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert deploy(small, "tflite", "~/out", dataset).folder == tmp_path / "out"
    with pytest.raises(InputError, match="not a URL; got 's3://bucket/out'"):
        deploy(small, "tflite", "s3://bucket/out", dataset)
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


@pytest.mark.usefixtures("no_cross_tools")
@pytest.mark.parametrize("target", ["c", "tflite"])
def test_without_test_images_accuracy_is_said_to_be_on_training_images(
    small: Trained, dataset: Dataset, tmp_path: Path, target: str
) -> None:
    def none() -> Any:
        raise NoTestImagesError("none")

    untested = dataclasses.replace(dataset, load_test=none)
    done = deploy(small, target, tmp_path, untested)
    assert done.compared_on == "54 training images of noise"
    known = {image.tobytes() for image in untested.training_data().train.pixels}
    assert all(image.tobytes() in known for image in done.sample.images.pixels)
    record = json.loads((tmp_path / "deployment.json").read_text())
    assert record["accuracy_on"] == "training images"
    assert any("on images that the network was trained on" in note for note in record["notes"])
    console = Console(width=200, file=io.StringIO())
    console.print(summary(done))
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert "accuracy on training images" in printed
    assert "note: noise has no test part" in printed
    if target == "c":
        readme = (tmp_path / "README.md").read_text()
        assert "| network | accuracy on training images | same prediction as Keras |" in readme
        assert "noise has no test part" in readme


@pytest.mark.usefixtures("no_cross_tools")
def test_with_test_images_accuracy_is_said_to_be_on_these(small: Trained, dataset: Dataset, tmp_path: Path) -> None:
    done = deploy(small, "c", tmp_path, dataset)
    assert json.loads((tmp_path / "deployment.json").read_text())["accuracy_on"] == "test images"
    readme = (tmp_path / "README.md").read_text()
    assert "On 30 test images of noise:" in readme
    assert f"| C int8 | {100 * done.findings.comparisons['C int8'].accuracy:.2f} % | " in readme
    assert "no test part" not in readme


@pytest.mark.usefixtures("no_cross_tools")
def test_it_is_said_how_the_images_were_made(small: Trained, dataset: Dataset, tmp_path: Path) -> None:
    prepared = dataclasses.replace(dataset, preparation=("colour becomes grey",))
    done = deploy(small, "c", tmp_path / "c", prepared)
    readme = (tmp_path / "c" / "README.md").read_text()
    assert done.takes[0] == "28 rows of 28 pixels of 1 channel, row by row from the top left"
    scaled = "unscaled: scaling is part of the network, or of how its input is quantized"
    assert f"- values are bytes from 0 to 255, {scaled}\n- colour becomes grey\n" in readme
    assert json.loads((tmp_path / "c" / "deployment.json").read_text())["input"] == list(done.takes)
    deploy(small, "tflite", tmp_path / "tflite", prepared, scaling=False)
    said = json.loads((tmp_path / "tflite" / "model.json").read_text())["images"]
    assert (
        f"values are bytes from 0 to 255, which are scaled before the network takes them: {small.scaling.words}" in said
    )


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
    console = Console(width=80, file=io.StringIO())
    console.print(summary(done))
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert "…" not in printed
    for build, name in (("Cortex-M0+ -Os", "cortex-m0plus -Os"), ("Cortex-M4 -O2", "cortex-m4 -O2")):
        (row,) = (line for line in printed.splitlines() if line.strip().startswith(build))
        one = done.findings.sizes[name]
        assert f" {one['flash']:,} " in row
        assert f" {one['ram']:,} + 784 " in row
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


@pytest.mark.device
@pytest.mark.usefixtures("no_cross_tools")
def test_for_an_avr_it_is_built_by_its_compiler(small: Trained, dataset: Dataset, tmp_path: Path, needs: Any) -> None:
    needs(shutil.which("avr-gcc"), "a compiler for AVR", f"apt-get install {toolchain.AVR_PACKAGES}")
    for chip in ("arduino-uno", "attiny1614"):
        done = deploy(small, "c", tmp_path, dataset, budgets={"mine": budget_of(chip)})
        core = device(chip).core
        assert core is not None
        assert [one.build for one in done.fit if one.decides] == ["the network", f"{core} -Os"]
        assert done.fit[1].measured
        found = done.findings.sizes[f"{core} -Os"]
        # Tables are in flash, and RAM is the arena.
        assert found["ram"] == small.plan.arena
        assert toolchain.PROCESSORS[core].name in summary_of(done)


@pytest.mark.usefixtures("no_cross_tools")
def test_without_a_compiler_for_an_avr_that_is_said(
    small: Trained, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builds.shutil, "which", lambda name: None)
    done = deploy(small, "c", tmp_path, dataset, budgets={"mine": budget_of("arduino-uno")})
    assert any("avr-gcc cannot be found: nothing was measured for ATmega328P" in one for one in done.findings.notes)
    assert [one.build for one in done.fit] == ["the network", "atmega328p -Os"]
    assert done.fit[1].words.endswith("predicted and not measured")


def budget_of(chip: str) -> Budget:
    found = device(chip)
    return Budget(10_000, flash_bytes=found.max_flash, peak_activation_bytes=found.max_ram, device=chip)


def summary_of(done: Deployment) -> str:
    console = Console(width=80, file=io.StringIO())
    console.print(summary(done))
    return console.file.getvalue()  # type: ignore[attr-defined]
