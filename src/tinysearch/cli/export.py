"""``export``: results that can be kept beside code, or carried to another machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinysearch.cli import options
from tinysearch.cli.reporting import reported, stderr


@reported
def export(
    runs: Annotated[list[str] | None, typer.Argument(metavar="[RUN]...", help="Runs; all if none is named.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The archive, a file that ends in .jsonl.")] = Path(
        "results.jsonl"
    ),
    store: options.Store = None,
) -> None:
    """Write runs and all their records to an archive of JSON lines, which leaderboard, show and cost can read.

    Example: tinysearch export mnist-10000-1 -o results.jsonl
    """
    from tinysearch.errors import InputError
    from tinysearch.results.archive import SUFFIX, write
    from tinysearch.results.store import Store, default_path

    if output.suffix != SUFFIX:
        raise InputError(f"an archive is a file whose name ends in {SUFFIX}, got {output}; name another with -o")
    with Store(store or default_path()) as opened:
        names = list(dict.fromkeys(runs or [run.name for run in opened.runs()]))
        try:
            written = write(opened, names, output)
        except OSError as error:
            raise InputError(f"{output} cannot be written ({error.strerror}); name another file with -o") from None
    stderr().print(f"wrote {written} records of {len(names)} runs to {output}", soft_wrap=True)
