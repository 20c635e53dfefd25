"""Options that say what a source of data does not say itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from tinysearch.cli import completion, panels

if TYPE_CHECKING:
    from tinysearch.data.readers.reader import Reading


def size(given: str | tuple[int, ...]) -> tuple[int, ...]:
    """Return the sides of a size, ``HxW`` or ``HxWxC``.

    Raises:
        typer.BadParameter: if the text is none.

    >>> size("96x96"), size("32X32x3")
    ((96, 96), (32, 32, 3))
    """
    if isinstance(given, tuple):
        return given
    if not re.fullmatch(r"\s*\d{1,5}\s*(x\s*\d{1,5}\s*){1,2}", given, re.IGNORECASE | re.ASCII):
        raise typer.BadParameter(f"{given!r} is not a size; write it as HxW, such as 96x96, or as HxWxC")
    return tuple(int(side) for side in given.lower().split("x"))


Size = Annotated[
    str | None,
    typer.Option(
        "--size",
        parser=size,
        metavar="HxW",
        help="Size to scale pictures to, or to reshape flat rows to.",
        show_default=False,
        rich_help_panel=panels.DATA,
    ),
]
Layout = Annotated[
    str | None,
    typer.Option(
        metavar="AXES",
        help="Axes of the arrays: hw, hwc, chw, or for series tc, ct, t. [inferred]",
        show_default=False,
        autocompletion=completion.among("hw", "hwc", "chw", "tc", "ct", "t"),
        rich_help_panel=panels.ADVANCED,
    ),
]
LabelColumn = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Column of the table that has the labels. [label]",
        show_default=False,
        rich_help_panel=panels.ADVANCED,
    ),
]
Groups = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Array or column of groups (person, camera, ...) to keep in one fold; for pictures a pattern.",
        show_default=False,
        rich_help_panel=panels.ADVANCED,
    ),
]
Color = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Convert pictures to grey, rgb or rgba.",
        show_default=False,
        autocompletion=completion.among("grey", "rgb", "rgba"),
        rich_help_panel=panels.ADVANCED,
    ),
]

Reader = Annotated[
    str | None,
    typer.Option(
        "--reader",
        metavar="module:Class",
        help="Your own reader for --data; see docs/extending.md.",
        show_default=False,
        rich_help_panel=panels.ADVANCED,
    ),
]


def reading(
    size: object = None,
    layout: str | None = None,
    label_column: str | None = None,
    groups: str | None = None,
    color: str | None = None,
    reader: str | None = None,
) -> Reading:
    """Return what these options say.

    Raises:
        DatasetError: if one of them is not legal.
    """
    from tinysearch.data.readers.reader import Reading

    sides = size if isinstance(size, tuple) else None
    return Reading(size=sides, layout=layout, label_column=label_column, groups=groups, color=color, reader=reader)
