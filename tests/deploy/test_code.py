"""C code, compiled and run on this machine: what it answers, and that no compiler complains."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tinysearch.deploy.code import Vectors, numeric_of, write_code
from tinysearch.deploy.folder import Folder
from tinysearch.deploy.int8 import int8_network
from tinysearch.deploy.source import model_c
from tinysearch.deploy.toolchain import STRICT, check_on_host, logits_on_host
from tinysearch.errors import InputError, WorkError
from tinysearch.space.architecture import (
    Architecture,
    Conv,
    DepthwiseConv,
    Dropout,
    Head,
    Inception,
    Pool,
    Residual,
    SeparableConv,
)
from tinysearch.space.cost import cost
from tinysearch.space.task import Task

Needs = Callable[[object, str, str], None]
# Every kind of layer, weights that are shared, normalization everywhere, and what pads the other way.
EVERYTHING = Architecture(
    (
        Conv(4, kernel=(3, 5), norm="before", bias=False, stride=2),
        Conv(4, activation="leaky_relu", norm="after", repeat=2),
        SeparableConv(4, norm="before", repeat=2),
        Residual((DepthwiseConv(kernel=(1, 3)), Conv(4, kernel=1, activation="linear"))),
        Inception(((Pool("average", 3, 1, "same"),), (Pool("max", 2, 1, "same"), Conv(3)), (DepthwiseConv(2),))),
        Pool("max", 3, 2, "valid"),
    ),
    Head("average", hidden=6),
)


@pytest.fixture(scope="session")
def compiler(needs: Needs) -> str:
    needs(shutil.which("gcc"), "a C compiler", "apt-get install gcc")
    return "gcc"


@pytest.mark.parametrize("dtype", ["int8", "float32"])
@pytest.mark.parametrize("head", [Head("average", hidden=6), Head("max"), Head("flatten")])
def test_every_kind_of_layer_answers_as_it_should(
    write_c: Any, compiler: str, tmp_path: Path, dtype: str, head: Head
) -> None:
    write_c(tmp_path, Architecture(EVERYTHING.layers, head), dtype)
    said = check_on_host(tmp_path, compiler)
    assert said.startswith("24 of 24 answers as expected")
    assert dtype == "float32" or "24 of them exactly" in said


def test_the_folder_is_checked_by_make(write_c: Any, compiler: str, needs: Needs, tmp_path: Path) -> None:
    needs(shutil.which("make"), "make", "apt-get install make")
    write_c(tmp_path, Architecture((Conv(3),), Head("average")))
    done = subprocess.run(["make", "check"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "24 of 24 answers as expected, 24 of them exactly" in done.stdout
    (tmp_path / "test_vectors.h").write_text(
        (tmp_path / "test_vectors.h")
        .read_text()
        .replace("test_answers[24] = {\n    ", "test_answers[24] = {\n    9 - ")
    )
    assert subprocess.run(["make", "check"], cwd=tmp_path, capture_output=True, check=False).returncode != 0


@pytest.mark.device
@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_sanitizers_and_other_compilers_find_nothing(
    write_c: Any, compiler: str, needs: Needs, tmp_path: Path, dtype: str
) -> None:
    needs(shutil.which("clang"), "clang", "apt-get install clang")
    write_c(tmp_path, EVERYTHING, dtype)
    sanitized = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    assert "24 of 24" in check_on_host(tmp_path, compiler, sanitized)
    assert "24 of 24" in check_on_host(tmp_path, "clang")


def test_only_two_headers_are_included_and_nothing_is_allocated(write_c: Any, tmp_path: Path) -> None:
    write_c(tmp_path, EVERYTHING)
    code = (tmp_path / "model.c").read_text() + (tmp_path / "model.h").read_text()
    included = {line.split()[1] for line in code.splitlines() if line.startswith("#include")}
    assert included == {'"model.h"', "<stdint.h>", "<string.h>"}
    assert "malloc" not in code


def test_a_program_in_cpp_needs_nothing_around_the_header(
    write_c: Any, compiler: str, needs: Needs, tmp_path: Path
) -> None:
    needs(shutil.which("clang"), "a compiler for C++", "apt-get install clang")
    write_c(tmp_path, EVERYTHING)
    (tmp_path / "main.cpp").write_text(
        '#include "labels.h"\n#include "model.h"\n\nstatic model_pixel image[MODEL_INPUT_SIZE];\n\n'
        "int main() { return model_labels[model_classify(image)] == nullptr; }\n"
    )
    strict = ["-std=c++11", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    commands = (
        ["clang", "-x", "c++", *strict, "-c", "main.cpp"],
        [compiler, *STRICT, "-o", "main", "main.o", "model.c"],
    )
    for command in (*commands, ["./main"]):
        subprocess.run(command, cwd=tmp_path, check=True)


@pytest.mark.device
def test_strict_c_is_refused_on_an_avr_and_make_does_not_ask_for_it(write_c: Any, needs: Needs, tmp_path: Path) -> None:
    needs(shutil.which("avr-gcc"), "a compiler for AVR", "apt-get install gcc-avr avr-libc")
    write_c(tmp_path, Architecture((Conv(2, stride=4),), Head("average")))
    strict = ["avr-gcc", "-std=c99", "-mmcu=atmega328p", "-Os", "-c", "model.c"]
    refused = subprocess.run(strict, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "compile with -std=gnu99 or -std=gnu11" in refused.stderr
    for compiler in ("CC=avr-gcc", "CROSS=avr-"):
        command = ["make", "model.o", compiler, "CFLAGS=-mmcu=atmega328p -Os"]
        subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)


@pytest.mark.parametrize(
    ("task", "network", "count"),
    [
        (Task((40_000, 1, 1), 3), Architecture((Conv(1, kernel=(3, 1), stride=(4, 1)),), Head("average")), "40,000"),
        (Task((200, 200, 1), 3), Architecture((Conv(1),), Head("average")), "40,000"),
    ],
)
def test_images_that_are_too_large_for_the_counts_are_refused(
    make_trained: Any, tmp_path: Path, task: Task, network: Architecture, count: str
) -> None:
    trained = make_trained(network, task)
    with pytest.raises(
        InputError, match=f"up to 32,767 rows, columns or channels, .* has {count}: make images smaller"
    ):
        model_c(trained.plan, numeric_of(trained, None, bytes_in=True))


def test_shared_weights_are_stored_once(write_c: Any, tmp_path: Path) -> None:
    trained, int8, _ = write_c(tmp_path, Architecture((Conv(6), Conv(6, norm="before", repeat=4)), Head("average")))
    tables = [line for line in (tmp_path / "model.c").read_text().splitlines() if "_weights[" in line]
    assert len(tables) == 3
    assert int8 is not None
    stored = sum(int(line.split("[")[1].split("]")[0]) for line in tables)
    assert stored == sum(array.size for array in trained.model.get_weights() if array.ndim > 1)


def test_the_arena_is_what_the_cost_says(write_c: Any, tmp_path: Path) -> None:
    trained, _, _ = write_c(tmp_path, EVERYTHING)
    assert (
        f"#define MODEL_ARENA_BYTES {cost(EVERYTHING, trained.task).peak_activation_bytes}\n"
        in (tmp_path / "model.h").read_text()
    )


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("mode", ["max", "average"])
def test_poolings_that_leave_the_size_as_it_is_are_told_apart(
    write_c: Any, compiler: str, tmp_path: Path, mode: Any, turned: bool
) -> None:
    # The converter does the same to the same only once: there are three poolings in the file for four in the network.
    single, *others = Pool(mode, size=1), *(Pool(mode, size=size, stride=1, padding="same") for size in (2, 3))
    branches = (*((one,) for one in others), (Conv(1, kernel=1),), (single,))
    inner = Inception(branches[::-1] if turned else branches)
    outer = ((single,), (inner,)) if turned else ((inner,), (single,))
    write_c(tmp_path, Architecture((Inception(outer), Conv(2, stride=4)), Head("average")))
    assert "24 of 24 answers as expected, 24 of them exactly" in check_on_host(tmp_path, compiler)


def test_biases_that_are_all_zero_may_be_missing_in_a_file(
    make_trained: Any, random_pixels: Any, compiler: str, tmp_path: Path
) -> None:
    trained = make_trained(Architecture((Conv(3),), Head("flatten", hidden=4)))
    for layer in trained.model.layers:
        layer.set_weights([one * (one.ndim > 1) for one in layer.get_weights()])
    pixels = random_pixels(trained.task)
    int8 = int8_network(trained, pixels)
    vectors = Vectors(pixels, np.zeros(len(pixels), np.int32), int8.logits(pixels), 0.0)
    write_code(Folder(tmp_path), trained, numeric_of(trained, int8, bytes_in=True), list("0123456789"), vectors)
    assert "24 of 24 answers as expected, 24 of them exactly" in check_on_host(tmp_path, compiler)


def test_a_folder_whose_name_begins_with_a_hyphen_is_no_option_of_the_compiler(
    write_c: Any, compiler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _, _, pixels = write_c(Path("-out"), Architecture((Conv(2, stride=4),)))
    assert "24 of 24" in check_on_host(Path("-out"), compiler)
    assert logits_on_host(Path("-out"), pixels, 10, "int8", compiler).shape == (24, 10)


def test_code_that_does_not_compile_is_reported_with_what_the_compiler_says(compiler: str, tmp_path: Path) -> None:
    for name in ("check.c", "model.c"):
        (tmp_path / name).write_text("int main(void) { return missing; }\n")
    with pytest.raises(WorkError, match="the C code cannot be compiled"):
        check_on_host(tmp_path, compiler)


@settings(max_examples=3, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_few_random_networks_answer_as_keras_and_litert_do(
    free_form: st.SearchStrategy[tuple[Architecture, Task]], write_c: Any, compiler: str, data: st.DataObject
) -> None:
    agree(*data.draw(free_form), write_c, compiler)


@pytest.mark.slow
@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_random_networks_answer_as_keras_and_litert_do(
    free_form: st.SearchStrategy[tuple[Architecture, Task]], write_c: Any, compiler: str, data: st.DataObject
) -> None:
    agree(*data.draw(free_form), write_c, compiler)


def test_a_layer_of_one_unit_answers_as_that_of_litert(write_c: Any, compiler: str) -> None:
    # For one image, the hidden unit is 222.499998, but 222.500009 if the product of the scales is rounded to float32.
    pool = Pool("max", size=3, stride=1, padding="same")
    narrow = SeparableConv(7, kernel=(1, 6), padding="same", activation="linear")
    wide = SeparableConv(8, kernel=(5, 6), padding="same", activation="relu", bias=False)
    nested = Inception(((pool,), (Dropout(0.0),), (narrow,), (wide,)))
    first = Inception(((Inception(((Dropout(0.0),),)), Pool("max", size=3, stride=2, padding="same")),))
    second = Inception(((nested, Dropout(0.0)), (Inception(((Pool("max", size=1, padding="same"),),)),)))
    agree(Architecture((first, second), Head("max", 1)), Task(), write_c, compiler)


def agree(architecture: Architecture, task: Task, write_c: Any, compiler: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trained, _, pixels = write_c(folder, architecture, "float32", task)
        logits = logits_on_host(folder, pixels, task.classes, "float32", compiler)
        expected = trained.logits(pixels)
        assert np.abs(logits - expected).max() <= 1e-4 * max(1.0, float(np.abs(expected).max()))
        _, int8, pixels = write_c(folder, architecture, "int8", task)
        logits = logits_on_host(folder, pixels, task.classes, "int8", compiler)
        expected = int8.logits(pixels)
        assert (logits == expected).all()


def test_the_flags_are_those_that_the_makefile_has() -> None:
    from tinysearch.deploy.source import template

    makefile = template("Makefile")
    assert STRICT[0] == "-std=c99"
    assert "STD ?= $(if $(findstring avr,$(CROSS)$(CC)),gnu99,c99)\n" in makefile
    assert f"STRICT = -std=$(STD) {' '.join(STRICT[1:-1])}\n" in makefile
    assert f"$(STRICT) {STRICT[-1]} $(CFLAGS) -o $@ check.c model.c" in makefile


@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_series_are_images_of_one_row(write_c: Any, compiler: str, tmp_path: Path, dtype: str) -> None:
    layers = (
        Conv(4, kernel=(1, 7), norm="before"),
        SeparableConv(5, kernel=(1, 5), norm="after", padding="valid"),
        DepthwiseConv(2, kernel=(1, 3)),
    )
    write_c(tmp_path, Architecture(layers, Head("average")), dtype, Task((1, 60, 3), 4))
    assert "24 of 24 answers as expected" in check_on_host(tmp_path, compiler)
