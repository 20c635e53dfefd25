"""Options of a search that bound what a network takes of a device."""

from __future__ import annotations

from typing import Annotated

import typer

from tinysearch.cli.numbers import size_or_bytes
from tinysearch.space.devices import device

MaxFlash = Annotated[
    int | None,
    typer.Option(
        "--max-flash", parser=size_or_bytes, metavar="N", help="Most bytes of flash, as int8 C code: 16384, 16K."
    ),
]
MaxRam = Annotated[
    int | None,
    typer.Option(
        "--max-ram", parser=size_or_bytes, metavar="N", help="Most bytes of memory, as int8 C code: 8192, 8K."
    ),
]
DeviceName = Annotated[
    str | None,
    typer.Option("--device", metavar="NAME", help="What a device has for a network, see docs/devices.md: rp2040, ..."),
]


def limits(name: str | None, max_flash: int | None, max_ram: int | None) -> dict[str, int | None]:
    """Return the limits on flash and memory that were given; what is said in bytes goes before what a device has.

    Raises:
        BudgetError: if the device is unknown.

    >>> limits("arduino-uno", None, 1_000)
    {'max_flash': 24576, 'max_ram': 1000}
    """
    target = None if name is None else device(name)
    return {
        "max_flash": target.max_flash if target is not None and max_flash is None else max_flash,
        "max_ram": target.max_ram if target is not None and max_ram is None else max_ram,
    }
