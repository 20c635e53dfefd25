"""Checks of builds for a device against the limits of the runs that found the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tinysearch.space.budget import Budget, whose_flash
from tinysearch.space.devices import DEVICES, STACK, Device
from tinysearch.space.footprint import AVR, CORTEX

# The smallest build on each processor; other builds are optional.
SMALLEST = "-Os"
# Processor to build for if limits are for an AVR, but for no known device.
SOME_AVR = "atmega328p"
_NETWORK, _FLASH, _RAM = "the network", "bytes of flash", "bytes of RAM"


@dataclass(frozen=True, slots=True)
class Bound:
    """How much of one limited resource a network uses.

    Args:
        of: The resource with its unit, such as ``"bytes of flash"`` or ``"bytes of RAM"``.
        taken: Amount that the network uses.
        limit: Largest allowed amount.
    """

    of: str
    taken: int
    limit: int

    @property
    def over(self) -> int:
        """Amount above the limit; 0 if the limit is not exceeded."""
        return max(0, self.taken - self.limit)


@dataclass(frozen=True, slots=True)
class Prediction:
    """Predicted flash and RAM of C code.

    Args:
        flash: Bytes of flash; None for float32, for which flash is not predicted.
        ram: Bytes of the arena.
    """

    flash: int | None
    ram: int

    def to_dict(self) -> dict[str, int | None]:
        """Return plain JSON values."""
        return {"flash": self.flash, "ram": self.ram}


@dataclass(frozen=True, slots=True)
class Fit:
    """Verdict on one build of a network against the limits of a run.

    Args:
        run: Name of the run.
        build: Processor and optimization level, such as ``"cortex-m0plus -Os"``; ``"the network"`` for its parameters.
        bounds: Each limit of the run, with the amount that the build uses.
        measured: Whether the amounts were measured; if not, they were predicted.
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
        """Whether the network fits only if this does. A build for speed does not count: a smaller one replaces it."""
        return self.build == _NETWORK or self.build.endswith(SMALLEST)

    @property
    def words(self) -> str:
        """The verdict in words.

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
        run: Name of the run.
        budget: Budget of its networks.
    """

    run: str
    budget: Budget

    @property
    def words(self) -> str:
        """The limits in words, with their device if they are exactly those of a device."""
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
        """The device named in the budget, or None. Other limits may have replaced those of the device."""
        return None if self.budget.device is None else DEVICES[self.budget.device]

    @property
    def core(self) -> str | None:
        """Processor whose builds are checked against the limits; None for those that all code is built for."""
        if self.device is not None:
            return self.device.core
        return SOME_AVR if self.budget.processor == AVR else None

    @property
    def limits_params(self) -> bool:
        """Whether parameters have a limit of their own, not just that of flash, at one byte per parameter."""
        return self.budget.params != self.budget.flash_bytes

    def unchecked(self, own: Sequence[Fit]) -> bool:
        """Return whether none of the deciding verdicts is about the limit on flash, or none about that on RAM."""
        known = {bound.of for one in own if one.decides for bound in one.bounds}
        limited = ((_FLASH, self.budget.flash_bytes), (_RAM, self.budget.peak_activation_bytes))
        return any(of not in known for of, limit in limited if limit is not None)

    def network(self, params: int) -> tuple[Fit, ...]:
        """Return the verdict on the number of parameters; empty if it is not limited."""
        if not self.limits_params:
            return ()
        return (Fit(self.run, _NETWORK, (Bound("parameters", params, self.budget.params - 1),)),)

    def build(self, build: str, flash: int | None, ram: int, *, measured: bool) -> tuple[Fit, ...]:
        """Return the verdict on a build; empty if neither flash nor RAM is limited. ``flash`` is None if unknown."""
        bounds = (
            (_FLASH, flash, self.budget.flash_bytes),
            (_RAM, ram, self.budget.peak_activation_bytes),
        )
        known = [Bound(of, taken, limit) for of, taken, limit in bounds if taken is not None and limit is not None]
        return (Fit(self.run, build, tuple(known), measured),) if known else ()


def fits(
    limits: Limits, params: int, sizes: Mapping[str, Mapping[str, int]], predicted: Mapping[str, Prediction]
) -> tuple[Fit, ...]:
    """Return the verdicts on a network and on its builds for devices.

    Args:
        limits: Limits of the run.
        params: Number of parameters of the network.
        sizes: Measured ``"flash"`` and ``"ram"`` in bytes, by build.
        predicted: Predictions by processor, used for processors without a measured build.

    If the limits are those of a device, only builds for its processor count. If there are none, those for Cortex-M
    count.
    """
    found = list(limits.network(params))
    found_for = {name.partition(" ")[0] for name in (*sizes, *predicted)}
    cores = (limits.core,) if limits.core in found_for else CORTEX
    sizes = {name: taken for name, taken in sizes.items() if name.partition(" ")[0] in cores}
    predicted = {name: taken for name, taken in predicted.items() if name in cores}
    for build, taken in sizes.items():
        verdicts = limits.build(build, taken["flash"], taken["ram"], measured=True)
        # A build for speed is reported only if it does not fit.
        found += [one for one in verdicts if one.decides or not one.fits]
    for processor, expected in predicted.items():
        if not any(build.startswith(f"{processor} ") for build in sizes):
            found += limits.build(f"{processor} {SMALLEST}", expected.flash, expected.ram, measured=False)
    return tuple(found)


def limits_of(budgets: Mapping[str, Budget]) -> tuple[Limits, ...]:
    """Return the limits of several runs; equal limits are listed once, under the first run.

    Args:
        budgets: Budgets by run name.
    """
    alike: dict[Budget, str] = {}
    for run, budget in budgets.items():
        alike.setdefault(budget, run)
    return tuple(Limits(run, budget) for budget, run in alike.items())


def all_checked(limits: Sequence[Limits], found: Sequence[Fit]) -> bool:
    """Return whether the verdicts on a network and its builds are about each limit of the runs."""
    return all(not each.unchecked([one for one in found if one.run == each.run]) for each in limits)


def verdict(limits: Sequence[Limits], found: Sequence[Fit], image: int | None = None) -> list[str]:
    """Return lines that say whether a network is within the limits of runs, with a heading for each run.

    Args:
        limits: Limits of the runs; without limits, no line is returned.
        found: Verdicts on the network and its builds.
        image: Bytes of an input image in memory; None if there is no C code.
    """
    lines: list[str] = []
    for each in limits:
        own = [one for one in found if one.run == each.run]
        lines += [f"{each.words}:", *(f"  {one.words}" for one in own)]
        unchecked = each.unchecked(own)
        if image is None and unchecked:
            lines.append("  not checked: limits on flash and RAM apply only to C code")
        elif unchecked:
            lines.append("  not checked: flash, which is not predicted for float32 and was not measured")
        elif each.device and not any(one.build.partition(" ")[0] == each.core for one in own):
            other = f"{each.device.name} has another processor ({each.device.processor})"
            lines.append(f"  not checked: {other}, on which code takes more or less flash; measure it with make size")
        rams = [bound.taken for one in own if one.decides for bound in one.bounds if bound.of == _RAM]
        if image is not None and rams:
            lines.append(f"  {_beside(max(rams), image, each.budget.of_device)}")
    return lines


def _beside(ram: int, image: int, device: Device | None) -> str:
    """Return a sentence on the memory that is needed in addition to the RAM of a network."""
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
