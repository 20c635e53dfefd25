"""Whether what was built for a device is within the limits of the run that has found the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tinysearch.space.budget import Budget, whose_flash
from tinysearch.space.devices import DEVICES, STACK, Device
from tinysearch.space.footprint import AVR, CORTEX

# The build that is smallest on each processor; another one is only an option.
SMALLEST = "-Os"
# What is built where limits are those of an AVR that is not in the table.
SOME_AVR = "atmega328p"
_NETWORK, _FLASH, _RAM = "the network", "bytes of flash", "bytes of RAM"


@dataclass(frozen=True, slots=True)
class Bound:
    """What a network takes of something that is limited.

    Args:
        of: Of what: ``"bytes of flash"``, ``"bytes of RAM"``, ...
        taken: How much it takes.
        limit: How much it may take.
    """

    of: str
    taken: int
    limit: int

    @property
    def over(self) -> int:
        """By how much it is above the limit; 0 if it is not."""
        return max(0, self.taken - self.limit)


@dataclass(frozen=True, slots=True)
class Prediction:
    """What C code takes by arithmetic.

    Args:
        flash: Bytes; None for float32, of which it is not counted.
        ram: Bytes of the arena.
    """

    flash: int | None
    ram: int

    def to_dict(self) -> dict[str, int | None]:
        """Return plain JSON values."""
        return {"flash": self.flash, "ram": self.ram}


@dataclass(frozen=True, slots=True)
class Fit:
    """One build of a network beside the limits of a run.

    Args:
        run: Name of the run.
        build: Processor and level of optimization, ``"cortex-m0plus -Os"``; ``"the network"`` for its parameters.
        bounds: Each limit that the run has, and what the build takes.
        measured: Whether that was measured; if not, it was predicted.
    """

    run: str
    build: str
    bounds: tuple[Bound, ...]
    measured: bool = True

    @property
    def fits(self) -> bool:
        """Whether no limit is exceeded."""
        return not any(bound.over for bound in self.bounds)

    @property
    def decides(self) -> bool:
        """Whether the network does not fit if this does not: a build for speed may be replaced by a smaller one."""
        return self.build == _NETWORK or self.build.endswith(SMALLEST)

    @property
    def words(self) -> str:
        """The verdict.

        >>> Fit("a", "cortex-m4 -Os", (Bound("bytes of flash", 5_200, 5_000),)).words
        'cortex-m4 -Os does not fit: 200 bytes of flash over the limit (5,200 of 5,000)'
        """
        said = "" if self.measured else ", predicted and not measured"
        if self.fits:
            held = ", ".join(f"{one.taken:,} of {one.limit:,} {one.of}" for one in self.bounds)
            return f"{self.build} fits: {held}{said}"
        over = ", ".join(
            f"{one.over:,} {one.of} over the limit ({one.taken:,} of {one.limit:,})" for one in self.bounds if one.over
        )
        return f"{self.build} does not fit: {over}{said}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "run": self.run,
            "build": self.build,
            "fits": self.fits,
            "measured": self.measured,
            "bounds": [{"of": one.of, "taken": one.taken, "limit": one.limit, "over": one.over} for one in self.bounds],
        }


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a run.

    Args:
        run: Its name.
        budget: What its networks may take.
    """

    run: str
    budget: Budget

    @property
    def of_code(self) -> bool:
        """Whether flash or RAM is limited, those of C code."""
        return self.budget.flash_bytes is not None or self.budget.peak_activation_bytes is not None

    @property
    def words(self) -> str:
        """The limits, with the device that they are of."""
        budget, own = self.budget, self.budget.of_device
        parts = [f"fewer than {budget.params:,} parameters"] if self.limits_params else []
        if budget.flash_bytes is not None:
            whose = "" if own else whose_flash(budget.processor)
            parts.append(f"{budget.flash_bytes:,} bytes of flash{whose}")
        if budget.peak_activation_bytes is not None:
            parts.append(f"{budget.peak_activation_bytes:,} bytes of RAM")
        return f"limits of run {self.run}: {', '.join(parts)}{f' ({own.name})' if own else ''}"

    @property
    def device(self) -> Device | None:
        """The device that was named, if there was one; its limits may have been replaced by others."""
        return None if self.budget.device is None else DEVICES[self.budget.device]

    @property
    def core(self) -> str | None:
        """What code is built for to be measured against the limits; None for what all code is built for."""
        if self.device is not None:
            return self.device.core
        return SOME_AVR if self.budget.processor == AVR else None

    @property
    def limits_params(self) -> bool:
        """Whether parameters are limited by more than flash, of which each takes a byte."""
        return self.budget.params != self.budget.flash_bytes

    def network(self, params: int) -> tuple[Fit, ...]:
        """Return the verdict on the number of parameters, if it is limited."""
        if not self.limits_params:
            return ()
        return (Fit(self.run, _NETWORK, (Bound("parameters", params, self.budget.params - 1),)),)

    def build(self, build: str, flash: int | None, ram: int, *, measured: bool) -> tuple[Fit, ...]:
        """Return the verdict on a build, if flash or RAM is limited; flash may be unknown."""
        bounds = (
            (_FLASH, flash, self.budget.flash_bytes),
            (_RAM, ram, self.budget.peak_activation_bytes),
        )
        known = [Bound(of, taken, limit) for of, taken, limit in bounds if taken is not None and limit is not None]
        return (Fit(self.run, build, tuple(known), measured),) if known else ()


def fits(
    limits: Limits, params: int, sizes: Mapping[str, Mapping[str, int]], predicted: Mapping[str, Prediction]
) -> tuple[Fit, ...]:
    """Return the verdict on a network, and on each build for a device.

    Args:
        limits: Those of the run.
        params: How many the network has.
        sizes: What was measured, by build: ``"flash"`` and ``"ram"``.
        predicted: By processor: for those that nothing was measured of.

    Where the limits are those of a device, only builds for its processor count, if there are any; else those for a
    Cortex-M.
    """
    found = list(limits.network(params))
    found_for = {name.partition(" ")[0] for name in (*sizes, *predicted)}
    cores = (limits.core,) if limits.core in found_for else CORTEX
    sizes = {name: taken for name, taken in sizes.items() if name.partition(" ")[0] in cores}
    predicted = {name: taken for name, taken in predicted.items() if name in cores}
    for build, taken in sizes.items():
        verdicts = limits.build(build, taken["flash"], taken["ram"], measured=True)
        # A build for speed is only of interest if it does not fit.
        found += [one for one in verdicts if one.decides or not one.fits]
    for processor, expected in predicted.items():
        if not any(build.startswith(f"{processor} ") for build in sizes):
            found += limits.build(f"{processor} {SMALLEST}", expected.flash, expected.ram, measured=False)
    return tuple(found)


def limits_of(budgets: Mapping[str, Budget]) -> tuple[Limits, ...]:
    """Return the limits of some runs, those that are alike once.

    Args:
        budgets: By the name of the run.
    """
    alike: dict[Budget, str] = {}
    for run, budget in budgets.items():
        alike.setdefault(budget, run)
    return tuple(Limits(run, budget) for budget, run in alike.items())


def verdict(limits: Sequence[Limits], found: Sequence[Fit], image: int | None = None) -> list[str]:
    """Return in lines whether a network is within the limits of runs, those of each run under a heading.

    Args:
        limits: Those of the runs; if there are none, there is nothing to say.
        found: What was found out.
        image: Bytes that an image takes in memory, if it is known.
    """
    lines: list[str] = []
    for each in limits:
        own = [one for one in found if one.run == each.run]
        lines += [f"{each.words}:", *(f"  {one.words}" for one in own)]
        if each.of_code and all(one.build == _NETWORK for one in own):
            lines.append("  not checked: limits on flash and RAM are those of C code")
        elif each.device and not any(one.build.partition(" ")[0] == each.core for one in own):
            other = f"{each.device.name} has another processor ({each.device.processor})"
            lines.append(f"  not checked: {other}, on which code takes more or less flash; measure it with make size")
        rams = [bound.taken for one in own if one.decides for bound in one.bounds if bound.of == _RAM]
        if image is not None and rams:
            lines.append(f"  {_beside(max(rams), image, each.budget.of_device)}")
    return lines


def _beside(ram: int, image: int, device: Device | None) -> str:
    """Say what comes on top of the RAM of a network."""
    more = f"RAM is without the image and the stack: a buffer for the image takes {image:,} bytes more"
    if device is None:
        return more
    if ram > device.ram:
        return more
    left = device.ram - ram - image
    if left < 0:
        return f"{more}, {-left:,} more than {device.name} has; write images to model_input() instead"
    rest = f"{more}, which leaves {left:,} of the {device.ram:,} bytes of {device.name} for the stack and your program"
    return rest if left >= STACK else f"{rest}: too little; write images to model_input() instead"
