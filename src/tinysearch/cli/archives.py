"""The commands ``export`` and ``import``: archives of results, to keep with code or to copy to another machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinysearch.cli import options
from tinysearch.cli.paths import path
from tinysearch.cli.reporting import reported, stderr


@reported
def export(
    runs: options.Runs = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            parser=path,
            metavar="FILE",
            help="Archive to write, a .jsonl file. [results.jsonl]",
            show_default=False,
        ),
    ] = None,
    tensorboard: Annotated[
        Path | None,
        typer.Option(
            parser=path, help="Write TensorBoard logs to this folder instead.", metavar="DIR", show_default=False
        ),
    ] = None,
    store: options.Store = None,
) -> None:
    """Write runs with all their records to an archive of JSON lines, which leaderboard, show, cost and report can read.

    Example: tinysearch export mnist-10000-1 -o results.jsonl
    """
    from tinysearch.errors import InputError
    from tinysearch.report import figures
    from tinysearch.results.archive import SUFFIX, write
    from tinysearch.results.store import Store, default_path

    if tensorboard is not None and output is not None:
        raise InputError(f"--tensorboard {tensorboard} and --output {output} exclude each other; give one of them")
    archive = output or Path("results.jsonl")
    if archive.suffix != SUFFIX:
        raise InputError(f"an archive is a file whose name ends in {SUFFIX}, got {archive}; name another with -o")
    with Store(store or default_path()) as opened:
        names = list(dict.fromkeys(runs or [run.name for run in opened.runs()]))
        opened.check_names(names)
        if tensorboard is not None:
            from tinysearch.report.tensorboard import to_tensorboard
            from tinysearch.runtime.backend import load_keras

            load_keras()
            written = to_tensorboard(
                (one for name in names for one in opened.records(name, all_needed=False)), tensorboard
            )
            stderr().print(
                f"wrote {figures.counted(written, 'log')}; look at them with tensorboard --logdir {tensorboard}",
                soft_wrap=True,
            )
            return
        try:
            written = write(opened, names, archive)
        except OSError as error:
            raise InputError(f"{archive} cannot be written ({error.strerror}); name another file with -o") from None
    counts = f"{figures.counted(written, 'record')} of {figures.counted(len(names), 'run')}"
    stderr().print(f"wrote {counts} to {archive}", soft_wrap=True)


@reported
def import_(
    runs: options.Runs = None,
    archive: Annotated[
        Path | None,
        typer.Option(
            "--from", parser=path, help="Archive to read, written by export.", metavar="FILE", show_default=False
        ),
    ] = None,
    reference: options.Reference = False,
    store: options.Store = None,
) -> None:
    """Add runs of an archive to the store, so that other runs can learn from them and reuse their trainings.

    Archives do not contain models.

    Example: tinysearch import mnist-10000-2 --reference
    """
    from tinysearch.errors import InputError, RunError
    from tinysearch.report import figures
    from tinysearch.results.archive import REFERENCE, read
    from tinysearch.results.store import Store, default_path

    if (archive is None) != reference:
        raise InputError("import needs one archive: give --from FILE or --reference")
    with read(archive or REFERENCE, all_needed=True) as source, Store(store or default_path(), create=True) as opened:
        chosen = [source.run(name) for name in dict.fromkeys(runs)] if runs else source.runs()
        there = [run.name for run in chosen if opened.has(run.name)]
        if there:
            raise RunError(
                f"a run named {there[0]!r} is in the store {opened.path} already, so nothing was imported; name the "
                f"runs to import, or another --store"
            )
        records = [record for run in chosen for record in source.records(run.name)]
        opened.add(chosen, records)
    counts = f"{figures.counted(len(records), 'record')} of {figures.counted(len(chosen), 'run')}"
    stderr().print(f"added {counts} to {opened.path}", soft_wrap=True)
