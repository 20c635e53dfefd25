"""Options of a search that limit the flash and RAM of networks."""

from __future__ import annotations

from typing import Annotated

import typer

from tinysearch.cli import completion, panels
from tinysearch.cli.numbers import size_or_bytes
from tinysearch.space.devices import DEVICES

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
        help="Maximum RAM of activations, in bytes: 8192, 8K; without the image.",
        rich_help_panel=panels.SEARCH,
    ),
]
DeviceName = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="NAME",
        help="Take both limits from a device: rp2040, ...; see docs/devices.md.",
        autocompletion=completion.among(*DEVICES),
        show_default=False,
        rich_help_panel=panels.SEARCH,
    ),
]
