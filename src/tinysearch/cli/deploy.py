"""The command ``deploy``: export of a trained network for a device."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinysearch.cli import completion, options, sources, stores
from tinysearch.cli.numbers import positive
from tinysearch.cli.paths import path
from tinysearch.cli.reporting import reported, stderr, stdout
from tinysearch.cli.signals import terminations
from tinysearch.cli.spelling import spelled

if TYPE_CHECKING:
    from tinysearch.data.readers.reader import Reading


@reported
@sources.reads_data
def deploy(
    candidate: options.Candidate,
    to: Annotated[str, typer.Option("--to", metavar="TARGET", help="c, tflite (LiteRT), onnx or saved_model.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", parser=path, metavar="DIR", help="Folder to write the files to.")
    ],
    dtype: Annotated[
        str | None, typer.Option(metavar="TYPE", help="int8 or float32, for c and tflite. [int8]", show_default=False)
    ] = None,
    without_scaling: Annotated[
        bool, typer.Option("--without-scaling", help="Do not include the scaling of raw pixels in the network.")
    ] = False,
    vectors: Annotated[
        int | None,
        typer.Option(parser=positive, metavar="N", help="Number of test images, with results, in the C code. [50]"),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(
            "--run",
            metavar="NAME",
            help="Run whose training to export. [all that have trained it]",
            autocompletion=completion.runs,
        ),
    ] = None,
    dataset: options.Dataset = "auto",
    data: options.Data = None,
    reference: options.Reference = False,
    store: options.StoreOrArchive = None,
    *,
    reading: Reading,
) -> None:
    """Export a trained network for a device, and compare it with Keras.

    C code is compiled and run on this machine and, if the tools are installed, on emulated microcontrollers. Its
    parameters, flash and RAM are checked against the limits of the run: --budget, --max-flash, --max-ram or --device.
    Of several trainings of the network, the one on all training images with the lowest seed is exported; if its model
    was not kept, it is trained again.

    Example: tinysearch deploy 231495f5d1eb --reference --to c -o out
    """
    from tinysearch.api.known_data import Given, data_of_first
    from tinysearch.cli.candidates import find
    from tinysearch.data.loading import load
    from tinysearch.deploy.deployment import check_target, deploy_candidate
    from tinysearch.deploy.summary import summary

    wanted = check_target(to, dtype, vectors)
    place = stores.to_read(store, reference)
    found = find(candidate, place)
    if run is not None:
        found = found.of(run)
    asked = Given(data or "auto", dataset, reading)
    if asked.nothing:
        found.check_one_dataset()
    given = data_of_first(found.runs[::-1], asked)
    images = load(given.dataset, None if given.data == "auto" else given.data, reading=given.reading)
    here = found.on(images.fingerprint)
    notes = stderr()
    with terminations():
        done = deploy_candidate(
            found.name,
            found.records,
            found.models,
            to,
            output,
            images,
            dtype=wanted,
            scaling=not without_scaling,
            class_names=here.class_names,
            budgets=here.budgets,
            vectors=vectors,
            store=place,
            tell=lambda text: notes.print(f"note: {spelled(text)}", style="bold yellow", soft_wrap=True),
        )
    stdout().print(summary(done))
