"""Options that ``run`` and ``frontier`` share, None where they are not given: a run that goes on keeps its settings."""

from __future__ import annotations

from typing import Annotated

import typer

from tinysearch.cli import panels
from tinysearch.cli.numbers import whole

Epochs = Annotated[
    int | None,
    typer.Option(
        parser=whole,
        metavar="N",
        help="Epochs to train every candidate. [10]",
        rich_help_panel=panels.COMMON,
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        parser=whole,
        metavar="N",
        help="Random seed; 0 is a seed too. [0]",
        rich_help_panel=panels.SEARCH,
    ),
]
