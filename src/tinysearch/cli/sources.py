"""Options on how to read data, for what the source of the data leaves open."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Annotated, Any, get_type_hints

import typer

from tinysearch.cli import completion, panels


def size(given: str | tuple[int, ...]) -> tuple[int, ...]:
    """Return the sides of a size, ``HxW`` or ``HxWxC``.

    Raises:
        typer.BadParameter: if the text is not a size.

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
        help="Size of scaled pictures, or of flat rows; of series, STEPSxCHANNELS.",
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
        help="Array or column of groups (person, camera, ...), each in one fold; for pictures, a regular expression.",
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


_OPTIONS = {
    "size": Size,
    "layout": Layout,
    "label_column": LabelColumn,
    "groups": Groups,
    "color": Color,
    "reader": Reader,
}


def reads_data(command: Callable[..., None]) -> Callable[..., None]:
    """Add these options to a command, after its option ``data`` or last; it receives them as one value, ``reading``.

    An invalid option raises a ``DatasetError`` before the command starts.
    """

    @functools.wraps(command)
    def wrapped(**given: Any) -> None:
        from tinysearch.data.readers.reader import Reading

        said = {name: given.pop(name, None) for name in _OPTIONS}
        command(**given, reading=Reading(**said))

    # ``Reading`` is imported for type checkers only.
    hints = get_type_hints(command, localns={"Reading": object}, include_extras=True)
    own = [
        one.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
        for name, one in inspect.signature(command).parameters.items()
        if name != "reading"
    ]
    ours = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=option)
        for name, option in _OPTIONS.items()
    ]
    place = next((index + 1 for index, one in enumerate(own) if one.name == "data"), len(own))
    parameters = [*own[:place], *ours, *own[place:]]
    wrapped.__signature__ = inspect.Signature(parameters, return_annotation=None)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {one.name: one.annotation for one in parameters}
    return wrapped
