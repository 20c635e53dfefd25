"""Options of a search that bound what a network takes of a device."""

from __future__ import annotations

from typing import Annotated

import typer

from tinysearch.cli import panels
from tinysearch.cli.numbers import size_or_bytes

MaxFlash = Annotated[
    int | None,
    typer.Option(
        "--max-flash",
        parser=size_or_bytes,
        metavar="N",
        help="Maximum flash for weights and C code, in bytes: 16384, 16K.",
        rich_help_panel=panels.SEARCH,
    ),
]
MaxRam = Annotated[
    int | None,
    typer.Option(
        "--max-ram",
        "--max-memory",
        parser=size_or_bytes,
        metavar="N",
        help="Maximum RAM for activations, in bytes: 8192, 8K; the image comes on top.",
        rich_help_panel=panels.SEARCH,
    ),
]
DeviceName = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="NAME",
        help="Take the limits from a device; see docs/devices.md.",
        show_default=False,
        rich_help_panel=panels.SEARCH,
    ),
]
