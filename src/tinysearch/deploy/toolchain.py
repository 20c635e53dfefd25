"""Compilers and emulators for C code: on this machine, and on microcontrollers that QEMU emulates."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.deploy.source import template
from tinysearch.errors import WorkError

_WARNINGS = ("-Wall", "-Wextra", "-Werror")
STRICT = ("-std=c99", *_WARNINGS, "-pedantic")
_ARM, _AVR = "arm-none-eabi-", "avr-"
_QEMU = "qemu-system-arm"
ARM_PACKAGES = "gcc-arm-none-eabi, libnewlib-arm-none-eabi and qemu-system-arm"
AVR_PACKAGES = "gcc-avr and avr-libc"
# Time limit of one program, in seconds.
_LONGEST = 600


@dataclass(frozen=True, slots=True)
class Processor:
    """A processor to build for.

    Args:
        name: Name to display.
        flags: Flags for the compiler.
        machine: QEMU machine that runs its instructions; None if there is none.
        strict: Flags for the C standard and the warnings.
        cross: Prefix of the names of the compiler and its tools.
        packages: Debian packages with these tools.
    """

    name: str
    flags: tuple[str, ...]
    machine: str | None = None
    strict: tuple[str, ...] = STRICT
    cross: str = _ARM
    packages: str = ARM_PACKAGES

    @property
    def compiler(self) -> str:
        """The name of its C compiler."""
        return f"{self.cross}gcc"


_M4 = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")
# Tables are placed in flash by a qualifier that C99 does not have.
_IN_FLASH = ("-std=gnu99", *_WARNINGS)
# The an385 has a Cortex-M3, which runs all instructions of a Cortex-M0+. AVR compilers that do not know the ATtiny know
# its family.
PROCESSORS = {
    "cortex-m0plus": Processor("Cortex-M0+", ("-mcpu=cortex-m0plus", "-mthumb"), "mps2-an385"),
    "cortex-m4": Processor("Cortex-M4", _M4, "mps2-an386"),
    "atmega328p": Processor("ATmega328P", ("-mmcu=atmega328p",), None, _IN_FLASH, _AVR, AVR_PACKAGES),
    "attiny1614": Processor("ATtiny1614", ("-mmcu=avrxmega3",), None, _IN_FLASH, _AVR, AVR_PACKAGES),
}
# Processors whose code is run in an emulator; for the others it is only built.
EMULATED = tuple(name for name, one in PROCESSORS.items() if one.machine is not None)


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes by section of a network and of the parts of the compiler's library that it needs."""

    text: int
    rodata: int
    data: int
    bss: int

    @property
    def flash(self) -> int:
        """Bytes of flash."""
        return self.text + self.rodata + self.data

    @property
    def ram(self) -> int:
        """Bytes of RAM, without the stack."""
        return self.data + self.bss

    def to_dict(self) -> dict[str, int]:
        """Return plain JSON values."""
        sections = {"text": self.text, "rodata": self.rodata, "data": self.data, "bss": self.bss}
        return {**sections, "flash": self.flash, "ram": self.ram}


def host_compiler() -> str | None:
    """Return the name of the C compiler of this machine; None if there is none."""
    return next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)


def missing_arm_tools() -> list[str]:
    """Return the names of the tools for Cortex-M that are not installed."""
    return [name for name in (f"{_ARM}gcc", _QEMU) if shutil.which(name) is None]


def check_on_host(folder: Path, compiler: str, flags: Sequence[str] = ("-O2",)) -> str:
    """Build the test vectors as ``make check`` does, run them, and return their output.

    Raises:
        WorkError: if they cannot be compiled, or one of them fails.
    """
    with tempfile.TemporaryDirectory() as scratch:
        program = Path(scratch) / "check"
        sources = [_source(folder, name) for name in ("check.c", "model.c")]
        _run([compiler, *STRICT, *flags, "-o", str(program), *sources], "the C code cannot be compiled")
        return _run([str(program)], "the test vectors fail on this machine").strip()


def logits_on_host(
    folder: Path, images: npt.NDArray[Any], classes: int, dtype: str, compiler: str
) -> npt.NDArray[np.generic]:
    """Return the logits that the C code computes on this machine, shape ``(images, classes)``.

    Args:
        folder: Folder with ``model.c`` and ``model.h``.
        images: Images of the type that the code takes.
        classes: Number of logits per image.
        dtype: ``"int8"`` or ``"float32"``.
        compiler: See ``host_compiler``.

    Raises:
        WorkError: if the code cannot be compiled or run.
    """
    with tempfile.TemporaryDirectory() as scratch:
        source, program = Path(scratch) / "score.c", Path(scratch) / "score"
        source.write_text(template("score.c"), encoding="utf-8")
        command = [
            compiler,
            *STRICT,
            "-O2",
            "-I",
            str(folder),
            "-o",
            str(program),
            str(source),
            _source(folder, "model.c"),
        ]
        _run(command, "the C code cannot be compiled")
        done = subprocess.run([str(program)], input=images.tobytes(), capture_output=True, check=False)
    if done.returncode:
        raise WorkError(f"the C code fails on this machine with exit code {done.returncode}")
    return np.frombuffer(done.stdout, dtype).reshape(-1, classes)


def sizes(folder: Path, processor: str, optimization: str) -> Sizes:
    """Compile a network for a processor, link it with the parts of the library that it needs, and return its sizes.

    Raises:
        WorkError: if it cannot be compiled, linked or measured.
    """
    with tempfile.TemporaryDirectory() as scratch:
        linked = Path(scratch) / "model.elf"
        target = PROCESSORS[processor]
        flags = [*target.strict, *target.flags, optimization, "-ffunction-sections", "-fdata-sections"]
        ends = ["-nostartfiles", "-Wl,--gc-sections", "-Wl,-e,model_classify", "-Wl,-u,model_classify"]
        command = [target.compiler, *flags, *ends, "-o", str(linked), _source(folder, "model.c")]
        _run(command, f"the C code cannot be compiled for {target.name}")
        listing = _run([f"{target.cross}size", "-A", str(linked)], "the sizes of sections cannot be read")
    return sections(listing)


def sections(listing: str) -> Sizes:
    r"""Return the sizes of the loaded sections from the output of ``size -A``.

    Sections that only tools read, such as ``.ARM.attributes``, take no space on the device; tables for unwinding do.

    >>> sections(".text 100 0\n.ARM.exidx 8 0\n.bss 40 0\n.comment 38 0\n.ARM.attributes 52 0").flash
    108
    """
    found = {name: int(size) for name, size in re.findall(r"^\.(\S+)\s+(\d+)", listing, re.MULTILINE)}

    def of(*names: str) -> int:
        return sum(size for name, size in found.items() if any(f"{name}.".startswith(f"{one}.") for one in names))

    return Sizes(of("text", "ARM.exidx", "ARM.extab"), of("rodata"), of("data"), of("bss"))


def check_on_device(folder: Path, processor: str, optimization: str) -> str:
    """Run the test vectors on an emulated microcontroller, and return their output.

    Raises:
        WorkError: if they cannot be compiled, or one of them fails.
    """
    what = f"the test vectors fail on {PROCESSORS[processor].name} with {optimization}"
    return _emulated(folder, (folder / "check.c").read_text(encoding="utf-8"), processor, optimization, what)


def instructions(folder: Path, processor: str, optimization: str) -> int:
    """Return the number of instructions per inference, give or take forty.

    Raises:
        WorkError: if they cannot be counted.
    """
    what = f"instructions on {PROCESSORS[processor].name} cannot be counted"
    return int(_emulated(folder, template("device/count.c"), processor, optimization, what, "-icount", "shift=0"))


def _emulated(folder: Path, main: str, processor: str, optimization: str, what: str, *options: str) -> str:
    target = PROCESSORS[processor]
    assert target.machine is not None, processor  # noqa: S101
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        for name, text in (("main.c", main), ("start.c", template("device/start.c"))):
            (place / name).write_text(text, encoding="utf-8")
        (place / "mps2.ld").write_text(template("device/mps2.ld"), encoding="utf-8")
        program = place / "program.elf"
        flags = [
            *target.flags,
            optimization,
            "-ffunction-sections",
            "-Wl,--gc-sections",
            "-nostartfiles",
            "--specs=rdimon.specs",
        ]
        sources = [str(place / "main.c"), str(place / "start.c"), _source(folder, "model.c")]
        command = [target.compiler, "-std=c99", *flags, "-I", str(folder), "-T", str(place / "mps2.ld"), *sources]
        _run([*command, "-o", str(program)], f"the C code cannot be compiled for {target.name}")
        emulator = [_QEMU, "-M", target.machine, "-nographic", "-monitor", "none", "-serial", "none", *options]
        semihosting = ["-semihosting-config", "enable=on,target=native"]
        return _run([*emulator, *semihosting, "-kernel", str(program)], what).strip()


def _source(folder: Path, name: str) -> str:
    """Return the absolute path of a source file: a compiler takes a path that begins with a hyphen for an option."""
    return str((folder / name).absolute())


def _run(command: Sequence[str], what: str) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=_LONGEST
        )
    except subprocess.TimeoutExpired:
        raise WorkError(f"{what}: not finished after {_LONGEST} seconds") from None
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        # A linker gives the reason before the line with the error.
        said = [line for line in lines if "error:" in line or "overflowed by" in line][:1] or lines[-3:]
        raise WorkError(f"{what}: {' '.join(said) or f'exit code {done.returncode}'}")
    return done.stdout
