"""The command ``data``: a check of how data is read, before training on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinysearch.cli import sources
from tinysearch.cli.inspect import Format, FormatOption
from tinysearch.cli.output import write
from tinysearch.cli.paths import path
from tinysearch.cli.reporting import EXIT_USAGE, reported, stdout
from tinysearch.cli.spelling import spelled

if TYPE_CHECKING:
    from tinysearch.data.readers.reader import Reading


@reported
@sources.reads_data
def data(
    source: Annotated[
        str, typer.Argument(help="A file, a folder, or the name of a dataset: auto, mnist, cifar10, digits, ...")
    ],
    preview: Annotated[
        Path | None,
        typer.Option(parser=path, metavar="FILE.png", help="Save a contact sheet with some images of each class."),
    ] = None,
    format: FormatOption = Format.table,  # noqa: A002
    *,
    reading: Reading,
) -> None:
    """Check data: print its shape, values, classes with counts, splits and problems. Nothing is trained.

    If there are errors, which would also stop a run, the exit code is 2.

    Example: tinysearch data pictures/ --size 96x96 --preview sheet.png
    """
    from tinysearch.data.loading import load
    from tinysearch.data.overview import overview
    from tinysearch.data.preview import save_preview
    from tinysearch.report import data as shown

    dataset = load(source, reading=reading)
    found = overview(dataset).worded(spelled)
    if preview is not None:
        save_preview(dataset, preview)
    if format is Format.json:
        write(json.dumps(found.to_dict(), indent=2) + "\n")
    else:
        stdout().print(shown.overview(found))
    if found.findings.errors:
        raise typer.Exit(EXIT_USAGE)
