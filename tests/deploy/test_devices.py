"""Flash and memory by arithmetic, against what a cross compiler measures."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tinysearch.baselines.models import BASELINES
from tinysearch.deploy import toolchain
from tinysearch.errors import WorkError
from tinysearch.results.archive import REFERENCE, open_to_read
from tinysearch.space.architecture import Architecture, Conv, DepthwiseConv, Head, Pool, SeparableConv
from tinysearch.space.cost import cost, flash_bytes
from tinysearch.space.devices import device
from tinysearch.space.task import REAL, VALUES, Task

pytestmark = pytest.mark.device
Needs = Callable[[object, str, str], None]


def networks() -> dict[str, Architecture]:
    found = {name: one.architecture for name, one in BASELINES.items()}
    with open_to_read(REFERENCE) as store:
        for path in sorted(REFERENCE.parent.glob("*.keras")):
            found[path.stem] = store.find(path.stem)[-1].architecture
    return found


@pytest.mark.parametrize("name", networks())
def test_flash_is_what_is_predicted_and_memory_exact(write_c: Any, needs: Needs, tmp_path: Path, name: str) -> None:
    needs(shutil.which("arm-none-eabi-gcc"), "a compiler for Cortex-M", f"apt-get install {toolchain.ARM_PACKAGES}")
    needs(shutil.which("avr-gcc"), "a compiler for AVR", f"apt-get install {toolchain.AVR_PACKAGES}")
    architecture = networks()[name]
    trained, _, _ = write_c(tmp_path, architecture)
    arena = cost(architecture, trained.task).ram_bytes
    for processor in toolchain.EMULATED:
        found = toolchain.sizes(tmp_path, processor, "-Os")
        assert abs(flash_bytes(architecture, trained.task, processor) / found.flash - 1) < 0.03
        assert found.ram == arena
    for processor in ("atmega328p", "attiny1614"):
        if arena > 32_767:
            with pytest.raises(WorkError, match="is too large"):
                toolchain.sizes(tmp_path, processor, "-Os")
            continue
        found = toolchain.sizes(tmp_path, processor, "-Os")
        # Functions that are called once are smaller than those that are counted.
        assert found.flash <= flash_bytes(architecture, trained.task, "avr") <= 1.1 * found.flash
        assert found.ram == arena


ONE_PADDED = {
    "separable": SeparableConv(8, norm="before"),
    "wide kernel": SeparableConv(8, kernel=(3, 5), norm="before"),
    "several channels of each": DepthwiseConv(multiplier=2, norm="before"),
}


@pytest.mark.parametrize("layer", ONE_PADDED)
@pytest.mark.parametrize("values", VALUES)
def test_flash_is_predicted_for_every_kind_of_values(
    write_c: Any, needs: Needs, tmp_path: Path, values: str, layer: str
) -> None:
    needs(shutil.which("arm-none-eabi-gcc"), "a compiler for Cortex-M", f"apt-get install {toolchain.ARM_PACKAGES}")
    needs(shutil.which("avr-gcc"), "a compiler for AVR", f"apt-get install {toolchain.AVR_PACKAGES}")
    # A single depthwise convolution, which an AVR's compiler makes for its one call.
    network = Architecture((Conv(4, stride=4, norm="before"), ONE_PADDED[layer]), Head("average"))
    for channels in (1, 3):
        task = Task((28, 28, channels), 10, values)
        write_c(tmp_path, network, task=task)
        for processor in toolchain.EMULATED:
            found = toolchain.sizes(tmp_path, processor, "-Os").flash
            assert found * 0.995 <= flash_bytes(network, task, processor) <= found * 1.03
        found = toolchain.sizes(tmp_path, "atmega328p", "-Os").flash
        assert found * 0.995 <= flash_bytes(network, task, "avr") <= found * 1.1


# Below 1,000 parameters, and its arena leaves an ATmega328P a quarter of its memory.
EIGHT_BIT = Architecture(
    (
        Conv(4, kernel=5, stride=4, norm="before"),
        SeparableConv(12, norm="before"),
        Pool("max", 2),
        SeparableConv(16, norm="before"),
    ),
    Head("average"),
)


def test_a_network_below_a_thousand_parameters_fits_an_eight_bit_device(
    write_c: Any, needs: Needs, tmp_path: Path
) -> None:
    needs(shutil.which("avr-gcc"), "a compiler for AVR", "apt-get install gcc-avr avr-libc")
    trained, _, _ = write_c(tmp_path, EIGHT_BIT)
    counted = cost(EIGHT_BIT, trained.task)
    target = device("arduino-uno")
    assert counted.params < 1_000
    assert counted.ram_bytes <= target.max_ram
    program = tmp_path / "sketch.elf"
    (tmp_path / "sketch.c").write_text(
        '#include "model.h"\n\nvolatile model_pixel pixel;\n\nint main(void)\n{\n'
        "    for (int i = 0; i < MODEL_INPUT_SIZE; i++)\n        model_input()[i] = (model_value)(pixel - 128);\n"
        "    model_run();\n    return model_logits()[0];\n}\n"
    )
    flags = ["-std=gnu99", "-mmcu=atmega328p", "-Os", "-Wall", "-Wextra", "-Werror"]
    flags += ["-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"]
    sources = [str(tmp_path / name) for name in ("sketch.c", "model.c")]
    subprocess.run(["avr-gcc", *flags, "-o", str(program), *sources], check=True)
    listing = subprocess.run(["avr-size", "-A", str(program)], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listing.splitlines() if line.startswith(".")]
    sections = {words[0]: int(words[1]) for words in rows}
    assert sections[".text"] + sections[".data"] <= target.max_flash
    assert sections[".bss"] + sections[".data"] <= counted.ram_bytes + 8


def test_test_vectors_of_large_inputs_run_on_the_emulated_device(write_c: Any, needs: Needs, tmp_path: Path) -> None:
    needs(not toolchain.missing_arm_tools(), "tools for Cortex-M", f"apt-get install {toolchain.ARM_PACKAGES}")
    long = Task((8_000, 1, 6), 2, values=REAL)
    write_c(tmp_path, Architecture((Conv(2, kernel=(7, 1), stride=4),)), task=long)
    for processor in toolchain.EMULATED:
        assert "24 of 24 answers as expected" in toolchain.check_on_device(tmp_path, processor, "-Os")
