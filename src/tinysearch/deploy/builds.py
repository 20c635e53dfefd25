"""Builds and runs of C code with the cross compilers and emulators of this machine."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from tinysearch.deploy.findings import Findings
from tinysearch.deploy.fit import Limits
from tinysearch.deploy.folder import Folder
from tinysearch.deploy.toolchain import (
    ARM_PACKAGES,
    EMULATED,
    PROCESSORS,
    check_on_device,
    instructions,
    missing_arm_tools,
    sizes,
)
from tinysearch.errors import WorkError

OPTIMIZATIONS = ("-Os", "-O2")


def build_and_run(folder: Folder, findings: Findings) -> None:
    """Build the code for the emulated processors, and run it on their emulators.

    Args:
        folder: Folder with the code.
        findings: Receives sizes in bytes, instructions per inference, and results of checks. Missing tools, and builds
            and checks that fail, become notes.
    """
    missing = missing_arm_tools()
    if missing:
        findings.notes.append(
            f"{' and '.join(missing)} cannot be found: nothing was measured for Cortex-M. On Debian: {ARM_PACKAGES}"
        )
        return
    for processor in EMULATED:
        for level in OPTIMIZATIONS:
            what = f"{processor} {level}"
            try:
                findings.sizes[what] = sizes(folder.path, processor, level).to_dict()
                findings.checks.append(
                    f"{PROCESSORS[processor].name} {level}: {check_on_device(folder.path, processor, level)}"
                )
                findings.instructions[what] = instructions(folder.path, processor, level)
            except WorkError as error:
                findings.notes.append(f"{level}: {error}")


def build_for(limits: Sequence[Limits], folder: Folder, findings: Findings) -> None:
    """Build the code for the processors of these limits that no emulator runs.

    Args:
        limits: Limits of the runs that found the network.
        folder: Folder with the code.
        findings: Receives sizes in bytes. Missing compilers and builds that fail become notes.
    """
    for core in dict.fromkeys(each.core for each in limits):
        if core is None or core in EMULATED:
            continue
        target = PROCESSORS[core]
        if shutil.which(target.compiler) is None:
            findings.notes.append(
                f"{target.compiler} cannot be found: nothing was measured for {target.name}. "
                f"On Debian: {target.packages}"
            )
            continue
        for level in OPTIMIZATIONS:
            try:
                findings.sizes[f"{core} {level}"] = sizes(folder.path, core, level).to_dict()
            except WorkError as error:
                findings.notes.append(f"{level}: {error}")
