"""Options for the task of a network or a space: input shape and classes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinysearch.cli.numbers import whole
from tinysearch.errors import InputError

if TYPE_CHECKING:
    from tinysearch.data.readers.reader import Reading
    from tinysearch.space.task import Task


def shape(given: str | tuple[int, ...]) -> tuple[int, ...]:
    """Return an input shape: height, width and channels, or for series steps, 1 and channels.

    Raises:
        typer.BadParameter: if the text is not an input shape.

    >>> shape("96x96x3"), shape("28x28"), shape("121x1x6")
    ((96, 96, 3), (28, 28, 1), (121, 1, 6))
    """
    if isinstance(given, tuple):
        return given
    if not re.fullmatch(r"\s*\d{1,5}\s*(x\s*\d{1,5}\s*){1,2}", given, re.IGNORECASE | re.ASCII):
        raise typer.BadParameter(
            f"{given!r} is not an input shape; write HxWxC, such as 96x96x3 or 28x28, or STEPSx1xC for series"
        )
    sides = tuple(int(side) for side in given.lower().split("x"))
    return sides if len(sides) == 3 else (*sides, 1)


InputShape = Annotated[
    str | None,
    typer.Option(
        "--input-shape",
        parser=shape,
        metavar="HxWxC",
        help="Input shape such as 96x96x3, or 121x1x6 for series; needs --classes.",
        show_default=False,
    ),
]
Classes = Annotated[
    int | None,
    typer.Option(parser=whole, metavar="N", help="Number of classes, with --input-shape.", show_default=False),
]


def task_of(input_shape: object, classes: int | None, dataset: str, data: Path | None, reading: Reading) -> Task | None:
    """Return the task that the options name; None if they name none.

    Raises:
        InputError: if the options are too few or too many, or the data cannot be read.
    """
    from tinysearch.space.task import Task

    if input_shape is None and classes is None:
        if data is None and dataset == "auto":
            return None
        from tinysearch.data.loading import load

        return load(dataset, data, reading=reading).task
    if data is not None or dataset != "auto":
        raise InputError(
            "--data and --dataset set the input shape and the classes; leave out --input-shape and --classes"
        )
    if not isinstance(input_shape, tuple) or classes is None:
        missing = "--classes" if classes is None else "--input-shape"
        raise InputError(f"an input shape and a number of classes go together; {missing} is missing")
    return Task(input_shape, classes)
