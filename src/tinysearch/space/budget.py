"""Budgets: upper bounds on the cost of an architecture, and the check against them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from tinysearch.errors import BudgetError
from tinysearch.space.cost import Cost
from tinysearch.space.devices import Device, device, named
from tinysearch.space.footprint import AVR, CORTEX, whole_words
from tinysearch.space.sizes import WAYS, count

# Default budgets of a frontier.
BUDGETS = (1_000, 2_000, 3_000, 5_000, 8_000, 10_000)
# Fraction of the flash limit by which the predicted flash must stay below it. Measured flash is 0.1 to 1.2 % below the
# prediction (on an AVR up to 8 %), see docs/devices.md; the code of another compiler may be slightly larger.
FLASH_MARGIN = 0.01
# Former limits of devices, for budgets that were stored before they named their device.
_FORMERLY: dict[tuple[int | None, int | None, str], str] = {(3_145_728, 399_360, CORTEX[0]): "esp32"}
_UNITS = {
    "macs": "multiply-accumulates",
    "peak_activation_bytes": "bytes of RAM for activations",
    "int8_weight_bytes": "bytes of int8 weights",
    "flash_bytes": "bytes of flash",
}


def whose_flash(processor: str) -> str:
    """Return the processor of a flash size as the end of a phrase; empty for the default processor.

    >>> whose_flash("avr"), whose_flash("cortex-m0plus")
    (' of an AVR', '')
    """
    return " of an AVR" if processor == AVR else ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Result of a check of a cost against a budget.

    Args:
        accepted: True if every bound holds.
        reason: The name of the first violated bound (``"params"``, ``"macs"``, ...), or None.
        message: The reason in words, or an empty string.
    """

    accepted: bool
    reason: str | None = None
    message: str = ""


def several_bounds(budgets: object) -> tuple[int, ...]:
    """Return several bounds on parameters as integers, in the given order.

    Raises:
        BudgetError: if they are not distinct whole numbers of at least 1.

    >>> several_bounds(["1k", 3e3])
    (1000, 3000)
    """
    if isinstance(budgets, Iterable) and not isinstance(budgets, str):
        given = budgets = list(budgets)
    else:
        given = [None]
    known = [whole for one in given if (whole := count(one)) is not None and whole > 0]
    if len(set(known)) < len(given):
        raise BudgetError(f"several budgets must be different whole numbers of at least 1, got {budgets!r}")
    return tuple(known)


ACCEPTED = Verdict(True)


@dataclass(frozen=True, slots=True, repr=False)
class Budget:
    """Upper bounds on the cost of an architecture.

    Args:
        params: Exclusive bound on total parameters: a cost *at or above* it is rejected. Other notations of whole
            numbers, such as ``1e4`` or ``"10k"``, are accepted too; ``of`` accepts them for type checkers.
        macs: Largest allowed number of multiply-accumulates per image, or None.
        peak_activation_bytes: Largest allowed peak of int8 activations in bytes, or None. It is the RAM that the
            int8 C code needs in addition to its stack and the input image.
        int8_weight_bytes: Largest allowed size of int8 weights in bytes, or None.
        flash_bytes: Largest allowed flash of the int8 C code in bytes, or None. The predicted size must stay 1 % below
            it, because the code of another compiler may be slightly larger.
        processor: Processor that flash is predicted for, ``"cortex-m0plus"`` or ``"avr"``. If ``device`` is given, that
            of the device.
        device: The device that these limits are meant for, or None. It adds no limits: ``device=`` of ``run`` does.

    Raises:
        BudgetError: if a bound is not a positive integer, or the processor or the device is unknown.
    """

    params: int
    macs: int | None = None
    peak_activation_bytes: int | None = None
    int8_weight_bytes: int | None = None
    flash_bytes: int | None = None
    processor: str = CORTEX[0]
    device: str | None = None

    def __post_init__(self) -> None:
        if self.device is not None:
            found = device(self.device)
            object.__setattr__(self, "device", found.name)
            object.__setattr__(self, "processor", found.counted_as)
        if self.processor not in (CORTEX[0], AVR):
            raise BudgetError(f"flash is predicted for {CORTEX[0]} or {AVR}; got {self.processor!r}")
        for name, bound in self._bounds().items():
            if bound is None and name != "params":
                continue
            # Sizes in bytes that are given as text have their own units, see ``sizes.size``.
            whole = None if isinstance(bound, str) and "bytes" in name else count(bound)
            if whole is None or whole < 1:
                of = "parameters" if name == "params" else name
                ways = f"; {WAYS}" if isinstance(bound, str) and "bytes" not in name else ""
                raise BudgetError(f"a budget is a whole number of {of}, at least 1; got {bound!r}{ways}")
            object.__setattr__(self, name, whole)

    def _bounds(self) -> dict[str, int | None]:
        """Return the bounds by field name."""
        return {name: value for name, value in asdict(self).items() if name not in ("processor", "device")}

    @classmethod
    def of(cls, given: float | str | Budget) -> Budget:
        """Return a budget unchanged, or the budget for a number of parameters.

        >>> Budget.of("10k")
        Budget(params=10000)
        """
        return given if isinstance(given, Budget) else cls(given)  # type: ignore[arg-type]

    def __repr__(self) -> str:
        """Show the bounds that are set.

        >>> Budget(10_000), Budget(5_000, flash_bytes=32_768)
        (Budget(params=10000), Budget(params=5000, flash_bytes=32768))
        """
        bounds = [f"{name}={bound}" for name, bound in self._bounds().items() if bound is not None]
        other = [] if self.processor == CORTEX[0] else [f"processor={self.processor!r}"]
        other = other if self.device is None else [f"device={self.device!r}"]
        return f"Budget({', '.join([*bounds, *other])})"

    def check(self, cost: Cost) -> Verdict:
        """Accept or reject a cost.

        >>> Budget(8640).check(Cost(8640, 60, 0, 0, 0)).message
        '8,640 parameters are at or above the budget of 8,640'
        """
        return next(self._broken(cost), ACCEPTED)

    def broken(self, cost: Cost) -> tuple[Verdict, ...]:
        """Return a verdict for each violated bound.

        >>> [one.reason for one in Budget(8640, macs=50).broken(Cost(8640, 0, 60, 0, 0))]
        ['params', 'macs']
        """
        return tuple(self._broken(cost))

    def excess(self, cost: Cost) -> float:
        """Return the largest ratio of a cost to its bound: at most 1 if no bound is exceeded, infinite if unknown.

        The safety margin of the flash limit does not count.

        >>> Budget(1_000, macs=50).excess(Cost(999, 0, 60, 0, 0))
        1.2
        """
        bounds = {name: bound for name, bound in self._bounds().items() if bound is not None}
        bounds["params"] -= 1
        taken = {name: self.taken(cost, name) for name in bounds}
        return max(math.inf if value is None else value / max(1, bounds[name]) for name, value in taken.items())

    def _broken(self, cost: Cost) -> Iterator[Verdict]:
        if cost.params >= self.params:
            text = f"{cost.params:,} parameters are at or above the budget of {self.params:,}"
            yield Verdict(False, "params", text)
        for name, unit in _UNITS.items():
            bound, value = getattr(self, name), self.taken(cost, name)
            if bound is None:
                continue
            if name == "flash_bytes":
                unit += whose_flash(self.processor)
            if value is None:
                yield Verdict(False, name, f"the {unit} are not known, and the limit is {bound:,}")
            elif name == "flash_bytes" and bound * (1 - FLASH_MARGIN) < value <= bound:
                off = f"the prediction may be {FLASH_MARGIN:.0%} off"
                yield Verdict(False, name, f"{value:,} {unit} are too close to the limit of {bound:,}: {off}")
            elif value > bound:
                yield Verdict(False, name, f"{value:,} {unit} are above the limit of {bound:,}")

    def taken(self, cost: Cost, name: str) -> int | None:
        """Return how much of a resource a network uses, or None if unknown.

        Args:
            cost: The cost of the network.
            name: Field of the budget that bounds the resource.
        """
        taken: int | None = cost.flash_on(self.processor) if name == "flash_bytes" else getattr(cost, name)
        if name == "peak_activation_bytes" and taken is not None and self.processor != AVR:
            return whole_words(taken)
        return taken

    def least(self, cost: Cost, name: str) -> int | None:
        """Return the smallest bound on a resource that a cost satisfies, or None if the use is unknown.

        Args:
            cost: The cost of a network.
            name: Field of the budget that bounds the resource.

        >>> Budget(5_000, flash_bytes=1).least(Cost(999, 0, 60, 0, 0, flash_bytes=2_000), "flash_bytes")
        2021
        """
        taken = self.taken(cost, name)
        if taken is None:
            return None
        return math.ceil(taken / (1 - FLASH_MARGIN)) if name == "flash_bytes" else taken + (name == "params")

    @property
    def of_device(self) -> Device | None:
        """The named device if the limits equal what it leaves to a network; None otherwise."""
        found = None if self.device is None else device(self.device)
        return found if found and found.leaves(self.flash_bytes, self.peak_activation_bytes) else None

    @property
    def limited(self) -> frozenset[str]:
        """Names of the fields with a bound, except ``params``.

        >>> sorted(Budget(1_000, flash_bytes=5_000).limited)
        ['flash_bytes']
        """
        return frozenset(name for name, bound in self._bounds().items() if bound is not None and name != "params")

    @property
    def limits(self) -> tuple[str, ...]:
        """The bounds in words."""
        bounds = (
            (self.macs, "MACs"),
            (self.peak_activation_bytes, "bytes of RAM"),
            (self.int8_weight_bytes, "bytes of weights"),
            (self.flash_bytes, f"bytes of flash{whose_flash(self.processor)}"),
        )
        others = tuple(f"at most {bound:,} {unit}" for bound, unit in bounds if bound is not None)
        return (f"fewer than {self.params:,} parameters", *others)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; a default processor and a missing device are left out."""
        processor = {} if self.processor == CORTEX[0] else {"processor": self.processor}
        return {**self._bounds(), **processor, **({} if self.device is None else {"device": self.device})}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Budget:
        """Create a budget from plain JSON values, the reverse of ``to_dict``.

        Earlier versions did not store the device: it is the device with these limits, if one has them.
        """
        found = cls(**data)
        if "device" in data or None in (found.flash_bytes, found.peak_activation_bytes):
            return found
        limits = found.flash_bytes, found.peak_activation_bytes, found.processor
        known = named(*limits)
        name = _FORMERLY.get(limits) if known is None else known.name
        return found if name is None else replace(found, device=name)
